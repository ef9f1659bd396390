"""Deliver a connection's waiting events: batch by batch until none is left, or the CRM can't be reached."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from functions.core.events import deliver_task, retry_task, waiting
from functions.core.lines import Connection, Directory
from functions.core.ports import Ports
from functions.core.reach import pause, reach_key
from functions.core.results import BATCH, Answer, settle, settled
from functions.core.secrets import Seal, SealBroken
from functions.core.store import NOW, Write, merge
from functions.core.telling import Telling, tellings
from functions.core.work import Hopeless
from functions.sync.crm import Crm, CrmUnreachable

log = logging.getLogger(__name__)

_BATCHES_PER_TASK = 20

_NEW_AT_ONCE = 20
"""Conversations in a batch that the CRM has never heard of. Each becomes a contact and a lead there, which takes it as
long as some twenty messages of known customers; nobody sees any of them before the whole batch is done.
"""

_CLOCKS_DIFFER = timedelta(milliseconds=500)
"""By how much one instance's clock may be behind another's; the shortest pause is longer."""

_ALL_GOES_WELL: Mapping[str, Any] = {"until": 0, "failures": 0, "code": None, "reason": None}


class Delivery:
    """Takes events to the CRMs. One per instance."""

    def __init__(self, ports: Ports, seal: Seal, crms: Mapping[str, Crm]) -> None:
        self._ports = ports
        self._seal = seal
        self._crms = crms
        self._directory = Directory(ports.store)

    async def deliver(self, connection_id: str, *, retry: bool = False) -> None:
        """Deliver what waits for a connection; `retry`: this is the task that ends a pause.

        A CRM that is down costs nothing but delay: after a failure only the retry asks it, with growing pauses. What
        is not paired yet, or has no address that we could reach, is left for the CRM to pull.
        """
        connection = await self._connection(connection_id)
        if not connection.secrets or not connection.url:
            return
        known = await self._known(connection_id)
        # A retry finds a later time only if another one came first, and that one goes on.
        early = _CLOCKS_DIFFER if retry else timedelta()
        if known.get("until", 0) > (self._ports.now() + early).timestamp():
            return
        try:
            asked = await self._deliver_waiting(connection)
            if known.get("failures") and not asked:
                # Nothing waits (any more): an empty batch finds out whether the way is open again.
                await self._asked(connection, [])
        except CrmUnreachable as error:
            await self._rest(connection_id, known, error)
        else:
            if known.get("failures"):
                await self._note(connection_id, _ALL_GOES_WELL)

    async def check(self, connection_id: str, check: str) -> None:
        """Try the way to a connection's CRM, as it is set now, and note under the name `check` how that went."""
        connection = await self._connection(connection_id, fresh=True)
        if not connection.url or not connection.secrets:
            await self._note(connection_id, {"check": check})
            return
        try:
            await self._asked(connection, [])
        except CrmUnreachable as error:
            await self._rest(connection_id, await self._known(connection_id), error, check=check)
        else:
            await self._note(connection_id, {**_ALL_GOES_WELL, "check": check})
            await self._ports.tasks.enqueue(deliver_task(connection_id, f"checked {check}"))

    async def _connection(self, connection_id: str, *, fresh: bool = False) -> Connection:
        connection = await self._directory.connection(connection_id, fresh=fresh)
        if connection is None:
            raise Hopeless("the connection is gone")
        return connection

    async def _deliver_waiting(self, connection: Connection) -> bool:
        """Deliver what waits, and return whether the CRM was asked at all."""
        asked = False
        for _ in range(_BATCHES_PER_TASK):
            events = await self._ports.store.query(waiting(connection.id, BATCH))
            if events:
                told = await tellings(self._ports.store, self._directory, events, connection.account)
                for batch in _batches(told):
                    asked |= await self._deliver_batch(connection, batch)
            if len(events) < BATCH:
                return asked
        await self._ports.tasks.enqueue(deliver_task(connection.id, f"behind {events[-1].key.id}"))
        return asked

    async def _deliver_batch(self, connection: Connection, batch: Sequence[Telling]) -> bool:
        """Deliver a batch and settle it; returns whether there was anything to ask the CRM."""
        bodies = [telling.body for telling in batch if telling.body]
        answers = await self._asked(connection, bodies) if bodies else []
        answered = {answer.event: answer for answer in answers}
        now = self._ports.now()
        taken: list[list[Write]] = [
            settled(telling.event, telling.conversation, answered.get(telling.event.key.id), now)
            for telling in batch
            if not telling.body or telling.event.key.id in answered
        ]
        await settle(self._ports.store, taken)
        if len(taken) < len(batch):
            raise CrmUnreachable("not_leadline", f"{len(batch) - len(taken)} events were not answered.")
        return bool(bodies)

    async def _asked(self, connection: Connection, bodies: Sequence[dict[str, Any]]) -> list[Answer]:
        crm = self._crms.get(connection.kind)
        if crm is None:
            raise CrmUnreachable("ours", "No CRM of this kind is known here.")
        try:
            secrets = [self._seal.open(secret) for secret in connection.secrets]
        except SealBroken:
            raise CrmUnreachable("ours") from None
        return await crm.deliver(connection, secrets, bodies)

    async def _rest(
        self, connection: str, known: Mapping[str, Any], error: CrmUnreachable, *, check: str | None = None
    ) -> None:
        """Try again later, longer each time. The task is answered 200: an error would slow its whole queue."""
        log.warning("the CRM can't be reached", extra={"connection": connection, "reason": str(error)})
        # It may have been paired anew, or have moved: the next attempt looks.
        await self._directory.connection(connection, fresh=True)
        now = self._ports.now()
        until = now + pause(known, now)
        # First the task: a rest that nothing ends would last until the next sweep.
        await self._ports.tasks.enqueue(retry_task(connection, until))
        failed = {
            "until": until.timestamp(),
            "failures": min(known.get("failures", 0) + 1, 16),
            "code": error.code,
            "reason": str(error),
        }
        await self._note(connection, {**failed, "check": check} if check else failed)

    async def _known(self, connection: str) -> Mapping[str, Any]:
        """Return what is known of how deliveries fare."""
        [found] = await self._ports.store.get([reach_key(connection)])
        return found.fields if found else {}

    async def _note(self, connection: str, fields: Mapping[str, Any]) -> None:
        await self._ports.store.commit([merge(reach_key(connection), {**fields, "updated": NOW})])


def _batches(told: Sequence[Telling]) -> Iterator[list[Telling]]:
    """Part what is told, so that no batch holds too much that is new to the CRM."""
    batch: list[Telling] = []
    new: set[str] = set()
    for telling in told:
        if telling.body and telling.conversation and "records" not in telling.conversation.fields:
            if len(new) == _NEW_AT_ONCE and telling.conversation.key.id not in new:
                yield batch
                batch, new = [], set()
            new.add(telling.conversation.key.id)
        batch.append(telling)
    yield batch
