"""A task queue that asks a busy connection's CRM once for all that happens in a moment.

One delivery takes everything that waits, so a task for each message of a busy line would mostly find nothing: it costs
a task, a request and two reads, and they pile up in a queue that does one after another.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from functions.core.tasks import Task, TaskQueue

MOMENT = 0.2
"""Seconds. A quiet connection's first event is delivered at once; what follows it so soon goes together."""

_SLACK = 0.05
"""Seconds by which the queue's clock may be ahead of ours."""


class GatheredTasks:
    """A `TaskQueue` in front of another. One per instance.

    Two promises hold as before: what was written before `enqueue` is delivered by a task that begins afterwards, and
    that task is durable when this returns.
    """

    def __init__(
        self, tasks: TaskQueue, now: Callable[[], datetime], *, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._tasks = tasks
        self._now = now
        self._timer = timer
        # By queue, of which each connection has one: when it was asked last for one alone, and for when for all.
        self._asked: dict[str, float] = {}
        self._ahead: dict[str, float] = {}

    async def enqueue(self, task: Task) -> None:
        if not _delivers(task):
            await self._tasks.enqueue(task)
            return
        now = self._timer()
        if now + _SLACK < self._ahead.get(task.queue, now):
            return
        if now >= self._asked.get(task.queue, float("-inf")) + MOMENT:
            self._asked[task.queue] = now
            await self._tasks.enqueue(task)
            return
        # Without a name: the clocks of others, or our own put back, can't make it one that was done before.
        await self._tasks.enqueue(replace(task, name=None, at=self._now() + timedelta(seconds=MOMENT)))
        self._ahead[task.queue] = now + MOMENT

    async def make_queue(self, queue: str) -> None:
        await self._tasks.make_queue(queue)

    async def remove_queue(self, queue: str) -> None:
        await self._tasks.remove_queue(queue)

    async def close(self) -> None:
        await self._tasks.close()


def _delivers(task: Task) -> bool:
    """Tell whether a task delivers what waits for a connection, now."""
    return task.payload.get("kind") == "events" and "retry" not in task.payload and task.at is None
