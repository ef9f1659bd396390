"""What the sender works with: the ports, the Graph client, and the lines with their tokens opened."""

from dataclasses import dataclass
from datetime import datetime

from functions.core.graph import Graph
from functions.core.lines import Directory, Line
from functions.core.pace import Pace
from functions.core.ports import Ports
from functions.core.secrets import Seal
from functions.core.store import Document
from functions.core.work import Hopeless


def check_line(document: Document, line: str) -> None:
    """Raise `Hopeless` unless a conversation or a message is the line's: no task leads one account to another's."""
    if document.fields.get("line") != line:
        raise Hopeless("this is another line's")


@dataclass(frozen=True, slots=True)
class Access:
    """A line and its token in the clear; it is never logged or stored."""

    line: Line
    token: str


class Desk:
    """One per instance."""

    def __init__(self, ports: Ports, graph: Graph, seal: Seal, pace: Pace | None = None) -> None:
        self.ports = ports
        self.graph = graph
        self.pace = pace or Pace()
        self._seal = seal
        self._directory = Directory(ports.store)
        self._resting: dict[str, datetime] = {}

    async def line(self, line_id: str) -> Line | None:
        """Return a line by our own id."""
        return await self._directory.line(line_id)

    async def existing(self, line_id: str) -> Line:
        """Return a line that work waits for. Raises `Hopeless` when it is gone."""
        line = await self.line(line_id)
        if line is None:
            raise Hopeless("the line is gone")
        return line

    def token(self, line: Line) -> str:
        """Return a line's token in the clear. Raises `SealBroken`."""
        return self._seal.open(line.token)

    async def access(self, line_id: str) -> Access:
        """Return a line with its token. Raises `Hopeless` and `SealBroken`."""
        line = await self.existing(line_id)
        return Access(line, self.token(line))

    def rest(self, line: str, until: datetime) -> None:
        """Let nothing of a line be sent by this instance before a time, because a rate of the whole line is reached.

        Each instance learns it by itself, so that no document is written by all of them.
        """
        self._resting[line] = until

    def rests_until(self, line: str, now: datetime) -> datetime | None:
        """Return until when a line rests; None if it does not."""
        until = self._resting.get(line)
        return until if until is not None and until > now else None
