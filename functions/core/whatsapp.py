"""What Meta's webhooks say, as updates: one parser for everything that a message can come in.

Tolerant where Meta varies (times as text or number, contacts missing, BSUIDs where a number is expected) and careful
to lose nothing: each update keeps its own raw item.
Sources: Meta, "messages webhook reference", "Business-scoped user IDs" (2026).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_BSUID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")
_WORD = re.compile(r"[a-z_]{1,60}")

_LATEST = 1 << 32
"""Epoch seconds that no message of ours will reach (2106); more could not be shown as a time."""

_NOT_SAID = frozenset({"system", "reaction", "edit", "revoke", "request_welcome"})
"""Types that change or announce something; they are no message of their own and open no window."""

STATUSES = frozenset({"sent", "delivered", "read", "played", "failed"})


@dataclass(frozen=True, slots=True)
class Person:
    """A customer as one update names them. Any of the identities may be missing."""

    wa_id: str | None = None
    bsuid: str | None = None
    parent_bsuid: str | None = None
    username: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message from a customer. `at` is the provider's time in epoch seconds; `content` the type's own object."""

    phone_number_id: str
    wamid: str
    at: int
    type: str
    person: Person
    content: dict[str, Any]
    errors: list[dict[str, Any]]
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Status:
    """What became of a message that the business sent. `callback` is what we gave along with the send."""

    phone_number_id: str
    wamid: str
    at: int
    status: str
    person: Person
    callback: str | None
    errors: list[dict[str, Any]]
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unhandled:
    """Something this version has no use for, or can't read: `reason` says which. It is kept as it came."""

    phone_number_id: str | None
    reason: str
    raw: Any


Update = Inbound | Status | Unhandled


class Unreadable(Exception):
    """The body is not a webhook of a WhatsApp business account."""


def updates(body: Any) -> list[Update]:
    """Return all updates of a webhook's JSON body, messages before statuses. Raises `Unreadable`.

    Meta sends up to 1,000 updates in any number of entries and changes; one that can't be read becomes an
    `Unhandled` and never costs its neighbours.
    """
    if not isinstance(body, dict) or not isinstance(body.get("entry"), list):
        raise Unreadable("no list of entries")
    found = [update for entry in body["entry"] for update in _of_entry(entry)]
    # A status may speak of a message in the same POST.
    return sorted(found, key=lambda update: isinstance(update, Status))


def _of_entry(entry: Any) -> Iterator[Update]:
    changes = entry.get("changes") if isinstance(entry, dict) else None
    if not isinstance(changes, list):
        yield Unhandled(None, "entry without changes", entry)
        return
    for change in changes:
        value = change.get("value") if isinstance(change, dict) else None
        if not isinstance(value, dict):
            yield Unhandled(None, "change without value", change)
        elif change.get("field") == "messages":
            yield from _of_messages(value)
        else:
            yield Unhandled(_phone_number_id(value), f"field {_word(change.get('field'))}", change)


def _of_messages(value: dict[str, Any]) -> Iterator[Update]:
    number = _phone_number_id(value)
    contacts = [contact for contact in _list(value, "contacts") if isinstance(contact, dict)]
    for kind, read in (("messages", _inbound), ("statuses", _status)):
        for item in _list(value, kind):
            if number is None:
                yield Unhandled(None, "no phone_number_id", item)
                continue
            try:
                yield read(number, item, contacts)
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
                yield Unhandled(number, f"{kind} item unreadable ({type(error).__name__})", item)
    for item in _list(value, "errors"):
        yield Unhandled(number, "errors", item)


def _inbound(number: str, item: dict[str, Any], contacts: list[dict[str, Any]]) -> Inbound | Unhandled:
    kind = _text(item["type"])
    if "group_id" in item:
        return Unhandled(number, "group message", item)
    if kind in _NOT_SAID:
        return Unhandled(number, f"type {kind}", item)
    content = item.get(kind, {})
    return Inbound(
        phone_number_id=number,
        wamid=_text(item["id"]),
        at=_time(item["timestamp"]),
        type=kind,
        person=_person(contacts, item.get("from"), item.get("from_user_id"), item.get("from_parent_user_id")),
        content=content if isinstance(content, dict) else {"items": content},
        errors=_errors(item),
        raw=item,
    )


def _status(number: str, item: dict[str, Any], contacts: list[dict[str, Any]]) -> Status | Unhandled:
    if item["status"] not in STATUSES:
        return Unhandled(number, f"status {_word(item['status'])}", item)
    parent = next(
        (
            item[name]
            for name in ("recipient_parent_user_id", "parent_recipient_user_id", "parent_user_id")
            if name in item
        ),
        None,
    )
    callback = item.get("biz_opaque_callback_data")
    return Status(
        phone_number_id=number,
        wamid=_text(item["id"]),
        at=_time(item["timestamp"]),
        status=item["status"],
        person=_person(contacts, item.get("recipient_id"), item.get("recipient_user_id"), parent),
        callback=callback if isinstance(callback, str) else None,
        errors=_errors(item),
        raw=item,
    )


def _person(contacts: list[dict[str, Any]], wa_id: Any, bsuid: Any, parent: Any) -> Person:
    """Return who an update speaks of, with what `contacts[]` tells of them.

    Matched by identity, never by position: a batch's contacts need not line up with its messages.
    """
    if isinstance(wa_id, str) and _BSUID.fullmatch(wa_id):
        # Some relays put the BSUID where the number belongs.
        wa_id, bsuid = None, bsuid or wa_id
    contact = next(
        (
            contact
            for contact in contacts
            if any(contact.get(name) in (bsuid, wa_id) for name in ("user_id", "wa_id") if contact.get(name))
        ),
        {},
    )
    profile = contact.get("profile")
    profile = profile if isinstance(profile, dict) else {}
    known_wa_id = wa_id or contact.get("wa_id")
    if isinstance(known_wa_id, str) and _BSUID.fullmatch(known_wa_id):
        known_wa_id = None
    username = _optional(profile.get("username"))
    return Person(
        wa_id=_optional(known_wa_id),
        bsuid=_optional(bsuid or contact.get("user_id")),
        parent_bsuid=_optional(parent or contact.get("parent_user_id")),
        username=username.removeprefix("@") if username else None,
        name=_optional(profile.get("name")),
    )


def _phone_number_id(value: dict[str, Any]) -> str | None:
    metadata = value.get("metadata")
    return _optional(metadata.get("phone_number_id")) if isinstance(metadata, dict) else None


def _list(holder: dict[str, Any], name: str) -> list[Any]:
    items = holder.get(name)
    return items if isinstance(items, list) else []


def _errors(item: dict[str, Any]) -> list[dict[str, Any]]:
    return [error for error in _list(item, "errors") if isinstance(error, dict)]


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("not a text")
    return value


def _time(value: Any) -> int:
    """Return epoch seconds that came as text or as a number."""
    at = int(value)
    if isinstance(value, bool) or not 0 < at < _LATEST:
        raise ValueError("not a time")
    return at


def _word(value: Any) -> str:
    """Return a name of Meta's as it may stand in a reason, which is logged; anything else is not repeated."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else "of another kind"


def _optional(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
