"""From a verified body to documents and tasks: everything durable before the 200.

The normal POST is one commit. When that is refused (a redelivery, or something that no store takes) each update gets
a commit of its own, so that one bad item costs nothing but itself.
"""

import contextlib
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from functions.core import json_text
from functions.core.changes import WHAT, is_early
from functions.core.counts import counted
from functions.core.identity import Nameless
from functions.core.lines import Directory, Line
from functions.core.parked import parked, quarantined
from functions.core.ports import Ports
from functions.core.store import AlreadyExists, Document, NotFound, Refused, Stale, Unavailable, Unstorable, create
from functions.core.tasks import joined
from functions.core.whatsapp import (
    PHONE,
    Fact,
    GroupMessage,
    Message,
    Preference,
    Status,
    Unhandled,
    Unreadable,
    Update,
    alone,
    updates,
)
from functions.webhook.changes import change_step, message_of_wamid
from functions.webhook.facts import Owner, fact_step, owner_of
from functions.webhook.late import late_step
from functions.webhook.messages import group_step, key_of_message, message_step, preference_step
from functions.webhook.moves import move_step
from functions.webhook.people import Crowd, People
from functions.webhook.statuses import status_step
from functions.webhook.step import Step

log = logging.getLogger(__name__)

_UPDATES_PER_COMMIT = 40
"""An update makes at most 12 writes, and a commit of 500 is what every client takes."""

_RACES = 5
"""How often an update is resolved again after it lost a race."""


class _Arrival(Struct):
    """A webhook on its way in. `parked`: the items of `core.parked` that it leaves behind, with their reasons."""

    body: Any
    now: datetime
    parked: dict[str, str] = {}


class _Item(Struct, frozen=True):
    """An update of a webhook: its place in it, and the line to which it came."""

    update: Update
    index: int
    line: Line | None
    arrival: _Arrival


class Acceptance:
    """Takes verified webhook bodies. One per instance: it remembers lines and people for a minute."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._directory = Directory(ports.store)
        self._people = People(ports.store)

    async def accept(self, body: bytes) -> Mapping[str, str]:
        """Store and enqueue what a body says; when this returns, Meta may be answered 200.

        Returns what could not be handled and was put aside: the items' ids with their reasons. Raises `Unavailable`
        or `QueueUnavailable`: then Meta must deliver the body again.
        """
        now = self._ports.now()
        try:
            read = json_text.read(body)
            found = updates(read)
        except (ValueError, RecursionError, Unreadable) as error:
            reason = type(error).__name__
            log.error("webhook quarantined", extra={"reason": reason})
            writes = quarantined(reason, body, now)
            await self._ports.store.commit(writes)
            return {writes[0].fields["item"]: reason}
        arrival = _Arrival(read, now)
        items = [
            _Item(update, index, await self._line_of(update), arrival)  # A line is remembered for a minute.
            for index, update in enumerate(found)
        ]
        for start in range(0, len(items), _UPDATES_PER_COMMIT):
            await self._accept_in_order(items[start : start + _UPDATES_PER_COMMIT])
        return arrival.parked

    async def _accept_in_order(self, items: Sequence[_Item]) -> None:
        """Take messages, then what changes them, then statuses: the first and the last in one commit if they can."""
        changes = [item for item in items if _reads(item.update)]
        if not changes:
            await self._accept_together(items)
            return
        blind = [item for item in items if not _reads(item.update)]
        await self._accept_together([item for item in blind if not isinstance(item.update, Status)])
        for item in changes:
            await self._accept_alone(item)
        await self._accept_together([item for item in blind if isinstance(item.update, Status)])

    async def _accept_together(self, items: Sequence[_Item]) -> None:
        if not items:
            return
        crowd = await self._crowd(items)
        steps = [await self._step(item, crowd) for item in items]
        try:
            await self._ports.store.commit([write for step in steps for write in step.writes])
        except Refused as refusal:
            log.info("commit refused, one by one now", extra={"type": type(refusal).__name__})
            for item in items:
                await self._accept_alone(item)
        else:
            self._people.remember(crowd)
            await self._enqueue(steps)
            for step, item in zip(steps, items, strict=True):
                await self._follow(step, item)

    async def _accept_alone(self, item: _Item) -> None:
        for _ in range(_RACES):
            crowd = await self._crowd([item], certain=True)
            step = await self._step(item, crowd, certain=True)
            try:
                await self._commit(step)
            except Unstorable:
                step = self._park("no store takes it", item)
                with contextlib.suppress(AlreadyExists):
                    await self._commit(step)
            except (AlreadyExists, NotFound, Stale):
                if not await self._is_stored(step):
                    continue  # Another instance was quicker with this person or message: look again.
            else:
                self._people.remember(crowd)
            # A redelivery enqueues too: the first one's tasks may have died with its answer.
            await self._enqueue([step])
            await self._follow(step, item)
            return
        raise Unavailable("lost every race")

    async def _follow(self, step: Step, item: _Item) -> None:
        """Do what can only be done once an update is stored; a redelivery does it again."""
        if item.line is not None and step.awaited is not None:
            await self._bring_together(step.awaited, item.line, item.arrival.now)
        if item.line is not None and step.moved is not None:
            await self._move(step.moved, item.line, item.arrival.now)

    async def _move(self, notice: Message, line: Line, now: datetime) -> None:
        for _ in range(_RACES):
            move = await move_step(notice, line, self._ports.store, now)
            try:
                await self._commit(move)
            except (AlreadyExists, NotFound):
                continue  # Another instance met the same person meanwhile.
            self._people.forget()
            await self._enqueue([move])
            return
        raise Unavailable("lost every race")

    async def _bring_together(self, wamid: str, line: Line, now: datetime) -> None:
        """Apply what came before its message, once both are stored."""
        for _ in range(_RACES):
            late = await late_step(line, wamid, self._ports.store, now)
            if late is None:
                return
            try:
                await self._commit(late)
            except (NotFound, Stale):
                continue  # Another instance does the same.
            await self._enqueue([late])
        raise Unavailable("lost every race")

    async def _commit(self, step: Step) -> None:
        if step.writes:
            await self._ports.store.commit(step.writes)

    async def _step(self, item: _Item, crowd: Crowd, *, certain: bool = False) -> Step:
        update, line, now = item.update, item.line, item.arrival.now
        if isinstance(update, Fact):
            return await self._fact(update, item)
        if line is None:
            reason = update.reason if isinstance(update, Unhandled) else "no line has this phone_number_id"
            return self._park(reason, item)
        match update:
            case Message():
                if update.by == PHONE and await self._is_ours(update, line):
                    return Step()
                early = await self._early(update, line) if certain else None
                try:
                    return message_step(update, line, crowd, now, item.index, early=early)
                except Nameless as error:
                    return self._park(str(error), item)
            case Preference():
                try:
                    return preference_step(update, line, crowd)
                except Nameless as error:
                    return self._park(str(error), item)
            case GroupMessage():
                return group_step(update, line, now)
            case Status():
                return await status_step(update, line, self._ports.store, now, certain=certain)
            case Unhandled():
                return self._park(update.reason, item)
            case _:
                return await change_step(update, line, self._ports.store, now)

    async def _is_ours(self, echo: Message, line: Line) -> bool:
        """Tell whether the phone app repeats what was sent through us."""
        there = await message_of_wamid(self._ports.store, line, echo.wamid)
        return there is not None and there.key != key_of_message(echo, line)

    async def _fact(self, fact: Fact, item: _Item) -> Step:
        line = item.line
        whose = Owner(line.account, line.id, line.id) if line else await owner_of(fact, self._ports.store)
        if whose is None:
            return self._park("no line has this business account", item)
        return await fact_step(fact, self._ports.store, item.arrival.now, whose)

    async def _early(self, message: Message, line: Line) -> Document | None:
        """Return the document of what changed a message before it came."""
        [there] = await self._ports.store.get([key_of_message(message, line)])
        return there if is_early(there) else None

    async def _crowd(self, items: Sequence[_Item], *, certain: bool = False) -> Crowd:
        members = [
            (item.line.account, item.update.person)
            for item in items
            if item.line is not None and isinstance(item.update, (Message, Preference))
        ]
        return await self._people.crowd(members, items[0].arrival.now, certain=certain)

    async def _line_of(self, update: Update) -> Line | None:
        number = update.phone_number_id
        return await self._directory.line_of_number(number) if number else None

    async def _is_stored(self, step: Step) -> bool:
        if step.message is None:
            return False
        [there] = await self._ports.store.get([step.message])
        return there is not None and not is_early(there)

    async def _enqueue(self, steps: Sequence[Step]) -> None:
        for task in joined([task for step in steps for task in step.tasks]):
            await self._ports.tasks.enqueue(task)

    def _park(self, reason: str, item: _Item) -> Step:
        line, arrival, raw = item.line, item.arrival, item.update.raw
        log.warning("update parked", extra={"reason": reason, "line": line.id if line else None})
        webhook = alone(arrival.body, raw)
        first, *others = parked(reason, raw, webhook, arrival.now, line=line.id if line else None)
        arrival.parked[first.fields["item"]] = reason
        # Created, so that a redelivery is not counted again.
        writes = [create(first.key, first.fields), *others]
        if line is not None:
            writes.append(counted(line.account, reason, arrival.now))
        return Step(writes, message=first.key)


_READING = (*WHAT, Fact)


def _reads(update: Update) -> bool:
    """Tell whether an update must look at what is there, so that it can't stand in a commit with others."""
    return isinstance(update, _READING) or (isinstance(update, Message) and update.by == PHONE)
