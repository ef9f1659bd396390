"""A queue of one machine: which task is next, and when. No clock and no disk: see `sqlite_tasks`."""

import heapq
import itertools
from typing import Generic, TypeVar

from functions.core.queues import Limits

Item = TypeVar("Item")


# A token, allowing for rounding: otherwise the moment at which one is ready would often come a hair too early.
_ONE = 0.999


class Queue(Generic[Item]):
    """Tasks in line. Moments are in seconds. `running` counts those that were taken and have not `ended`."""

    def __init__(self, limits: Limits, now: float) -> None:
        self.running = 0
        self._limits = limits
        self._tokens, self._counted = limits.rate, now
        self._line: list[tuple[float, int, Item]] = []
        self._tickets = itertools.count()

    def add(self, due: float, item: Item) -> None:
        """Put a task in line: not before `due`, otherwise in the order of adding."""
        heapq.heappush(self._line, (due, next(self._tickets), item))

    def take(self, now: float) -> Item | None:
        """Return a task that may be dispatched now, or None."""
        if not self.has_due(now) or self.running >= self._limits.concurrent or self._tokens_at(now) < _ONE:
            return None
        self._tokens -= 1
        self.running += 1
        return heapq.heappop(self._line)[2]

    def ended(self) -> None:
        """Count one that was taken as done, however it ended."""
        self.running -= 1

    def has_due(self, now: float) -> bool:
        """Return whether a task is due, even if it may not be dispatched yet."""
        return bool(self._line) and self._line[0][0] <= now

    def next_moment(self, now: float) -> float | None:
        """Return when `take` may answer next; None if that needs a new task or the end of one under way."""
        if not self._line or self.running >= self._limits.concurrent:
            return None
        missing = max(0.0, 1 - self._tokens_at(now))
        return max(self._line[0][0], now + missing / self._limits.rate)

    def _tokens_at(self, now: float) -> float:
        earned = max(0.0, now - self._counted) * self._limits.rate
        self._tokens, self._counted = min(self._tokens + earned, self._limits.rate), now
        return self._tokens
