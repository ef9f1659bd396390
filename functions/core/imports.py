"""What a phone app hands over when it is connected: chats of the past and the address book, in webhooks of up to 3 MiB.

The webhook keeps them as they came and `sync` works them off in a lane of its own, some at a time, so that nobody's
live message waits for them. A task names an import and the place from which it goes on.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from functions.core.counts import counted
from functions.core.ids import key_of
from functions.core.lines import Line
from functions.core.packed import packed, unpacked
from functions.core.parked import parked
from functions.core.store import NOW, REMOVE, Key, Store, Write, create, delete, merge, update
from functions.core.tasks import Task
from functions.core.whatsapp import Import

KEPT = timedelta(days=30)
"""How long an import may wait to be worked off, and is then known to have been taken."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An import as it lies in the store; `value` is the change's value, as Meta sent it."""

    id: str
    line: str
    kind: str
    parts: int
    value: dict[str, Any]


def kept(given: Import, line: Line, now: datetime) -> tuple[Key, list[Write]]:
    """Return the writes that keep an import until it is worked off, and the key that a second delivery meets."""
    body = json.dumps(given.raw).encode()
    item = key_of("import", line.id, given.kind, body.decode())
    parts = packed(body)
    head: dict[str, Any] = {"line": line.id, "kind": given.kind, "parts": len(parts), "pending": True}
    common = {"account": line.account, "updated": NOW, "expires_at": now + KEPT}
    writes = [create(_key(item, 0), {**head, **common, "body": parts[0]})]
    writes += [merge(_key(item, place), {**common, "body": part}) for place, part in enumerate(parts[1:], 1)]
    return _key(item, 0), writes


def import_task(item: str, start: int = 0, cause: str = "") -> Task:
    """Return the task that works an import off from a place; `cause` tells causes apart."""
    return Task(
        queue="history",
        function="sync",
        payload={"kind": "import", "import": item, "start": str(start)},
        name=key_of("import", item, str(start), cause),
    )


def import_of(key: Key) -> str:
    """Return the id of the import whose first document this is."""
    return key.id[:-3]


async def waiting_import(store: Store, item: str) -> Kept | None:
    """Return an import; None if it was worked off, or is too old."""
    [head] = await store.get([_key(item, 0)])
    if head is None or "pending" not in head.fields:
        return None
    others = await store.get([_key(item, place) for place in range(1, head.fields["parts"])])
    value = json.loads(unpacked(part.fields["body"] for part in [head, *others] if part is not None))
    return Kept(item, head.fields["line"], head.fields["kind"], head.fields["parts"], value)


def reached(item: str, start: int) -> Write:
    """Return the write that says that an import is worked off up to a place, and that somebody is at it."""
    return update(_key(item, 0), {"start": start, "updated": NOW})


def done_writes(done: Kept) -> list[Write]:
    """Return the writes after an import was worked off: that it was here stays known, what it said does not."""
    finished: Mapping[str, Any] = {"pending": REMOVE, "body": REMOVE, "updated": NOW}
    return [update(_key(done.id, 0), finished), *(delete(_key(done.id, place)) for place in range(1, done.parts))]


def put_aside(reason: str, kind: str, value: Mapping[str, Any], line: Line, now: datetime) -> list[Write]:
    """Return the writes that park one item of an import; `value`: the change that holds nothing else."""
    webhook = {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": kind, "value": value}]}]}
    return [*parked(reason, value, webhook, now, line=line.id), counted(line.account, reason, now)]


def _key(item: str, place: int) -> Key:
    return Key("imports", f"{item}{place:03}")
