import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.chat.cursors import OVERLAP, Reading, micros, place, sort_place
from functions.chat.problems import Problem

TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@given(TIMES)
def test_a_time_survives_its_cursor_to_the_microsecond(time):
    assert Reading.of(place(micros(time), "message")).last_seen == (time, "message")


@given(TIMES)
def test_a_new_reading_begins_fifteen_seconds_earlier(time):
    assert Reading.of(str(micros(time))).since == time - OVERLAP


@given(TIMES)
def test_within_a_reading_it_goes_on_strictly_behind_what_was_seen(time):
    assert Reading.of(place(micros(time), "message")).since == time


def test_the_first_reading_begins_at_the_beginning():
    assert Reading.of("0").since == datetime.fromtimestamp(0, UTC)
    assert timedelta(seconds=15) == OVERLAP


@pytest.mark.parametrize("cursor", ["", "x", "~", "~message", "1.5", "9" * 30, "9" * 5000, "-1~message", "²"])
def test_what_is_no_cursor_of_ours_is_a_problem(cursor):
    with pytest.raises(Problem) as refused:
        Reading.of(cursor)
    assert (refused.value.status, refused.value.code) == (422, "invalid")


@given(st.text())
def test_any_text_is_a_cursor_or_a_problem(text):
    for read in (Reading.of, sort_place):
        with contextlib.suppress(Problem):
            read(text)


def test_a_place_in_the_order_survives_its_cursor():
    assert sort_place(place("000000000001.000000000000002.0003", "message")) == (
        "000000000001.000000000000002.0003",
        "message",
    )
