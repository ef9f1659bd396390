"""The interface behind which each CRM lives: take a batch of events, answer for each."""

from collections.abc import Sequence
from typing import Any, Protocol

from functions.core.lines import Connection
from functions.core.reach import WHY
from functions.core.results import Answer


class CrmUnreachable(Exception):
    """The CRM did not take the batch: it is down, slow, or refuses our key. It will be asked again.

    `code` is one of `core.reach.WHY`; the text says more than its sentence where there is more to say.
    """

    def __init__(self, code: str, reason: str | None = None) -> None:
        super().__init__(reason or WHY[code])
        self.code = code


class Crm(Protocol):
    """One kind of CRM."""

    async def deliver(
        self, connection: Connection, secrets: Sequence[str], events: Sequence[dict[str, Any]]
    ) -> list[Answer]:
        """Hand over a batch; every event gets an answer. An empty one only tries the way. Raises `CrmUnreachable`.

        `secrets`: the newest first; while they rotate the CRM may know any of them.
        """
        ...
