"""The arithmetic of a queue, without a server."""

import pytest

from tests.google.task_queue import SLOWEST_SHARE, Retry, TokenBucket


def retry(
    *, attempts: int = 100, duration: float = 0, least: float = 1, most: float = 3600, doublings: int = 16
) -> Retry:
    return Retry(attempts, duration, least, most, doublings)


def sent(bucket: TokenBucket, start: float, seconds: float) -> list[float]:
    """The moments, from `start`, at which a full line of tasks gets its tokens."""
    moments, now = [], start
    while now < start + seconds:
        while bucket.take(now):
            moments.append(round(now - start, 3))
        now = bucket.ready(now)
    return moments


def test_back_off_doubles_then_grows_by_the_last_step_then_stays() -> None:
    documented = retry(least=10, most=300, doublings=3)
    assert [documented.interval(failures) for failures in range(1, 9)] == [10, 20, 40, 80, 160, 240, 300, 300]


def test_back_off_without_doublings_grows_by_the_first_step() -> None:
    assert [retry(least=5, most=18, doublings=0).interval(n) for n in range(1, 6)] == [5, 10, 15, 18, 18]


@pytest.mark.parametrize(
    ("attempts", "duration", "made", "age", "over"),
    [
        (3, 0, 2, 10**6, False),
        (3, 0, 3, 0, True),
        (3, 60, 3, 59, False),
        (3, 60, 9, 60, True),
        (3, 60, 2, 61, False),
        (-1, 60, 99, 59, False),
        (-1, 60, 1, 60, True),
        (-1, 0, 10**6, 10**6, False),
    ],
)
def test_a_task_is_given_up_only_when_attempts_and_duration_are_both_used_up(
    attempts: int, duration: float, made: int, age: float, over: bool
) -> None:
    assert retry(attempts=attempts, duration=duration).spent(made, age) is over


def test_five_a_second_sends_five_at_once_then_one_every_fifth_of_a_second() -> None:
    moments = sent(TokenBucket(5, 5, 1_000_000_000.0), 1_000_000_000.0, 1.0)
    assert moments == pytest.approx([0, 0, 0, 0, 0, 0.2, 0.4, 0.6, 0.8], abs=1e-3)


def test_eighty_a_second_sends_the_burst_and_the_rate_in_the_first_second_then_the_rate() -> None:
    moments = sent(TokenBucket(80, 80, 0.0), 0.0, 3.0)
    counts = [sum(1 for moment in moments if second <= moment < second + 1) for second in range(3)]
    assert counts == pytest.approx([160, 80, 80], abs=1)


def test_a_rate_below_one_a_second_still_sends() -> None:
    assert sent(TokenBucket(0.5, 1, 0.0), 0.0, 5.0) == pytest.approx([0, 2, 4], abs=2e-3)


def test_an_overloaded_handler_slows_the_bucket_down_to_a_floor_and_good_answers_undo_it() -> None:
    bucket = TokenBucket(64, 64, 0.0)
    for _ in range(10):
        bucket.slow_down(0.0)
    assert bucket.share == SLOWEST_SHARE
    assert len(sent(bucket, 0.0, 3.5)) == 4
    for _ in range(6):
        bucket.speed_up(3.5)
    assert bucket.share == 1.0
