import asyncio

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from functions.core.http import asgi
from functions.local.gate import gated


class Door:
    """A handler that answers when it is told to, behind a gate with room for two."""

    def __init__(self, longest_wait: float) -> None:
        self.inside = self.most = 0
        self.open = asyncio.Event()
        gate = gated(self._handle, at_once=2, longest_wait=longest_wait)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(asgi(gate)), base_url="http://gate.test")

    async def _handle(self, request: Request) -> Response:
        self.inside += 1
        self.most = max(self.most, self.inside)
        await self.open.wait()
        self.inside -= 1
        return PlainTextResponse("OK")


async def test_what_finds_no_place_in_time_is_refused_and_comes_again() -> None:
    door = Door(longest_wait=0)
    inside = [asyncio.create_task(door.client.post("/")) for _ in range(2)]
    while door.inside < 2:
        await asyncio.sleep(0)
    refused = await door.client.post("/")
    assert (refused.status_code, refused.json()["code"]) == (503, "busy")
    door.open.set()
    assert [answer.status_code for answer in await asyncio.gather(*inside)] == [200, 200]
    assert (await door.client.post("/")).status_code == 200


async def test_what_can_wait_a_little_is_taken_in_turn() -> None:
    door = Door(longest_wait=60)
    calls = [asyncio.create_task(door.client.post("/")) for _ in range(5)]
    while door.inside < 2:
        await asyncio.sleep(0)
    door.open.set()
    assert [answer.status_code for answer in await asyncio.gather(*calls)] == [200] * 5
    assert door.most == 2
