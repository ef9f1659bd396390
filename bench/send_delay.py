"""From the moment at which an agent presses send to the moment at which the Graph API is called, on one machine.

The floors do the same hops and nothing else: a POST in, its answer, a POST out. They take turns with the machine.
"""

import asyncio
import itertools
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

import httpx

from bench.one_machine import HOST, OneMachine, process
from tests.google.process import free_port

_ROUNDS = 250
_PAUSE = 0.02
"""Seconds between two sends, in which the statuses of the one before are taken."""

_LATE = 10.0

Press = Callable[[], Awaitable[object]]


async def rows(machine: OneMachine, folder: Path) -> list[tuple[str, str]]:
    """Return the rows: p50 and p99, as multiples of the floors' and in milliseconds."""
    port = free_port()
    arguments = ("bench.peers.relay", str(port), str(folder), machine.floor)
    async with process(arguments, f"http://{HOST}:{port}", folder, {}) as relay:
        conversations = itertools.cycle(
            itertools.chain.from_iterable(zip(*machine.conversations.values(), strict=True))
        )
        delays = await _delays(
            machine,
            {
                "own": lambda: machine.say(next(conversations)),
                "bare": partial(_relayed, relay, "/bare"),
                "queued": partial(_relayed, relay, "/queued"),
            },
        )
    return [(f"agent presses send → Graph called, {name}", _compared(delays, at)) for name, at in _POINTS.items()]


_POINTS = {"p50": 49, "p99": 98}
"""Their places among the percentiles."""


def _compared(delays: Mapping[str, list[float]], at: int) -> str:
    own, bare, queued = (
        statistics.quantiles(delays[name], n=100, method="inclusive")[at] * 1e3 for name in ("own", "bare", "queued")
    )
    return (
        f"{own / bare:.1f} × a bare ASGI app that posts on, {own / queued:.1f} × with the embedded queue between "
        f"({own:.1f} ms against {bare:.1f} and {queued:.1f}; {len(delays['own'])} each)"
    )


async def _delays(machine: OneMachine, presses: Mapping[str, Press]) -> dict[str, list[float]]:
    delays: dict[str, list[float]] = {name: [] for name in presses}
    for turn in range(_ROUNDS):
        for name in list(presses)[:: -1 if turn % 2 else 1]:
            delays[name].append(await _delay(machine, presses[name]))
            await asyncio.sleep(_PAUSE)
    return delays


async def _delay(machine: OneMachine, press: Press) -> float:
    """Seconds until the call, which may come before the answer to what was pressed."""
    calls = machine.graph.calls
    before, started = len(calls), time.perf_counter()
    await press()
    await machine.graph.called(before + 1, within=_LATE)
    return calls[before] - started


async def _relayed(relay: httpx.AsyncClient, path: str) -> None:
    (await relay.post(path, json={"type": "text", "text": {"body": "The answer"}})).raise_for_status()
