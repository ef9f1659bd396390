"""The interface behind which each CRM lives: take a batch of events, answer for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from functions.core.lines import Connection

BATCH = 100
"""Events that a CRM gets at once."""


NOBODY: dict[str, Any] = {}
"""The owner of a conversation that nobody looks after, by the CRM's own word."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a CRM made of one event.

    `records` and `owner` are the cards that show the conversation now and who looks after it, maybe `NOBODY`; what is
    None was not said, and stays as it is. `refused` is the CRM's sentence when it can never take the event.
    """

    event: str
    records: list[dict[str, Any]] | None = None
    owner: dict[str, Any] | None = None
    refused: str | None = None


class CrmUnreachable(Exception):
    """The CRM did not take the batch: it is down, slow, or refuses our key. It will be asked again."""


class Crm(Protocol):
    """One kind of CRM."""

    async def deliver(
        self, connection: Connection, secrets: Sequence[str], events: Sequence[dict[str, Any]]
    ) -> list[Answer]:
        """Hand over a batch; every event gets an answer. Raises `CrmUnreachable`.

        `secrets`: the newest first; while they rotate the CRM may know any of them.
        """
        ...
