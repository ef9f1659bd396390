"""Outbound, from the agent's send to Graph's call: rates and delays are ratios, measured in one run on this machine.

Every load is bounded, on loopback, and ends by itself; `python -m bench.outbound` prints these rows alone.
"""

import asyncio
import tempfile
from pathlib import Path

from bench import send_delay, send_operations, send_rate
from bench.one_machine import one_machine, take_events
from bench.peers.home import FOLDER
from functions.core.queues import LIMITS

_LONGEST = 75.0
"""Seconds after which what runs on the one machine is given up."""


def rows() -> list[tuple[str, str]]:
    """Return the table's rows: the queue's limits, rates, delays, counts."""
    return asyncio.run(_rows())


async def _rows() -> list[tuple[str, str]]:
    queue = LIMITS["send-"]
    limits = f"{queue.rate:g} dispatches/s, as many at once after a pause, {queue.concurrent} under way"
    try:
        async with asyncio.timeout(_LONGEST):
            measured = await _measured()
    except TimeoutError:
        measured = [("drain rates, delays", f"not measured: not done in {_LONGEST:g} s on this machine")]
    return [("a line's send queue is given", limits), *measured, *await send_operations.rows()]


async def _measured() -> list[tuple[str, str]]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Beside the project, on a disk as the real files have: a folder for temporary files may lie in memory.
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        folder = Path(name)
        async with one_machine(folder, take_events) as machine:
            await machine.meet(send_rate.CUSTOMERS)
            delays = await send_delay.rows(machine, folder)
            return [*await send_rate.rows(machine), *delays]


if __name__ == "__main__":
    for name, figure in rows():
        print(f"  {name:<58} {figure}", flush=True)
