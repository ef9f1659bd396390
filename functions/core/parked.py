"""What could not be handled is kept with its reason, never dropped: parked updates and quarantined bodies."""

import base64
import gzip
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from functions.core.ids import key_of
from functions.core.store import NOW, Key, Write, merge

KEPT = timedelta(days=8)
"""A day longer than Meta delivers a webhook again."""

_PART = 700_000
"""Bytes of a part: base64 of it stays below the 1 MiB that a document may have."""


def parked(reason: str, raw: Any, now: datetime, *, line: str | None = None) -> list[Write]:
    """Return the writes that keep one update that could not be handled, compressed and in parts below 1 MiB."""
    return list(_kept("parked", reason, json.dumps(raw).encode(), now, line))


def quarantined(reason: str, body: bytes, now: datetime) -> list[Write]:
    """Return the writes that keep the body of a whole webhook."""
    return list(_kept("quarantined", reason, body, now, None))


def _kept(state: str, reason: str, body: bytes, now: datetime, line: str | None) -> Iterator[Write]:
    packed = gzip.compress(body, mtime=0)
    item = key_of(state, reason, line or "", base64.b64encode(body).decode())
    for part, start in enumerate(range(0, len(packed), _PART)):
        yield merge(
            Key("parked", f"{item}{part:03}"),
            {
                "item": item,
                "part": part,
                "state": state,
                "reason": reason,
                "line": line,
                "body": base64.b64encode(packed[start : start + _PART]).decode(),
                "updated": NOW,
                "expires_at": now + KEPT,
            },
        )
