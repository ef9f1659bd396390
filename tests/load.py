"""Many messages at once through the real functions, a Cloud Tasks that errs and a WhatsApp that loses answers.

    python -m tests.load                    1,000 messages over 50 conversations
    python -m tests.load --kill             the same while the sender dies at random points
    python -m tests.load --messages 200 --conversations 4 --seed 7

The queue delivers one task in five twice and holds each back for up to 2 s; of the requests for a message 5 % time out
after WhatsApp took it and 5 % are answered 500, half of them after WhatsApp took it. Time is virtual: it stands still
while somebody works and then jumps to the next planned moment, so that rates and pauses are exact.
"""

import argparse
import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from starlette.types import ASGIApp

from functions.core.cloud_tasks import CloudTasks
from functions.core.http import asgi
from functions.core.ports import Ports
from functions.core.queues import FIRST_PAUSE, LONGEST_PAUSE, limits_of
from functions.local.simulator import Line, Simulator
from functions.sender.app import create as create_sender
from tests.google.clock import ManualClock
from tests.google.cloud_tasks import CloudTasks as CloudTasksService
from tests.mortal import Mortal, Stepping
from tests.payloads import NUMBER, WABA
from tests.rig import APP_SECRET, CONNECTION, LINE, LINE_NUMBER, PUBLIC_URL, TOKEN, VERIFY_TOKEN, Crm, Rig, Tab

PROJECT, LOCATION = "project", "europe-west1"
PARENT = f"projects/{PROJECT}/locations/{LOCATION}"
WORKERS = "http://workers.test"
OUT_OF_ORDER = 2
"""Seconds up to which the queue holds a task back."""

QUEUES = (f"send-{LINE}", f"sync-{CONNECTION}", "marks", "housekeeping")
_STRETCH = 10
"""Seconds over which the rate is looked at: long enough for the queue's burst and its delays to even out."""

_TAKEN = ("sent", "delivered", "read")
LONGEST_SETTLING = 30
"""Minutes after the last task in which everything must have found its end."""


@dataclass
class Plan:
    """What is asked for. `kill`: the sender dies after so many operations on average; 0 for never."""

    messages: int = 1000
    conversations: int = 50
    seed: int = 0
    kill: int = 0


@dataclass
class Outcome:
    """What WhatsApp got against what was queued. Each list names messages by their text."""

    queued: int
    accepted: int
    lost: list[str]
    doubled: list[str]
    out_of_order: list[str]
    wrongly_unknown: list[str]
    wrongly_sent: list[str]
    shown: Counter[str]
    busiest: int
    rate: float
    refusals: int
    seconds: float
    dispatches: int
    duplicates: int
    kills: int
    faults: Counter[str]
    real_seconds: float = 0

    def rows(self) -> list[tuple[str, object]]:
        return [
            ("queued", self.queued),
            ("taken by WhatsApp", self.accepted),
            ("lost", len(self.lost)),
            ("doubled", len(self.doubled)),
            ("out of order within a conversation", len(self.out_of_order)),
            ("shown", ", ".join(f"{count} {status}" for status, count in sorted(self.shown.items()))),
            ("unknown though WhatsApp took it", len(self.wrongly_unknown)),
            ("shown as sent though WhatsApp did not take it", len(self.wrongly_sent)),
            ("answers lost after WhatsApp took it", self.faults["time-out after"] + self.faults["500 after"]),
            ("answered 500 before WhatsApp took it", self.faults["500 before"]),
            ("times the sender was killed", self.kills),
            ("tasks dispatched, of them twice", f"{self.dispatches}, {self.duplicates}"),
            (f"most requests in {_STRETCH} s (the queue's rate is 40 a second)", self.busiest),
            ("messages a second until the last was tried", f"{self.rate:.1f}"),
            ("refused by WhatsApp", self.refusals),
            ("virtual seconds, real seconds", f"{self.seconds:.0f}, {self.real_seconds:.0f}"),
        ]


class VirtualClock:
    """The functions' clock: the queue's, as a `datetime`."""

    def __init__(self) -> None:
        self.manual = ManualClock(runs_ahead=True)

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.manual.now(), UTC)

    def wall(self) -> float:
        return self.manual.now()


class WhatsApp:
    """The simulator behind a network that loses some answers."""

    def __init__(self, clock: VirtualClock, seed: int) -> None:
        self.times: list[float] = []
        self.faults: Counter[str] = Counter()
        self.refusals = 0
        self.app: ASGIApp
        self._clock = clock
        self._chance = random.Random(seed)
        self._under_way: set[asyncio.Task[httpx.Response]] = set()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.times.append(self._clock.wall())
        chance = self._chance.random()
        if chance < 0.025:
            self.faults["500 before"] += 1
            return httpx.Response(500, text="oops")
        answer = await self._answer(request)
        if answer.status_code == httpx.codes.OK and chance < 0.05:
            self.faults["500 after"] += 1
            return httpx.Response(500, text="oops")
        if answer.status_code == httpx.codes.OK and chance < 0.1:
            self.faults["time-out after"] += 1
            raise httpx.ReadTimeout("late")
        self.refusals += answer.status_code != httpx.codes.OK
        return answer

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        """Ask the simulator, which goes on when the caller dies."""
        asked = asyncio.create_task(self._asked(request))
        self._under_way.add(asked)
        asked.add_done_callback(self._under_way.discard)
        return await asyncio.shield(asked)

    async def _asked(self, request: httpx.Request) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app)) as client:
            return await client.post(request.url, content=request.content, headers=request.headers)


@dataclass
class Load:
    """The functions around a queue that errs and a WhatsApp that loses answers."""

    rig: Rig
    clock: VirtualClock
    whatsapp: WhatsApp
    simulator: Simulator
    queue: CloudTasksService
    sender: Mortal
    tabs: list[Tab] = field(default_factory=list)

    async def meet(self, count: int) -> None:
        """Let so many customers write, and open a tab for each."""
        for number in range(count):
            self.simulator.write(f"4915550{number:06}", "Hello")
        await self.settled()
        self.tabs = [self.rig.tab(name) for name in self.rig.names("conversations")]
        assert len(self.tabs) == count

    async def say(self, count: int) -> None:
        """Queue so many messages at once, dealt out to the tabs; each tab waits for each answer."""
        client = self.queue.client()
        name = f"{PARENT}/queues/send-{LINE}"
        await client.pause_queue(name=name)

        async def talk(place: int, tab: Tab) -> None:
            for number in range(place, count, len(self.tabs)):
                await tab.say(f"{place} {number:05}", f"client-{number:06}")

        await asyncio.gather(*(talk(place, tab) for place, tab in enumerate(self.tabs)))
        await client.resume_queue(name=name)

    async def go_on_until(self, moment: float) -> None:
        """Let virtual time run up to a moment (epoch seconds) while tasks come back and back."""
        while self.clock.wall() < moment:
            await asyncio.sleep(0.001)

    async def settled(self) -> None:
        """Wait until no task and no webhook is left."""
        await self.queue.drained(600)
        await self.simulator.settled()
        await self.queue.drained(600)

    async def finish(self) -> None:
        """Let time pass, with its sweeps, until every message has found its end."""
        for _ in range(LONGEST_SETTLING):
            await self.settled()
            if not any(message.get("waiting") for message in self.rig.documents("messages")):
                break
            self.clock.manual.advance(61)
            await self.rig.sync.post("/", json={"kind": "sweep"})
        await self.settled()


@asynccontextmanager
async def loaded(folder: Path, plan: Plan) -> AsyncIterator[Load]:
    """Set everything up and take it down again."""
    clock = VirtualClock()
    async with AsyncExitStack() as parts:
        queue = await parts.enter_async_context(CloudTasksService(clock=clock.manual, tombstone=3600))
        await _make_queues(queue)
        os.environ["CLOUD_TASKS_EMULATOR_HOST"] = queue.host
        parts.callback(os.environ.pop, "CLOUD_TASKS_EMULATOR_HOST")
        tasks = CloudTasks(PROJECT, LOCATION, urls={name: f"{WORKERS}/{name}" for name in ("sender", "sync")})
        parts.push_async_callback(tasks.close)
        whatsapp = WhatsApp(clock, plan.seed)
        rig = Rig(folder, WHATSAPP_GRAPH_URL="http://whatsapp.test/graph")
        rig.clock = clock  # type: ignore[assignment]
        rig.crm = Crm(rig.secret, clock)  # type: ignore[arg-type]
        rig.whatsapp = whatsapp  # type: ignore[assignment]
        rig.ports = Ports(rig.settings, rig.store, tasks, rig.media, clock)
        rig.start()
        parts.push_async_callback(rig.store.close)
        await rig.set_up()
        simulator = Simulator(
            path=folder / "simulator.db",
            webhook=f"{PUBLIC_URL}/",
            app_secret=APP_SECRET,
            verify_token=VERIFY_TOKEN,
            public_url="http://whatsapp.test",
            lines=[Line(NUMBER, WABA, LINE_NUMBER, "Shop", TOKEN)],
            client=rig.webhook,
            clock=clock.wall,
        )
        whatsapp.app = simulator.app
        await simulator.start()
        parts.push_async_callback(simulator.stop)
        sender = Mortal(lambda mortal: _sender(rig, whatsapp, mortal), plan.kill, plan.seed)
        queue.http = httpx.AsyncClient(transport=_Workers(sender, rig.sync))
        parts.push_async_callback(queue.http.aclose)
        yield Load(rig, clock, whatsapp, simulator, queue, sender)


def _sender(rig: Rig, whatsapp: WhatsApp, mortal: Mortal) -> ASGIApp:
    """Start a sender whose every operation may be its last."""
    ports = replace(rig.ports, store=Stepping(rig.ports.store, mortal), tasks=Stepping(rig.ports.tasks, mortal))
    outward = httpx.AsyncClient(transport=httpx.MockTransport(Stepping(whatsapp, mortal)))
    return asgi(create_sender(ports, outward))


class _Workers(httpx.AsyncBaseTransport):
    """The functions at their addresses."""

    def __init__(self, sender: ASGIApp, sync: httpx.AsyncClient) -> None:
        self._sender, self._sync = httpx.ASGITransport(sender), sync

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/sender":
            return await self._sender.handle_async_request(request)
        answer = await self._sync.post("/", content=await request.aread())
        return httpx.Response(answer.status_code)


async def _make_queues(queue: CloudTasksService) -> None:
    client = queue.client()
    for name in QUEUES:
        limits = limits_of(name)
        assert limits
        settings = {
            "name": f"{PARENT}/queues/{name}",
            "rate_limits": {"max_dispatches_per_second": limits.rate, "max_concurrent_dispatches": limits.concurrent},
            "retry_config": {
                "max_attempts": -1,
                "min_backoff": timedelta(seconds=FIRST_PAUSE),
                "max_backoff": timedelta(seconds=LONGEST_PAUSE),
                "max_doublings": 16,
            },
        }
        await client.create_queue(parent=PARENT, queue=settings)


async def run(folder: Path, plan: Plan) -> Outcome:
    """Queue the messages, let everything happen, and compare what WhatsApp got with what was queued."""
    began = time.monotonic()
    async with loaded(folder, plan) as load:
        await load.meet(plan.conversations)
        load.queue.deliver_twice(0.2, plan.seed)
        load.queue.out_of_order(OUT_OF_ORDER, plan.seed)
        start = load.clock.wall()
        await load.say(plan.messages)
        await load.finish()
        outcome = await compared(load, plan, start)
    outcome.real_seconds = time.monotonic() - began
    return outcome


async def compared(load: Load, plan: Plan, start: float) -> Outcome:
    """Compare what WhatsApp got with what was queued since `start` (virtual epoch seconds)."""
    said = [message for message in load.rig.documents("messages") if message["direction"] == "out"]
    texts = {message["content"]["body"] for message in said}
    got = {
        customer.wa_id: [
            message.content["text"]["body"]
            for message in load.simulator.customers.messages(customer.wa_id)
            if message.author == "business"
        ]
        for customer in load.simulator.customers.all()
    }
    accepted = Counter(text for phone in got.values() for text in phone)
    shown: dict[str, str] = {}
    for tab in load.tabs:
        for item in await _all(tab):
            if item["direction"] == "out":
                shown[item["text"]["body"]] = item["status"]
    unknown = {text for text, status in shown.items() if status == "unknown"}
    times = load.whatsapp.times
    deliveries = [one for one in load.queue.deliveries if one.queue == f"send-{LINE}"]
    return Outcome(
        queued=plan.messages,
        accepted=len(accepted),
        lost=sorted({*texts} - {*accepted} - unknown) if len(texts) == plan.messages else ["not all were queued"],
        doubled=sorted(text for text, count in accepted.items() if count > 1),
        out_of_order=sorted(text for phone in got.values() for text in _misplaced(phone)),
        wrongly_unknown=sorted(unknown & {*accepted}),
        wrongly_sent=sorted({text for text, status in shown.items() if status in _TAKEN} - {*accepted}),
        shown=Counter(shown.values()),
        busiest=_busiest(times),
        rate=len(times) / (max(times) - start) if times and max(times) > start else 0.0,
        refusals=load.whatsapp.refusals,
        seconds=load.clock.wall() - start,
        dispatches=len(deliveries),
        duplicates=sum(one.duplicate for one in deliveries),
        kills=load.sender.kills,
        faults=load.whatsapp.faults,
    )


async def _all(tab: Tab) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    before: dict[str, str] = {}
    while True:
        page = await tab.page(limit=200, **before)
        items += page["items"]
        if page["next"] is None:
            return items
        before = {"before": page["next"]}


def _misplaced(texts: list[str]) -> list[str]:
    return [later for earlier, later in pairwise(texts) if later < earlier]


def _busiest(times: list[float]) -> int:
    """Return the most requests within any stretch of time."""
    ordered, most, first = sorted(times), 0, 0
    for last, moment in enumerate(ordered):
        while moment - ordered[first] >= _STRETCH:
            first += 1
        most = max(most, last - first + 1)
    return most


def main() -> int:
    """Print the table; the exit code says whether anything was lost, doubled, out of order or wrongly shown."""
    parser = argparse.ArgumentParser(description="Queue many messages at once and see what arrives.")
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--conversations", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kill", nargs="?", type=int, const=60, default=0, metavar="OPERATIONS")
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        outcome = asyncio.run(run(Path(folder), Plan(**vars(given))))
    width = max(len(name) for name, _ in outcome.rows())
    for name, value in outcome.rows():
        print(f"{name:<{width}}  {value}")
    wrong = (outcome.lost, outcome.doubled, outcome.out_of_order, outcome.wrongly_unknown, outcome.wrongly_sent)
    return int(any(wrong))


if __name__ == "__main__":
    sys.exit(main())
