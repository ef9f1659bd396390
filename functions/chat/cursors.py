"""Cursors: where a reading goes on, so that no change is missed and none is needed twice.

A server timestamp is set when a commit begins, so a change can appear behind what was already read. That is why a
new reading begins 15 s before its cursor and the reader drops what it has by id and version.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Query

from functions.chat.problems import Problem
from functions.core.documents import is_name

OVERLAP = timedelta(seconds=15)
"""Longer than any commit may take."""

Limit = Annotated[int, Query(ge=1, le=200)]
"""How many items a page may have."""

_MICROS = re.compile(r"[0-9]{1,16}")
_EPOCH = datetime.fromtimestamp(0, UTC)


def micros(time: datetime) -> int:
    """Return a time as µs since 1970, exactly."""
    return (time - _EPOCH) // timedelta(microseconds=1)


def place(value: object, document: str) -> str:
    """Return a cursor that goes on strictly behind one document."""
    return f"{value}~{document}"


def sort_place(cursor: str) -> tuple[str, str]:
    """Return the (sort, id) that a cursor into a conversation's order names. Raises `Problem`."""
    sort, separator, document = cursor.partition("~")
    if not separator or not is_name(document):
        raise Problem(422, "invalid", "before: this is no cursor of ours.")
    return sort, document


def time_place(cursor: str) -> tuple[datetime, str]:
    """Return the (time, id) that a cursor into an order by time names. Raises `Problem`."""
    seen = Reading.of(cursor).last_seen
    if seen is None:
        raise Problem(422, "invalid", "before: this is no cursor of ours.")
    return seen


def number_place(cursor: str) -> tuple[int, str]:
    """Return the (number, id) that a cursor into an order by number names. Raises `Problem`."""
    number, separator, document = cursor.partition("~")
    if not separator or not _MICROS.fullmatch(number) or not is_name(document):
        raise Problem(422, "invalid", "before: this is no cursor of ours.")
    return int(number), document


@dataclass(frozen=True, slots=True)
class Reading:
    """A cursor into changes: `since` bounds the query, `last_seen` is set in the middle of a reading."""

    micros: int
    last_seen: tuple[datetime, str] | None

    @classmethod
    def of(cls, cursor: str) -> "Reading":
        """Read a cursor; `0` is the beginning. Raises `Problem`."""
        text, _, document = cursor.partition("~")
        if not _MICROS.fullmatch(text) or (document and not is_name(document)):
            raise Problem(422, "invalid", "The cursor is not one of ours.")
        time = _EPOCH + timedelta(microseconds=int(text))
        return cls(int(text), (time, document) if document else None)

    @property
    def since(self) -> datetime:
        """Return where the query begins: before the cursor, except within a reading."""
        time = _EPOCH + timedelta(microseconds=self.micros)
        return time if self.last_seen else max(time, _EPOCH + OVERLAP) - OVERLAP
