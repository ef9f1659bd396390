"""When a received file is fetched: soon after its message, and again with growing pauses while Meta can't give it.

Meta keeps a customer's file for 7 days (Meta, "Media"); the task carries how often it was tried and when to give up.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from functions.core.ids import key_of
from functions.core.tasks import Task

KEPT_AT_META = timedelta(days=7)
ASKED_AGAIN = timedelta(hours=1)
"""How long a file is tried for when a person asked for it once more."""

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)


def fetch_task(
    line: str, message: str, until: datetime, *, cause: str = "", attempt: int = 0, at: datetime | None = None
) -> Task:
    """Return the task that fetches a message's file. `cause` tells a person's wish from the message's own arrival."""
    again = (cause, str(attempt)) if cause or attempt else ()
    return Task(
        queue="media",
        function="sender",
        payload={
            "kind": "fetch_media",
            "line": line,
            "message": message,
            "cause": cause,
            "attempt": str(attempt),
            "until": str(int(until.timestamp())),
        },
        name=key_of("fetch_media", message, *again),
        at=at,
    )


def thumbnail_task(line: str, message: str) -> Task:
    """Return the task that gives a picture of ours its thumbnail."""
    return Task(
        queue="media",
        function="sender",
        payload={"kind": "thumbnail", "line": line, "message": message},
        name=key_of("thumbnail", message),
    )


def next_try(task: Mapping[str, str], now: datetime) -> Task | None:
    """Return the task for the next try after one that had to wait; None when the time is over."""
    attempt, until = int(task["attempt"]) + 1, datetime.fromtimestamp(int(task["until"]), UTC)
    at = now + min(_FIRST_PAUSE * 2 ** min(attempt - 1, 16), _LONGEST_PAUSE)
    if at > until:
        return None
    return fetch_task(task["line"], task["message"], until, cause=task["cause"], attempt=attempt, at=at)
