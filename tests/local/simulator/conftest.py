"""A simulator with a webhook endpoint beside it, a clock that tests move, and clients for both sides."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from functions.local.simulator import Line, Simulator, create
from tests.local.simulator.parties import NUMBER, OTHER_NUMBER, TOKEN, WABA, Business, Clock, Endpoint, Phone


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
async def build(tmp_path: Path, clock: Clock, endpoint: Endpoint) -> AsyncIterator[Callable[..., Simulator]]:
    """Make simulators on the same file."""
    built: list[Simulator] = []
    client = httpx.AsyncClient(transport=httpx.ASGITransport(endpoint.app))

    def make(**settings: Any) -> Simulator:
        simulator = create(
            path=tmp_path / "simulator.sqlite",
            webhook="http://business/webhook",
            app_secret="test_app_secret",
            verify_token="verify-me",
            public_url="http://simulator",
            lines=[
                Line(NUMBER, WABA, "+1 555 010 0001", "Green Leaf", TOKEN),
                Line(OTHER_NUMBER, WABA, "+1 555 010 0002", "Green Leaf Wholesale", "other-token"),
            ],
            client=client,
            clock=clock,
            **settings,
        )
        built.append(simulator)
        return simulator

    yield make
    for simulator in built:
        await simulator.stop()
    await client.aclose()


@pytest.fixture
async def simulator(build: Callable[..., Simulator]) -> Simulator:
    simulator = build()
    await simulator.start()
    return simulator


@pytest.fixture
async def business(simulator: Simulator) -> AsyncIterator[Business]:
    transport = httpx.ASGITransport(simulator.app)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://simulator", headers=headers) as client:
        yield Business(client, simulator)


@pytest.fixture
async def phone(simulator: Simulator) -> AsyncIterator[Phone]:
    transport = httpx.ASGITransport(simulator.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://simulator") as client:
        yield Phone(client, simulator)
