"""The day itself: everything happens at once, and whatever can break does."""

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
from starlette.types import ASGIApp

from functions.chat.app import create as create_chat
from functions.core import memory
from functions.core.gathered import GatheredTasks
from functions.core.http import asgi
from functions.core.media import MediaStore
from functions.core.ports import Ports
from functions.core.store import Query
from functions.core.tasks import Task
from functions.sender.app import create as create_sender
from functions.sync.app import create as create_sync
from functions.webhook.app import create as create_webhook
from tests import payloads
from tests.chaos.crm import Crm, CrmDoor, PlayedCrm
from tests.chaos.erasure import erasable, erase
from tests.chaos.faults import Calamity, FaultyMedia, FaultyQueue, FaultyStore, SteppedClock
from tests.chaos.graph import TEMPLATES
from tests.chaos.meta import Delivery, Meta
from tests.chaos.people import AGENT, NOTE, File, Said
from tests.chaos.settling import open_ends, settle
from tests.chaos.store import DayStore
from tests.chaos.tabs import Desk, conversations
from tests.chaos.world import World
from tests.mortal import Mortal, Stepping
from tests.rig import ACCOUNT, PUBLIC_URL, Rig

_SWEEP = Task("housekeeping", "sync", {"kind": "sweep"})
_AWAY = (0.4, 0.5)
"""Between these parts of the happenings the CRM is away, for a day of virtual time."""

_WEBHOOKS, _IN_TURN = 30, 100
"""Webhooks that arrive at once, and tasks that a worker does in a row, at most."""

_UNFINISHED = (
    Query("messages", {"waiting": True}, order="queued", limit=1),
    Query("messages", {"media.state": "waiting"}, order="changed", limit=1),
    Query("events", {"pending": True}, order="connection", limit=1),
    Query("conversations", {"carrying": True}, order="carry_until", limit=1),
    Query("contacts", {"carrying": True}, order="carry_until", limit=1),
    Query("erasures", {"begun": True}, order="since", limit=1),
    Query("imports", {"account": ACCOUNT, "pending": True}, order="updated", limit=1),
)

_ACTS = {"say": 6, "say twice": 1, "attach": 1, "template": 1, "react": 1, "note": 1, "read": 3, "settle": 2}
"""What agents do, and how often."""


@dataclass(frozen=True)
class Plan:
    """`events`: what Meta and the agents have to say. `kill`: operations after which a process dies, on average.

    `moves`: of a hundred things that customers do, how many are changes of number. `worse`: how much likelier than
    usual each fault is. `busy`: how much customers do in one go, at most. `erasures`: how likely a round
    erases somebody.
    """

    events: int = 600
    people: int = 30
    seed: int = 0
    kill: int = 300
    moves: int = 1
    worse: float = 1.0
    busy: int = 6
    erasures: float = 0.015


@dataclass
class Day:
    """Everything, wired."""

    plan: Plan
    folder: Path
    rig: Rig
    clock: SteppedClock
    calamity: Calamity
    queue: FaultyQueue
    world: World
    meta: Meta
    door: CrmDoor
    crm: Crm
    slow_crm: bool
    fleet: dict[str, list[Mortal]]
    desks: dict[str, Desk] = field(default_factory=dict)
    closed: list[Desk] = field(default_factory=list)
    rounds: int = 0
    _said: int = 0
    _counted: int = 0
    _swept: float = 0.0
    _to_crm: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def events(self) -> int:
        """What Meta had to say, and what agents did."""
        return self.meta.told + self._said

    async def passes(self, tell: Callable[[str], None] = lambda _: None) -> None:
        """Let everything happen, then let time pass until nothing is left to do."""
        while self.events < self.plan.events:
            self._move_time()
            self._something_happens()
            await self._round()
            if self.rounds % 200 == 0:
                tell(f"{self.events} of {self.plan.events} events, {self._so_far()}")
        tell(f"{self.events} events, {self._so_far()}; now it ends")
        await self._ends(tell)

    def _so_far(self) -> str:
        passed = str(self.clock.passed).split(".")[0]
        return f"{sum(self.calamity.struck.values())} faults, {passed} of its time, {self.queue.waiting} tasks wait"

    def _move_time(self) -> None:
        chance, part = self.calamity.chance, self.events / self.plan.events
        self.door.away = _AWAY[0] <= part < _AWAY[1]
        usual, happened = chance.choice([0.3, 1, 3]), self.events - self._counted
        self._counted = self.events
        # The day that the CRM is away for, spread over what happens meanwhile.
        away = 86400 * happened / (self.plan.events * (_AWAY[1] - _AWAY[0]))
        self.clock.forward(seconds=max(away, usual) if self.door.away else usual)
        if self.calamity.strikes("clock stepped", 0.02):
            self.clock.step = timedelta(seconds=chance.uniform(-3, 3))

    def _something_happens(self) -> None:
        now = int(self.clock.wall())
        for _ in range(self.calamity.chance.randint(1, self.plan.busy)):
            self.meta.tell(self.world.happens(now))

    async def _round(self) -> None:
        """Do at once all that is due."""
        self.rounds = self.meta.graph.round = self.rounds + 1
        self.meta.batch()
        jobs: list[Awaitable[None]] = [self._deliver(one) for one in self.meta.due(_WEBHOOKS)]
        for queue in self.queue.workers():
            if queue.startswith("sync-"):
                self._to_crm.append(asyncio.create_task(self._work(queue)))
            else:
                jobs.append(self._work(queue))
        jobs += [*self._agents(), *self._erasures()]
        if self.clock.wall() - self._swept > 60:
            self._swept = self.clock.wall()
            jobs.append(self._sweep())
        self.calamity.chance.shuffle(jobs)
        await _all(jobs)
        await self._hear_of_the_crm()
        if self.rounds % 20 == 0:
            await self._meet(conversations(self.rig, pages=1))

    async def _hear_of_the_crm(self) -> None:
        """Wait for what is on its way to the CRM; to one that takes its time only when nothing else is to come."""
        waits = self.calamity.calm or not self.slow_crm
        ended = [one for one in self._to_crm if waits or one.done()]
        self._to_crm = [one for one in self._to_crm if one not in ended]
        await _all(ended)

    async def _deliver(self, delivery: Delivery) -> None:
        await self.meta.deliver(delivery)

    async def _work(self, queue: str) -> None:
        """Do a queue's tasks one after the other, as one of those that it may have under way at once."""
        for _ in range(_IN_TURN):
            taken = self.queue.take(queue)
            if taken is None:
                return
            attempts, task = taken
            function = self.rig.sender if task.function == "sender" else self.rig.sync
            self.queue.ended(attempts, task, well=await _answered(function, dict(task.payload)))

    async def _sweep(self) -> None:
        await _answered(self.rig.sync, dict(_SWEEP.payload))

    async def _meet(self, listing: Awaitable[list[dict[str, Any]]]) -> None:
        """Open a tab for each conversation that has come up."""
        try:
            listed = await listing
        except (AssertionError, httpx.ReadError):
            return
        for one in listed:
            person = self.world.whose(one["contact"])
            if person and person.name not in self.desks:
                self.desks[person.name] = Desk(
                    person, self.rig.tab(one["id"]), self.rig, self.calamity, self.meta.graph.sends
                )

    def _erasures(self) -> list[Awaitable[None]]:
        if self.calamity.calm or self.calamity.chance.random() >= self.plan.erasures:
            return []
        desks = erasable(self.desks, self.rig, self.clock.wall())
        return [self._erase(self.calamity.chance.choice(desks))] if desks else []

    async def _erase(self, desk: Desk) -> None:
        await erase(desk, self.clock.wall())
        self.closed.append(self.desks.pop(desk.person.name))
        self.world.erases(desk.person, self.clock.wall())

    def _agents(self) -> list[Awaitable[None]]:
        chance = self.calamity.chance
        if not self.desks:
            return []
        busy = [chance.choice(list(self.desks.values())) for _ in range(3)]
        jobs: list[Awaitable[None]] = [desk.poll() for desk in {id(desk): desk for desk in busy}.values()]
        if self.calamity.calm:
            return jobs
        count = chance.randint(0, self.plan.busy // 2)
        acts = [act for _ in range(count) for act in self._acts(chance.choice(list(self.desks.values())))]
        self._said += len(acts)
        return jobs + acts

    def _acts(self, desk: Desk) -> list[Awaitable[None]]:
        """Return what an agent does at a desk."""
        chance = self.calamity.chance
        match chance.choices(list(_ACTS), list(_ACTS.values()))[0]:
            case "say":
                return [desk.say(self._says("text"))]
            case "say twice":
                return [desk.say(self._says("text")), desk.say(self._says("text"))]
            case "attach":
                said = self._says("document")
                said.file = File(b"%PDF-1.4 " + said.text.encode(), "application/pdf")
                return [desk.attach(said)]
            case "template":
                said = self._says("template")
                said.marketing = chance.random() < 0.5
                return [desk.use_template(said)]
            case "react":
                return self._reaction(desk)
            case "note":
                return [desk.note(self._says("note", NOTE))]
            case "settle":
                return self._settlement()
        return [desk.read()]

    def _reaction(self, desk: Desk) -> list[Awaitable[None]]:
        targets = desk.reactable()
        if not targets:
            return []
        item, target = self.calamity.chance.choice(targets)
        said = self._says("reaction")
        said.target, said.text = target, self.calamity.chance.choice(["👍", "🙏", ""])
        return [desk.react(said, item)]

    def _settlement(self) -> list[Awaitable[None]]:
        """Let an agent settle a message, or two at once, who don't agree."""
        ends = [(desk, *end) for desk in self.desks.values() for end in open_ends(desk)]
        if not ends:
            return []
        desk, item, said = self.calamity.chance.choice([one for one in ends if one[1]["settle"]] or ends)
        agents = self.calamity.chance.choice([1, 1, 2])
        ways = self.calamity.chance.choices(["let be", "send again"], k=agents)
        return [settle(desk, item, said, [self._says_again(said) if way == "send again" else None for way in ways])]

    def _says_again(self, said: Said) -> Said:
        name = f"client-{self.world.words().split()[1]}"
        at = int(self.clock.wall())
        return Said(name, AGENT, at, said.kind, said.text, file=said.file, marketing=said.marketing)

    def _says(self, kind: str, by: str = AGENT) -> Said:
        words = self.world.words()
        return Said(f"client-{words.split()[1]}", by, int(self.clock.wall()), kind, words)

    async def _ends(self, tell: Callable[[str], None]) -> None:
        """Nothing breaks any more: all that waits is delivered, and every message finds its end."""
        self.calamity.calm, self.door.away, self.clock.step = True, False, timedelta()
        for mortal in itertools.chain(*self.fleet.values()):
            mortal.spared = True
        quiet = 0
        for count in range(20_000):
            await self._round()
            still = self.queue.waiting or self.meta.dues or await self._is_unfinished()
            quiet = 0 if still else quiet + 1
            if quiet > 3:
                break
            self.clock.forward(seconds=self._to_what_is_planned())
            if count % 200 == 199:
                tell(f"it ends: {self._so_far()}")
        else:
            raise AssertionError("it never ends")
        await self._meet(conversations(self.rig))
        for desk in self.desks.values():
            await desk.poll()

    def _to_what_is_planned(self) -> float:
        """Return the seconds to what comes next, be it days later; a sweep finds what is planned nowhere."""
        planned = sorted(self.meta.dues + self.queue.dues)
        if not planned or self.queue.ready:
            return 1 if self.queue.ready else 61
        return max(planned[len(planned) // 50] - self.clock.wall(), 1)

    async def _is_unfinished(self) -> bool:
        for query in _UNFINISHED:
            if await self.rig.store.query(query):
                return True
        return False


async def _all(jobs: Iterable[Awaitable[None]]) -> None:
    """Let jobs end, all of them, and raise what went wrong."""
    for done in await asyncio.gather(*jobs, return_exceptions=True):
        if isinstance(done, BaseException):
            raise done


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
    calamity, clock = Calamity(chance, plan.worse), SteppedClock()
    world = World(plan.seed, plan.people, plan.moves)
    meta = Meta(world, clock, calamity)
    queue = FaultyQueue(clock, calamity)
    rig = Rig(folder, store=DayStore(folder / "store.db"))
    await rig.set_up()
    await rig.holds_templates(*TEMPLATES)
    await rig.decides(opt_in=False)
    rig.clock = clock  # type: ignore[assignment]
    store, media = rig.store, cast(MediaStore, FaultyMedia(rig.media, calamity))
    rig.ports = Ports(rig.settings, FaultyStore(store, calamity), queue, media, clock)
    # What an instance remembers for a minute it remembers for one of this day's.
    memory.time = cast(Any, SimpleNamespace(monotonic=clock.wall))
    payloads.wall_clock = clock.wall
    async with AsyncExitStack() as parts:
        parts.push_async_callback(store.close)
        parts.push_async_callback(rig.media.close)
        parts.callback(setattr, payloads, "wall_clock", time.time)
        parts.callback(setattr, memory, "time", time)
        crm: Crm = await parts.enter_async_context(connect(rig.secret)) if connect else PlayedCrm()
        door = CrmDoor(rig.secret, clock, calamity, crm)
        fleet = _start(rig, plan, calamity, meta, door, clock.wall)
        yield Day(plan, folder, rig, clock, calamity, queue, world, meta, door, crm, connect is not None, fleet)


def _start(
    rig: Rig, plan: Plan, calamity: Calamity, meta: Meta, door: CrmDoor, wall: Callable[[], float]
) -> dict[str, list[Mortal]]:
    """Start the instances of each function, whose clocks differ, and let the rig speak to them."""

    def instance(make: Callable[[Ports, Mortal], ASGIApp], seed: int) -> Mortal:
        skew = timedelta(seconds=calamity.chance.uniform(-0.2, 0.2))

        def now() -> datetime:
            return rig.clock() + skew

        def started(mortal: Mortal) -> ASGIApp:
            ports = replace(
                rig.ports,
                store=Stepping(rig.ports.store, mortal),
                tasks=GatheredTasks(Stepping(rig.ports.tasks, mortal), now, timer=wall),
                now=now,
            )
            return make(ports, mortal)

        return Mortal(started, plan.kill, plan.seed * 100 + seed)

    def webhook(ports: Ports, _: Mortal) -> ASGIApp:
        return asgi(create_webhook(ports))

    def chat(ports: Ports, _: Mortal) -> ASGIApp:
        return asgi(create_chat(ports, one_machine=False))

    def sender(ports: Ports, mortal: Mortal) -> ASGIApp:
        return asgi(
            create_sender(ports, httpx.AsyncClient(transport=httpx.MockTransport(Stepping(meta.graph, mortal))))
        )

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
    meta.door = rig.webhook
    return fleet
