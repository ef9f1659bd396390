"""What the doctor's checks look at."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import httpx

from functions.core.checkup.finding import Finding
from functions.core.lines import Connection, Line
from functions.core.management import Management
from functions.core.ports import Ports


@dataclass(frozen=True, slots=True)
class Patient:
    """`now` is one moment for all checks, `client` the way to Meta, the CRMs and our own webhook.

    `timer` measures Meta's answers.
    """

    ports: Ports
    client: httpx.AsyncClient
    graph: Management
    lines: Sequence[Line]
    connections: Sequence[Connection]
    now: datetime
    timer: Callable[[], float] = time.monotonic

    @property
    def accounts(self) -> list[str]:
        return list(dict.fromkeys(line.account for line in self.lines))


Check = Callable[[Patient], Awaitable[Sequence[Finding]]]
