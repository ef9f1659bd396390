"""What one update asks for."""

from dataclasses import dataclass, field

from functions.core.store import Key, Write
from functions.core.tasks import Task
from functions.core.whatsapp import Message


@dataclass(slots=True)
class Step:
    """The writes of one update, which stand or fall together, and the tasks that follow them.

    `message` is the document whose existence proves that the update was stored before. Two things are done once the
    writes are stored: for `awaited`, a wamid, what came before its message is brought together with it (`late`);
    `moved` is a notice that the customer has other identities from now on (`moves`).
    """

    writes: list[Write] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    message: Key | None = None
    awaited: str | None = None
    moved: Message | None = None
