"""Durable messages per second: how many are accepted while so many callers wait for theirs."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator

from functions.core.ports import Ports
from functions.core.signature import verify_meta
from functions.webhook.accept import Acceptance

_SECONDS, _TURNS = 1.0, 6

Once = Callable[[], Awaitable[object]]
"""Makes one message durable."""


def accepting(ports: Ports, texts: Iterator[tuple[bytes, str]]) -> Once:
    """Return what takes the next POST from its raw body to the commit, as the deployed function does."""
    acceptance = Acceptance(ports)

    async def once() -> None:
        body, signature = next(texts)
        verify_meta(body, signature, ports.settings.app_secrets)
        await acceptance.accept(body)

    return once


async def rates(works: dict[str, Once], *, in_flight: int) -> dict[str, float]:
    """Return how many of each are done in a second: medians of short turns, in changing order."""
    turns: list[dict[str, float]] = []
    for turn in range(_TURNS + 1):
        names = list(works)[:: -1 if turn % 2 else 1]
        turns.append({name: await _rate(works[name], in_flight) for name in names})
    # The first one warmed everything up.
    return {name: statistics.median(each[name] for each in turns[1:]) for name in works}


async def _rate(once: Once, in_flight: int) -> float:
    started = time.perf_counter()
    counts = await asyncio.gather(*(_count(once, started + _SECONDS) for _ in range(in_flight)))
    return sum(counts) / (time.perf_counter() - started)


async def _count(once: Once, until: float) -> int:
    count = 0
    while time.perf_counter() < until:
        await once()
        count += 1
    return count
