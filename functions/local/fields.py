"""A document's fields on one machine: how a write changes them, and how they lie in a file as JSON."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from functions.core.store import NOW, REMOVE, Increment, Maximum, Minimum, Union

_MARK = "\x01"
_LEAST, _GREATEST = -(1 << 63), (1 << 63) - 1


def changed(fields: dict[str, Any], changes: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the fields after a create, merge or update with these changes, as Firestore would have them.

    Maps are merged; an empty map replaces what is there, as does a list. A removal inside something that is no map
    changes nothing. A map or a transform takes the place of what it doesn't fit to.
    """
    result = dict(fields)
    for name, change in changes.items():
        old = result.get(name)
        if change is REMOVE:
            result.pop(name, None)
        elif isinstance(change, dict) and change:
            _merge(result, name, change, now)
        elif change is NOW:
            result[name] = now
        else:
            result[name] = _TRANSFORMS.get(type(change), _replaced)(old, change)
    return result


def _merge(fields: dict[str, Any], name: str, changes: Mapping[str, Any], now: datetime) -> None:
    old = fields.get(name)
    if isinstance(old, dict):
        fields[name] = changed(old, changes, now)
    elif not _only_removes(changes):
        fields[name] = changed({}, changes, now)


def _only_removes(changes: Mapping[str, Any]) -> bool:
    return all(
        change is REMOVE or (isinstance(change, dict) and change and _only_removes(change))
        for change in changes.values()
    )


def _replaced(old: Any, new: Any) -> Any:
    return new


def _increment(old: Any, change: Increment) -> int | float:
    if not _is_number(old):
        return change.by
    total: int | float = old + change.by
    return total if isinstance(total, float) else max(_LEAST, min(_GREATEST, total))


def _maximum(old: Any, change: Maximum) -> int | float:
    return old if _is_number(old) and old >= change.value else change.value


def _minimum(old: Any, change: Minimum) -> int | float:
    return old if _is_number(old) and old <= change.value else change.value


def _union(old: Any, change: Union) -> list[Any]:
    items = list(old) if isinstance(old, list) else []
    for new in change.items:
        if not any(_same(item, new) for item in items):
            items.append(new)
    return items


_TRANSFORMS: Mapping[type, Callable[[Any, Any], Any]] = {
    Increment: _increment,
    Maximum: _maximum,
    Minimum: _minimum,
    Union: _union,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal in a store, where 1 is 1.0 but is not true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def to_json(fields: Mapping[str, Any]) -> str:
    """Return the fields as JSON text; equal fields give equal text."""
    return json.dumps(encoded(fields), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def from_json(text: str) -> dict[str, Any]:
    """Return the fields that `to_json` was given."""
    fields: dict[str, Any] = json.loads(text)
    # A mark is written as \u0001 by JSON: most of the walk is saved where there is none.
    return _decoded(fields) if "\\u0001" in text else fields


def encoded(value: Any) -> Any:
    """Return a value as it lies in JSON: a `datetime` as marked text of fixed length, which sorts by time."""
    if isinstance(value, str):
        return _MARK + value if value.startswith(_MARK) else value
    if isinstance(value, Mapping):
        return {name: encoded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [encoded(item) for item in value]
    if isinstance(value, datetime):
        return _MARK + value.astimezone(UTC).isoformat(timespec="microseconds")
    return value


def _decoded(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_MARK):
        return value[1:] if value.startswith(_MARK, 1) else datetime.fromisoformat(value[1:])
    if isinstance(value, dict):
        return {name: _decoded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    return value
