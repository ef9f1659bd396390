"""A CRM that takes every event and keeps books of what it was told."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from msgspec import json
from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class Books:
    """Takes events as the add-on's controller does. `on_event` hears of each, with its body."""

    def __init__(self, on_event: Callable[[dict[str, Any]], None] | None = None) -> None:
        self.told: dict[str, dict[str, float]] = {}
        """By type of event, and in it by message: when it was told first, in `time.perf_counter`'s seconds."""
        self.again = 0
        self._on_event = on_event
        self._news = asyncio.Event()

    async def take(self, request: Request) -> Response:
        """Answer one batch."""
        events: list[dict[str, Any]] = json.decode(await request.body())["events"]
        now = time.perf_counter()
        for event in events:
            of_type = self.told.setdefault(event["type"], {})
            subject = event["message"]["id"] if event["message"] else event["id"]
            self.again += subject in of_type and event["type"] == "message.received"
            of_type.setdefault(subject, now)
            if self._on_event:
                self._on_event(event)
        self._news.set()
        return JSONResponse({"results": [{"id": event["id"], "ok": True, "records": []} for event in events]})

    def received(self) -> int:
        """Return of how many customers' messages it was told."""
        return len(self.told.get("message.received", {}))

    async def heard(self, count: int, within: float) -> None:
        """Wait until it was told of so many customers' messages, no longer than so many seconds."""
        try:
            async with asyncio.timeout(within):
                while self.received() < count:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return
