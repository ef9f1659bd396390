"""The order of a message's statuses: it only moves up, whatever order they come in."""

from collections.abc import Mapping
from typing import Any

from functions.core.store import Maximum, Minimum

RANK = {
    "queued": 0,
    "sending": 10,
    "unknown": 20,
    "sent": 30,
    "failed": 40,
    "delivered": 50,
    "read": 60,
    "played": 70,
}
"""`failed` stands above `sent` and below `delivered`: Meta may say both, and a tick once seen does not go away."""

_NAME = {rank: name for name, rank in RANK.items()}


def reached(status: str, at: int) -> dict[str, Any]:
    """Return the fields that say that a message reached this status at this second.

    They commute: any order and any repetition of statuses ends in the same fields, without a read.
    """
    return {"rank": Maximum(RANK[status]), "statuses": {status: Minimum(at)}}


def shown(fields: Mapping[str, Any]) -> str:
    """Return the status that a message's fields show."""
    return _NAME[fields.get("rank", 0)]
