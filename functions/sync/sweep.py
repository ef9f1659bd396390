"""The sweep: what waits in the store without a task gets one, and so does what is due. It runs every minute.

A process may die between its commit and its task. Names make a sweep harmless for what already has one. Each part
looks at one document of each connection or conversation, so that none waits for another, however much it has; where
there is more than a run may take, the sweep goes on in a task of its own.
"""

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime, timedelta

from functions.core.erasure import erase_task
from functions.core.events import deliver_task
from functions.core.fetching import KEPT_AT_META, fetch_task
from functions.core.health import hold_key
from functions.core.ids import key_of
from functions.core.imports import import_of, import_task
from functions.core.joining import carry_task, person_task
from functions.core.lines import Directory
from functions.core.outbox import is_bulk, send_task
from functions.core.ports import Ports
from functions.core.store import Document, Query, Store
from functions.core.tasks import Task
from functions.core.templates import sync_task
from functions.sync.retention import forget_files

log = logging.getLogger(__name__)

_LATE = timedelta(seconds=30)
_FILE_LATE = timedelta(minutes=15)

_FILE_AGAIN = 24 * 3600
"""Seconds: how often a file gets another task, in case its own is gone, which asks for 7 days with growing pauses."""

_IMPORT_AGAIN = 3600
"""Seconds: as long as the name of a task rests."""

_AT_ONCE = 200
"""How many a run looks at in each part."""

_FILES = 50

_LAST = "~"
"""Behind every id of a document."""

Found = AsyncIterator[tuple[str, Task | None]]
"""What a part looked at: the place behind which to go on, and the task that it needs, if any."""


async def sweep(ports: Ports, part: str | None = None, behind: str = "") -> None:
    """Queue what has waited for longer than a task would have let it.

    `part` and `behind`: a sweep that was too long for one run goes on there.
    """
    now = ports.now()
    for name in (part,) if part else _PARTS:
        await _sweep_part(ports, name, behind, now)
    if part is None:
        await _poll_templates(ports, now)
        await forget_files(ports)


async def _sweep_part(ports: Ports, part: str, behind: str, now: datetime) -> None:
    looked = swept = 0
    async for place, task in _PARTS[part](ports.store, now, behind):
        looked += 1
        if task:
            swept += 1
            await ports.tasks.enqueue(task)
        if looked == _AT_ONCE:
            await ports.tasks.enqueue(_rest(part, place, now))
            break
    if swept:
        log.info("swept", extra={"kind": part, "count": swept})


def _rest(part: str, behind: str, now: datetime) -> Task:
    return Task(
        queue="housekeeping",
        function="sync",
        payload={"kind": "sweep", "part": part, "behind": behind},
        name=key_of("sweep", part, behind, _minute(now)),
    )


def _minute(now: datetime) -> str:
    return f"sweep {int(now.timestamp()) // 60}"


async def _events(store: Store, now: datetime, behind: str) -> Found:
    """Look at each connection with events that wait."""
    async for event in _one_of_each(store, _pending, behind):
        connection, late = event.fields["connection"], event.fields["seq"] < now - _LATE
        yield connection, deliver_task(connection, _minute(now)) if late else None


async def _messages(store: Store, now: datetime, behind: str) -> Found:
    """Look at each conversation with messages that wait."""
    held: dict[str, bool] = {}
    async for message in _one_of_each(store, _waiting, behind):
        line, conversation = message.fields["line"], message.fields["conversation"]
        late = message.fields["queued"] < now - _LATE
        # A line that can't send at all is asked once, not for each of its conversations.
        needed = late and not held.get(line)
        if needed and line not in held:
            [hold] = await store.get([hold_key(line)])
            held[line] = hold is not None
        task = send_task(line, conversation, _minute(now), bulk=is_bulk(message.fields))
        yield conversation, task if needed else None


async def _files(store: Store, now: datetime, behind: str) -> Found:
    """Look at each file that was not fetched yet, the oldest first."""
    after = _change(behind)
    turn = f"sweep {int(now.timestamp()) // _FILE_AGAIN}"
    while found := await store.query(
        Query("messages", {"media.state": "waiting"}, order="changed", after=after, limit=_FILES)
    ):
        for message in found:
            if message.fields["changed"] >= now - _FILE_LATE:
                return
            changed, id_ = after = (message.fields["changed"], message.key.id)
            task = fetch_task(message.fields["line"], id_, changed + KEPT_AT_META, cause=turn)
            yield f"{changed.isoformat()}{_LAST}{id_}", task


async def _imports(store: Store, now: datetime, behind: str) -> Found:
    """Look at each thing that a phone app handed over and that nobody has worked at for some time."""
    query = Query("imports", {"pending": True}, order="updated", after=_change(behind), limit=_AT_ONCE + 1)
    directory, turn = Directory(store), f"sweep {int(now.timestamp()) // _IMPORT_AGAIN}"
    for head in await store.query(query):
        updated: datetime = head.fields["updated"]
        if updated >= now - _FILE_LATE:
            return
        # Where the line is gone it waits for an admin, who knows.
        known = await directory.line(head.fields["line"])
        task = import_task(import_of(head.key), head.fields.get("start", 0), turn) if known else None
        yield f"{updated.isoformat()}{_LAST}{head.key.id}", task


async def _conversations(store: Store, now: datetime, behind: str) -> Found:
    """Look at each conversation that was joined to another and may still have something to carry over."""
    after = _place(behind)
    query = Query("conversations", {"carrying": True}, order="carry_until", after=after, limit=_AT_ONCE + 1)
    async for place, conversation in _late_ones(store, now, query):
        yield place, carry_task(conversation.key.id, _minute(now))


async def _contacts(store: Store, now: datetime, behind: str) -> Found:
    """Look at each contact that was joined to another and may still have something to carry over."""
    after = _place(behind)
    query = Query("contacts", {"carrying": True}, order="carry_until", after=after, limit=_AT_ONCE + 1)
    async for place, contact in _late_ones(store, now, query):
        yield place, person_task(contact.key.id, cause=_minute(now))


async def _erasures(store: Store, now: datetime, behind: str) -> Found:
    """Look at each person whose erasure was begun."""
    query = Query("erasures", {"begun": True}, order="since", after=_place(behind), limit=_AT_ONCE + 1)
    async for place, erasure in _late_ones(store, now, query):
        yield place, erase_task(erasure.fields["erased"], _minute(now))


def _place(behind: str) -> tuple[float, str] | None:
    moment, _, last = behind.partition(_LAST)
    return (float(moment), last) if behind else None


def _change(behind: str) -> tuple[datetime, str] | None:
    at, _, last = behind.partition(_LAST)
    return (datetime.fromisoformat(at), last) if behind else None


async def _late_ones(store: Store, now: datetime, query: Query) -> AsyncIterator[tuple[str, Document]]:
    """Yield what stands in the order of a moment that is over, with its place in that order."""
    for one in await store.query(query):
        moment: float = one.fields[query.order]
        if moment > (now - _LATE).timestamp():
            return
        yield f"{moment}{_LAST}{one.key.id}", one


_PARTS: Mapping[str, Callable[[Store, datetime, str], Found]] = {
    "events": _events,
    "messages": _messages,
    "files": _files,
    "imports": _imports,
    "conversations": _conversations,
    "contacts": _contacts,
    "erasures": _erasures,
}


def _pending(after: tuple[str, str] | None) -> Query:
    return Query("events", {"pending": True}, order="connection", after=after, limit=1)


def _waiting(after: tuple[str, str] | None) -> Query:
    return Query("messages", {"waiting": True}, order="conversation", after=after, limit=1)


async def _one_of_each(
    store: Store, query: Callable[[tuple[str, str] | None], Query], behind: str
) -> AsyncIterator[Document]:
    """Yield one document of each value by which a query orders, with one look for each."""
    while found := await store.query(asked := query((behind, _LAST) if behind else None)):
        yield found[0]
        behind = found[0].fields[asked.order]


async def _poll_templates(ports: Ports, now: datetime) -> None:
    """Queue the templates of the accounts whose turn it is; each names its next turn when it is done."""
    for account in await ports.store.query(Query("wabas", {"polled": True}, order="templates_due", limit=_AT_ONCE)):
        if account.fields["templates_due"] > now.timestamp():
            return
        await ports.tasks.enqueue(sync_task(account.fields["line"], account.fields["waba"], now))
