"""One queue of the Cloud Tasks stand-in: what is waiting, when it may go, and what an answer means for it.

Plain data and arithmetic; nothing here knows gRPC or HTTP. Moments are seconds since 1970, lengths are seconds.
"""

import datetime
import heapq
import itertools
import math
import random
from dataclasses import dataclass, field

from google.cloud import tasks_v2

# docs.cloud.google.com/tasks/docs/configuring-queues
_DEFAULT_RATE = 500.0
_DEFAULT_CONCURRENT = 1000
_MAX_BURST = 100
_DEFAULT_RETRY = tasks_v2.RetryConfig(
    max_attempts=100,
    max_doublings=16,
    min_backoff=datetime.timedelta(seconds=0.1),
    max_backoff=datetime.timedelta(seconds=3600),
    max_retry_duration=datetime.timedelta(0),
)

RETENTION_S = 31 * 86400.0

# How far 429 and 503 slow a queue down is not published, only that they do (HttpRequest in the API reference).
# Here each one halves the rate, down to this share, and each good answer doubles it again.
SLOWEST_SHARE = 1 / 64


def complete_queue(queue: tasks_v2.Queue, state: tasks_v2.Queue.State) -> tasks_v2.Queue:
    """The queue with defaults where it says nothing. Nobody can ask for a burst: it follows from the rate."""
    rate = queue.rate_limits.max_dispatches_per_second or _DEFAULT_RATE
    complete = tasks_v2.Queue(queue)
    complete.state = state
    complete.rate_limits = tasks_v2.RateLimits(
        max_dispatches_per_second=rate,
        max_burst_size=max(1, min(round(rate), _MAX_BURST)),
        max_concurrent_dispatches=queue.rate_limits.max_concurrent_dispatches or _DEFAULT_CONCURRENT,
    )
    complete.retry_config = complete_retry(queue.retry_config, _DEFAULT_RETRY)
    return complete


def complete_retry(retry: tasks_v2.RetryConfig, otherwise: tasks_v2.RetryConfig) -> tasks_v2.RetryConfig:
    """The retry settings, with those of `otherwise` where they say nothing."""
    complete = tasks_v2.RetryConfig(otherwise)
    given, merged = tasks_v2.RetryConfig.pb(retry), tasks_v2.RetryConfig.pb(complete)
    for setting, _ in given.ListFields():
        merged.ClearField(setting.name)  # merging durations would keep the default's nanoseconds
    merged.MergeFrom(given)
    return complete


@dataclass(frozen=True)
class Retry:
    """A queue's or task's retry settings. `attempts` -1 and `duration` 0 mean no limit."""

    attempts: int
    duration: float
    min_backoff: float
    max_backoff: float
    doublings: int

    @classmethod
    def of(cls, config: tasks_v2.RetryConfig) -> "Retry":
        """Read a complete RetryConfig, as every queue holds one."""
        return cls(
            attempts=config.max_attempts,
            duration=config.max_retry_duration.total_seconds(),
            min_backoff=config.min_backoff.total_seconds(),
            max_backoff=config.max_backoff.total_seconds(),
            doublings=config.max_doublings,
        )

    def interval(self, failures: int) -> float:
        """Seconds to wait after that many failures: doubling, then growing by the last step, then constant."""
        doubled = self.min_backoff * 2 ** min(failures - 1, self.doublings)
        linear = max(0, failures - 1 - self.doublings) * self.min_backoff * 2**self.doublings
        return float(min(doubled + linear, self.max_backoff))

    def spent(self, attempts: int, age: float) -> bool:
        """Whether to give up: only when the attempts and the duration are both used up.

        A limit that is switched off does not keep the other one from ending the task.
        """
        if self.attempts < 0 and not self.duration:
            return False
        return attempts >= self.attempts and age >= self.duration


@dataclass
class TokenBucket:
    """Lets `rate` dispatches a second through, and `burst` at once after a pause."""

    rate: float
    burst: float
    at: float
    share: float = 1.0
    tokens: float = field(init=False)

    # A moment near 2**31 s is exact to 0.2 us only, so a full token may come out a hair short.
    _ROUNDING = 1e-3

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def take(self, now: float) -> bool:
        """Use a token if there is one."""
        self._refill(now)
        if self.tokens < 1 - self._ROUNDING:
            return False
        self.tokens -= 1
        return True

    def ready(self, now: float) -> float:
        """When the next token is there."""
        self._refill(now)
        return now + max(0.0, 1 - self.tokens) / (self.rate * self.share)

    def slow_down(self, now: float) -> None:
        self._refill(now)
        self.share = max(self.share / 2, SLOWEST_SHARE)

    def speed_up(self, now: float) -> None:
        self._refill(now)
        self.share = min(self.share * 2, 1.0)

    def _refill(self, now: float) -> None:
        ceiling = max(1.0, self.burst * self.share)
        earned = max(0.0, now - self.at) * self.rate * self.share
        self.tokens = min(self.tokens + earned, ceiling)
        self.at = max(self.at, now)


@dataclass
class Attempt:
    """One try of a task: when it was planned, sent and answered (None: no answer), and with which HTTP status."""

    scheduled: float
    dispatched: float
    answered: float | None = None
    status: int | None = None


@dataclass
class QueuedTask:
    """A task that has neither succeeded nor been given up."""

    name: str
    request: tasks_v2.HttpRequest
    retry: Retry
    deadline: float
    created: float
    due: float
    dispatches: int = 0
    answers: int = 0
    executions: int = 0
    """Answers that were no 5xx, which is what X-CloudTasks-TaskExecutionCount counts."""
    first: Attempt | None = None
    last: Attempt | None = None
    running: bool = False
    ticket: int = -1
    """The heap entry that is valid; older ones are left in the heap and skipped."""

    @property
    def id(self) -> str:
        return self.name.rpartition("/")[2]


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: the HTTP status, or None for no answer in time, and what Retry-After asked for."""

    status: int | None
    retry_after: float = 0.0

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status <= 299

    @property
    def overloaded(self) -> bool:
        return self.status in (429, 503)


class Jitter:
    """The random delay that puts tasks out of order; none until a test asks for it."""

    def __init__(self) -> None:
        self.spread(0.0, 0)

    def spread(self, window: float, seed: int) -> None:
        self._window = window
        self._random = random.Random(seed)

    def delay(self) -> float:
        return self._random.uniform(0.0, self._window)


class TaskQueue:
    """A queue with its settings (complete, in `config`), its waiting tasks and the names it has used."""

    def __init__(self, config: tasks_v2.Queue, *, now: float, tombstone: float, jitter: Jitter) -> None:
        self.tasks: dict[str, QueuedTask] = {}
        self.running = 0
        self._tombstone = tombstone
        self._jitter = jitter
        self._gone: dict[str, float] = {}
        self._waiting: list[tuple[float, int, QueuedTask]] = []
        self._tickets = itertools.count()
        self.configure(config, now)

    def configure(self, config: tasks_v2.Queue, now: float) -> None:
        """Take new settings; the token bucket starts full."""
        self.config = config
        limits = config.rate_limits
        self.bucket = TokenBucket(limits.max_dispatches_per_second, limits.max_burst_size, now)
        self.retry = Retry.of(config.retry_config)

    @property
    def id(self) -> str:
        return str(self.config.name).rpartition("/")[2]

    @property
    def paused(self) -> bool:
        return bool(self.config.state != tasks_v2.Queue.State.RUNNING)

    def remembers(self, name: str, now: float) -> bool:
        """Whether a task of that name ended or was deleted so recently that the name is still taken."""
        return now - self._gone.get(name, -math.inf) < self._tombstone

    def schedule(self, task: QueuedTask, moment: float) -> None:
        """Put the task in line for `moment`; replaces an earlier place in the line."""
        task.due = moment
        task.ticket = next(self._tickets)
        self.tasks[task.name] = task
        heapq.heappush(self._waiting, (moment + self._jitter.delay(), task.ticket, task))

    def remove(self, task: QueuedTask, now: float) -> None:
        """Forget the task and keep its name for the length of the tombstone."""
        if self.tasks.pop(task.name, None):
            self._gone[task.name] = now
        task.ticket = -1

    def purge(self, now: float) -> None:
        """Forget every task."""
        for task in list(self.tasks.values()):
            self.remove(task, now)

    def take(self, now: float) -> QueuedTask | None:
        """The next task that may be dispatched now, taken out of the line; its token is used."""
        self._skip_invalid(now)
        if not self._open() or self._waiting[0][0] > now or not self.bucket.take(now):
            return None
        return heapq.heappop(self._waiting)[2]

    def next_moment(self, now: float) -> float | None:
        """When `take` may answer next; None if only a change from outside can make it."""
        self._skip_invalid(now)
        if not self._open():
            return None
        return max(self._waiting[0][0], self.bucket.ready(now))

    def _open(self) -> bool:
        limit = self.config.rate_limits.max_concurrent_dispatches
        return bool(self._waiting and not self.paused and self.running < limit)

    def _skip_invalid(self, now: float) -> None:
        while self._waiting:
            _, ticket, task = self._waiting[0]
            outdated = ticket != task.ticket
            if not outdated and now - task.created < RETENTION_S:
                return
            heapq.heappop(self._waiting)
            if not outdated:
                self.remove(task, now)

    def dispatch(self, task: QueuedTask, now: float) -> Attempt:
        """Note that the task is being sent."""
        attempt = Attempt(scheduled=task.due, dispatched=now)
        task.first = task.first or attempt
        task.last = attempt
        task.dispatches += 1
        task.running = True
        task.ticket = -1
        self.running += 1
        return attempt

    def settle(self, task: QueuedTask, attempt: Attempt, outcome: Outcome, now: float) -> None:
        """Draw the consequences of an attempt: done, given up, or in line again."""
        self.running -= 1
        task.running = False
        self._count(task, attempt, outcome, now)
        if outcome.overloaded:
            self.bucket.slow_down(now)
        elif outcome.succeeded:
            self.bucket.speed_up(now)
        if self.tasks.get(task.name) is not task or task.first is None:
            return
        if outcome.succeeded or task.retry.spent(task.dispatches, now - task.first.dispatched):
            self.remove(task, now)
        else:
            self.schedule(task, now + max(task.retry.interval(task.dispatches), outcome.retry_after))

    @staticmethod
    def _count(task: QueuedTask, attempt: Attempt, outcome: Outcome, now: float) -> None:
        attempt.status = outcome.status
        if outcome.status is not None:
            attempt.answered = now
            task.answers += 1
            task.executions += outcome.status < 500

    def pending(self, until: float) -> int:
        """Attempts under way, and, unless the queue is paused, tasks planned up to that moment."""
        waiting = (task for task in self.tasks.values() if not task.running and task.due <= until)
        return self.running + (0 if self.paused else sum(1 for _ in waiting))
