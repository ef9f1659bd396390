"""Links made for a CRM: `POST links` and what became of them."""

import uuid
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, Field, StringConstraints

from functions.chat.callers import Caller, Door
from functions.chat.cursors import Limit, micros, place, time_place
from functions.chat.desk import Desk, line_of, only_servers
from functions.chat.problems import Problem, not_found
from functions.chat.shapes import Strict
from functions.core.ids import key_of
from functions.core.lines import Line
from functions.core.links import Link, clicks_by_day, link_key, link_of, link_writes, new_slug, slug_key, wa_me
from functions.core.reference import new_reference
from functions.core.store import NOW, AlreadyExists, Document, Query, update

_TRIES = 5
_AT_ONCE = 400
"""How many counting documents are read at a time."""

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class Owner(Strict):
    """Who looks after the customers that a link brings: an agent of the CRM."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    name: Name


class Stated(Strict):
    """What may be said of a link, and changed later. `text` may hold `{{variables}}`, filled in from the address."""

    text: Annotated[str, Field(max_length=1000)] = ""
    label: Name | None = None
    source: Name | None = None
    medium: Name | None = None
    campaign: Name | None = None
    owner: Owner | None = None
    team: Name | None = None
    tag: Name | None = None
    expires: AwareDatetime | None = None

    def fields(self) -> dict[str, Any]:
        """Return what is kept of it: `expires` in epoch seconds."""
        expires = {"expires": int(self.expires.timestamp()) if self.expires else None}
        return self.model_dump(include=set(Stated.model_fields)) | expires


class NewLink(Stated):
    """`line`: our id or Meta's `phone_number_id`. `slug`: the short link's last part, else a random one."""

    line: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    slug: Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{1,38}[a-z0-9])$")] | None = None


async def make(desk: Desk, caller: Caller, wanted: NewLink) -> dict[str, Any]:
    """Make a link and return it. Raises `Problem` (`slug_taken`, `not_found`)."""
    only_servers(caller)
    line = await line_of(desk, caller, wanted.line)
    for _ in range(_TRIES):
        link = Link(
            id=key_of("link", str(uuid.uuid4())),
            account=caller.account,
            connection=caller.connection,
            line=line.id,
            reference=new_reference(),
            slug=wanted.slug or new_slug(),
            stated=wanted.fields(),
        )
        try:
            await desk.ports.store.commit(link_writes(link))
        except AlreadyExists:
            if wanted.slug and (await desk.ports.store.get([slug_key(wanted.slug)]))[0]:
                taken = f"Another link already ends in “{wanted.slug}”."
                raise Problem(409, "slug_taken", taken) from None
            # A reference or slug that was drawn before: draw again.
            continue
        return view(desk, link, line)
    raise Problem(503, "unavailable", "No free reference was found. Try again.")


async def change(desk: Desk, caller: Caller, link_id: str, stated: Stated) -> dict[str, Any]:
    """State a link's particulars anew; its reference, its short link and what is printed stay good."""
    link, line = await _own(desk, caller, link_id)
    changed = replace(link, stated=stated.fields())
    await desk.ports.store.commit([update(link_key(link.id), {"stated": changed.stated, "updated": NOW})])
    return view(desk, changed, line)


async def one(desk: Desk, caller: Caller, link_id: str) -> dict[str, Any]:
    """Return a link with its clicks by day."""
    link, line = await _own(desk, caller, link_id)
    return view(desk, link, line) | await _clicks(desk, link.id)


async def listed(desk: Desk, caller: Caller, *, after: str | None, limit: int) -> dict[str, Any]:
    """Return the connection's links with their clicks, the newest first."""
    only_servers(caller)
    found = await desk.ports.store.query(
        Query(
            "links",
            {"connection": caller.connection},
            order="created",
            descending=True,
            after=time_place(after) if after else None,
            limit=limit,
        )
    )
    own = [document for document in found if document.fields["account"] == caller.account]
    items = [item for document in own if (item := await _item(desk, document))]
    last = found[-1] if len(found) == limit else None
    return {"items": items, "next": place(micros(last.fields["created"]), last.key.id) if last else None}


def view(desk: Desk, link: Link, line: Line) -> dict[str, Any]:
    """Return a link as the API shows it. `url` works without us; `short` counts and then leads there."""
    settings = desk.ports.settings
    short = f"{settings.public_url}/chat/v1/l/{link.slug}"
    return {
        "id": link.id,
        "line": line.view(),
        "reference": link.reference,
        "prefilled": link.prefilled(),
        "url": wa_me(settings.link_url, line.number, link.prefilled()),
        "short": short,
        "qr": {"svg": f"{short}/qr.svg", "png": f"{short}/qr.png"},
        **link.stated,
    }


async def _item(desk: Desk, document: Document) -> dict[str, Any] | None:
    link = link_of(document)
    line = await desk.directory.line(link.line)
    return view(desk, link, line) | await _clicks(desk, link.id) if line else None


async def _own(desk: Desk, caller: Caller, link_id: str) -> tuple[Link, Line]:
    only_servers(caller)
    [document] = await desk.ports.store.get([link_key(link_id)])
    line = await desk.directory.line(document.fields["line"]) if document else None
    if document is None or line is None:
        raise not_found()
    if (document.fields["account"], document.fields["connection"]) != (caller.account, caller.connection):
        raise not_found()
    return link_of(document), line


async def _clicks(desk: Desk, link: str) -> dict[str, Any]:
    counted, after = list[Document](), None
    while True:
        found = await desk.ports.store.query(
            Query("clicks", {"link": link}, order="day", descending=True, after=after, limit=_AT_ONCE)
        )
        counted += found
        if len(found) < _AT_ONCE:
            break
        after = (found[-1].fields["day"], found[-1].key.id)
    days = clicks_by_day(counted)
    return {"clicks": sum(days.values()), "days": days}


def routes(desk: Desk, door: Door) -> APIRouter:
    """Return the routes of links, for CRM servers."""
    router = APIRouter(prefix="/v1/links")
    calling = Annotated[Caller, Depends(door.caller)]

    @router.post("", status_code=201)
    async def make_link(caller: calling, wanted: NewLink) -> dict[str, Any]:
        """Make a link: a plain one to WhatsApp, a short one that counts, and a QR code, all with one reference."""
        return await make(desk, caller, wanted)

    @router.get("")
    async def list_links(caller: calling, after: str | None = None, limit: Limit = 50) -> dict[str, Any]:
        """List the connection's links with their clicks, the newest first."""
        return await listed(desk, caller, after=after, limit=limit)

    @router.get("/{link}")
    async def one_link(caller: calling, link: str) -> dict[str, Any]:
        """A link with its clicks by day."""
        return await one(desk, caller, link)

    @router.put("/{link}")
    async def change_link(caller: calling, link: str, stated: Stated) -> dict[str, Any]:
        """State a link's particulars anew; what is printed stays good."""
        return await change(desk, caller, link, stated)

    return router
