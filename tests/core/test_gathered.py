from datetime import UTC, datetime, timedelta

import pytest

from functions.core.events import deliver_task, retry_task
from functions.core.gathered import MOMENT, GatheredTasks
from functions.core.outbox import send_task
from functions.core.tasks import QueueUnavailable, Task

START = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)


class Queue:
    """Keeps what is queued; away when it is told to be."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.queued: list[Task] = []
        self.away = False
        self.tasks = GatheredTasks(self, lambda: START + timedelta(seconds=self.seconds), timer=lambda: self.seconds)

    async def enqueue(self, task: Task) -> None:
        if self.away:
            raise QueueUnavailable
        self.queued.append(task)

    async def make_queue(self, queue: str) -> None: ...

    async def remove_queue(self, queue: str) -> None: ...

    async def close(self) -> None: ...

    async def ask(self, *causes: str, after: float = 0.0, connection: str = "shop") -> None:
        for cause in causes:
            self.seconds += after
            await self.tasks.enqueue(deliver_task(connection, cause))


async def test_the_first_event_of_a_quiet_connection_is_delivered_at_once() -> None:
    queue = Queue()
    await queue.ask("one")
    await queue.ask("two", after=1)
    assert queue.queued == [deliver_task("shop", "one"), deliver_task("shop", "two")]


async def test_what_happens_within_a_moment_is_delivered_together_at_its_end() -> None:
    queue = Queue()
    await queue.ask("one", "two", "three", "four")
    first, together = queue.queued
    assert first == deliver_task("shop", "one")
    assert (together.name, together.at) == (None, START + timedelta(seconds=MOMENT))
    assert together.payload == first.payload


async def test_a_busy_connection_costs_a_handful_of_tasks_a_second() -> None:
    queue = Queue()
    await queue.ask(*map(str, range(1000)), after=0.001)
    assert len(queue.queued) <= 2 / MOMENT + 2


async def test_every_event_has_a_task_that_begins_after_it() -> None:
    queue = Queue()
    for step in range(500):
        await queue.ask(str(step), after=0.007)
        asked = START + timedelta(seconds=queue.seconds)
        assert any(task == deliver_task("shop", str(step)) or (task.at and task.at > asked) for task in queue.queued)


async def test_a_task_that_was_not_queued_is_promised_to_nobody() -> None:
    queue = Queue()
    await queue.ask("one")
    queue.away = True
    with pytest.raises(QueueUnavailable):
        await queue.ask("two")
    queue.away = False
    await queue.ask("two")
    assert len(queue.queued) == 2


async def test_connections_do_not_wait_for_each_other_and_other_tasks_for_nobody() -> None:
    queue = Queue()
    others = [send_task("line", "conversation", "cause"), retry_task("shop", START)] * 2
    await queue.ask("one")
    for task in others:
        await queue.tasks.enqueue(task)
    await queue.ask("one", connection="branch")
    assert queue.queued == [deliver_task("shop", "one"), *others, deliver_task("branch", "one")]
