"""What a CRM server asks for: its conversations, and its events where we can't reach it."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from functions.chat.callers import Caller
from functions.chat.cursors import Reading, micros, place, time_place
from functions.chat.desk import Desk, is_of, line_of, only_servers
from functions.chat.problems import not_found
from functions.chat.shapes import Id, Strict
from functions.core.consent import consent_view
from functions.core.conversation import contact_key, contact_view, unread, window_view
from functions.core.reach import reach_key, reach_view
from functions.core.results import Result, settle, settled
from functions.core.store import Document, Key, Query, merge
from functions.core.telling import standing, tellings

_NOTED = timedelta(minutes=5)
"""How often it is noted that a CRM pulls."""


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
    fresh = [item for item in found if updated_after is None or item.fields["updated"] > updated_after]
    last = found[-1] if len(fresh) == limit else None
    # The name of a connection that a line left may be another's by now.
    lines = {item.fields["line"]: await desk.directory.line(item.fields["line"]) for item in fresh}
    wanted = [item for item in fresh if (own := lines[item.fields["line"]]) and is_of(own, caller)]
    return {
        "items": await _heads(desk, wanted),
        "next": place(micros(last.fields["updated"]), last.key.id) if last else None,
    }


async def events(desk: Desk, caller: Caller, *, after: str, limit: int) -> dict[str, Any]:
    """Return the connection's events since a cursor, oldest first; `next` is the following call's `after`.

    The last 15 s come again, and their ids make that harmless. An event stays for 8 days, or until it was pushed or
    its result was handed in.
    """
    only_servers(caller)
    reading = Reading.of(after)
    store = desk.ports.store
    found = await store.query(
        Query(
            "events",
            {"connection": caller.connection},
            order="seq",
            since=reading.since,
            after=reading.last_seen,
            limit=limit,
        )
    )
    told = await tellings(store, desk.directory, found, caller.account)
    now = desk.ports.now()
    if gone := [settled(telling.event, None, None, now) for telling in told if not telling.body]:
        await settle(store, gone)
    latest = max((micros(event.fields["seq"]) for event in found), default=reading.micros)
    return {
        "items": [telling.body for telling in told if telling.body],
        "next": place(latest, found[-1].key.id) if len(found) == limit else str(latest),
        "more": len(found) == limit,
        "reach": await _reach(desk, caller, now),
    }


class Handed(Result):
    """`at`: when the event happened, as it was told; one that happened again meanwhile is told again."""

    id: Id
    at: AwareDatetime


class Results(Strict):
    """What the CRM made of events that it pulled: the same as it answers to a push."""

    results: Annotated[list[Handed], Field(max_length=200)]


async def hand_in(desk: Desk, caller: Caller, handed: Results) -> dict[str, Any]:
    """Take away what the CRM has taken, and note what it says of the conversations."""
    only_servers(caller)
    store = desk.ports.store
    results = {result.id: result for result in handed.results}
    found = await store.get([Key("events", id_) for id_ in results]) if results else []
    events = [
        event
        for event in found
        if event and event.fields["connection"] == caller.connection and event.fields["seq"] == results[event.key.id].at
    ]
    keys = {event.fields["conversation"] for event in events} - {None}
    conversations = await store.get([Key("conversations", key) for key in keys]) if keys else []
    by_id = {conversation.key.id: conversation for conversation in conversations if conversation}
    now = desk.ports.now()
    await settle(
        store,
        [
            settled(event, by_id.get(event.fields["conversation"]), results[event.key.id].answer(), now)
            for event in events
        ],
    )
    return {"settled": len(events)}


async def _reach(desk: Desk, caller: Caller, now: datetime) -> dict[str, Any]:
    """Return how the caller is reached, and note that it pulls, if it must."""
    connection = await desk.directory.connection(caller.connection)
    if connection is None:
        raise not_found()
    [known] = await desk.ports.store.get([reach_key(caller.connection)])
    fields = known.fields if known else {}
    reach = reach_view(connection, fields)
    if reach["way"] == "pulled" and fields.get("pulled", 0) < (now - _NOTED).timestamp():
        await desk.ports.store.commit([merge(reach_key(connection.id), {"pulled": now.timestamp()})])
    return reach


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
            "updated": conversation.fields["updated"].isoformat(),
            "consent": consent_view(contact.fields) if contact else None,
            **standing(conversation),
        }
        for conversation, contact in zip(found, contacts, strict=True)
    ]
