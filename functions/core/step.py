"""What one update asks for."""

from msgspec import Struct

from functions.core.learning import Lesson
from functions.core.store import Key, Write
from functions.core.tasks import Task
from functions.core.whatsapp import Message


class Step(Struct):
    """The writes of one update, which stand or fall together, and the tasks that follow them.

    `message` is the document whose existence proves that the update was stored before. Three things are done once the
    writes are stored: for `awaited`, a wamid, what came before its message is brought together with it (`late`);
    `moved` is a notice that the customer has other identities from now on (`moves`); `lesson` says who an invited
    person is.
    """

    writes: list[Write] = []
    tasks: list[Task] = []
    message: Key | None = None
    awaited: str | None = None
    moved: Message | None = None
    lesson: Lesson | None = None
