"""What is said, and what changes something that was said: one reader for customers and for the business's phone app."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from functions.core import json_text
from functions.core.whatsapp import content
from functions.core.whatsapp.items import UNREADABLE, errors, mapping, optional, text, time, word
from functions.core.whatsapp.person import Person, person

CUSTOMER, PHONE = "customer", "phone"
"""Who speaks: the customer, or the business from its own phone."""

_MOVES = ("user_changed_number", "customer_changed_number", "user_changed_user_id")

_NOTHING_SAID = frozenset({"system", "request_welcome"})


class _Head(Struct, frozen=True, kw_only=True):
    """What all of them have. `at` is the provider's time in epoch seconds.

    `by` is `customer` or `phone`; `person` is the customer in both cases.
    """

    phone_number_id: str
    wamid: str
    at: int
    person: Person
    by: str = CUSTOMER
    raw: dict[str, Any]


class Message(_Head, frozen=True, kw_only=True):
    """One thing said; `content` is the type's own object.

    `becomes`: the identities that WhatsApp says the person has from now on. `call`: how far a call has come.
    """

    type: str
    content: dict[str, Any]
    errors: list[dict[str, Any]]
    context: dict[str, Any] | None = None
    product: dict[str, Any] | None = None
    referral: dict[str, Any] | None = None
    becomes: Person | None = None
    call: int | None = None

    @property
    def said(self) -> bool:
        """Whether somebody spoke or called. WhatsApp's own notices open no window and are never unread."""
        return self.type not in _NOTHING_SAID or self.call is not None


class Reaction(_Head, frozen=True, kw_only=True):
    """A reaction to the message `target` (a wamid); without an emoji it is taken back."""

    target: str
    emoji: str | None


class Edit(_Head, frozen=True, kw_only=True):
    """New content for the message `target`."""

    target: str
    type: str
    content: dict[str, Any]


class Revocation(_Head, frozen=True, kw_only=True):
    """The message `target` is taken back for everyone."""

    target: str


class GroupMessage(Struct, frozen=True):
    """Something that came of a group: kept apart, because it is no person's conversation.

    `name` tells it apart: the wamid of what was said, or all of what happened to the group itself, which has none.
    """

    phone_number_id: str
    name: str
    at: int | None
    group: str
    what: str
    sender: Person
    raw: dict[str, Any]


Change = Reaction | Edit | Revocation
"""What changes a message that was said, or that is still to come: nothing arrives in order."""


Said = Message | Change | GroupMessage


def said(number: str, item: dict[str, Any], contacts: Sequence[dict[str, Any]]) -> Said:
    """Return an item of `messages[]`. Raises KeyError, TypeError, ValueError … for what can't be read."""
    if "group_id" in item:
        return _of_group(number, item)
    if item.get("type") == "system":
        return _read(_head(number, item, _before(item), CUSTOMER), item)
    sender = person(contacts, item.get("from"), item.get("from_user_id"), item.get("from_parent_user_id"))
    return _read(_head(number, item, sender, CUSTOMER), item)


def echoed(number: str, item: dict[str, Any], contacts: Sequence[dict[str, Any]]) -> Said:
    """Return an item of `message_echoes[]`, which the business said from its phone. Raises as `said` does."""
    if "group_id" in item:
        return _of_group(number, item)
    recipient = person(contacts, item.get("to"), item.get("to_user_id"), item.get("to_parent_user_id"))
    return _read(_head(number, item, recipient, PHONE), item)


def told(number: str, item: dict[str, Any], customer: Person, by: str) -> Message | Change:
    """Return an item of a chat whose sides are known. Raises as `said` does."""
    return _read(_head(number, item, customer, by), item)


def _before(item: dict[str, Any]) -> Person:
    """Return whom a notice speaks of, by the identities that they had before it.

    Meta leaves `contacts[]` out here, and names the sender by the new BSUID when it gives one.
    """
    own = mapping(item.get("system"))
    before = own.get("previous_user_id")
    sender = item.get("from_user_id") if item.get("from_user_id") != own.get("user_id") else None
    known = person([], item.get("from") or own.get("customer"), before or sender, own.get("previous_parent_user_id"))
    return known if known != Person() else person([], own.get("wa_id"), own.get("user_id"))


def _after(item: dict[str, Any]) -> Person | None:
    """Return the identities that a notice says a person has from now on."""
    own = mapping(item.get("system"))
    if own.get("type") not in _MOVES:
        return None
    now = person([], own.get("wa_id") or own.get("new_wa_id"), own.get("user_id"), own.get("parent_user_id"))
    return now if now != Person() else None


def _of_group(number: str, item: dict[str, Any]) -> GroupMessage:
    at, group = time(item["timestamp"]), text(item["group_id"])
    return GroupMessage(number, text(item["id"]), at, group, "message", _sender(item), item)


def _sender(item: dict[str, Any]) -> Person:
    return person([], item.get("from"), item.get("from_user_id"), item.get("from_parent_user_id"))


def group_change(number: str, item: dict[str, Any], _contacts: Sequence[dict[str, Any]]) -> GroupMessage:
    """Return an item of `groups[]`: a group was made, changed or left. Raises as `said` does."""
    name = json_text.write(item)
    # One that could not be made has no id yet.
    group = optional(item.get("group_id")) or ""
    return GroupMessage(number, name, _time(item), group, word(item.get("type")), _sender(item), item)


def _time(item: dict[str, Any]) -> int | None:
    try:
        return time(item["timestamp"])
    except UNREADABLE:
        return None


def _head(number: str, item: dict[str, Any], customer: Person, by: str) -> dict[str, Any]:
    """Return the fields of `_Head`."""
    return {
        "phone_number_id": number,
        "wamid": text(item["id"]),
        "at": time(item["timestamp"]),
        "person": customer,
        "by": by,
        "raw": item,
    }


def _read(head: dict[str, Any], item: dict[str, Any]) -> Message | Change:
    own = mapping(item.get(text(item["type"])))
    match item["type"]:
        case "reaction":
            return Reaction(**head, target=text(own["message_id"]), emoji=optional(own.get("emoji")))
        case "edit":
            type_, shown = _edited(mapping(own["message"]))
            return Edit(**head, target=text(own["original_message_id"]), type=type_, content=shown)
        case "revoke":
            return Revocation(**head, target=text(own["original_message_id"]))
    type_, shown = content.content(item)
    return Message(
        **head,
        type=type_,
        content=shown,
        errors=errors(item),
        context=content.context(item),
        product=content.product(item),
        referral=content.referral(item),
        becomes=_after(item) if type_ == "system" else None,
    )


def _edited(message: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    text(message["type"])
    return content.content(message)
