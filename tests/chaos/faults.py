"""What breaks: the store, the task queue, and how often. Each fault is counted."""

import asyncio
import heapq
import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.core.media import MediaStore, MediaUnavailable
from functions.core.queues import limits_of, pause_after
from functions.core.store import Document, Key, Query, Store, Unavailable, Write
from functions.core.tasks import QueueUnavailable, Task

_LOOK = timedelta(microseconds=100)
"""How long it takes to look at the clock."""

_AT_ONCE = 10
"""Tasks of one queue that are under way at once, at most."""


class Calamity:
    """How likely a fault is, and how often each has struck. `worse` makes all likelier, `calm` ends them."""

    def __init__(self, chance: random.Random, worse: float = 1.0) -> None:
        self.chance = chance
        self.struck: Counter[str] = Counter()
        self.calm = False
        self._worse = worse

    def strikes(self, name: str, odds: float) -> bool:
        if self.calm or self.chance.random() >= odds * self._worse:
            return False
        self.struck[name] += 1
        return True


class SteppedClock:
    """The functions' clock: virtual, so that a seed plays the same day again, and stepped to and fro within seconds."""

    def __init__(self) -> None:
        self._start = datetime.now(UTC).replace(microsecond=0)
        self.passed = timedelta()
        self.step = timedelta()

    def __call__(self) -> datetime:
        self.passed += _LOOK
        return self._start + self.passed + self.step

    def forward(self, **duration: float) -> None:
        self.passed += timedelta(**duration)

    def wall(self) -> float:
        """Return the true moment, in epoch seconds, that Meta and the phones go by."""
        return (self._start + self.passed).timestamp()


class FaultyStore:
    """A store that refuses, is slow, or answers late after it had written."""

    def __init__(self, store: Store, calamity: Calamity) -> None:
        self._store, self._calamity = store, calamity

    async def get(self, keys: Sequence[Key]) -> list[Document | None]:
        return await self._call(self._store.get, keys)

    async def commit(self, writes: Sequence[Write]) -> None:
        await self._call(self._store.commit, writes)

    async def query(self, query: Query) -> list[Document]:
        return await self._call(self._store.query, query)

    async def close(self) -> None:
        await self._store.close()

    async def _call(self, call: Callable[[Any], Awaitable[Any]], argument: Any) -> Any:
        if self._calamity.strikes("store refused", 0.004):
            raise Unavailable("the store is away")
        if self._calamity.strikes("store slow", 0.02):
            for _ in range(20):
                await asyncio.sleep(0)
        answer = await call(argument)
        if self._calamity.strikes("store answered late", 0.004):
            raise Unavailable("the answer is lost")
        return answer


class FaultyMedia:
    """A media store that can't be reached now and then."""

    _FAILING = ("save", "info", "beginning", "copy")

    def __init__(self, media: MediaStore, calamity: Calamity) -> None:
        self._media, self._calamity = media, calamity

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._media, name)
        if name not in self._FAILING:
            return call

        async def failing(*arguments: Any, **named: Any) -> Any:
            if self._calamity.strikes("media store away", 0.01):
                raise MediaUnavailable("the media store is away")
            answer = await call(*arguments, **named)
            if self._calamity.strikes("media store answered late", 0.005):
                raise MediaUnavailable("the answer is lost")
            return answer

        return failing


class FaultyQueue:
    """A task queue that refuses, takes and says no, delivers twice, in any order, and late."""

    def __init__(self, clock: SteppedClock, calamity: Calamity) -> None:
        self._clock, self._calamity = clock, calamity
        self._later: list[tuple[float, int, int, Task]] = []
        self._ready: dict[str, list[tuple[int, Task]]] = defaultdict(list)
        self._names: dict[str, float] = {}
        self._running: Counter[str] = Counter()
        self._count = itertools.count()

    @property
    def waiting(self) -> int:
        return len(self._later) + sum(map(len, self._ready.values()))

    @property
    def ready(self) -> bool:
        """Whether some that are due have not been begun."""
        return any(self._ready.values())

    @property
    def dues(self) -> list[float]:
        """When the tasks that are not due yet will be, in epoch seconds."""
        return [due for due, *_ in self._later]

    async def enqueue(self, task: Task) -> None:
        if self._calamity.strikes("queue refused", 0.005):
            raise QueueUnavailable
        now = self._clock.wall()
        due = task.at.timestamp() if task.at else now
        if task.name:
            # A name rests for an hour, from when its task was due.
            if self._names.get(task.name, 0) > now - 3600:
                return
            self._names[task.name] = max(due, now)
        late = self._calamity.chance.uniform(0, 20) if self._calamity.strikes("task late", 0.05) else 0
        self._put(due + late, 0, task)
        if self._calamity.strikes("task doubled", 0.05):
            self._put(due, 0, task)
        if self._calamity.strikes("queue took and said no", 0.003):
            raise QueueUnavailable

    def workers(self) -> list[str]:
        """Return the queues that may begin a task now, each as often as it may have one more under way."""
        now = self._clock.wall()
        while self._later and self._later[0][0] <= now:
            _, _, attempts, task = heapq.heappop(self._later)
            self._ready[task.queue].append((attempts, task))
        free: list[str] = []
        for queue, ready in self._ready.items():
            limits = limits_of(queue)
            assert limits, queue
            count = min(limits.concurrent, _AT_ONCE) - self._running[queue]
            free += [queue] * min(count, len(ready))
        return free

    def take(self, queue: str) -> tuple[int, Task] | None:
        """Begin any one of a queue's due tasks; returns it with its attempts so far, or None if none is due."""
        ready = self._ready[queue]
        if not ready:
            return None
        place = self._calamity.chance.randrange(len(ready))
        ready[place], ready[-1] = ready[-1], ready[place]
        self._running[queue] += 1
        return ready.pop()

    def ended(self, attempts: int, task: Task, *, well: bool) -> None:
        """Take note of how a task ended; one that failed comes again."""
        self._running[task.queue] -= 1
        if not well:
            self._put(self._clock.wall() + pause_after(attempts + 1), attempts + 1, task)

    def _put(self, due: float, attempts: int, task: Task) -> None:
        heapq.heappush(self._later, (due, next(self._count), attempts, task))

    async def close(self) -> None: ...
