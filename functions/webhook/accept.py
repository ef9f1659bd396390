"""From a verified body to documents and tasks: everything durable before the 200.

The normal POST is one commit. When that is refused (a redelivery, or something that no store takes) each update gets
a commit of its own, so that one bad item costs nothing but itself.
"""

import json
import logging
from collections.abc import Sequence
from datetime import datetime

from functions.core.identity import Nameless
from functions.core.lines import Directory, Line
from functions.core.parked import parked, quarantined
from functions.core.ports import Ports
from functions.core.store import AlreadyExists, NotFound, Refused, Unavailable, Unstorable
from functions.core.tasks import Task, one_for_all
from functions.core.whatsapp import Inbound, Status, Unhandled, Unreadable, Update, updates
from functions.webhook.inbound import inbound_step
from functions.webhook.people import Crowd, People
from functions.webhook.statuses import status_step
from functions.webhook.step import Step

log = logging.getLogger(__name__)

_UPDATES_PER_COMMIT = 50
"""An update makes at most 9 writes, and a commit of 500 is what every client takes."""

_RACES = 5
"""How often an update is resolved again after it lost a race."""


class Acceptance:
    """Takes verified webhook bodies. One per instance: it remembers lines and people for a minute."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._directory = Directory(ports.store)
        self._people = People(ports.store)

    async def accept(self, body: bytes) -> None:
        """Store and enqueue what a body says; when this returns, Meta may be answered 200.

        Raises `Unavailable` or `QueueUnavailable`: then Meta must deliver the body again.
        """
        now = self._ports.now()
        try:
            found = updates(json.loads(body))
        except (ValueError, RecursionError, Unreadable) as error:
            log.error("webhook quarantined", extra={"reason": type(error).__name__})
            await self._ports.store.commit(quarantined(type(error).__name__, body, now))
            return
        for start in range(0, len(found), _UPDATES_PER_COMMIT):
            await self._accept_together(found[start : start + _UPDATES_PER_COMMIT], now, start)

    async def _accept_together(self, found: Sequence[Update], now: datetime, start: int) -> None:
        lines = [await self._line_of(update) for update in found]
        crowd = await self._crowd(found, lines)
        steps = [
            await self._step(update, line, crowd, now, index)
            for index, (update, line) in enumerate(zip(found, lines, strict=True), start)
        ]
        try:
            await self._ports.store.commit([write for step in steps for write in step.writes])
        except Refused as refusal:
            log.info("commit refused, one by one now", extra={"type": type(refusal).__name__})
            for index, (update, line) in enumerate(zip(found, lines, strict=True), start):
                await self._accept_alone(update, line, now, index)
        else:
            self._people.remember(crowd)
            await self._enqueue(steps)

    async def _accept_alone(self, update: Update, line: Line | None, now: datetime, index: int) -> None:
        for _ in range(_RACES):
            crowd = await self._crowd([update], [line], certain=True)
            step = await self._step(update, line, crowd, now, index, certain=True)
            try:
                await self._ports.store.commit(step.writes)
            except Unstorable:
                step = self._park("no store takes it", update, line, now)
                await self._ports.store.commit(step.writes)
            except (AlreadyExists, NotFound):
                if not await self._is_stored(step):
                    continue  # Another instance was quicker with this person or message: look again.
            else:
                self._people.remember(crowd)
            # A redelivery enqueues too: the first one's tasks may have died with its answer.
            await self._enqueue([step])
            return
        raise Unavailable("lost every race")

    async def _step(
        self, update: Update, line: Line | None, crowd: Crowd, now: datetime, index: int, *, certain: bool = False
    ) -> Step:
        if line is None:
            reason = update.reason if isinstance(update, Unhandled) else "no line has this phone_number_id"
            return self._park(reason, update, line, now)
        match update:
            case Inbound():
                try:
                    return inbound_step(update, line, crowd, now, index)
                except Nameless as error:
                    return self._park(str(error), update, line, now)
            case Status():
                return await status_step(update, line, self._ports.store, now, certain=certain)
            case Unhandled():
                return self._park(update.reason, update, line, now)

    async def _crowd(self, found: Sequence[Update], lines: Sequence[Line | None], *, certain: bool = False) -> Crowd:
        members = [
            (line.account, update.person)
            for update, line in zip(found, lines, strict=True)
            if line is not None and isinstance(update, Inbound)
        ]
        return await self._people.crowd(members, certain=certain)

    async def _line_of(self, update: Update) -> Line | None:
        number = update.phone_number_id
        return await self._directory.line_of_number(number) if number else None

    async def _is_stored(self, step: Step) -> bool:
        return step.message is not None and (await self._ports.store.get([step.message]))[0] is not None

    async def _enqueue(self, steps: Sequence[Step]) -> None:
        # A POST of many messages asks a CRM once, not once for each.
        alike: dict[tuple[str, ...], list[Task]] = {}
        for task in (task for step in steps for task in step.tasks):
            alike.setdefault((task.queue, *task.payload.values()), []).append(task)
        for tasks in alike.values():
            await self._ports.tasks.enqueue(one_for_all(tasks))

    def _park(self, reason: str, update: Update, line: Line | None, now: datetime) -> Step:
        log.warning("update parked", extra={"reason": reason, "line": line.id if line else None})
        return Step(writes=parked(reason, update.raw, now, line=line.id if line else None))
