"""What a check finds, and what it looks at."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from functions.core.graph import Graph
from functions.core.lines import Line
from functions.core.ports import Ports

State = Literal["ok", "warn", "bad", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `seen` says what was found, `mend` what to do about it (None where all is well)."""

    name: str
    state: State
    seen: str
    mend: str | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    """What the checks look at. `now` is one moment for all of them."""

    ports: Ports
    graph: Graph
    lines: Sequence[Line]
    now: datetime

    @property
    def connections(self) -> list[str]:
        return list(dict.fromkeys(line.connection for line in self.lines))

    @property
    def accounts(self) -> list[str]:
        return list(dict.fromkeys(line.account for line in self.lines))


Check = Callable[[Patient], Awaitable[Sequence[Finding]]]


def ago(time: datetime, now: datetime) -> str:
    """Return how long ago something was, in one unit."""
    seconds = max(0, int((now - time).total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
