"""What a hostile hand sends: values that parsers trip over, and right bodies with something wrong in them."""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st

DEEP = "<deep>"
"""Stands for lists in lists, deeper than any parser follows; `written` puts them in."""

TEXTS = (
    "",
    " ",
    "\x00",
    "\ud800",
    "\udfff and more",
    "‮ right to left",
    "👨‍👩‍👧‍👦" * 40,
    "x" * 5000,
    "9" * 5000,
    "²",
    "١٢٣",
    "-1",
    "1e309",
    "99999999999999999999",
    "NaN",
    "true",
    "null",
    "../../etc/passwd",
    "a/b/c",
    "%2e%2e%2f",
    ".",
    "..",
    "__proto__",
    "__name__",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "http://169.254.169.254/latest",
    "\r\nX-Injected: 1",
    DEEP,
)
NUMBERS = (0, -1, 1, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 2**64, 10**400, 0.1, 1e308, -0.0)
ODD = (float("nan"), float("inf"), float("-inf"))

scalars = st.one_of(
    st.sampled_from([None, True, False]),
    st.sampled_from(TEXTS),
    st.sampled_from(NUMBERS),
    st.sampled_from(ODD),
    st.text(max_size=30),
    st.integers(-(2**70), 2**70),
)
names = st.one_of(
    st.sampled_from(["id", "type", "text", "body", "", "__x__", "a.b", "\ud800", "x" * 1600]),
    st.text(max_size=8),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
    max_leaves=12,
)

_CHANGES = ("replaced", "replaced", "replaced", "taken away", "doubled", "wrapped", "added to")


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where something stands in a JSON value, all but the whole."""
    if isinstance(value, Mapping):
        inside: Iterator[tuple[Any, Any]] = iter(value.items())
    elif isinstance(value, list):
        inside = enumerate(value)
    else:
        return
    for name, each in inside:
        yield (*place, name)
        yield from places(each, (*place, name))


@st.composite
def changed(draw: st.DrawFn, bodies: st.SearchStrategy[Any], most: int = 3) -> Any:
    """Return one of the bodies with up to `most` things wrong in it."""
    body = copy.deepcopy(draw(bodies))
    for _ in range(draw(st.integers(0, most))):
        found = list(places(body))
        if not found:
            return draw(values)
        *way, last = draw(st.sampled_from(found))
        holder = body
        for step in way:
            holder = holder[step]
        _change(draw, holder, last)
    return body


def _change(draw: st.DrawFn, holder: Any, name: Any) -> None:
    match draw(st.sampled_from(_CHANGES)):
        case "replaced":
            holder[name] = draw(values)
        case "taken away":
            del holder[name]
        case "doubled" if isinstance(holder, list):
            holder.append(copy.deepcopy(holder[name]))
        case "added to" if isinstance(holder, dict):
            holder[draw(names)] = draw(values)
        case _:
            holder[name] = [holder[name]]


def written(value: Any) -> bytes:
    """Return a value as JSON, half surrogates, not-a-numbers and endless nesting included."""
    return json.dumps(value).replace(f'"{DEEP}"', "[" * 3000 + "]" * 3000).encode()


raw = st.one_of(
    values.map(written),
    st.binary(max_size=200),
    st.sampled_from(
        [
            b"",
            b"\xef\xbb\xbf{}",
            b"[" * 100_000,
            b'{"entry":' * 5000,
            b'{"entry": [{"changes": [{"value": ' + b"9" * 5000 + b"}]}]}",
            b'{"object": "whatsapp_business_account", "object": 1}',
            b"\xff\xfe{\x00}\x00",
            b'"\\ud800"',
            b"nul",
        ]
    ),
)
"""Bodies that owe nothing to what is expected."""
