"""What a CRM makes of the events that it was told, pushed or pulled, and what becomes of them then."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from functions.core.parked import refused
from functions.core.store import Document, Refused, Store, Unavailable, Unstorable, Write, delete, update

log = logging.getLogger(__name__)

BATCH = 100
"""Events that a CRM gets at once."""

NOBODY: dict[str, Any] = {}
"""The owner of a conversation that nobody looks after, by the CRM's own word."""

_SETTLING = 5
"""How often a batch is settled again without what was refused."""


class Record(BaseModel):
    """A card that shows the conversation."""

    model: str
    id: int
    name: str


class Owner(BaseModel):
    """Who looks after the conversation."""

    id: int
    name: str


class Result(BaseModel):
    """What a CRM's add-on answers for one event; what it leaves out stays as it is."""

    id: str
    ok: bool
    records: list[Record] | None = None
    owner: Owner | Literal[False] | None = None
    refused: str | None = None

    def answer(self) -> "Answer":
        if not self.ok:
            return Answer(self.id, refused=self.refused or "refused without a reason")
        return Answer(
            self.id,
            records=[record.model_dump() for record in self.records] if self.records is not None else None,
            owner=self.owner.model_dump() if self.owner else NOBODY if "owner" in self.model_fields_set else None,
        )


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


def settled(event: Document, conversation: Document | None, answer: Answer | None, now: datetime) -> list[Write]:
    """Return the writes that take an event away, with what the answer tells of the conversation."""
    # By version: a status that came again meanwhile keeps its event.
    writes = [delete(event.key, version=event.version)]
    if answer and answer.refused is not None:
        log.warning("the CRM refused an event", extra={"event": event.key.id, "type": event.fields["type"]})
        writes += refused("refused by the CRM", event, answer.refused, now)
    elif answer and conversation:
        shown: dict[str, Any] = {}
        if answer.records is not None:
            shown["records"] = answer.records
        if answer.owner is not None:
            shown["owner"] = answer.owner or None
        if any(conversation.fields.get(name) != value for name, value in shown.items()):
            writes.append(update(conversation.key, shown))
    return writes


async def settle(store: Store, settled: Sequence[Sequence[Write]]) -> None:
    """Write what becomes of the events of a batch. Raises `Unavailable`."""
    for _ in range(_SETTLING):
        try:
            await store.commit([write for writes in settled for write in writes])
        except Unstorable:
            log.warning("the CRM answered what no store takes")
            settled = [[write for write in writes if write.kind != "update"] for writes in settled]
        except Refused as refusal:
            # An event was settled by another task or call too, or happened again meanwhile and is told again.
            log.info("some events were settled elsewhere", extra={"type": type(refusal).__name__})
            settled = await _standing(store, settled)
        else:
            return
    raise Unavailable("what is settled changes all the time")


async def _standing(store: Store, settled: Sequence[Sequence[Write]]) -> list[list[Write]]:
    """Return what can still be written: events as they were told, and what their answers change."""
    keys = list({write.key for writes in settled for write in writes if write.kind in ("update", "delete")})
    found = await store.get(keys)
    versions = {document.key: document.version for document in found if document is not None}

    def stands(write: Write) -> bool:
        return write.kind == "merge" or (write.key in versions and write.version in (None, versions[write.key]))

    return [[write for write in writes if stands(write)] for writes in settled if stands(writes[0])]
