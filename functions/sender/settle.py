"""What becomes of a message whose lease we hold: each outcome is one commit, which also gives the lease back."""

import logging
from datetime import datetime, timedelta
from typing import Any

from functions.core import outbox
from functions.core.events import deliver_task, event
from functions.core.graph import Accepted, Refused
from functions.core.ids import key_of
from functions.core.lines import Line
from functions.core.message import message_key, wamid_key
from functions.core.meta_errors import Decision, error_view, meaning
from functions.core.status import reached
from functions.core.store import NOW, Document, NotFound, Write, update
from functions.sender.desk import Desk
from functions.sender.learn import learn

log = logging.getLogger(__name__)

_NOT_SENT_PAUSE = timedelta(seconds=5)
_ACCOUNT_PAUSE = timedelta(minutes=5)
"""How often a line that can't send at all tries again; everything stays queued meanwhile."""


async def come_back(desk: Desk, line: Line, conversation: str, at: datetime) -> None:
    """Queue the conversation's next dispatch for later; many who wait for the same second make one task."""
    await desk.ports.tasks.enqueue(outbox.send_task(line.id, conversation, f"at {int(at.timestamp())}", at))


class Settlement:
    """The end of one dispatch."""

    def __init__(self, desk: Desk, line: Line, conversation: str, message: str) -> None:
        self._desk = desk
        self._line = line
        self._conversation = conversation
        self._message = message

    async def accepted(self, accepted: Accepted, contact: Document) -> None:
        """Meta took it; its answer also tells under which identities it knows the recipient."""
        await self._leave_outbox("sent", {"wamid": accepted.wamid, "wamid_key": wamid_key(accepted.wamid)})
        await self._queue_next()
        await learn(self._desk, self._line.account, accepted, contact)

    async def failed(self, error: dict[str, Any]) -> None:
        """It can't be sent; the agent reads why."""
        await self._leave_outbox("failed", {"error": error})
        await self._queue_next()

    async def unknown(self) -> None:
        """Nobody knows whether Meta took it. It is not repeated, and what stands behind it waits a while."""
        until = self._desk.ports.now() + outbox.AFTER_UNKNOWN
        log.warning("a message's end is unknown", extra={"message_id": self._message, "line": self._line.id})
        try:
            await self._leave_outbox("unknown", {}, until)
        except NotFound:
            # The message was erased while it was being sent.
            await self._desk.ports.store.commit([self._let_go()])
        await come_back(self._desk, self._line, self._conversation, until)

    async def not_sent(self) -> None:
        """The request never left: it waits, and what is behind it too."""
        await self._wait(_NOT_SENT_PAUSE)

    async def refused(self, refusal: Refused) -> None:
        """Meta refused it: wait or fail, by its code."""
        known = meaning(refusal.code, refusal.transient)
        log.warning(
            "Meta refused a message",
            extra={"code": refusal.code, "message_id": self._message, "line": self._line.id},
        )
        if known.decision is Decision.RETRY:
            await self._wait(timedelta(seconds=known.pause))
        elif known.decision is Decision.ACCOUNT:
            await self._wait(_ACCOUNT_PAUSE, {"held_up": error_view(refusal.error)})
        else:
            await self.failed(error_view(refusal.error))

    async def _wait(self, pause: timedelta, fields: dict[str, Any] | None = None) -> None:
        until = self._desk.ports.now() + pause
        writes = [self._let_go(until)]
        if fields:
            writes += [update(message_key(self._message), {**fields, "changed": NOW}), self._told("waiting")]
        await self._desk.ports.store.commit(writes)
        await come_back(self._desk, self._line, self._conversation, until)
        if fields:
            await self._desk.ports.tasks.enqueue(deliver_task(self._line.connection, key_of(self._message, "waiting")))

    async def _leave_outbox(self, status: str, fields: dict[str, Any], until: datetime | None = None) -> None:
        at = int(self._desk.ports.now().timestamp())
        await self._desk.ports.store.commit(
            [
                outbox.settled(self._message, {**reached(status, at), **fields}),
                self._let_go(until),
                self._told(status),
            ]
        )
        await self._desk.ports.tasks.enqueue(deliver_task(self._line.connection, key_of(self._message, status)))

    async def _queue_next(self) -> None:
        """Queue what waits behind: its own task may have come and gone while we held the lease."""
        if await self._desk.ports.store.query(outbox.waiting(self._conversation)):
            task = outbox.send_task(self._line.id, self._conversation, f"behind {self._message}")
            await self._desk.ports.tasks.enqueue(task)

    def _let_go(self, until: datetime | None = None) -> Write:
        return outbox.let_go(outbox.outbox_key(self._conversation), until)

    def _told(self, detail: str) -> Write:
        return event(
            "message.status",
            account=self._line.account,
            connection=self._line.connection,
            conversation=self._conversation,
            message=self._message,
            detail=detail,
            now=self._desk.ports.now(),
        )
