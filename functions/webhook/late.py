"""What came before its message, brought together with it.

A message of the phone app has no name that a status could know, so its statuses wait as orphans, and reactions under
the name of a received message. Each side is stored first and then looks for the other: one of them finds it.
"""

from datetime import datetime

from functions.core.changes import is_early, joined
from functions.core.events import deliver_task, event
from functions.core.ids import key_of
from functions.core.lines import Line
from functions.core.message import inbound_key, wamid_key
from functions.core.store import Document, Query, Store, Write, delete, update
from functions.webhook.changes import message_of_wamid
from functions.webhook.statuses import status_fields
from functions.webhook.step import Step


async def late_step(line: Line, wamid: str, store: Store, now: datetime) -> Step | None:
    """Return what is to be done now that something of this wamid is stored, if anything; then ask again."""
    message = await message_of_wamid(store, line, wamid)
    if message is None:
        return None
    orphans = await store.query(Query("orphan_statuses", {"wamid_key": wamid_key(wamid)}, order="at", limit=20))
    if own := [orphan for orphan in orphans if orphan.fields["line"] == line.id]:
        return _adopted(message, own, line, now)
    [early] = await store.get([inbound_key(line.id, wamid)])
    if early is None or not is_early(early):
        return None
    writes = [
        update(message.key, joined(message.fields, early.fields), version=message.version),
        delete(early.key, version=early.version),
    ]
    return _told(message, line, now, "early", writes)


def _adopted(message: Document, orphans: list[Document], line: Line, now: datetime) -> Step:
    writes: list[Write] = []
    for orphan in orphans:
        fields = orphan.fields
        status = status_fields(fields["status"], fields["at"], fields["errors"], fields.get("participant"))
        writes.append(update(message.key, status))
        writes.append(delete(orphan.key))
    return _told(message, line, now, "orphans", writes)


def _told(message: Document, line: Line, now: datetime, detail: str, writes: list[Write]) -> Step:
    told = event(
        "message.changed",
        account=line.account,
        connection=line.connection,
        conversation=message.fields["conversation"],
        message=message.key.id,
        detail=detail,
        now=now,
    )
    return Step([*writes, told], [deliver_task(line.connection, key_of(message.key.id, detail))])
