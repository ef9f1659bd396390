"""What follows from Meta's refusal of a message beyond the message itself, whether it came as answer or as status."""

from dataclasses import dataclass
from datetime import datetime

from functions.core.consent import stated
from functions.core.conversation import contact_key
from functions.core.events import event
from functions.core.lines import Line
from functions.core.meta_errors import OPTED_OUT, TEMPLATE_CHANGED, WINDOW_CLOSED
from functions.core.store import NOW, Document, Key, Write, update
from functions.core.tasks import Task
from functions.core.templates import resync_task
from functions.core.window import closed_by_meta


@dataclass(frozen=True, slots=True)
class Consequences:
    """What is to be written along with the message's end, and queued after it."""

    writes: tuple[Write, ...] = ()
    tasks: tuple[Task, ...] = ()


def consequences(
    code: int | None, line: Line, message: Document, contact: str | None, *, at: int, now: datetime
) -> Consequences:
    """Return what a refusal at this second asks for. `contact`: whose the message is, None after its erasure.

    Who was erased meanwhile is not made again: the commit is refused.
    """
    fields = message.fields
    if code == WINDOW_CLOSED:
        # Meta is right about the window: the tab turns to the templates.
        conversation = Key("conversations", fields["conversation"])
        closed = update(conversation, {**closed_by_meta(at), "updated": NOW})
        return Consequences((closed, _told(line, message, at, now)))
    if code == OPTED_OUT and contact is not None:
        said = update(contact_key(contact), {"consent": stated("stop", "whatsapp", at), "updated": NOW})
        return Consequences((said, _told(line, message, at, now)))
    if code in TEMPLATE_CHANGED and fields["type"] == "template":
        name, language = fields["content"]["name"], fields["content"]["language"]["code"]
        return Consequences(tasks=(resync_task(line.id, name, language, message.key.id),))
    return Consequences()


def _told(line: Line, message: Document, at: int, now: datetime) -> Write:
    return event(
        "conversation.updated",
        account=line.account,
        connection=line.connection,
        conversation=message.fields["conversation"],
        detail=f"refused {at}",
        now=now,
    )
