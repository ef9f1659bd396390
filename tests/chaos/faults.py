"""What breaks: the store, the task queue, and how often. Each fault is counted."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.core.queues import limits_of, pause_after
from functions.core.store import Document, Key, Query, Store, Unavailable, Write
from functions.core.tasks import QueueUnavailable, Task


class Calamity:
    """How likely a fault is, and how often each has struck. `calm` ends them."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.struck: Counter[str] = Counter()
        self.calm = False

    def strikes(self, name: str, odds: float) -> bool:
        if self.calm or self.chance.random() >= odds:
            return False
        self.struck[name] += 1
        return True


class SteppedClock:
    """The functions' clock: virtual, far ahead of the store's own, and stepped to and fro within seconds."""

    def __init__(self) -> None:
        self._start = datetime.now(UTC)
        self._ahead = timedelta()
        self.step = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead + self.step

    def forward(self, **duration: float) -> None:
        self._ahead += timedelta(**duration)

    def wall(self) -> float:
        """Return the true moment, in epoch seconds, that Meta and the phones go by."""
        return (datetime.now(UTC) + self._ahead).timestamp()

    @property
    def passed(self) -> timedelta:
        return datetime.now(UTC) + self._ahead - self._start


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


class FaultyQueue:
    """A task queue that refuses, takes and says no, delivers twice, in any order, and late."""

    def __init__(self, clock: SteppedClock, calamity: Calamity) -> None:
        self._clock, self._calamity = clock, calamity
        self._waiting: list[tuple[float, int, Task]] = []
        self._names: dict[str, float] = {}
        self._running: Counter[str] = Counter()

    @property
    def waiting(self) -> list[Task]:
        return [task for _, _, task in self._waiting]

    @property
    def dues(self) -> list[float]:
        """When the waiting tasks are due, in epoch seconds."""
        return [due for due, _, _ in self._waiting]

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
        self._waiting.append((due + late, 0, task))
        if self._calamity.strikes("task doubled", 0.05):
            self._waiting.append((due, 0, task))
        if self._calamity.strikes("queue took and said no", 0.003):
            raise QueueUnavailable

    def take(self) -> list[tuple[int, Task]]:
        """Return tasks that are due, in no order, as many as their queues allow at once."""
        now = self._clock.wall()
        due = [entry for entry in self._waiting if entry[0] <= now]
        self._calamity.chance.shuffle(due)
        taken = []
        for entry in due:
            task = entry[2]
            limits = limits_of(task.queue)
            assert limits, task.queue
            if self._running[task.queue] < min(limits.concurrent, 10):
                self._running[task.queue] += 1
                self._waiting.remove(entry)
                taken.append(entry[1:])
        return taken

    def ended(self, attempts: int, task: Task, *, well: bool) -> None:
        """Take note of how a task ended; one that failed comes again."""
        self._running[task.queue] -= 1
        if not well:
            self._waiting.append((self._clock.wall() + pause_after(attempts + 1), attempts + 1, task))

    async def close(self) -> None: ...
