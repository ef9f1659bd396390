"""What a CRM server asks for: its conversations, and its events where we can't reach it."""

from datetime import datetime
from typing import Any

from functions.chat.callers import Caller
from functions.chat.cursors import Reading, micros, place, time_place
from functions.chat.desk import Desk, line_of, only_servers
from functions.core.conversation import contact_key, contact_view, unread, window_view
from functions.core.store import Document, Query
from functions.core.telling import tellings


async def conversations(
    desk: Desk, caller: Caller, *, line: str | None, updated_after: datetime | None, before: str | None, limit: int
) -> dict[str, Any]:
    """Return conversations, the latest changed first; `next` is the `before` of the following page."""
    only_servers(caller)
    where = {"line": (await line_of(desk, caller, line)).id} if line else {"connection": caller.connection}
    found = await desk.ports.store.query(
        Query(
            "conversations",
            where,
            order="updated",
            descending=True,
            after=time_place(before) if before else None,
            limit=limit,
        )
    )
    wanted = [item for item in found if updated_after is None or item.fields["updated"] > updated_after]
    last = found[-1] if len(wanted) == limit else None
    return {
        "items": await _heads(desk, wanted),
        "next": place(micros(last.fields["updated"]), last.key.id) if last else None,
    }


async def events(desk: Desk, caller: Caller, *, after: str, limit: int) -> dict[str, Any]:
    """Return the connection's events since a cursor, oldest first; `next` is the following call's `after`.

    The last 15 s come again, and their ids make that harmless. An event stays for 8 days, or until it was pushed.
    """
    only_servers(caller)
    reading = Reading.of(after)
    found = await desk.ports.store.query(
        Query(
            "events",
            {"connection": caller.connection},
            order="seq",
            since=reading.since,
            after=reading.last_seen,
            limit=limit,
        )
    )
    told = await tellings(desk.ports.store, desk.directory, found)
    latest = max((micros(event.fields["seq"]) for event in found), default=reading.micros)
    return {
        "items": [telling.body for telling in told if telling.body],
        "next": place(latest, found[-1].key.id) if len(found) == limit else str(latest),
    }


async def _heads(desk: Desk, found: list[Document]) -> list[dict[str, Any]]:
    keys = [contact_key(conversation.fields["contact"]) for conversation in found]
    contacts = await desk.ports.store.get(keys) if keys else []
    now = desk.ports.now()
    return [
        {
            "id": conversation.key.id,
            "line": conversation.fields["line"],
            "contact": contact_view(contact) if contact else None,
            "window": window_view(conversation.fields, now),
            "unread": unread(conversation.fields),
            "merged_into": conversation.fields.get("merged_into"),
            "updated": conversation.fields["updated"].isoformat(),
            "version": conversation.version,
        }
        for conversation, contact in zip(found, contacts, strict=True)
    ]
