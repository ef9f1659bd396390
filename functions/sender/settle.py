"""What becomes of a message whose lease we hold: each outcome is one commit, which also gives the lease back."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from functions.core import outbox
from functions.core.changes import reaction_ended
from functions.core.consequences import consequences
from functions.core.courtesies import notice_sent
from functions.core.events import deliver_task, status_event
from functions.core.graph import Accepted, Refused
from functions.core.health import Hold, begun, ended, sooner, still_held
from functions.core.ids import key_of
from functions.core.late import bring_together
from functions.core.learning import lesson
from functions.core.lines import Line
from functions.core.message import wamid_key
from functions.core.meta_errors import PAIR_LIMIT, Decision, error_view, meaning, own_error, pair_pause
from functions.core.status import reached
from functions.core.store import NOW, AlreadyExists, Document, NotFound, Write, update
from functions.core.tasks import Task
from functions.core.whatsapp import Person
from functions.sender.around import Around
from functions.sender.desk import Desk

log = logging.getLogger(__name__)

_NOT_SENT_PAUSE, _NOT_SENT_LONGEST = 5, 60
"""Seconds before what never left is tried again: at first, doubling, and at most."""

_LONG = timedelta(seconds=60)
"""The agent reads why a message waits if it waits at least this long."""

_NO_WAY = own_error("Out of reach", "WhatsApp can't be reached; the message is tried again by itself.", Decision.RETRY)


async def come_back(desk: Desk, line: Line, conversation: str, at: datetime, *, bulk: bool) -> None:
    """Queue the conversation's next dispatch for later."""
    await desk.ports.tasks.enqueue(outbox.later_task(line.id, conversation, at, desk.ports.now(), bulk=bulk))


class Settlement:
    """The end of one dispatch. `hold`: the line's, when this message is its probe."""

    def __init__(
        self,
        desk: Desk,
        line: Line,
        box: outbox.Outbox,
        message: Document,
        around: Around,
        hold: Hold | None = None,
    ) -> None:
        self.line = line
        self.message = message
        self.around = around
        self._desk = desk
        self._box = box
        self._hold = hold
        self._conversation = message.fields["conversation"]

    async def accepted(self, accepted: Accepted) -> None:
        """Meta took it; its answer also tells under which identities it knows the recipient."""
        known = {"wamid": accepted.wamid, "wamid_key": wamid_key(accepted.wamid)}
        contact, recipient = self.around.contact, Person(wa_id=accepted.wa_id, bsuid=accepted.bsuid)
        learnt = lesson(self.line.account, recipient, contact) if contact else None
        informed = self._informed()
        try:
            # Together: somebody to whom an agent wrote first is found under his number as soon as he may answer.
            more = [*self._healthy(), *informed, *(learnt.writes() if learnt else [])]
            await self._leave_outbox("sent", known, more=more)
        except (AlreadyExists, NotFound):
            await self._leave_outbox("sent", known, more=self._healthy())
            with suppress(NotFound):
                await self._desk.ports.store.commit(informed)
            if learnt:
                await learnt.keep_what_is_free(self._desk.ports.store, self._desk.ports.now())
        if self._hold:
            log.info("the line sends again", extra={"line": self.line.id})
        await self._queue_next()
        # Its statuses and reactions may have come before this answer.
        await bring_together(self._desk.ports, self.line, accepted.wamid)

    async def failed(self, error: dict[str, Any], more: Sequence[Write] = (), tasks: Sequence[Task] = ()) -> None:
        """It can't be sent; the agent reads why."""
        await self._leave_outbox("failed", {"error": error}, error=error, more=more)
        if self._hold:
            # The line itself may be well: the next message is the probe.
            with suppress(NotFound):
                await self._desk.ports.store.commit([sooner(self._hold.key)])
        for task in tasks:
            await self._desk.ports.tasks.enqueue(task)
        await self._queue_next()

    async def unknown(self) -> None:
        """Nobody knows whether Meta took it. It is not repeated, and what stands behind it waits a while."""
        until = self._desk.ports.now() + outbox.AFTER_UNKNOWN
        log.warning("a message's end is unknown", extra={"message_id": self.message.key.id, "line": self.line.id})
        await self._leave_outbox("unknown", {}, until)
        await self._come_back(until)

    async def not_sent(self) -> None:
        """The request never left: it waits, and what is behind it too."""
        pause = min(_NOT_SENT_PAUSE * 2 ** min(self._box.tries, 8), _NOT_SENT_LONGEST)
        await self._wait(timedelta(seconds=pause), _NO_WAY)

    async def refused(self, refusal: Refused) -> None:
        """Meta refused it: wait or fail, by its code."""
        known = meaning(refusal.code, refusal.transient)
        error = error_view(refusal.error)
        log.warning(
            "Meta refused a message",
            extra={"code": refusal.code, "message_id": self.message.key.id, "line": self.line.id},
        )
        if known.decision is Decision.RETRY:
            pause = pair_pause(self._box.tries) if refusal.code == PAIR_LIMIT else known.pause
            if known.line:
                self._desk.rest(self.line.id, self._desk.ports.now() + timedelta(seconds=pause))
            await self._wait(timedelta(seconds=pause), error)
        elif known.decision is Decision.ACCOUNT:
            await self.held(error)
        else:
            await self._failed_for(refusal.code, error)

    async def held(self, error: dict[str, Any]) -> None:
        """The line may not send: everything waits until a later try shows that it may."""
        store = self._desk.ports.store
        await store.commit([outbox.let_go(self._box), *self._held_up(error)])
        if self._hold:
            # Gone when another probe, slower than its pause, was taken meanwhile.
            with suppress(NotFound):
                await store.commit([still_held(self._hold, error)])
        else:
            await self._hold_line(error)
        # It meets the hold then, which knows when the next try is.
        await self._come_back(self._desk.ports.now())
        await self._deliver("waiting")

    async def _hold_line(self, error: dict[str, Any]) -> None:
        try:
            await self._desk.ports.store.commit(begun(self.line, error, self._desk.ports.now()))
        except AlreadyExists:
            # Another message met the same: the line is held for both.
            return
        log.error("the line can't send", extra={"line": self.line.id, "code": error["code"]})

    async def _failed_for(self, code: int, error: dict[str, Any]) -> None:
        now, contact = self._desk.ports.now(), self.around.contact
        whose = contact.key.id if contact else None
        about = consequences(code, self.line, self.message, whose, at=int(now.timestamp()), now=now)
        await self.failed(error, about.writes, about.tasks)

    async def _wait(self, pause: timedelta, error: dict[str, Any]) -> None:
        until = self._desk.ports.now() + pause
        shown = self._held_up(error) if pause >= _LONG else []
        await self._desk.ports.store.commit([outbox.let_go(self._box, until, tries=self._box.tries + 1), *shown])
        await self._come_back(until)
        if shown:
            await self._deliver("waiting")

    def _held_up(self, error: dict[str, Any]) -> list[Write]:
        """Return the writes that show the agent why a message waits; none if it shows that already."""
        if self.message.fields.get("held_up") == error:
            return []
        return [update(self.message.key, {"held_up": error, "changed": NOW}), self._told("waiting")]

    async def _leave_outbox(
        self,
        status: str,
        fields: dict[str, Any],
        until: datetime | None = None,
        *,
        error: dict[str, Any] | None = None,
        more: Sequence[Write] = (),
    ) -> None:
        now = self._desk.ports.now()
        await self._desk.ports.store.commit(
            [
                outbox.settled(self.message.key.id, {**reached(status, int(now.timestamp())), **fields}),
                outbox.let_go(self._box, until, sent=now),
                self._told(status),
                *reaction_ended(self.message, self.around.named, status, error),
                *more,
            ]
        )
        await self._deliver(status)

    def _informed(self) -> list[Write]:
        """Return the write that says on the contact that they were told about their data."""
        contact = self.around.contact
        kept = notice_sent(self.message.fields, int(self._desk.ports.now().timestamp()))
        return [update(contact.key, {**kept, "updated": NOW})] if contact and kept else []

    def _healthy(self) -> list[Write]:
        """Return the writes that end the hold whose probe this was."""
        if self._hold is None:
            return []
        return ended(self._hold, self.line, self._desk.ports.now())

    async def _queue_next(self) -> None:
        """Queue what waits behind: its own task may have come and gone while we held the lease."""
        behind = await self._desk.ports.store.query(outbox.waiting(self._conversation))
        if not behind:
            return
        bulk = outbox.is_bulk(behind[0].fields)
        now = self._desk.ports.now()
        free = self._box.free_after(now)
        if free > now:
            await come_back(self._desk, self.line, self._conversation, free, bulk=bulk)
        else:
            task = outbox.send_task(self.line.id, self._conversation, f"behind {self.message.key.id}", bulk=bulk)
            await self._desk.ports.tasks.enqueue(task)

    async def _come_back(self, at: datetime) -> None:
        bulk = outbox.is_bulk(self.message.fields)
        await come_back(self._desk, self.line, self._conversation, at, bulk=bulk)

    async def _deliver(self, cause: str) -> None:
        await self._desk.ports.tasks.enqueue(deliver_task(self.line.connection, key_of(self.message.key.id, cause)))

    def _told(self, detail: str) -> Write:
        return status_event(self.line, self._conversation, self.message.key.id, detail, self._desk.ports.now())
