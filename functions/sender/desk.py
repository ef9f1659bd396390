"""What the sender works with: the ports, the Graph client, and the lines with their tokens opened."""

from dataclasses import dataclass

from functions.core.graph import Graph
from functions.core.lines import Directory, Line
from functions.core.ports import Ports
from functions.core.secrets import Seal
from functions.core.work import Hopeless


@dataclass(frozen=True, slots=True)
class Access:
    """A line and its token in the clear; it is never logged or stored."""

    line: Line
    token: str


class Desk:
    """One per instance."""

    def __init__(self, ports: Ports, graph: Graph, seal: Seal) -> None:
        self.ports = ports
        self.graph = graph
        self._seal = seal
        self._directory = Directory(ports.store)

    async def line(self, line_id: str) -> Line | None:
        """Return a line by our own id."""
        return await self._directory.line(line_id)

    async def access(self, line_id: str) -> Access:
        """Return a line with its token. Raises `Hopeless` when the line is gone."""
        line = await self.line(line_id)
        if line is None:
            raise Hopeless("the line is gone")
        return Access(line, self._seal.open(line.token))
