"""The queues of one machine: how fast each may go, and which task is next. No clock and no disk: see `sqlite_tasks`."""

import heapq
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Limits:
    """Dispatches per second (and at once after a pause), and how many may be under way."""

    rate: float
    concurrent: int


LIMITS: Mapping[str, Limits] = {
    "send-": Limits(rate=40, concurrent=50),
    "sync-": Limits(rate=500, concurrent=1),
    "marks": Limits(rate=40, concurrent=10),
    "media": Limits(rate=500, concurrent=4),
    "history": Limits(rate=500, concurrent=1),
    "housekeeping": Limits(rate=500, concurrent=1),
}
"""By name, or by the beginning of the name up to its dash; `infra/` gives the cloud's queues the same.

Sends: Meta takes 80 messages a second of a number by default, in and out together; read marks and typing (`marks`)
never stand in their way. A CRM gets one batch at a time: a second delivery beside the first would post the same waiting
events again. A rate of 500 is Cloud Tasks' own.
"""

# A token, allowing for rounding: otherwise the moment at which one is ready would often come a hair too early.
_ONE = 0.999

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0


def limits_of(queue: str) -> Limits | None:
    """Return the limits of the queue of that name; None where there is no such queue."""
    kind, dash, _ = queue.partition("-")
    return LIMITS.get(kind + dash)


def pause_after(attempts: int) -> float:
    """Return the seconds to wait after so many failed attempts."""
    return min(FIRST_PAUSE * 2.0 ** min(attempts - 1, 32), LONGEST_PAUSE)


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
