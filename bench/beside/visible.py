"""From the webhook to what is seen in Odoo: how fast, how soon, and at what cost in Odoo and PostgreSQL.

Of Leadline a message is seen when the transaction is committed that moves its conversation's row in Odoo's inbox,
counts it as unread and tells the open tabs, which then fetch its text from the chat API, where it has been since before
the 200. Of OCA's gateway it is seen when the transaction is committed that puts it into its Discuss channel. A message
that never came to be seen ends the run with an error.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import httpx

from bench.beside.world import PEOPLE, Post, Side, Work, World
from bench.load import load, posts

CONNECTIONS = 8
_ROUNDS = 3
_FLOOD_SECONDS = 3
_POOL = 6000
"""More than either acknowledges in that time: a message that came twice would be none."""

_CALM_MESSAGES, _CALM_PAUSE = 30, 0.25
_STRANGERS = 60
_LONGEST = 90.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of one side. `rate`: messages a second that came to be seen; `waits`: seconds from POST to seen."""

    messages: int
    acknowledged: float
    rate: float
    waits: Sequence[float]
    work: Work


Rounds = dict[str, list[Measured]]
"""By the side's name."""


@dataclass(frozen=True)
class Visible:
    """`flood`: as fast as it is acknowledged; `calm`: one at a time; `strangers`: first messages, all at once."""

    flood: Rounds
    calm: Rounds
    strangers: Rounds


async def measure(world: World) -> Visible:
    """Return what was measured, the sides in turns."""
    for side in world.sides:
        before = side.shown()
        await until_shown(side, before, len(await _posted(side, list(islice(side.known(), 2 * PEOPLE)))))
    return Visible(
        flood=await _rounds(world, _flooded),
        calm=await _rounds(world, _calmly),
        strangers=await _rounds(world, _met),
    )


async def _rounds(world: World, measure_one: "Measure") -> Rounds:
    measured: Rounds = {side.name: [] for side in world.sides}
    for turn in range(_ROUNDS):
        for side in world.sides[:: -1 if turn % 2 else 1]:
            measured[side.name].append(await measure_one(world, side))
    return measured


Measure = Callable[[World, Side], Awaitable[Measured]]


async def _flooded(world: World, side: Side) -> Measured:
    """Post over so many connections as fast as it is acknowledged, for some seconds, and wait for the last one."""
    before, taken = side.shown(), await side.work()
    file = posts(world.folder / "flood.txt", ((post.body, post.value) for post in islice(side.known(), _POOL)))
    came = await asyncio.to_thread(
        load, side.url, file=file, header=side.header, seconds=_FLOOD_SECONDS, connections=CONNECTIONS
    )
    ended = time.time()
    shown = sorted((await until_shown(side, before, came.requests)).values())
    work = (await side.work()).since(taken, len(shown))
    return Measured(len(shown), came.rate, _rate(shown), [shown[-1] - ended], work)


async def _calmly(world: World, side: Side) -> Measured:
    """Post one after the other at a pace that leaves both idle in between."""
    before, taken = side.shown(), await side.work()
    messages = list(islice(side.known(), _CALM_MESSAGES))
    posted: dict[str, float] = {}
    started = time.perf_counter()
    async with _client() as client:
        for number, post in enumerate(messages):
            await asyncio.sleep(started + number * _CALM_PAUSE - time.perf_counter())
            posted[post.key] = time.time()
            await _post(client, side, post)
    return await _measured(side, before, taken, posted)


async def _met(world: World, side: Side) -> Measured:
    """Post the first messages of strangers, so many at once."""
    before, taken = side.shown(), await side.work()
    return await _measured(side, before, taken, await _posted(side, side.strangers(_STRANGERS)))


async def _posted(side: Side, messages: Sequence[Post]) -> dict[str, float]:
    """Post all, some at once; returns when each was posted, and waits until all are seen."""
    posted: dict[str, float] = {}
    waiting = iter(messages)

    async def post_on(client: httpx.AsyncClient) -> None:
        for post in waiting:
            posted[post.key] = time.time()
            await _post(client, side, post)

    async with _client() as client:
        await asyncio.gather(*(post_on(client) for _ in range(CONNECTIONS)))
    return posted


async def _measured(side: Side, before: Mapping[str, float], taken: Work, posted: Mapping[str, float]) -> Measured:
    shown = await until_shown(side, before, len(posted))
    if missing := posted.keys() - shown.keys():
        raise RuntimeError(f"{len(missing)} of {len(posted)} messages were never seen at {side.name}")
    first, last = min(posted.values()), max(shown.values())
    waits = [shown[key] - at for key, at in posted.items()]
    work = (await side.work()).since(taken, len(posted))
    return Measured(len(posted), 0, len(posted) / (last - first), waits, work)


async def until_shown(side: Side, before: Mapping[str, float], count: int) -> dict[str, float]:
    """Return when each new message came to be seen, once there are so many of them and no more come.

    Raises TimeoutError.
    """
    async with asyncio.timeout(_LONGEST):
        seen = -1
        while True:
            shown = await asyncio.to_thread(side.shown)
            new = {key: at for key, at in shown.items() if key not in before}
            if len(new) == seen and seen >= count:
                return new
            seen = len(new)
            await asyncio.sleep(0.5)


def _rate(times: Sequence[float]) -> float:
    return (len(times) - 1) / (times[-1] - times[0])


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False, timeout=60)


async def _post(client: httpx.AsyncClient, side: Side, post: Post) -> None:
    headers = {side.header: post.value, "Content-Type": "application/json"}
    (await client.post(side.url, content=post.body, headers=headers)).raise_for_status()


def median(rounds: Sequence[Measured], figure: Callable[[Measured], float]) -> float:
    """Return the median of the rounds' figures."""
    return statistics.median(figure(one) for one in rounds)
