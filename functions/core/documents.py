"""What a store takes: the limits of a document and of a commit, checked the same way before either adapter writes.

Firestore would refuse these too, but late, some only in the cloud (the emulator nests one level deeper), and one
as an overloaded server (a request beyond its gRPC limit). Limits: cloud.google.com/firestore/quotas.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from functions.core.store import (
    REMOVE,
    AlreadyExists,
    Increment,
    Key,
    Maximum,
    Minimum,
    NotFound,
    Special,
    Union,
    Unstorable,
    Write,
)

MAX_BYTES = 1 << 20
"""Size of a document as Firestore counts it (`size_of`)."""

MAX_DEPTH = 20
"""Maps and lists inside each other, the document itself counted."""

MAX_NAME_BYTES = 1500
"""Length of a field's name."""

_RESERVED_NAME = re.compile(r"__.*__", re.DOTALL)
_LEAST, _GREATEST = -(1 << 63), (1 << 63) - 1
_NUMBER_BYTES = 8

_Place = Literal["create", "merge", "list"]
"""What a value may be where it stands: a merge takes all transforms, a create no removal, a list none."""


def is_name(id_: str) -> bool:
    """Tell whether a document can have this id. What comes from outside may be anything, and then there is none."""
    if not 0 < len(id_) <= MAX_NAME_BYTES or "/" in id_ or id_ in (".", "..") or _RESERVED_NAME.fullmatch(id_):
        return False
    try:
        return len(id_.encode()) <= MAX_NAME_BYTES
    except UnicodeEncodeError:
        return False


def check(writes: Sequence[Write]) -> None:
    """Raise `Unstorable` if one of the writes holds what no store takes.

    Mistakes of the code raise ValueError: a removal in a `create`, a transform in a list, a `datetime` without
    zone, a value of another type, a document that is written at a version and once more in the same commit.
    """
    for write in writes:
        place: _Place = "create" if write.kind == "create" else "merge"
        if write.fields and size_of(write.key, write.fields, place) > MAX_BYTES:
            raise Unstorable("a document is larger than 1 MiB")
    _check_repeated(writes)


def _check_repeated(writes: Sequence[Write]) -> None:
    """Refuse what one commit can't do to one document; Firestore would call the whole request invalid."""
    earlier: dict[Key, Write] = {}
    for write in writes:
        before = earlier.get(write.key)
        earlier[write.key] = write
        if not before:
            continue
        if write.version is not None or before.version is not None:
            raise ValueError("a document written at a version is written once in a commit")
        if write.kind == "create" and before.kind != "delete":
            raise AlreadyExists("a document is created that the same commit has written")
        if write.kind == "update" and before.kind == "delete":
            raise NotFound("a document is updated that the same commit has deleted")


def size_of(key: Key, fields: Mapping[str, Any], place: _Place = "merge") -> int:
    """Return the size of a document in bytes as Firestore counts it, checking everything in it on the way."""
    name = _text_bytes(key.collection) + _text_bytes(key.id) + 16
    return name + 32 + _map_bytes(fields, 1, place)


def _map_bytes(fields: Mapping[str, Any], depth: int, place: _Place) -> int:
    total = 0
    for name, value in fields.items():
        total += _name_bytes(name) + _value_bytes(value, depth + 1, place)
    return total


@lru_cache(maxsize=1024)  # Nearly all are our own words, which every document repeats.
def _name_bytes(name: str) -> int:
    length = _text_bytes(name)
    if not 1 < length <= MAX_NAME_BYTES + 1 or _RESERVED_NAME.fullmatch(name):
        raise Unstorable("a field has a name that is empty, reserved or too long")
    return length


def _value_bytes(value: Any, depth: int, place: _Place) -> int:
    """Size of a value; `depth` is the level at which it stands if it is a map or a list."""
    if isinstance(value, str):
        return _text_bytes(value)
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, int | float):
        return _number_bytes(value)
    if isinstance(value, dict | list) and depth > MAX_DEPTH:
        raise Unstorable(f"a document is nested more than {MAX_DEPTH} deep")
    if isinstance(value, dict):
        return _map_bytes(value, depth, place)
    if isinstance(value, list):
        return _list_bytes(value, depth)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a datetime in a document needs a time zone")
        return _NUMBER_BYTES
    return _transform_bytes(value, depth, place)


def _list_bytes(items: Sequence[Any], depth: int) -> int:
    if any(isinstance(item, list) for item in items):
        raise Unstorable("a list stands directly in a list")
    return sum(_value_bytes(item, depth + 1, "list") for item in items)


def _transform_bytes(value: Any, depth: int, place: _Place) -> int:
    if place == "list" or (value is REMOVE and place == "create"):
        raise ValueError(f"{value!r} can't stand in a {place}")
    match value:
        case Increment(number) | Maximum(number) | Minimum(number):
            return _number_bytes(number)
        case Union(items):
            return _list_bytes(items, depth)
        case Special():
            return _NUMBER_BYTES
    raise ValueError(f"a document can't hold a {type(value).__name__}")


def _number_bytes(number: int | float) -> int:
    if isinstance(number, int) and not _LEAST <= number <= _GREATEST:
        raise Unstorable("a whole number has more than 64 bits")
    if isinstance(number, float) and not math.isfinite(number):
        raise Unstorable("a number is not finite")
    return _NUMBER_BYTES


def _text_bytes(text: str) -> int:
    if text.isascii():
        return len(text) + 1
    try:
        return len(text.encode()) + 1
    except UnicodeEncodeError as error:
        raise Unstorable("a text is not Unicode") from error
