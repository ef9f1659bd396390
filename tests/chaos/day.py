"""The day itself: everything happens at once, and whatever can break does."""

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp

from functions.chat.app import create as create_chat
from functions.core.http import asgi
from functions.core.ports import Ports
from functions.core.tasks import Task
from functions.sender.app import create as create_sender
from functions.sync.app import create as create_sync
from functions.webhook.app import create as create_webhook
from tests import payloads
from tests.chaos.crm import Crm, CrmDoor, PlayedCrm
from tests.chaos.faults import Calamity, FaultyQueue, FaultyStore, SteppedClock
from tests.chaos.meta import Meta
from tests.chaos.tabs import Desk, conversations
from tests.chaos.world import Said, World
from tests.mortal import Mortal, Stepping
from tests.rig import PUBLIC_URL, Rig

_SWEEP = Task("housekeeping", "sync", {"kind": "sweep"})
_AWAY = (0.4, 0.5)
"""Between these parts of the happenings the CRM is away, for a day of virtual time."""

_PLAYED_RESTARTS, _RESTARTS = 0.02, 0.002
"""How often a batch is the last one of a CRM's process; a real one takes seconds to come back."""


@dataclass(frozen=True)
class Plan:
    """`events`: what Meta and the agents have to say. `kill`: operations after which a process dies, on average.

    `moves`: of a hundred things that customers do, how many are changes of number.
    """

    events: int = 600
    people: int = 30
    seed: int = 0
    kill: int = 300
    moves: int = 1


@dataclass
class Day:
    """Everything, wired."""

    plan: Plan
    rig: Rig
    clock: SteppedClock
    calamity: Calamity
    queue: FaultyQueue
    world: World
    meta: Meta
    door: CrmDoor
    crm: Crm
    fleet: dict[str, list[Mortal]]
    desks: dict[str, Desk] = field(default_factory=dict)
    events: int = 0
    rounds: int = 0
    _swept: float = 0.0

    async def passes(self, tell: Callable[[str], None] = lambda _: None) -> None:
        """Let everything happen, then let time pass until nothing is left to do."""
        while self.events < self.plan.events:
            self._move_time()
            self._something_happens()
            await self._round()
            if self.rounds % 500 == 0:
                tell(f"{self.events} of {self.plan.events} events, {self.clock.passed} of its time")
        tell(f"{self.events} events, {self.clock.passed} of its time; now it ends")
        await self._ends()

    def _move_time(self) -> None:
        chance, part = self.calamity.chance, self.events / self.plan.events
        self.door.away = _AWAY[0] <= part < _AWAY[1]
        usual = chance.choice([0.3, 1, 3])
        # The day that the CRM is away for, spread over what happens meanwhile.
        self.clock.forward(seconds=self._away_step if self.door.away else usual)
        if self.calamity.strikes("clock stepped", 0.02):
            self.clock.step = timedelta(seconds=chance.uniform(-3, 3))

    @property
    def _away_step(self) -> float:
        happenings = self.plan.events * (_AWAY[1] - _AWAY[0])
        return 86400 / max(happenings / 8, 1)

    def _something_happens(self) -> None:
        now = int(self.clock.wall())
        for _ in range(self.calamity.chance.randint(1, 6)):
            values = list(self.world.happens(now))
            self.events += len(values)
            self.meta.tell(values)

    async def _round(self) -> None:
        """Do at once all that is due."""
        self.rounds += 1
        known = len(self.meta.phones)
        self.meta.batch()
        jobs: list[Awaitable[None]] = [self._deliver(one) for one in self.meta.due()[:20]]
        jobs += [self._work(attempts, task) for attempts, task in self.queue.take()]
        jobs += self._agents()
        if self.clock.wall() - self._swept > 60:
            self._swept = self.clock.wall()
            jobs.append(self._sweep())
        self.calamity.chance.shuffle(jobs)
        for done in await asyncio.gather(*jobs, return_exceptions=True):
            if isinstance(done, BaseException):
                raise done
        self.events += len(self.meta.phones) - known
        if self.rounds % 10 == 0:
            await self._meet()

    async def _deliver(self, delivery: Any) -> None:
        await self.meta.deliver(delivery, self.rig.webhook)

    async def _work(self, attempts: int, task: Task) -> None:
        function = self.rig.sender if task.function == "sender" else self.rig.sync
        self.queue.ended(attempts, task, well=await _answered(function, dict(task.payload)))

    async def _sweep(self) -> None:
        await _answered(self.rig.sync, dict(_SWEEP.payload))

    async def _meet(self) -> None:
        """Open a tab for each conversation that has come up."""
        try:
            listed = await conversations(self.rig)
        except (AssertionError, httpx.ReadError):
            return
        people = {person.name: person for person in self.world.people}
        for one in listed:
            name = one["contact"] and one["contact"]["name"]
            if name in people and name not in self.desks:
                self.desks[name] = Desk(people[name], self.rig.tab(one["id"]), self.calamity)

    def _agents(self) -> list[Awaitable[None]]:
        chance = self.calamity.chance
        if not self.desks:
            return []
        busy = [chance.choice(list(self.desks.values())) for _ in range(3)]
        jobs: list[Awaitable[None]] = [desk.poll() for desk in {id(desk): desk for desk in busy}.values()]
        if self.calamity.calm:
            return jobs
        desk = chance.choice(busy)
        match chance.choices(["say", "say twice", "note", "read", "nothing"], [4, 1, 1, 2, 4])[0]:
            case "say":
                jobs.append(desk.say(self._words("agent"), self.meta))
                self.events += 1
            case "say twice":
                jobs += [desk.say(self._words("agent"), self.meta), desk.say(self._words("agent"), self.meta)]
                self.events += 2
            case "note":
                jobs.append(desk.note(self._words("note")))
                self.events += 1
            case "read":
                jobs.append(desk.read())
        return jobs

    def _words(self, by: str) -> Said:
        words = self.world.words()
        return Said(f"client-{words.split()[1]}", by, int(self.clock.wall()), "text", words)

    async def _ends(self) -> None:
        """Nothing breaks any more: all that waits is delivered, and every message finds its end."""
        self.calamity.calm, self.door.away, self.clock.step = True, False, timedelta()
        for mortal in itertools.chain(*self.fleet.values()):
            mortal.spared = True
        quiet = 0
        for _ in range(20_000):
            await self._round()
            still = self.queue.waiting or self.meta.pending or self._unfinished()
            quiet = 0 if still else quiet + 1
            if quiet > 3:
                break
            # On to what is planned next, be it days later; a sweep finds what is planned nowhere.
            planned = [one.due for one in self.meta.pending] + self.queue.dues
            self.clock.forward(seconds=max(min(planned, default=0) - self.clock.wall(), 1) if planned else 61)
        else:
            raise AssertionError("it never ends")
        await self._meet()
        for desk in self.desks.values():
            await desk.poll()

    def _unfinished(self) -> bool:
        return any(one.get("waiting") for one in self.rig.documents("messages")) or any(
            one.get("pending") for one in self.rig.documents("events")
        )


async def _answered(function: httpx.AsyncClient, payload: dict[str, Any]) -> bool:
    try:
        return (await function.post("/", json=payload)).is_success
    except httpx.ReadError:
        return False


class _Fleet(httpx.AsyncBaseTransport):
    """Instances of one function; each request meets one of them."""

    def __init__(self, instances: list[Mortal], chance: random.Random) -> None:
        self._instances, self._chance = instances, chance

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        instance = self._chance.choice(self._instances)
        return await httpx.ASGITransport(instance).handle_async_request(request)


@asynccontextmanager
async def arranged(
    folder: Path, plan: Plan, connect: Callable[[str], AbstractAsyncContextManager[Crm]] | None = None
) -> AsyncIterator[Day]:
    """Set everything up and take it down again. `connect`: gives a CRM other than the played one, by its secret."""
    chance = random.Random(plan.seed)
    calamity, clock = Calamity(chance), SteppedClock()
    world = World(plan.seed, plan.people, plan.moves)
    meta = Meta(world, clock, calamity)
    queue = FaultyQueue(clock, calamity)
    rig = Rig(folder)
    rig.clock = clock  # type: ignore[assignment]
    store = rig.store
    rig.ports = Ports(rig.settings, FaultyStore(store, calamity), queue, rig.media, clock)
    payloads.wall_clock = clock.wall
    async with AsyncExitStack() as parts:
        parts.push_async_callback(store.close)
        parts.push_async_callback(rig.media.close)
        parts.callback(setattr, payloads, "wall_clock", time.time)
        crm: Crm = await parts.enter_async_context(connect(rig.secret)) if connect else PlayedCrm()
        door = CrmDoor(rig.secret, clock, calamity, crm, restarts=_RESTARTS if connect else _PLAYED_RESTARTS)
        await rig.set_up()
        fleet = _start(rig, plan, calamity, meta, door)
        yield Day(plan, rig, clock, calamity, queue, world, meta, door, crm, fleet)


def _start(rig: Rig, plan: Plan, calamity: Calamity, meta: Meta, door: CrmDoor) -> dict[str, list[Mortal]]:
    """Start the instances of each function, whose clocks differ, and let the rig speak to them."""

    def instance(make: Callable[[Ports, Mortal], ASGIApp], seed: int) -> Mortal:
        skew = timedelta(seconds=calamity.chance.uniform(-0.2, 0.2))

        def started(mortal: Mortal) -> ASGIApp:
            ports = replace(
                rig.ports,
                store=Stepping(rig.ports.store, mortal),
                tasks=Stepping(rig.ports.tasks, mortal),
                now=lambda: rig.clock() + skew,
            )
            return make(ports, mortal)

        return Mortal(started, plan.kill, plan.seed * 100 + seed)

    def webhook(ports: Ports, _: Mortal) -> ASGIApp:
        return asgi(create_webhook(ports))

    def chat(ports: Ports, _: Mortal) -> ASGIApp:
        return asgi(create_chat(ports, one_machine=False))

    def sender(ports: Ports, mortal: Mortal) -> ASGIApp:
        return asgi(create_sender(ports, httpx.AsyncClient(transport=httpx.MockTransport(Stepping(meta, mortal)))))

    def sync(ports: Ports, mortal: Mortal) -> ASGIApp:
        return asgi(create_sync(ports, httpx.AsyncClient(transport=httpx.MockTransport(Stepping(door, mortal)))))

    fleet = {
        "webhook": [instance(webhook, 1), instance(webhook, 2)],
        "chat": [instance(chat, 3), instance(chat, 4)],
        "sender": [instance(sender, 5), instance(sender, 6)],
        "sync": [instance(sync, 7)],
    }
    for name, instances in fleet.items():
        prefix = "/chat" if name == "chat" else ""
        client = httpx.AsyncClient(transport=_Fleet(instances, calamity.chance), base_url=PUBLIC_URL + prefix)
        setattr(rig, name, client)
    return fleet
