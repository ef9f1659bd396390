"""Deliver a connection's waiting events: batch by batch until none is left, or the CRM can't be reached."""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from functions.core.events import deliver_task, retry_task, waiting
from functions.core.lines import Connection, Directory
from functions.core.parked import refused
from functions.core.ports import Ports
from functions.core.secrets import Seal, SealBroken
from functions.core.store import NOW, Key, Refused, Unavailable, Unstorable, Write, delete, merge, update
from functions.core.telling import Telling, tellings
from functions.core.work import Hopeless
from functions.sync.crm import BATCH, Answer, Crm, CrmUnreachable

log = logging.getLogger(__name__)

_BATCHES_PER_TASK = 20
_SETTLING = 5
"""How often a batch is settled again without what was refused."""

_LONGEST_PAUSE = timedelta(seconds=60)

_CLOCKS_DIFFER = timedelta(milliseconds=500)
"""By how much one instance's clock may be behind another's; the shortest pause is longer."""


class Delivery:
    """Takes events to the CRMs. One per instance."""

    def __init__(self, ports: Ports, seal: Seal, crms: Mapping[str, Crm]) -> None:
        self._ports = ports
        self._seal = seal
        self._crms = crms
        self._directory = Directory(ports.store)

    async def deliver(self, connection_id: str, *, retry: bool = False) -> None:
        """Deliver what waits for a connection; `retry`: this is the task that ends a pause.

        A CRM that is down costs nothing but delay: after a failure only the retry asks it, with growing pauses.
        """
        connection = await self._directory.connection(connection_id)
        if connection is None:
            raise Hopeless("the connection is gone")
        key = Key("deliveries", connection_id)
        [resting] = await self._ports.store.get([key])
        # A retry finds a later time only if another one came first, and that one goes on.
        early = _CLOCKS_DIFFER if retry else timedelta()
        if resting and resting.fields["until"] > (self._ports.now() + early).timestamp():
            return
        try:
            await self._deliver_waiting(connection)
        except CrmUnreachable as error:
            await self._rest(key, resting.fields["failures"] if resting else 0, str(error))
        else:
            if resting:
                await self._ports.store.commit([delete(key)])

    async def _deliver_waiting(self, connection: Connection) -> None:
        for _ in range(_BATCHES_PER_TASK):
            events = await self._ports.store.query(waiting(connection.id, BATCH))
            if events:
                await self._deliver_batch(connection, await tellings(self._ports.store, self._directory, events))
            if len(events) < BATCH:
                return
        await self._ports.tasks.enqueue(deliver_task(connection.id, f"behind {events[-1].key.id}"))

    async def _deliver_batch(self, connection: Connection, batch: Sequence[Telling]) -> None:
        bodies = [telling.body for telling in batch if telling.body]
        answers = await self._asked(connection, bodies) if bodies else []
        answered = {answer.event: answer for answer in answers}
        settled = [
            self._settled(telling, answered.get(telling.event.key.id))
            for telling in batch
            if not telling.body or telling.event.key.id in answered
        ]
        await self._settle(settled)
        if len(settled) < len(batch):
            raise CrmUnreachable(f"{len(batch) - len(settled)} events were not answered")

    async def _asked(self, connection: Connection, bodies: Sequence[dict[str, Any]]) -> list[Answer]:
        crm = self._crms.get(connection.kind)
        if crm is None:
            raise CrmUnreachable("no CRM of this kind is known here")
        try:
            secrets = [self._seal.open(secret) for secret in connection.secrets]
        except SealBroken as error:
            raise CrmUnreachable(str(error)) from None
        return await crm.deliver(connection, secrets, bodies)

    async def _settle(self, settled: Sequence[Sequence[Write]]) -> None:
        for _ in range(_SETTLING):
            try:
                await self._ports.store.commit([write for writes in settled for write in writes])
            except Unstorable:
                log.warning("the CRM answered what no store takes")
                settled = [[write for write in writes if write.kind != "update"] for writes in settled]
            except Refused as refusal:
                # An event was delivered by another task too, or happened again meanwhile and is told again.
                log.info("some events were settled elsewhere", extra={"type": type(refusal).__name__})
                settled = await self._standing(settled)
            else:
                return
        raise Unavailable("what is settled changes all the time")

    async def _standing(self, settled: Sequence[Sequence[Write]]) -> list[list[Write]]:
        """Return what can still be written: events as they were told, and what their answers change."""
        keys = list({write.key for writes in settled for write in writes if write.kind in ("update", "delete")})
        found = await self._ports.store.get(keys)
        versions = {document.key: document.version for document in found if document is not None}

        def stands(write: Write) -> bool:
            return write.kind == "merge" or (write.key in versions and write.version in (None, versions[write.key]))

        return [[write for write in writes if stands(write)] for writes in settled if stands(writes[0])]

    def _settled(self, telling: Telling, answer: Answer | None) -> list[Write]:
        """Return the writes that take an event away, with what the answer tells of the conversation."""
        event, conversation = telling.event, telling.conversation
        # By version: a status that came again meanwhile keeps its event.
        writes = [delete(event.key, version=event.version)]
        if answer and answer.refused is not None:
            log.warning("the CRM refused an event", extra={"event": event.key.id, "type": event.fields["type"]})
            writes += refused("refused by the CRM", event, answer.refused, self._ports.now())
        elif answer and conversation:
            shown: dict[str, Any] = {}
            if answer.records is not None:
                shown["records"] = answer.records
            if answer.owner is not None:
                shown["owner"] = answer.owner or None
            if any(conversation.fields.get(name) != value for name, value in shown.items()):
                writes.append(update(conversation.key, shown))
        return writes

    async def _rest(self, key: Key, failures: int, reason: str) -> None:
        """Try again later, longer each time. The task is answered 200: an error would slow its whole queue."""
        log.warning("the CRM can't be reached", extra={"connection": key.id, "reason": reason})
        until = self._ports.now() + min(timedelta(seconds=2**failures), _LONGEST_PAUSE)
        # First the task: a rest that nothing ends would last until the next sweep.
        await self._ports.tasks.enqueue(retry_task(key.id, until))
        fields = {"until": until.timestamp(), "failures": min(failures + 1, 16), "reason": reason, "updated": NOW}
        await self._ports.store.commit([merge(key, fields)])
