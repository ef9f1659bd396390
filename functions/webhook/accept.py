"""From a verified body to documents and tasks: everything durable before the 200.

The normal POST is one commit. When that is refused (a redelivery, or something that no store takes) each update gets
a commit of its own, so that one bad item costs nothing but itself.
"""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from functions.core import json_text
from functions.core.changes import WHAT, change_step, is_early, is_past
from functions.core.counts import counted
from functions.core.erased import Erased, erased_at
from functions.core.identity import Nameless
from functions.core.late import bring_together
from functions.core.lines import Directory, Line
from functions.core.links import Link, link_in
from functions.core.message import key_of_message, message_of_wamid
from functions.core.parked import parked, quarantined
from functions.core.people import Crowd, People
from functions.core.ports import Ports
from functions.core.step import Step
from functions.core.store import AlreadyExists, Document, Key, NotFound, Refused, Stale, Unavailable, Unstorable, create
from functions.core.tasks import joined
from functions.core.whatsapp import (
    PHONE,
    Fact,
    GroupMessage,
    Import,
    Message,
    Preference,
    Status,
    Unhandled,
    Unreadable,
    Update,
    alone,
    updates,
)
from functions.webhook.facts import Owner, fact_step, owner_of
from functions.webhook.messages import call_step, group_step, import_step, message_step, preference_step
from functions.webhook.moves import move_step
from functions.webhook.statuses import status_step

log = logging.getLogger(__name__)

_UPDATES_PER_COMMIT = 40
"""An update makes at most 12 writes, and a commit of 500 is what every client takes."""

T = TypeVar("T")

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
        items = []
        for index, update in enumerate(found):
            line = await self._line_of(update)  # Remembered for a minute.
            items.append(_Item(update, index, line, arrival))
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
        await _side_by_side([self._accept_in_turn(lane) for lane in _lanes(changes)])
        await self._accept_together([item for item in blind if isinstance(item.update, Status)])

    async def _accept_together(self, items: Sequence[_Item]) -> None:
        if not items:
            return
        crowd = await self._crowd(items)
        steps = await _side_by_side([self._step(item, crowd) for item in items])
        try:
            await self._ports.store.commit([write for step in steps for write in step.writes])
        except Refused as refusal:
            log.info("commit refused, one by one now", extra={"type": type(refusal).__name__})
            await self._accept_each(items, steps)
        else:
            # Remembered last: what a delivery that comes again asks for depends on who is known here already.
            await self._enqueue(steps)
            self._people.remember(crowd)
            more = [pair for pair in zip(steps, items, strict=True) if _has_more(pair[0])]
            if more:
                await _side_by_side([self._follow(step, item) for step, item in more])

    async def _accept_in_turn(self, items: Sequence[_Item]) -> None:
        for item in items:
            await self._accept_alone(item)

    async def _accept_each(self, items: Sequence[_Item], steps: Sequence[Step]) -> None:
        """Take the updates of a refused commit one by one, but for those that were stored before."""
        stored = await self._stored(steps)
        # A redelivery enqueues too: the first one's tasks may have died with its answer.
        await self._enqueue([step for step in steps if step.message in stored])
        for item, step in zip(items, steps, strict=True):
            if step.message in stored:
                await self._follow(step, item)
            else:
                await self._accept_alone(item)

    async def _accept_alone(self, item: _Item) -> None:
        for _ in range(_RACES):
            crowd = await self._crowd([item], certain=True)
            step = await self._step(item, crowd, certain=True)
            met = False
            try:
                await self._commit(step)
            except Unstorable:
                step = self._park("no store takes it", item)
                with contextlib.suppress(AlreadyExists):
                    await self._commit(step)
            except (AlreadyExists, NotFound, Stale):
                if not await self._stored([step]):
                    continue  # Another instance was quicker with this person or message: look again.
            else:
                met = True
            await self._enqueue([step])
            if met:
                self._people.remember(crowd)
            await self._follow(step, item)
            return
        raise Unavailable("lost every race")

    async def _follow(self, step: Step, item: _Item) -> None:
        """Do what can only be done once an update is stored; a redelivery does it again."""
        try:
            await self._bring_about(step, item)
        except Unstorable:
            with contextlib.suppress(AlreadyExists):
                await self._commit(self._park("no store takes what follows from it", item))

    async def _bring_about(self, step: Step, item: _Item) -> None:
        if item.line is not None and step.awaited is not None:
            await bring_together(self._ports, item.line, step.awaited)
        if item.line is not None and step.moved is not None:
            await self._move(step.moved, item.line, item.arrival.now)
        if step.lesson is not None:
            await step.lesson.keep_what_is_free(self._ports.store, item.arrival.now)

    async def _move(self, notice: Message, line: Line, now: datetime) -> None:
        for _ in range(_RACES):
            move = await move_step(notice, line, self._ports.store, now)
            try:
                await self._commit(move)
            except (AlreadyExists, NotFound, Stale):
                continue  # Another instance met the same person meanwhile.
            self._people.forget()
            await self._enqueue([move])
            return
        raise Unavailable("lost every race")

    async def _commit(self, step: Step) -> None:
        if step.writes:
            await self._ports.store.commit(step.writes)

    async def _step(self, item: _Item, crowd: Crowd, *, certain: bool = False) -> Step:
        try:
            return await self._step_of(item, crowd, certain=certain)
        except Erased:
            log.info("dropped what is older than an erasure", extra={"line": item.line.id if item.line else None})
            return Step()

    async def _step_of(self, item: _Item, crowd: Crowd, *, certain: bool) -> Step:
        update, line, now = item.update, item.line, item.arrival.now
        if isinstance(update, Fact):
            return await self._fact(update, item)
        if line is None:
            reason = update.reason if isinstance(update, Unhandled) else "no line has this phone_number_id"
            return self._park(reason, item)
        match update:
            case Message():
                return await self._message(update, line, item, crowd, certain=certain)
            case Import():
                return import_step(update, line, now)
            case Preference():
                try:
                    return preference_step(update, line, crowd, now)
                except Nameless as error:
                    return self._park(str(error), item)
            case GroupMessage():
                if update.at and update.at <= await erased_at(self._ports.store, line.account, update.sender):
                    raise Erased
                return group_step(update, line, now, await self._directory.policy(line.account))
            case Status():
                return await status_step(update, line, self._ports.store, now, certain=certain)
            case Unhandled():
                return self._park(update.reason, item)
            case _:
                return await change_step(update, line, self._ports.store, now)

    async def _message(self, message: Message, line: Line, item: _Item, crowd: Crowd, *, certain: bool) -> Step:
        there = await self._there(message, line) if certain else None
        if there is not None and message.call is not None:
            return call_step(message, there, line, item.arrival.now)
        if there is not None and there.key != key_of_message(message, line.id):
            return Step()  # The phone app repeats what was sent through us.
        stored = there is not None and not _is_incomplete(there)
        before, named = (None, None) if stored else (there, await self._named(message, line))
        try:
            policy = await self._directory.policy(line.account)  # Remembered for a minute.
            step = message_step(message, line, crowd, item.arrival.now, item.index, policy, there=before, link=named)
        except Nameless as error:
            return self._park(str(error), item)
        if message.call is not None:
            # That a call is stored does not prove that all news of it are.
            return replace(step, message=None)
        return replace(step, writes=[]) if stored else step

    async def _named(self, message: Message, line: Line) -> Link | None:
        """Return the link that a customer's text names."""
        said = message.content.get("body")
        if message.type != "text" or message.by == PHONE or not isinstance(said, str):
            return None
        return await link_in(self._ports.store, line.id, said)

    async def _there(self, message: Message, line: Line) -> Document | None:
        """Return what is stored of a message, or of what changed it before it came."""
        if message.by == PHONE or message.call is not None:
            return await message_of_wamid(self._ports.store, line.id, message.wamid)
        [there] = await self._ports.store.get([key_of_message(message, line.id)])
        return there

    async def _fact(self, fact: Fact, item: _Item) -> Step:
        line = item.line
        whose = Owner(line.account, line.id, line.id) if line else await owner_of(fact, self._ports.store)
        if whose is None:
            return self._park("no line has this business account", item)
        return await fact_step(fact, self._ports.store, item.arrival.now, whose)

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

    async def _stored(self, steps: Sequence[Step]) -> set[Key]:
        """Return the documents of these steps that prove that they were taken before."""
        keys = [step.message for step in steps if step.message is not None]
        documents = await self._ports.store.get(keys) if keys else []
        return {there.key for there in documents if there is not None and not _is_incomplete(there)}

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


def _is_incomplete(document: Document) -> bool:
    """Tell whether a document still awaits its message: it holds changes of it, or what the history told."""
    return is_early(document) or is_past(document)


async def _side_by_side(calls: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Make calls at once, which each wait for the store; what goes wrong is raised when all have ended."""
    if len(calls) == 1:
        return [await calls[0]]
    ended = await asyncio.gather(*calls, return_exceptions=True)
    return [_result(one) for one in ended]


def _result(ended: T | BaseException) -> T:
    if isinstance(ended, BaseException):
        raise ended
    return ended


def _lanes(items: Sequence[_Item]) -> list[list[_Item]]:
    """Return updates by what they change: those of one message or person would only race each other."""
    lanes: dict[object, list[_Item]] = {}
    for item in items:
        update = item.update
        subject = getattr(update, "target", None) or getattr(update, "person", None) or type(update)
        lanes.setdefault(subject, []).append(item)
    return list(lanes.values())


def _has_more(step: Step) -> bool:
    return bool(step.awaited or step.moved or step.lesson)


_READING = (*WHAT, Fact)


def _reads(update: Update) -> bool:
    """Tell whether an update must look at what is there, so that it can't stand in a commit with others."""
    if isinstance(update, Message):
        return update.by == PHONE or update.call is not None
    return isinstance(update, _READING)
