"""The store as a dictionary: the simplest thing that keeps the promises about fields, to hold the adapters against.

It works path by path, as Firestore describes it, and not map by map, as the SQLite store does.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from functions.core import documents
from functions.core.store import (
    NOW,
    REMOVE,
    AlreadyExists,
    Increment,
    Key,
    Maximum,
    Minimum,
    NotFound,
    Stale,
    Union,
    Write,
)


class ModelStore:
    """Documents in memory. A version is the number of the commit that last changed the document."""

    def __init__(self, now: datetime) -> None:
        self.documents: dict[Key, tuple[int, dict[str, Any]]] = {}
        self._now = now
        self._commits = 0

    def commit(self, writes: Sequence[Write]) -> None:
        documents.check(writes)
        found = copy.deepcopy(self.documents)
        self._commits += 1
        for write in writes:
            self._apply(found, write)
        self.documents = found

    def _apply(self, found: dict[Key, tuple[int, dict[str, Any]]], write: Write) -> None:
        version, fields = found.get(write.key, (0, None))
        if write.kind == "create" and fields is not None:
            raise AlreadyExists
        if write.version not in (None, version):
            raise Stale
        if write.kind == "update" and fields is None:
            raise NotFound
        if write.kind == "delete":
            found.pop(write.key, None)
            return
        changed = copy.deepcopy(fields or {})
        for path, value in _leaves(write.fields):
            _set(changed, path, value, self._now)
        if fields is None or _exact(changed) != _exact(fields):
            found[write.key] = (self._commits, changed)


def _leaves(fields: Mapping[str, Any], parents: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in fields.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*parents, name))
        else:
            yield (*parents, name), value


def _set(fields: dict[str, Any], path: tuple[str, ...], change: Any, now: datetime) -> None:
    *parents, name = path
    for parent in parents:
        if not isinstance(fields.get(parent), dict):
            if change is REMOVE:
                return
            fields[parent] = {}
        fields = fields[parent]
    old = fields.get(name)
    number = old if isinstance(old, int | float) and not isinstance(old, bool) else None
    match change:
        case Increment(by):
            fields[name] = by if number is None else number + by
        case Maximum(value):
            fields[name] = value if number is None or value > number else number
        case Minimum(value):
            fields[name] = value if number is None or value < number else number
        case Union(items):
            kept = old if isinstance(old, list) else []
            for item in items:
                if _exact(item, numbers=False) not in [_exact(one, numbers=False) for one in kept]:
                    kept = [*kept, item]
            fields[name] = kept
        case _ if change is NOW:
            fields[name] = now
        case _ if change is REMOVE:
            fields.pop(name, None)
        case _:
            fields[name] = copy.deepcopy(change)


def _exact(value: Any, *, numbers: bool = True) -> Any:
    """A value that is only equal to values of the same types; with `numbers=False`, 1 is 1.0."""
    if isinstance(value, dict):
        return {name: _exact(item, numbers=numbers) for name, item in value.items()}
    if isinstance(value, list):
        return [_exact(item, numbers=numbers) for item in value]
    if isinstance(value, bool) or (numbers and isinstance(value, int | float)):
        return (type(value).__name__, value)
    return value
