"""The function at the other end of a queue, as a test needs it."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


@dataclass
class Delivered:
    """One request of a queue."""

    path: str
    method: str
    headers: httpx.Headers
    payload: dict[str, Any]


@dataclass
class Worker:
    """An ASGI app that notes what it gets and answers from `answers` (None: breaks the connection), then 200."""

    answers: list[int | None] = field(default_factory=list)
    delivered: list[Delivered] = field(default_factory=list)
    inside: int = 0

    def __post_init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        headers = httpx.Headers(request.headers.raw)
        self.delivered.append(Delivered(request.url.path, request.method, headers, json.loads(body)))
        answer = self.answers.pop(0) if self.answers else 200
        self.inside += 1
        try:
            await self.open.wait()
        finally:
            self.inside -= 1
        if answer is None:
            raise httpx.ReadError("the connection broke")
        await Response(status_code=answer)(scope, receive, send)

    async def has_got(self, count: int) -> bool:
        """Wait for so many deliveries and a moment longer; return whether there were just so many."""
        async with asyncio.timeout(10):
            while len(self.delivered) < count:
                await asyncio.sleep(0.002)
        await asyncio.sleep(0.04)
        return len(self.delivered) == count

    def got(self, name: str) -> list[Any]:
        """One field of the payload of each delivery."""
        return [delivered.payload.get(name) for delivered in self.delivered]
