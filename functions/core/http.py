"""What the functions' HTTP surfaces share: problem documents, and the outermost edge that no exception passes."""

import functools
import logging
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.core.media import MediaUnavailable
from functions.core.store import Unavailable
from functions.core.tasks import QueueUnavailable

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response | ASGIApp]]


SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
"""What every answer says to a browser: it is what its type says, runs nothing, and stands in no frame."""

_SAFE = [(name.lower().encode(), value.encode()) for name, value in SAFE.items()]


class BodyTooLarge(Exception):
    """The request's body is over the limit; what was read of it is thrown away."""


def asgi(handler: Handler) -> ASGIApp:
    """Return a function's handler as an ASGI app, as the Functions Framework runs it."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await handler(Request(scope, receive))
        await response(scope, receive, send)

    return app


async def body_of(request: Request, limit: int) -> bytes:
    """Return the raw body of up to `limit` bytes. Raises `BodyTooLarge` without reading on, and `ClientDisconnect`."""
    chunks, size, more = [], 0, True
    while more:
        # Not `request.stream()`: an asynchronous generator costs more than the check of the signature.
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    """Return an RFC 9457 problem document: `code` is for programs and stays, `detail` is a sentence for people.

    `more` are its further members.
    """
    return JSONResponse(
        {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "code": code,
            "detail": detail,
            **more,
        },
        status,
        headers=headers,
        media_type="application/problem+json",
    )


def guarded(handler: Handler) -> Handler:
    """Wrap a function's handler: whatever goes wrong becomes a 5xx within it, logged by type and place.

    The framework would log the exception's text, which may hold what a customer wrote.
    """

    @functools.wraps(handler)
    async def edge(request: Request) -> Response | ASGIApp:
        try:
            answer = await handler(request)
        except Exception as error:
            answer = _answer_to(error)
        if isinstance(answer, Response):
            answer.raw_headers += _missing(answer.raw_headers)
        return answer

    return edge


class Guard:
    """The same edge around an ASGI app, as a middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], *_missing(message["headers"])]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            answer = _answer_to(error)
            if not started:
                await answer(scope, receive, watched)


class Bounded:
    """A middleware that reads up to so many bytes of a body, for an app that reads bodies before it asks who sends."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._limit:
                # The one exception that FastAPI hands on while it reads a body.
                raise HTTPException(413, f"The body is over {self._limit >> 20} MiB.")
            return message

        await self._app(scope, counted, send)


def _missing(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    there = {name for name, _ in headers}
    return [one for one in _SAFE if one[0] not in there]


def _answer_to(error: Exception) -> Response:
    match error:
        case Unavailable() | QueueUnavailable() | MediaUnavailable():
            log.warning("a store or queue is out of reach", extra={"type": type(error).__name__})
            return problem(503, "unavailable", "The service can't reach its store just now. Try again shortly.")
        case ClientDisconnect():
            return problem(400, "disconnected", "The request ended before its body did.")
    log.error("unexpected error", exc_info=error)
    return problem(500, "internal", "Something went wrong here. It has been logged.")
