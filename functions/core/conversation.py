"""Conversations: one per line and contact, never ending. What is derived is derived: unread, window, name."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from functions.core.identity import Alias
from functions.core.ids import key_of
from functions.core.phone import e164, variants
from functions.core.store import NOW, Document, Increment, Key, Maximum, Union, Write, merge, update
from functions.core.tasks import Task
from functions.core.window import closes_at, is_open

WAYS_KEPT = 20
"""Of the links and of the advertisements by which a customer came, each: a document holds a megabyte."""


@lru_cache(maxsize=10_000)
def conversation_key(line: str, contact: str) -> Key:
    """Return the key of the one conversation between a line and a contact; each of its messages asks for it."""
    return Key("conversations", key_of("conversation", line, contact))


def contact_key(contact: str) -> Key:
    return Key("contacts", contact)


def grown(
    key: Key, *, account: str, line: str, connection: str, contact: str, there: bool = False, **changes: Any
) -> Write:
    """Return the write that makes a conversation, or changes what it is about.

    Blind, so that it needs no read; the changes are commutative and stand in the commit that creates the message, so a
    redelivered message counts once. `there`: it must exist already, since an erased one is not made again.
    """
    fields = {"account": account, "line": line, "connection": connection, "contact": contact}
    write = update if there else merge
    return write(key, {**fields, **changes, "updated": NOW})


def received(at: int) -> dict[str, Any]:
    """Return the changes by a customer's message of this provider's time (epoch seconds): it opens the window."""
    return {"received": Increment(1), "last_in": Maximum(at), **active(at)}


def active(at: int) -> dict[str, Any]:
    """Return the changes by something that a customer did, which need not be a message."""
    return {"last_activity": Maximum(at)}


def came_by(referral: Mapping[str, Any], at: int) -> dict[str, Any]:
    """Return the changes by a message that came through an advertisement or a post."""
    return {"referrals": Union(({**referral, "at": at},))}


def came_through(touch: Mapping[str, Any], at: int) -> dict[str, Any]:
    """Return the changes by a message that names one of our links (`core.links.touch`)."""
    return {"touches": Union(({**touch, "at": at},))}


def within_bounds(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes that leave the first and the latest ways in, where there are too many; usually none."""
    kept = {}
    for name in ("referrals", "touches"):
        ways = sorted(fields.get(name, ()), key=lambda way: (way["at"], str(way)))
        if len(ways) > WAYS_KEPT:
            kept[name] = [ways[0], *ways[1 - WAYS_KEPT :]]
    return kept


def trim_task(conversation: str, at: int) -> Task:
    """Return the task that keeps a conversation's ways in within bounds; those of ten minutes share one."""
    return Task(
        queue="housekeeping",
        function="sync",
        payload={"kind": "trim", "conversation": conversation},
        name=key_of("trim", conversation, str(at // 600)),
    )


def attribution(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return through what the customer came, first and last: one of our links, or an advertisement's `referral`."""
    ways = [
        *({"at": one["at"], "link": _without_time(one), "referral": None} for one in fields.get("touches", ())),
        *({"at": one["at"], "link": None, "referral": _without_time(one)} for one in fields.get("referrals", ())),
    ]
    if not ways:
        return None
    by_time = sorted(ways, key=lambda way: (way["at"], str(way)))
    return {name: _dated(way) for name, way in (("first", by_time[0]), ("last", by_time[-1]))}


def _dated(way: Mapping[str, Any]) -> dict[str, Any]:
    return {**way, "at": datetime.fromtimestamp(way["at"], UTC).isoformat()}


def _without_time(way: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in way.items() if name != "at"}


def referral(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the advertisement or post by which the customer came last."""
    newest = max(fields.get("referrals", ()), key=lambda one: (one["at"], str(one)), default=None)
    return newest and _without_time(newest)


def unread(fields: Mapping[str, Any]) -> int:
    """Return how many received messages nobody has read; those of a redirect count where it leads."""
    if fields.get("merged_into"):
        return 0
    return max(0, int(fields.get("received", 0)) - int(fields.get("read", 0)))


def address(fields: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the number and the BSUID under which a contact is reached: those seen last.

    A change that names no number leaves none until one is seen again: the old one may be somebody else's by now.
    """
    changes = fields.get("moves", ())
    last = max(changes, key=lambda change: (change["at"], str(change)), default=None)
    (wa_id, wa_id_seen), (bsuid, bsuid_seen) = (_newest(fields, kind) for kind in ("wa_id", "bsuid"))
    if last is None:
        return wa_id, bsuid
    return (
        wa_id if wa_id_seen > last["at"] else last["wa_id"],
        bsuid if bsuid_seen > last["at"] else last["bsuid"] or bsuid,
    )


def _newest(fields: Mapping[str, Any], kind: str) -> tuple[str | None, int]:
    """Return the identity of a kind that was seen last, and when; of those never seen, the one met last."""
    account, seen = fields.get("account", ""), fields.get("seen", {})
    times = [
        (seen.get(Alias(account, kind, value).key.id, 0), place, value)
        for place, value in enumerate(fields.get(f"{kind}s", ()))
    ]
    at, _, value = max(times, default=(0, 0, None))
    return value, at


def invitation(fields: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the number or BSUID under which an agent writes to somebody of whom WhatsApp has said nothing yet."""
    if any(fields.get(name) for name in ("wa_ids", "bsuids", "moves")):
        return None, None
    invited = fields.get("invited", {})
    return invited.get("wa_id"), invited.get("bsuid")


def contact_view(contact: Document) -> dict[str, Any]:
    """Return a contact as the chat API and the CRM see it; any identity may be null."""
    fields = contact.fields
    wa_ids = fields.get("wa_ids", [])
    wa_id, bsuid = address(fields)
    invited, _ = invitation(fields)
    phone = wa_id or invited
    numbers = wa_ids or ([invited] if invited else [])
    forms = dict.fromkeys(form for known in reversed(numbers) for form in variants(known))
    return {
        "id": contact.key.id,
        # The phone's address book has its say only where the customers give themselves no name.
        "name": fields.get("name") or (fields.get("book") or {}).get("name") or fields.get("username"),
        "wa_id": wa_id,
        "phone": e164(phone) if phone else None,
        "phone_variants": [e164(form) for form in forms],
        "bsuid": bsuid,
        "username": fields.get("username"),
    }


def window_view(fields: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return whether free text is allowed, and until when."""
    last_in, closed = fields.get("last_in"), fields.get("window_closed")
    end = closes_at(last_in, closed)
    return {"open": is_open(last_in, now, closed), "until": end.isoformat() if end else None}
