"""The public side of a link: the click that leads to WhatsApp, and the link as a QR code.

Nothing here leads anywhere but to WhatsApp, and nothing of who clicks is kept but that somebody did.
"""

import asyncio
import io
import re
import secrets
from hashlib import blake2b
from typing import Annotated, Literal

import segno
from crawlerdetect import CrawlerDetect
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from functions.chat.desk import Desk
from functions.chat.problems import Problem, not_found
from functions.core.links import Link, clicked, link_key, link_of, slug_key, wa_me
from functions.core.memory import Memory

_A_MINUTE = 60
_CLICKS_A_MINUTE = 60
"""More from one address is somebody trying slugs out, or a machine."""

_VARIABLE = re.compile(r"[\w-]{1,30}")
_LONGEST_VALUE = 100
_PREFETCH = ("purpose", "sec-purpose", "x-moz")

_COLOUR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
_QUIET_ZONE = 4
"""Modules of white around a code, which ISO 18004 asks for."""

_MIMES = {"svg": "image/svg+xml", "png": "image/png"}


class WayIn:
    """One per instance: it remembers for a minute how often an address came, hashed with a key of its own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._crawlers = CrawlerDetect()
        self._salt = secrets.token_bytes(16)
        self._visits: Memory[bytes, list[int]] = Memory(10_000, _A_MINUTE)

    async def enter(self, request: Request, slug: str) -> Response:
        """Count a person's click and lead to WhatsApp. Raises `Problem` 404 or 429.

        A link that has run out still leads to the business, without its text: a poster hangs longer than its offer.
        """
        self._slow_down(request)
        link, number = await self._found(slug)
        base = self._desk.ports.settings.link_url
        now = self._desk.ports.now()
        if link.expired(now):
            return _to(wa_me(base, number, ""))
        if self._is_person(request):
            await self._desk.ports.store.commit([clicked(link, now)])
        return _to(wa_me(base, number, link.prefilled(_variables(request))))

    async def code(self, slug: str, kind: str, *, colour: str, scale: int) -> Response:
        """Return the short link as a QR code: `kind` is svg or png, `scale` the pixels of a module.

        Error correction Q survives a quarter of the code being dirty or torn. Raises `Problem` 404 or 422.
        """
        if not _COLOUR.fullmatch(colour) or _luminance(colour) > 0.4:
            raise Problem(422, "invalid", "colour: a dark one such as #1a7f4b, or cameras can't read the code.")
        link, _ = await self._found(slug)
        address = f"{self._desk.ports.settings.public_url}/chat/v1/l/{link.slug}"
        drawn = await asyncio.to_thread(_drawn, address, kind, colour, scale)
        return Response(drawn, media_type=_MIMES[kind], headers={"Cache-Control": "public, max-age=86400"})

    async def _found(self, slug: str) -> tuple[Link, str]:
        [pointer] = await self._desk.ports.store.get([slug_key(slug)])
        if pointer is None:
            raise not_found()
        [document] = await self._desk.ports.store.get([link_key(pointer.fields["link"])])
        line = await self._desk.directory.line(pointer.fields["line"])
        if document is None or line is None:
            raise not_found()
        return link_of(document), line.number

    def _slow_down(self, request: Request) -> None:
        visitor = blake2b(_address(request).encode(), key=self._salt, digest_size=16).digest()
        visits = self._visits.get(visitor)
        if visits is None:
            visits = [0]
            self._visits.put(visitor, visits)
        visits[0] += 1
        if visits[0] > _CLICKS_A_MINUTE:
            raise Problem(429, "too_many", "Too many visits from this address. Try again in a minute.")

    def _is_person(self, request: Request) -> bool:
        """Tell a click from a crawler's, a link preview's (WhatsApp makes one too) or a browser's look ahead."""
        agent = request.headers.get("user-agent", "")
        ahead = any("prefetch" in request.headers.get(name, "") for name in _PREFETCH)
        return request.method == "GET" and bool(agent) and not ahead and not self._crawlers.isCrawler(agent)


def _drawn(address: str, kind: str, colour: str, scale: int) -> bytes:
    out = io.BytesIO()
    code = segno.make(address, error="q", micro=False)
    code.save(out, kind=kind, dark=colour, light="#ffffff", border=_QUIET_ZONE, scale=scale)
    return out.getvalue()


def _to(address: str) -> Response:
    return RedirectResponse(address, 302, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def _variables(request: Request) -> dict[str, str]:
    return {name: value[:_LONGEST_VALUE] for name, value in request.query_params.items() if _VARIABLE.fullmatch(name)}


def _address(request: Request) -> str:
    """Return who asks. In the cloud the platform appends the caller's address to what the caller claims."""
    forwarded = request.headers.get("x-forwarded-for", "")
    return forwarded.rpartition(",")[2].strip() or (request.client.host if request.client else "")


def _luminance(colour: str) -> float:
    """Return how light a colour is, from 0 to 1 (ITU-R BT.709)."""
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def routes(desk: Desk) -> APIRouter:
    """Return the public routes."""
    router = APIRouter(prefix="/v1/l")
    way_in = WayIn(desk)

    @router.head("/{slug}", include_in_schema=False)
    @router.get("/{slug}", response_class=RedirectResponse, status_code=302)
    async def enter(request: Request, slug: str) -> Response:
        """To WhatsApp, with the link's text ready."""
        return await way_in.enter(request, slug)

    @router.get("/{slug}/qr.{kind}", response_class=Response)
    async def code(
        slug: str,
        kind: Literal["svg", "png"],
        colour: str = "#000000",
        scale: Annotated[int, Query(ge=1, le=40)] = 10,
    ) -> Response:
        """The short link as a QR code."""
        return await way_in.code(slug, kind, colour=colour, scale=scale)

    return router
