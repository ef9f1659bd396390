"""What one update asks for."""

from dataclasses import dataclass, field

from functions.core.store import Key, Write
from functions.core.tasks import Task


@dataclass(slots=True)
class Step:
    """The writes of one update, which stand or fall together, and the tasks that follow them.

    `message` is the document whose existence proves that the update was stored before. `awaited` is a wamid of which
    something else may have come meanwhile: the two are brought together once this is stored (`late`).
    """

    writes: list[Write] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    message: Key | None = None
    awaited: str | None = None
