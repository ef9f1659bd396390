"""A reaction, an edit or a revocation changes the message that it names, read and written at its version.

One that comes before its message is kept under the message's own name; whichever is stored second finds the other.
"""

from datetime import datetime

from functions.core.changes import WHAT, changed, is_early
from functions.core.conversation import active
from functions.core.events import deliver_task, event
from functions.core.ids import key_of
from functions.core.lines import Line
from functions.core.message import inbound_key, wamid_key
from functions.core.store import Document, Key, Query, Store, Write, create, update
from functions.core.whatsapp import CUSTOMER, Change, Reaction
from functions.webhook.step import Step


async def change_step(change: Change, line: Line, store: Store, now: datetime) -> Step:
    """Return what a change asks for."""
    key = inbound_key(line.id, change.target)
    [there] = await store.get([key])
    message = there if there and not is_early(there) else await message_of_wamid(store, line, change.target)
    if message is None:
        return Step(writes=_kept(change, line, key, there), awaited=change.target)
    fields = changed(message.fields, change)
    if fields is None:
        return Step()
    told = event(
        "message.changed",
        account=line.account,
        connection=line.connection,
        conversation=message.fields["conversation"],
        message=message.key.id,
        detail=WHAT[type(change)],
        what=WHAT[type(change)],
        now=now,
    )
    writes = [update(message.key, fields, version=message.version), told, *_activity(change, message, line)]
    return Step(writes, [deliver_task(line.connection, key_of(message.key.id, change.wamid))])


async def message_of_wamid(store: Store, line: Line, wamid: str) -> Document | None:
    """Return the message of a line that Meta knows by this wamid, whoever sent it."""
    found = await store.query(
        Query("messages", {"line": line.id, "wamid_key": wamid_key(wamid)}, order="sort", limit=1)
    )
    return found[0] if found else None


def _kept(change: Change, line: Line, key: Key, early: Document | None) -> list[Write]:
    fields = changed(early.fields if early else {}, change)
    if fields is None:
        return []
    if early is not None:
        return [update(key, fields, version=early.version)]
    return [create(key, {"account": line.account, "line": line.id, **fields})]


def _activity(change: Change, message: Document, line: Line) -> list[Write]:
    """A customer who reacts is there, though it opens no window."""
    if not isinstance(change, Reaction) or change.by != CUSTOMER:
        return []
    conversation = Key("conversations", message.fields["conversation"])
    return [update(conversation, active(change.at))]
