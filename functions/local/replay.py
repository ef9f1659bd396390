"""`leadline replay`: what was put aside, listed, shown, and tried again.

An update and a webhook go through the webhook's own acceptance, so that trying again does nothing to what is already
right; a task is queued again, and an event told again.
"""

import json
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.core.events import told_again
from functions.core.lines import Directory
from functions.core.parked import Incomplete, Item, body_of, item_named, items, removal
from functions.core.ports import Ports
from functions.core.store import Refused
from functions.core.tasks import Task
from functions.webhook.accept import Acceptance

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which items are meant; None means any. `line` is its id or its phone_number_id, `reason` how it begins."""

    line: str | None = None
    reason: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item: `handled`, or why it is still there."""

    item: Item
    handled: bool
    said: str


async def listed(ports: Ports, wanted: Filter) -> AsyncIterator[Item]:
    """Yield the items that a filter lets through, the oldest first."""
    line = await _line_id(ports, wanted.line) if wanted.line else None
    now = ports.now()
    async for item in items(ports.store, wanted.since):
        meant = line in (None, item.line) and item.reason.startswith(wanted.reason or "")
        if meant and item.expires_at > now:
            yield item


async def named(ports: Ports, names: Sequence[str]) -> tuple[list[Item], list[str]]:
    """Return the items of these ids, and the ids under which there is none."""
    found = {name: await item_named(ports.store, name) for name in dict.fromkeys(names)}
    return [item for item in found.values() if item], [name for name, item in found.items() if item is None]


async def shown(ports: Ports, item: Item) -> str:
    """Return what was put aside, readable: it may hold what a customer wrote. Raises `Incomplete`."""
    body = await body_of(ports.store, item)
    try:
        return json.dumps(json.loads(body), indent=2)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "backslashreplace")


async def _line_id(ports: Ports, name: str) -> str:
    line = await Directory(ports.store).line_of_number(name)
    return line.id if line else name


class Replay:
    """Tries items again. One for a whole run: it remembers lines and people as an instance of the webhook does."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._acceptance = Acceptance(ports)

    async def replay(self, item: Item) -> Outcome:
        """Try an item again; it goes away only when it was handled. Raises `Unavailable` or `QueueUnavailable`."""
        try:
            body = await body_of(self._ports.store, item)
        except Incomplete:
            return Outcome(item, False, "a part of it is gone: it has just been handled, or has run out")
        match item.state:
            case "task":
                return await self._queue(item, json.loads(body))
            case "event":
                return await self._tell(item, json.loads(body))
            case _:
                return await self._accept(item, body)

    async def _accept(self, item: Item, body: bytes) -> Outcome:
        left = dict(await self._acceptance.accept(body))
        if item.id in left:
            return Outcome(item, False, f"still put aside: {left[item.id]}")
        await self._remove(item)
        if item.state == "parked" and left:
            return Outcome(item, False, f"put aside anew: {', '.join(sorted(set(left.values())))}")
        parts = f", of which {len(left)} put aside: {', '.join(sorted(set(left.values())))}" if left else ""
        return Outcome(item, True, f"handled{parts}")

    async def _queue(self, item: Item, task: dict[str, Any]) -> Outcome:
        payload, queue = task["payload"], task["queue"]
        if not queue or not isinstance(payload, dict) or "kind" not in payload:
            return Outcome(item, False, "can't be queued again: there is no task in it")
        await self._ports.tasks.enqueue(Task(queue, task["function"], payload))
        await self._remove(item)
        return Outcome(item, True, "queued again")

    async def _tell(self, item: Item, event: dict[str, Any]) -> Outcome:
        write, task = told_again(event["event"], event["fields"], item.id, self._ports.now())
        await self._ports.store.commit([write])
        await self._ports.tasks.enqueue(task)
        await self._remove(item)
        return Outcome(item, True, "told again")

    async def _remove(self, item: Item) -> None:
        try:
            await self._ports.store.commit(removal(item))
        except Refused:
            # It came again while it was tried: what it left behind now is newer than what was read.
            log.info("an item was put aside again", extra={"reason": item.reason})
