"""Whatever the quick codec refuses or understands otherwise, the standard one's word counts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core import json_text

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)

ODD = (
    b'{"a": "\\ud800"}',
    b'{"a": "\\ud83d\\ude00"}',
    b'{"a": 18446744073709551617, "b": -9223372036854775809}',
    b'{"a": 1e400}',
    b'{"a": Infinity}',
    b'{"a": 1, "a": 2}',
    b"\xef\xbb\xbf{}",
    '{"a": "é"}'.encode("utf-16"),
    b" [1, -0, 1.0] ",
)

WRONG = (b"", b"{", b"[1,]", b'{"a": "\xff"}', b'{"a": "\x01"}', b"{} {}", b"9" * 5000, b"[" * 5000 + b"]" * 5000)


@given(VALUES)
def test_what_is_written_is_read_the_same_by_everyone(value):
    written = json_text.write(value)
    assert json.loads(written) == json_text.read(written.encode()) == value


@pytest.mark.parametrize("body", ODD)
def test_odd_bodies_are_read_as_the_standard_codec_reads_them(body):
    assert json_text.read(body) == json.loads(body)


@pytest.mark.parametrize("body", WRONG)
def test_what_is_no_json_is_refused(body):
    with pytest.raises((ValueError, RecursionError)):
        json_text.read(body)


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": ["\ud800"]}])
def test_half_a_surrogate_pair_is_written_so_that_any_store_takes_it(value):
    written = json_text.write(value)
    assert written.isascii()
    assert json.loads(written) == value
