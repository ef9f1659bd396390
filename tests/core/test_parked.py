import base64
import gzip
import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.documents import check
from functions.core.parked import parked, quarantined

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MIB = 1 << 20


def restored(writes):
    """Return what an admin gets back from the stored parts."""
    parts = sorted(writes, key=lambda write: write.fields["part"])
    return gzip.decompress(b"".join(base64.b64decode(part.fields["body"]) for part in parts))


@pytest.mark.parametrize("size", [0, 10, 700_000, 3 * MIB])
def test_parts_stay_below_a_mebibyte_and_give_the_body_back(size):
    body = Random(1).randbytes(size)
    writes = quarantined("not JSON", body, NOW)
    check(writes)
    assert restored(writes) == body
    assert len({write.key for write in writes}) == len(writes)
    assert {write.fields["item"] for write in writes} == {writes[0].fields["item"]}


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists))
def test_an_update_comes_back_as_it_was(raw):
    assert json.loads(restored(parked("unknown", raw, raw, NOW))) == raw


@pytest.mark.parametrize("raw", ["\ud800", {"text": {"body": "\udfff"}}])
def test_what_no_store_takes_can_be_kept_all_the_same(raw):
    writes = parked("no store takes it", raw, raw, NOW, line="line")
    check(writes)
    assert json.loads(restored(writes)) == raw


def test_the_same_update_parked_twice_is_kept_once_whatever_came_with_it():
    one, other = (
        parked("why", {"id": 1}, {"entry": [hour]}, NOW + timedelta(hours=hour), line="line") for hour in (0, 1)
    )
    assert [write.key for write in one] == [write.key for write in other]


def test_it_is_kept_longer_than_meta_delivers_again():
    [write] = parked("why", {}, {}, NOW)
    assert write.fields["expires_at"] == NOW + timedelta(days=8)


def test_what_is_kept_says_why_and_of_which_line():
    [write] = parked("why", {}, {}, NOW, line="line")
    assert (write.fields["state"], write.fields["reason"], write.fields["line"]) == ("parked", "why", "line")
