"""A function as a process that dies at random points between two of its operations."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send


class Mortal:
    """A function as a process that may die: whatever it was about to do, it does no more, and nobody is told."""

    def __init__(self, start: Callable[["Mortal"], ASGIApp], kill: int, seed: int) -> None:
        self.kills = 0
        self.spared = False
        self._start, self._kill, self._chance = start, kill, random.Random(seed)
        self._left = self._lifetime()
        self._under_way: dict[asyncio.Task[None], None] = {}
        self._app = start(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        work = asyncio.create_task(self._app(scope, receive, send))  # type: ignore[arg-type]
        self._under_way[work] = None
        await asyncio.wait([work])
        del self._under_way[work]
        if work.cancelled():
            raise httpx.ReadError("the process is gone")
        work.result()

    async def step(self) -> None:
        """Stand between two operations; now and then it is the end, for everything that the process was doing."""
        self._left -= 1
        if self._kill and self._left <= 0 and not self.spared:
            self.kills += 1
            self._left = self._lifetime()
            for work in self._under_way:
                work.cancel()
            self._app = self._start(self)
            await asyncio.sleep(0)

    def _lifetime(self) -> int:
        return self._chance.randint(1, 2 * self._kill) if self._kill else 0


class Stepping:
    """A port whose every call stands between two steps of a mortal process."""

    def __init__(self, port: Any, mortal: Mortal) -> None:
        self._port, self._mortal = port, mortal

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._port, name)

        async def stepping(*arguments: Any, **named: Any) -> Any:
            await self._mortal.step()
            answer = await call(*arguments, **named)
            await self._mortal.step()
            return answer

        return stepping

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await self._mortal.step()
        answer: httpx.Response = await self._port(request)
        await self._mortal.step()
        return answer
