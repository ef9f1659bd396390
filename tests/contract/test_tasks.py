"""What both task queues promise (`functions.core.tasks`)."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from functions.core.ids import key_of
from functions.core.tasks import QueueUnavailable, Task, TaskQueue
from tests.contract.conftest import QueueRig

NAME = key_of("send", "one")


def task(
    number: int | str = 1, *, queue: str = "send-line", name: str | None = None, at: datetime | None = None
) -> Task:
    return Task(queue, "sender", {"kind": "send", "number": str(number)}, name, at)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


async def test_a_task_is_a_post_of_its_payload_to_its_function(queues: QueueRig) -> None:
    await queues.tasks.enqueue(Task("send-line", "sender", {"kind": "send", "message": "äöü"}, NAME))
    await queues.tasks.enqueue(Task("sync-shop", "sync", {"kind": "push"}))
    assert await queues.worker.has_got(2)
    sent, synced = sorted(queues.worker.delivered, key=lambda delivered: delivered.path)
    assert (sent.method, sent.path, sent.payload) == ("POST", "/sender", {"kind": "send", "message": "äöü"})
    assert (synced.method, synced.path, synced.payload) == ("POST", "/sync", {"kind": "push"})
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["x-cloudtasks-queuename"] == "send-line"
    assert sent.headers["x-cloudtasks-taskname"] == NAME
    assert sent.headers["x-cloudtasks-taskretrycount"] == "0"
    assert synced.headers["x-cloudtasks-taskname"]


async def test_every_task_without_a_name_runs(queues: QueueRig) -> None:
    await asyncio.gather(*(queues.tasks.enqueue(task(number)) for number in range(30)))
    assert await queues.worker.has_got(30)
    assert sorted(queues.worker.got("number"), key=int) == [str(number) for number in range(30)]


# Names


async def test_a_name_is_queued_once_however_often_it_is_asked_for(queues: QueueRig) -> None:
    later = moment(queues.now() + 60)
    await asyncio.gather(*(queues.tasks.enqueue(task(number, name=NAME, at=later)) for number in range(10)))
    await queues.advance(61)
    assert await queues.worker.has_got(1)


async def test_a_name_is_known_while_its_task_runs_and_an_hour_after(queues: QueueRig) -> None:
    queues.worker.open.clear()
    await queues.tasks.enqueue(task(name=NAME))
    assert await queues.worker.has_got(1)
    await queues.tasks.enqueue(task(name=NAME))
    queues.worker.open.set()
    assert await queues.worker.has_got(1)
    await queues.advance(3500)
    await queues.tasks.enqueue(task(name=NAME))
    assert await queues.worker.has_got(1)
    await queues.advance(200)
    await queues.tasks.enqueue(task(name=NAME))
    assert await queues.worker.has_got(2)


async def test_a_name_is_known_while_its_task_waits_for_a_retry(queues: QueueRig) -> None:
    queues.worker.answers = [500]
    await queues.tasks.enqueue(task(name=NAME))
    assert await queues.worker.has_got(1)
    await queues.tasks.enqueue(task(name=NAME))
    assert await queues.worker.has_got(1)
    await queues.advance(1.1)
    assert await queues.worker.has_got(2)


async def test_the_same_name_in_two_queues_is_two_tasks(queues: QueueRig) -> None:
    await queues.tasks.enqueue(task(queue="send-line", name=NAME))
    await queues.tasks.enqueue(task(queue="send-other", name=NAME))
    assert await queues.worker.has_got(2)


# Time


async def test_a_task_does_not_run_before_its_time(queues: QueueRig) -> None:
    await queues.tasks.enqueue(task("late", at=moment(queues.now() + 100)))
    await queues.tasks.enqueue(task("past", at=moment(queues.now() - 100)))
    await queues.tasks.enqueue(task("soon", at=moment(queues.now() + 10)))
    assert await queues.worker.has_got(1)
    await queues.advance(9.9)
    assert await queues.worker.has_got(1)
    await queues.advance(0.2)
    assert await queues.worker.has_got(2)
    await queues.advance(90)
    assert await queues.worker.has_got(3)
    assert queues.worker.got("number") == ["past", "soon", "late"]


async def test_a_task_that_fails_runs_again_with_growing_pauses(queues: QueueRig) -> None:
    queues.worker.answers = [500, None, 404, 302, 500, 500, 500, 500, 500, 500, 500]
    await queues.tasks.enqueue(task())
    for number, pause in enumerate([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300], start=1):
        assert await queues.worker.has_got(number)
        await queues.advance(pause - 0.1)
        assert await queues.worker.has_got(number)
        await queues.advance(0.15)
    assert await queues.worker.has_got(12)
    counts = [delivered.headers["x-cloudtasks-taskretrycount"] for delivered in queues.worker.delivered]
    assert counts == [str(number) for number in range(12)]
    await queues.advance(3600)
    assert await queues.worker.has_got(12)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_ends_a_task(queues: QueueRig, status: int) -> None:
    queues.worker.answers = [status]
    await queues.tasks.enqueue(task())
    assert await queues.worker.has_got(1)
    await queues.advance(600)
    assert await queues.worker.has_got(1)


# Limits


async def test_sends_of_a_line_go_out_40_a_second(queues: QueueRig) -> None:
    later = moment(queues.now() + 10)
    await asyncio.gather(*(queues.tasks.enqueue(task(number, at=later)) for number in range(130)))
    await queues.advance(10.0001)
    assert await queues.worker.has_got(40)
    await queues.advance(0.5)
    assert await queues.worker.has_got(60)
    await queues.advance(1)
    assert await queues.worker.has_got(100)
    await queues.advance(0.75)
    assert await queues.worker.has_got(130)


@pytest.mark.parametrize(
    ("queue", "limit"),
    [
        ("send-line", 50),
        ("bulk-line", 20),
        ("sync-shop", 1),
        ("marks", 10),
        ("media", 4),
        ("history", 1),
        ("housekeeping", 1),
    ],
)
async def test_only_so_many_tasks_of_a_queue_run_at_once(queues: QueueRig, queue: str, limit: int) -> None:
    queues.worker.open.clear()
    total = limit + 3
    await asyncio.gather(*(queues.tasks.enqueue(task(number, queue=queue)) for number in range(total)))
    for _ in range(2):  # for the sake of the rate, which is not what is looked at here
        await queues.advance(2)
    assert await queues.worker.has_got(limit)
    assert queues.worker.inside == limit
    queues.worker.open.set()
    assert await queues.worker.has_got(total)


async def test_a_queue_that_stands_still_does_not_hold_up_another(queues: QueueRig) -> None:
    queues.worker.open.clear()
    for number in range(5):
        await queues.tasks.enqueue(task(number, queue="sync-shop"))
    await queues.tasks.enqueue(task("other line", queue="send-other"))
    await queues.tasks.enqueue(task("other shop", queue="sync-other"))
    assert await queues.worker.has_got(3)
    assert {"other line", "other shop"} <= set(queues.worker.got("number"))
    queues.worker.open.set()
    assert await queues.worker.has_got(7)


async def test_a_queue_that_does_not_exist_takes_nothing(queues: QueueRig) -> None:
    for queue in ("nobody", "sync", "medias"):
        with pytest.raises(QueueUnavailable):
            await queues.tasks.enqueue(task(queue=queue))


async def test_a_dead_queue_says_so_within_three_seconds(dead_queue: TaskQueue) -> None:
    start = time.monotonic()
    outcomes = await asyncio.gather(*(dead_queue.enqueue(task(n)) for n in range(5)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {QueueUnavailable}
    assert time.monotonic() - start < 3


async def test_a_time_far_ahead_is_kept(queues: QueueRig) -> None:
    await queues.tasks.enqueue(task(at=moment(queues.now()) + timedelta(days=29)))
    await queues.advance(28 * 86400)
    assert await queues.worker.has_got(0)
    await queues.advance(86400)
    assert await queues.worker.has_got(1)


# Queues


@pytest.mark.parametrize("queue", ["send-new", "sync-new"])
async def test_a_queue_that_was_made_takes_tasks_however_often_it_is_made(queues: QueueRig, queue: str) -> None:
    for _ in range(2):
        await queues.tasks.make_queue(queue)
    await queues.tasks.enqueue(task(queue=queue))
    assert await queues.worker.has_got(1)


async def test_no_queue_is_made_of_another_name(queues: QueueRig) -> None:
    with pytest.raises(ValueError, match="letters"):
        await queues.tasks.make_queue("letters")


async def test_a_queue_is_removed_with_what_waits_in_it_even_if_it_is_gone(queues: QueueRig) -> None:
    await queues.tasks.make_queue("sync-new")
    await queues.tasks.enqueue(task(queue="sync-new", at=moment(queues.now() + 60)))
    for _ in range(2):
        await queues.tasks.remove_queue("sync-new")
    await queues.advance(120)
    assert await queues.worker.has_got(0)
