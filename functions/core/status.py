"""The order of a message's statuses: it only moves up, whatever order they come in."""

from collections.abc import Mapping
from typing import Any

from functions.core.ids import key_of
from functions.core.meta_errors import error_view
from functions.core.store import NOW, Maximum, Minimum

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


def status_fields(status: str, at: int, errors: list[dict[str, Any]], participant: str | None = None) -> dict[str, Any]:
    """Return the fields that a status writes on its message; Meta's error is kept whatever the rank.

    `participant`: the member of a group of whom alone it speaks.
    """
    if participant is not None:
        member = {**reached(status, at), **({"errors": errors} if errors else {})}
        return {"participants": {key_of("participant", participant): member}, "changed": NOW}
    error = {"error": error_view(errors[0]), "errors_raw": errors} if errors else {}
    return {**reached(status, at), **error, "changed": NOW}


def shown(fields: Mapping[str, Any]) -> str:
    """Return the status that a message's fields show."""
    return _NAME[fields.get("rank", 0)]
