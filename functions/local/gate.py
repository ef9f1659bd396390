"""How many webhooks one machine works on at once; in the cloud an instance's concurrency says it.

Without a bound a storm would fill the store's queue until every call's time is over: work would be done of which nobody
hears, and agents would wait behind it. Meta delivers again what got no 200, so what finds no place is refused.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from functions.core.http import Handler, problem

_AT_ONCE = 128
"""More would not be faster: the store writes them in groups that share an fsync."""

_LONGEST_WAIT = 5.0
"""Seconds. Bodies are read inside, so who waits here costs next to nothing."""


def gated(handler: Handler, at_once: int = _AT_ONCE, longest_wait: float = _LONGEST_WAIT) -> Handler:
    """Wrap a function's handler: what finds no place in time is answered 503."""
    places = asyncio.Semaphore(at_once)

    async def waiting(request: Request) -> Response:
        try:
            async with asyncio.timeout(longest_wait):
                await places.acquire()
        except TimeoutError:
            return problem(503, "busy", "Too much comes at once. Deliver it again later.", {"Retry-After": "5"})
        try:
            return await handler(request)  # type: ignore[return-value]
        finally:
            places.release()

    return waiting
