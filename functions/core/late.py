"""What came before its message, brought together with it.

A message of the phone app has no name that a status could know, and one of ours has no wamid before Meta's answer is
stored: their statuses wait as orphans, and reactions under the name of a received message. Each side is stored first
and then looks for the other: one of them finds it.
"""

from datetime import datetime

from functions.core.changes import is_early, joined
from functions.core.events import deliver_task, event
from functions.core.ids import key_of
from functions.core.lines import Line
from functions.core.message import inbound_key, message_of_wamid, wamid_key
from functions.core.ports import Ports
from functions.core.status import status_fields
from functions.core.step import Step
from functions.core.store import Document, NotFound, Query, Stale, Store, Unavailable, Write, delete, update

_RACES = 5


async def bring_together(ports: Ports, line: Line, wamid: str) -> None:
    """Apply what came before its message, once one of both is stored. Raises `Unavailable`."""
    for _ in range(_RACES):
        late = await _late_step(line, wamid, ports.store, ports.now())
        if late is None:
            return
        try:
            await ports.store.commit(late.writes)
        except (NotFound, Stale):
            continue  # Another instance does the same.
        for task in late.tasks:
            await ports.tasks.enqueue(task)
    raise Unavailable("lost every race")


async def _late_step(line: Line, wamid: str, store: Store, now: datetime) -> Step | None:
    """Return what is to be done now that something of this wamid is stored, if anything; then ask again."""
    orphans = await store.query(Query("orphan_statuses", {"wamid_key": wamid_key(wamid)}, order="at", limit=20))
    own = [orphan for orphan in orphans if orphan.fields["line"] == line.id]
    [early] = await store.get([inbound_key(line.id, wamid)])
    if not own and not is_early(early):
        return None
    message = await message_of_wamid(store, line.id, wamid)
    if message is None:
        return None
    if own:
        return _adopted(message, own, line, now)
    assert early is not None  # noqa: S101 - for the type checker
    if message.key == early.key:
        return None  # It has just been filled in, with what was kept there.
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
