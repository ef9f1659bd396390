"""How fast a queue of one machine goes."""

import pytest

from functions.core.queues import Limits, limits_of, pause_after
from functions.local.queues import Queue


def taken(queue: Queue[str], now: float) -> list[str]:
    """What may be dispatched at that moment."""
    items = []
    while item := queue.take(now):
        items.append(item)
    return items


def filled(count: int, *, rate: float = 10, concurrent: int = 1000, now: float = 0) -> Queue[str]:
    queue: Queue[str] = Queue(Limits(rate, concurrent), now)
    for number in range(count):
        queue.add(now, str(number))
    return queue


@pytest.mark.parametrize(
    ("name", "concurrent"),
    [("send-x", 50), ("bulk-x", 20), ("sync-x-y", 1), ("marks", 10), ("media", 4), ("history", 1), ("housekeeping", 1)],
)
def test_each_kind_of_queue_has_its_limits(name: str, concurrent: int) -> None:
    limits = limits_of(name)
    assert limits
    assert limits.concurrent == concurrent


@pytest.mark.parametrize("name", ["", "send", "mediax", "media-1", "other"])
def test_no_other_name_is_a_queue(name: str) -> None:
    assert limits_of(name) is None


def test_pauses_double_up_to_five_minutes() -> None:
    pauses = [pause_after(attempts) for attempts in range(1, 12)]
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert pause_after(10_000) == 300


def test_tasks_of_the_same_time_leave_in_the_order_in_which_they_came() -> None:
    assert taken(filled(5), 0) == ["0", "1", "2", "3", "4"]


def test_the_earliest_leaves_first() -> None:
    queue = filled(0)
    for due in (3, 1, 2):
        queue.add(due, str(due))
    assert taken(queue, 2) == ["1", "2"]
    assert queue.next_moment(2) == 3
    assert not queue.has_due(2)


def test_a_full_bucket_lets_a_second_of_tasks_go_at_once_and_then_the_rate() -> None:
    queue = filled(40)
    assert len(taken(queue, 0)) == 10
    assert queue.next_moment(0) == pytest.approx(0.1)
    assert [len(taken(queue, now)) for now in (0.05, 0.1, 0.15, 0.2, 1.2, 60)] == [0, 1, 0, 1, 10, 10]


def test_at_the_moment_that_is_named_a_task_may_go() -> None:
    queue, now = filled(500, rate=40, now=1_700_000_000.123), 1_700_000_000.123
    taken(queue, now)
    for _ in range(400):
        moment = queue.next_moment(now)
        assert moment is not None
        now = moment
        assert len(taken(queue, now)) == 1


def test_no_more_run_than_may_and_the_end_of_one_lets_the_next_go() -> None:
    queue = filled(5, concurrent=2)
    assert taken(queue, 0) == ["0", "1"]
    assert queue.next_moment(0) is None
    queue.ended()
    assert taken(queue, 0) == ["2"]


def test_a_clock_that_is_put_back_earns_nothing_and_costs_nothing() -> None:
    queue = filled(40, now=100)
    assert len(taken(queue, 100)) == 10
    queue.add(0, "early")
    assert taken(queue, 50) == []
    assert taken(queue, 50.1) == ["early"]
