"""What could not be handled is kept with its reason, never dropped; `leadline replay` lists it and tries it again.

An update of Meta's is kept as a webhook that holds nothing else, so that replaying it is delivering it again.
A reason is a sentence of ours without anything personal: it is logged and listed. What is personal stands in the body.
"""

import base64
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from functions.core.ids import key_of
from functions.core.packed import packed, unpacked
from functions.core.store import NOW, Document, Key, Query, Store, Write, delete, merge

State = Literal["parked", "quarantined", "task", "event"]
"""An update of a webhook; the body of a whole webhook; a task that can't succeed; an event that a CRM refused."""

KEPT = timedelta(days=8)
"""A day longer than Meta delivers a webhook again."""

_AT_ONCE = 25
"""A part may be nearly 1 MiB, and an answer has to come within seconds."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that was put aside, without its body, which lies in so many `parts`.

    `version` is that of the first part: it grows when the same is put aside once more.
    """

    id: str
    state: State
    reason: str
    line: str | None
    at: datetime
    expires_at: datetime
    parts: int
    version: int


class Incomplete(Exception):
    """A part of the body is gone: it has just been handled or has run out."""


def parked(reason: str, raw: Any, webhook: Any, now: datetime, *, line: str | None = None) -> list[Write]:
    """Return the writes that keep one update that could not be handled, compressed and in parts below 1 MiB.

    `raw` is the update as it came, and the same one is kept once; `webhook` is the body that holds nothing else.
    """
    return list(_kept("parked", reason, json.dumps(raw).encode(), json.dumps(webhook).encode(), now, line))


def quarantined(reason: str, body: bytes, now: datetime) -> list[Write]:
    """Return the writes that keep the body of a whole webhook."""
    return list(_kept("quarantined", reason, body, body, now, None))


def hopeless(reason: str, task: Mapping[str, Any], now: datetime) -> list[Write]:
    """Return the writes that keep a task that can never succeed as it is: its queue, its function and its payload."""
    body = json.dumps(task).encode()
    return list(_kept("task", reason, body, body, now, None))


def refused(reason: str, event: Document, sentence: str, now: datetime) -> list[Write]:
    """Return the writes that keep an event that its CRM refused, with the CRM's sentence."""
    fields = {name: value for name, value in event.fields.items() if not isinstance(value, datetime)}
    body = json.dumps({"event": event.key.id, "fields": fields, "refused": sentence}).encode()
    return list(_kept("event", reason, event.key.id.encode(), body, now, None))


async def items(store: Store, since: datetime | None = None) -> AsyncIterator[Item]:
    """Yield what was put aside, the oldest first; `since`: what came again counts from then."""
    after = None
    while found := await store.query(
        Query("parked", {"part": 0}, order="updated", since=since, after=after, limit=_AT_ONCE)
    ):
        for document in found:
            yield _item(document)
        after = (found[-1].fields["updated"], found[-1].key.id)


async def item_named(store: Store, name: str) -> Item | None:
    """Return the item of this id."""
    [first] = await store.get([_part_key(name, 0)])
    return _item(first) if first else None


async def body_of(store: Store, item: Item) -> bytes:
    """Return what was put aside, as it was. Raises `Incomplete`."""
    parts = await store.get(_keys(item))
    bodies = [part.fields["body"] for part in parts if part is not None]
    if len(bodies) < len(parts):
        raise Incomplete(item.id)
    return unpacked(bodies)


def removal(item: Item) -> list[Write]:
    """Return the writes that take an item away, unless it was put aside once more since it was read."""
    first, *others = _keys(item)
    return [delete(first, version=item.version), *map(delete, others)]


def _item(first: Document) -> Item:
    fields = first.fields
    return Item(
        id=fields["item"],
        state=fields["state"],
        reason=fields["reason"],
        line=fields["line"],
        at=fields["updated"],
        expires_at=fields["expires_at"],
        parts=fields["parts"],
        version=first.version,
    )


def _keys(item: Item) -> list[Key]:
    return [_part_key(item.id, part) for part in range(item.parts)]


def _part_key(item: str, part: int) -> Key:
    return Key("parked", f"{item}{part:03}")


def _kept(state: State, reason: str, named_by: bytes, body: bytes, now: datetime, line: str | None) -> Iterator[Write]:
    item = key_of(state, reason, line or "", base64.b64encode(named_by).decode())
    parts = packed(body)
    for part, piece in enumerate(parts):
        yield merge(
            _part_key(item, part),
            {
                "item": item,
                "part": part,
                "parts": len(parts),
                "state": state,
                "reason": reason,
                "line": line,
                "body": piece,
                "updated": NOW,
                "expires_at": now + KEPT,
            },
        )
