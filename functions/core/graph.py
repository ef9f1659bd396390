"""The Graph API client: everything that is said to Meta goes through here.

What goes wrong is an exception whose type says what to do: `NotSent` may be repeated, `Refused` carries Meta's code,
`Uncertain` must never be repeated blindly.
"""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from functions.core.meta_errors import Decision, meaning
from functions.core.pace import Pace
from functions.core.templates import FIELDS as TEMPLATE_FIELDS

LONGEST = 30
"""Seconds after which a call is given up, however slowly its answer trickles; so is an upload after `LONGEST_UPLOAD`.

The lease of a sender outlives their sum, so that nobody takes it while a message is still on its way.
"""

LONGEST_UPLOAD = 120

LONGEST_DOWNLOAD = 120
"""Seconds after which a received file is given up for this time: less than the sender function may run."""

_TEMPLATES_PER_PAGE = 100
_TIMEOUT = httpx.Timeout(20, connect=5)
_UPLOAD_TIMEOUT = httpx.Timeout(LONGEST_UPLOAD, connect=5)
_PARAMETER, _NO_SUCH_NODE, _NUMBER_GONE = 100, 33, 33
"""Meta says of a node that is gone, or out of the token's reach, that a parameter is wrong, with this subcode."""

_MEDIA_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
_MEDIA_HOST = re.compile(r"([a-z0-9-]+\.)+(fbsbx\.com|whatsapp\.net|facebook\.com)")
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class NotSent(Exception):
    """The request surely never left: it may be repeated."""


class Uncertain(Exception):
    """No answer, or one that does not tell whether Meta took the request."""


class Refused(Exception):
    """Meta refused the request; `error` is its error object."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(f"code {error.get('code')}")
        self.error = error
        self.code = int(error.get("code", 0))

    @property
    def transient(self) -> bool:
        return bool(self.error.get("is_transient"))


@dataclass(frozen=True, slots=True)
class Accepted:
    """Meta took a message: its wamid, and the identities under which it knows the recipient."""

    wamid: str
    wa_id: str | None
    bsuid: str | None


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """Where a received file can be fetched for 5 minutes, and what it is."""

    url: str
    mime: str
    sha256: str
    size: int


class Graph:
    """Speaks to the Graph API for any line; a call names the line's number and token.

    `pace` is told how long each number's answers take.
    """

    def __init__(self, client: httpx.AsyncClient, base_url: str, version: str, pace: Pace | None = None) -> None:
        self._client = client
        self._pace = pace
        self._base = f"{base_url}/{version}"
        self._own_host = urlsplit(base_url)[:2]

    async def send(self, number: str, token: str, body: Mapping[str, Any]) -> Accepted:
        """Send a message. Raises `NotSent`, `Uncertain` or `Refused`."""
        answer = await self._to_number(number, "messages", token, json=body)
        with expected_shape():
            contact = (answer.get("contacts") or [{}])[0]
            return Accepted(
                _text(answer["messages"][0]["id"]), _optional(contact.get("wa_id")), _optional(contact.get("user_id"))
            )

    async def mark_read(self, number: str, token: str, wamid: str, *, typing: bool = False) -> None:
        """Show the customer blue ticks up to this message, and that somebody writes. Raises as `send` does."""
        body: dict[str, Any] = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
        if typing:
            body["typing_indicator"] = {"type": "text"}
        await self._to_number(number, "messages", token, json=body)

    async def upload(
        self, number: str, token: str, chunks: AsyncIterator[bytes], mime: str, name: str, size: int
    ) -> str:
        """Upload a file of so many bytes and return its media id. Nobody sees it yet, so it may be repeated.

        It passes through in its chunks; if they raise, that goes on.
        """
        form = _Form({"messaging_product": "whatsapp", "type": mime}, name, mime)
        answer = await self._to_number(
            number,
            "media",
            token,
            content=form.around(chunks),
            headers={"Content-Type": form.content_type, "Content-Length": str(form.length + size)},
            timeout=_UPLOAD_TIMEOUT,
            longest=LONGEST_UPLOAD,
        )
        with expected_shape():
            return _text(answer["id"])

    async def media(self, token: str, media_id: str) -> MediaFacts:
        """Return where a received file can be fetched. Raises as `send` does.

        The number is not named: to Meta that is the one that uploaded the file, and a customer's file has none.
        """
        if not _MEDIA_ID.fullmatch(media_id):
            raise _not_metas("the file's id is not Meta's")
        answer = await self._call("GET", media_id, token)
        with expected_shape():
            return MediaFacts(
                _text(answer["url"]),
                _text(answer["mime_type"]),
                str(answer.get("sha256") or ""),
                int(answer.get("file_size", 0)),
            )

    async def templates(
        self, waba: str, token: str, *, after: str | None = None, name: str | None = None
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return one page of an account's template definitions, and the cursor of the next. Raises as `send` does.

        `name` narrows it down to names that contain this one.
        """
        wanted = {"fields": TEMPLATE_FIELDS, "limit": _TEMPLATES_PER_PAGE, "after": after, "name": name}
        parameters = {key: value for key, value in wanted.items() if value is not None}
        answer = await self._call("GET", f"{waba}/message_templates", token, params=parameters)
        with expected_shape():
            items = [item for item in answer["data"] if isinstance(item, dict)]
            paging = answer.get("paging") or {}
            return items, _text(paging["cursors"]["after"]) if paging.get("next") else None

    @asynccontextmanager
    async def download(self, url: str, token: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Stream a file from the URL that `media` gave. Only Meta's hosts (and the configured one), no redirects.

        Raises `Uncertain` when it can't be had just now, also on the way, and `Refused` for a host that is not Meta's.
        """
        self._check_host(url)
        # An encoded answer could grow without bound when it is opened.
        headers = {"Authorization": f"Bearer {token}", "User-Agent": "Leadline/1", "Accept-Encoding": "identity"}
        arguments: dict[str, Any] = {"headers": headers, "timeout": _TIMEOUT, "follow_redirects": False}
        try:
            async with (
                _given_up_after(LONGEST_DOWNLOAD),
                self._client.stream("GET", url, **arguments) as answer,
            ):
                if answer.is_redirect:
                    raise _not_metas("the file's address leads elsewhere")
                if answer.status_code != httpx.codes.OK or "content-encoding" in answer.headers:
                    raise Uncertain(f"the file was answered {answer.status_code}")
                yield answer.aiter_bytes()
        except httpx.HTTPError as error:
            raise Uncertain(type(error).__name__) from None

    def _check_host(self, url: str) -> None:
        try:
            parts = urlsplit(str(httpx.URL(url)))
        except (httpx.InvalidURL, ValueError):
            raise _not_metas("the file's address is no address") from None
        meta = parts.scheme == "https" and bool(_MEDIA_HOST.fullmatch(parts.hostname or ""))
        if not meta and parts[:2] != self._own_host:
            raise _not_metas("the file's address is not Meta's")

    async def _post(self, path: str, token: str, **arguments: Any) -> dict[str, Any]:
        return await self._call("POST", path, token, **arguments)

    async def _to_number(self, number: str, edge: str, token: str, **arguments: Any) -> dict[str, Any]:
        """Post to a number. That Meta does not know it, or not with this token, is no fault of what is posted."""
        began = self._pace.timer() if self._pace else 0
        try:
            return await self._post(f"{number}/{edge}", token, **arguments)
        except Refused as refusal:
            if refusal.code == _PARAMETER and refusal.error.get("error_subcode") == _NO_SUCH_NODE:
                raise Refused({**refusal.error, "code": _NUMBER_GONE}) from None
            raise
        finally:
            # The time of an upload is the file's.
            if self._pace and edge == "messages":
                self._pace.took(number, self._pace.timer() - began)

    async def _call(
        self, method: str, path: str, token: str, *, longest: float = LONGEST, **arguments: Any
    ) -> dict[str, Any]:
        arguments = {"timeout": _TIMEOUT, "follow_redirects": False, **arguments}
        headers = {"Authorization": f"Bearer {token}", **arguments.pop("headers", {})}
        try:
            async with _given_up_after(longest):
                answer = await self._client.request(method, f"{self._base}/{path}", headers=headers, **arguments)
        except _NEVER_LEFT as error:
            raise NotSent(type(error).__name__) from None
        except httpx.HTTPError as error:
            raise Uncertain(type(error).__name__) from None
        return _checked(answer)


class _Form:
    """A form with one file as it goes over the wire (RFC 7578), so that the file need not be held to be sent."""

    def __init__(self, fields: Mapping[str, str], name: str, mime: str) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        parts = [_part(boundary, f'name="{field}"', text) for field, text in fields.items()]
        # As browsers write it: nothing in a file's name may end the header.
        plain = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        file = _part(boundary, f'name="file"; filename="{plain}"\r\nContent-Type: {mime}', "").removesuffix("\r\n")
        self._head = "".join([*parts, file]).encode(errors="replace")
        self._tail = f"\r\n--{boundary}--\r\n".encode()

    @property
    def length(self) -> int:
        """The bytes around the file."""
        return len(self._head) + len(self._tail)

    async def around(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        yield self._head
        async for chunk in chunks:
            yield chunk
        yield self._tail


def _part(boundary: str, disposition: str, text: str) -> str:
    return f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{text}\r\n"


@asynccontextmanager
async def _given_up_after(seconds: float) -> AsyncIterator[None]:
    """End what takes longer; httpx itself limits each step of a call, never the whole of it."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Uncertain(f"no answer within {seconds} s") from None


@contextmanager
def expected_shape() -> Iterator[None]:
    """Read an answer inside; one of another shape is `Uncertain`."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise Uncertain("an answer of another shape") from None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("not a text")
    return value


def _not_metas(why: str) -> Refused:
    return Refused({"code": 131052, "message": why})


def _optional(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _checked(answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON of a good answer, or raise what a bad one means."""
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        raise Uncertain(f"answered {answer.status_code} without JSON") from None
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict) and isinstance(error.get("code"), int):
        known = meaning(error["code"], bool(error.get("is_transient")))
        # A 5xx is only trusted to mean "not sent" where the code itself proves it.
        if known.decision is Decision.AMBIGUOUS or (answer.status_code >= 500 and known.decision is not Decision.RETRY):
            raise Uncertain(f"code {error['code']}")
        raise Refused(error)
    if answer.status_code != httpx.codes.OK or not isinstance(body, dict):
        raise Uncertain(f"answered {answer.status_code}")
    return body
