"""The small parts of which Meta's webhooks are made, read without trust: each returns what it should be or raises."""

import re
from typing import Any

from msgspec import Struct

_WORD = re.compile(r"[a-z_]{1,60}")

_TURNING = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""What turns the direction of all that follows, by its code."""

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What reading an item raises that is not as Meta describes it."""

_LATEST = 1 << 32
"""Epoch seconds that no message of ours will reach (2106); more could not be shown as a time."""


class Unhandled(Struct, frozen=True):
    """Something this version has no use for, or can't read: `reason` says which. It is kept as it came."""

    phone_number_id: str | None
    reason: str
    raw: Any


def text(value: Any) -> str:
    """Return a text that must be there. Raises ValueError."""
    if not isinstance(value, str) or not value:
        raise ValueError("not a text")
    return value


def optional(value: Any) -> str | None:
    """Return a text, or None for everything else."""
    return value if isinstance(value, str) and value else None


def name_of(value: Any) -> str | None:
    """Return what somebody is called, or None. It stands in sentences, so nothing in it turns what follows around."""
    said = optional(value)
    return said if said is None or said.isascii() else said.translate(_TURNING) or None


def time(value: Any) -> int:
    """Return epoch seconds that came as text or as a number. Raises TypeError, ValueError or OverflowError."""
    at = int(value)
    if isinstance(value, bool) or not 0 < at < _LATEST:
        raise ValueError("not a time")
    return at


def word(value: Any) -> str:
    """Return a name of Meta's as it may stand in a reason, which is logged; anything else is not repeated."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else "of another kind"


def mapping(value: Any) -> dict[str, Any]:
    """Return an object; an empty one for everything else."""
    return value if isinstance(value, dict) else {}


def listed(holder: Any, name: str) -> list[Any]:
    """Return a list that an object holds; an empty one where there is none."""
    items = mapping(holder).get(name)
    return items if isinstance(items, list) else []


def errors(item: dict[str, Any]) -> list[dict[str, Any]]:
    """Return Meta's error objects of an item."""
    return [error for error in listed(item, "errors") if isinstance(error, dict)] if "errors" in item else []
