"""What a check finds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["ok", "warn", "bad", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `seen` says what was found, `mend` what to do about it (None where all is well)."""

    name: str
    state: State
    seen: str
    mend: str | None = None


def ago(time: datetime, now: datetime) -> str:
    """Return how long ago something was, in one unit."""
    return f"{span((now - time).total_seconds())} ago"


def span(seconds: float) -> str:
    """Return a time span in one unit."""
    seconds = max(0, int(seconds))
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
