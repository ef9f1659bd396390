"""Time for the stand-ins: the machine's, or one that the test moves."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress


class Clock:
    """The machine's clock. Moments are seconds since 1970."""

    def now(self) -> float:
        return time.time()

    async def wait(self, moment: float | None, changed: asyncio.Event, *, busy: bool) -> None:
        """Return at `moment` or when `changed` is set, whichever is first; `None` waits for `changed` alone.

        `busy` says that work is under way whose outcome may still change the plan.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(None if moment is None else max(0.0, moment - self.now())):
                await changed.wait()

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Raise TimeoutError in the block once it has lasted `seconds`."""
        return asyncio.timeout(seconds)

    def subscribe(self, moved: Callable[[], None]) -> None:
        """Call `moved` whenever a test has moved the time."""


class ManualClock(Clock):
    """A clock that stands still until a test advances it. It starts at the last whole second.

    With `runs_ahead` it also jumps to the next planned moment whenever nothing is under way, so that a day of
    retries passes at once and every moment is exact.
    """

    def __init__(self, *, runs_ahead: bool = False, start: float | None = None) -> None:
        self._runs_ahead = runs_ahead
        self._now = float(int(time.time())) if start is None else start
        self._limits: list[tuple[float, asyncio.Timeout]] = []
        self._subscribers: list[Callable[[], None]] = []

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the time forward and let everything that became due happen."""
        self._now += seconds
        for moment, limit in self._limits:
            if moment <= self._now:
                limit.reschedule(asyncio.get_running_loop().time())
        for moved in self._subscribers:
            moved()

    async def wait(self, moment: float | None, changed: asyncio.Event, *, busy: bool) -> None:
        if self._runs_ahead and moment is not None and not busy and not changed.is_set():
            self._now = max(self._now, moment)
            await asyncio.sleep(0)
        else:
            await changed.wait()

    @asynccontextmanager
    async def timeout(self, seconds: float) -> AsyncIterator[None]:
        async with asyncio.timeout(None) as limit:
            entry = (self._now + seconds, limit)
            self._limits.append(entry)
            try:
                yield
            finally:
                self._limits.remove(entry)

    def subscribe(self, moved: Callable[[], None]) -> None:
        self._subscribers.append(moved)
