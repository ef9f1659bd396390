from datetime import UTC, datetime, timedelta

import pytest

from functions.core.window import closes_at, is_open

WROTE = 1_780_000_000
WROTE_AT = datetime.fromtimestamp(WROTE, UTC)


def test_the_window_closes_24_hours_after_the_customers_own_time():
    assert closes_at(WROTE) == WROTE_AT + timedelta(hours=24)


@pytest.mark.parametrize(
    ("hours", "open_"), [(0, True), (23.99, True), (24, False), (24.01, False), (1000, False), (-1, True)]
)
def test_it_is_open_until_then_and_not_a_moment_longer(hours, open_):
    assert is_open(WROTE, WROTE_AT + timedelta(hours=hours)) is open_


def test_it_was_never_open_for_somebody_who_never_wrote():
    assert closes_at(None) is None
    assert not is_open(None, WROTE_AT)
