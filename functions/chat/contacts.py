"""A person as a whole, for the CRM's server: what is held of them, handed out or erased; and who did what."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import StringConstraints

from functions.chat.audit import actor
from functions.chat.callers import Caller, Door
from functions.chat.cursors import Limit, Reading, micros, place, time_place
from functions.chat.desk import Desk, only_servers
from functions.chat.problems import not_found
from functions.chat.reading import file_urls
from functions.core import export
from functions.core.audit import Actor, happened
from functions.core.belongings import Person, messages_of, person_of
from functions.core.erased import erased_contact
from functions.core.erasure import begin
from functions.core.message import iso
from functions.core.store import Document, Query

_INDEX = re.compile(r"[0-9]{1,6}")

By = Annotated[str | None, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""The agent in whose name the server asks, by their id in the CRM."""


async def exported(desk: Desk, caller: Caller, contact: str, *, after: str | None, by: str | None) -> dict[str, Any]:
    """Return what is held of a person: first all but the messages, and with it a page of them; then page by page."""
    person = await _own(desk, caller, contact)
    if after is None:
        noted = happened(
            "exported",
            _actor(caller, by),
            account=caller.account,
            connection=caller.connection,
            contact=person.contact.key.id,
            now=desk.ports.now(),
            policy=await desk.directory.policy(caller.account),
        )
        await desk.ports.store.commit([noted])
    found, following = await _page(desk, person, after)
    return {
        "about": await export.about(desk.ports, person) if after is None else None,
        "messages": [
            export.written(message, (await file_urls(desk, message, even_revoked=True))["url"]) for message in found
        ],
        "next": following,
    }


async def erased(desk: Desk, caller: Caller, contact: str, *, by: str | None) -> dict[str, Any]:
    """Begin to erase a person; it goes on by itself, and `contact.erased` tells when it is done."""
    only_servers(caller)
    known = await erased_contact(desk.ports.store, contact)
    if known and "begun" in known and _knew(caller, known):
        # Asked once more, since the first answer was lost.
        await begin(desk.ports, contact, _actor(caller, by))
        return {"id": contact}
    person = await _own(desk, caller, contact)
    await begin(desk.ports, person.contact.key.id, _actor(caller, by))
    return {"id": person.contact.key.id}


def _knew(caller: Caller, known: Mapping[str, Any]) -> bool:
    """Tell whether somebody whose erasure has begun was known to the caller's connection."""
    return bool(known["account"] == caller.account and caller.connection in known["connections"])


async def trail(desk: Desk, caller: Caller, *, after: str, limit: int) -> dict[str, Any]:
    """Return who did what since a cursor, oldest change first; the last 15 s come again."""
    only_servers(caller)
    reading = Reading.of(after)
    found = await desk.ports.store.query(
        Query(
            "audit",
            {"account": caller.account},
            order="updated",
            since=reading.since,
            after=reading.last_seen,
            limit=limit,
        )
    )
    latest = max((micros(one.fields["updated"]) for one in found), default=reading.micros)
    # Of another connection of the account only what is everybody's.
    own = [one for one in found if one.fields.get("connection") in (None, caller.connection)]
    return {
        "items": [_view(one) for one in own],
        "next": place(latest, found[-1].key.id) if len(found) == limit else str(latest),
        "more": len(found) == limit,
    }


async def _own(desk: Desk, caller: Caller, contact: str) -> Person:
    """Return a person whom the caller's connection knows. Raises `Problem` 403 or 404."""
    only_servers(caller)
    person = await person_of(desk.ports.store, contact)
    if person is None or person.account != caller.account:
        raise not_found()
    lines = [await desk.directory.line(one.fields["line"]) for one in person.conversations]
    if not any(line and line.connection == caller.connection for line in lines):
        raise not_found()
    return person


def _actor(caller: Caller, by: str | None) -> Actor:
    return Actor("agent", by) if by else actor(caller)


async def _page(desk: Desk, person: Person, after: str | None) -> tuple[list[Document], str | None]:
    """Return a page of messages and the cursor behind it: which conversation, and where in it."""
    conversations = [one.key.id for one in person.conversations]
    index, _, cursor = (after or "0").partition(":")
    if not _INDEX.fullmatch(index) or int(index) >= max(len(conversations), 1):
        raise not_found()
    if not conversations:
        return [], None
    number = int(index)
    query = messages_of(conversations[number], time_place(cursor) if cursor else None)
    found = await desk.ports.store.query(query)
    if len(found) == query.limit:
        return found, f"{number}:{place(micros(found[-1].fields['changed']), found[-1].key.id)}"
    return found, f"{number + 1}" if number + 1 < len(conversations) else None


def _view(document: Document) -> dict[str, Any]:
    fields = document.fields
    return {
        "id": document.key.id,
        "act": fields["act"],
        "actor": fields["actor"],
        "agent": fields["agent"],
        "name": fields["name"],
        "first": iso(fields["first"]),
        "last": iso(fields["at"]),
        "count": fields["count"],
        "line": fields.get("line"),
        "conversation": fields.get("conversation"),
        "contact": fields.get("contact"),
        "what": fields.get("what"),
        "version": document.version,
    }


def routes(desk: Desk, door: Door) -> APIRouter:
    """Return the routes of people and of the audit trail, for CRM servers."""
    router = APIRouter(prefix="/v1")
    calling = Annotated[Caller, Depends(door.caller)]

    @router.get("/contacts/{contact}")
    async def export_contact(caller: calling, contact: str, after: str | None = None, by: By = None) -> dict[str, Any]:
        """All that is held of a person, with their messages page by page (CRM servers only)."""
        return await exported(desk, caller, contact, after=after, by=by)

    @router.delete("/contacts/{contact}", status_code=202)
    async def erase_contact(caller: calling, contact: str, by: By = None) -> dict[str, Any]:
        """Erase a person: messages, files and what waits; it can't be undone (CRM servers only)."""
        return await erased(desk, caller, contact, by=by)

    @router.get("/audit")
    async def audit(caller: calling, after: str = "0", limit: Limit = 200) -> dict[str, Any]:
        """Who saw, sent, exported, erased and set what, without any text of a message (CRM servers only)."""
        return await trail(desk, caller, after=after, limit=limit)

    return router
