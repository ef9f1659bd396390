"""What the phone app hands over when a number is used by both: chats of the past, and the address book.

Chats come in chunks of up to thousands of messages, in any order; the files of the last 14 days come one by one.
Source: Meta, "Onboarding WhatsApp Business app users", "history" and "smb_app_state_sync" webhook references (2026).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from functions.core.phone import digits
from functions.core.whatsapp.items import UNREADABLE, Unhandled, listed, mapping, name_of, optional, text, time
from functions.core.whatsapp.message import CUSTOMER, PHONE, Change, Message, told
from functions.core.whatsapp.person import Person, contacts_of, person

HISTORY, ADDRESS_BOOK = "history", "smb_app_state_sync"
"""The fields by which they come."""

_STATUSES = {"ERROR": "failed", "SENT": "sent", "DELIVERED": "delivered", "READ": "read", "PLAYED": "played"}


class Import(Struct, frozen=True):
    """One webhook of them, which is worked off later; `kind` is its field, `raw` the change's value."""

    phone_number_id: str
    kind: str
    raw: dict[str, Any]


class Past(Struct, frozen=True):
    """Something of a chat of the past. `status`: what had become of a message of the business by then.

    `raw` is the change's value with nothing else in it, here and in what follows.
    """

    said: Message | Change
    status: str | None
    raw: dict[str, Any]


class Entry(Struct, frozen=True):
    """Someone in the phone's address book; `name` is None when they were taken out of it."""

    person: Person
    name: str | None
    at: int
    raw: dict[str, Any]


def imported(number: str, kind: str, value: dict[str, Any]) -> Import | None:
    """Return a change as an import, if it holds anything to work off."""
    lists = ("state_sync",) if kind == ADDRESS_BOOK else ("messages", "history")
    items = [item for name in lists for item in listed(value, name)]
    if not any("errors" not in mapping(item) or "threads" in mapping(item) for item in items):
        return None
    return Import(number, kind, value)


def past(number: str, value: dict[str, Any]) -> Iterator[Past | Unhandled]:
    """Yield what an import of chats holds, chat by chat; what can't be read is `Unhandled`."""
    bare = {name: part for name, part in value.items() if name not in ("history", "messages")}
    business = digits(optional(mapping(value.get("metadata")).get("display_phone_number")) or "")
    for chunk in listed(value, "history"):
        for thread in listed(chunk, "threads"):
            customer = _customer(mapping(thread))
            for item in listed(thread, "messages"):
                alone = {**bare, "history": [{"threads": [{**thread, "messages": [item]}]}]}
                yield _past(number, mapping(item), customer, business, alone)
    for item in listed(value, "messages"):
        # A file of a chat that came before: it names the customer as live messages do.
        own = mapping(item)
        yield _past(number, own, _named(own, contacts_of(value), business), business, {**bare, "messages": [item]})


def address_book(number: str, value: dict[str, Any]) -> Iterator[Entry | Unhandled]:
    """Yield the entries of an import of the address book, oldest first."""
    found = [_entry(number, item, {**value, "state_sync": [item]}) for item in listed(value, "state_sync")]
    yield from (one for one in found if isinstance(one, Unhandled))
    yield from sorted((one for one in found if isinstance(one, Entry)), key=lambda one: one.at)


def _customer(thread: dict[str, Any]) -> Person:
    context = mapping(thread.get("context"))
    who = person([], context.get("wa_id") or thread.get("id"), context.get("user_id"), context.get("parent_user_id"))
    return replace(who, username=optional(context.get("username")))


def _named(item: dict[str, Any], contacts: Sequence[dict[str, Any]], business: str) -> Person:
    side = "to" if _by(item, business) == PHONE else "from"
    return person(list(contacts), item.get(side), item.get(f"{side}_user_id"), item.get(f"{side}_parent_user_id"))


def _by(item: dict[str, Any], business: str) -> str:
    if mapping(item.get("history_context")).get("from_me") is True:
        return PHONE
    return PHONE if business and digits(optional(item.get("from")) or "") == business else CUSTOMER


def _past(
    number: str, item: dict[str, Any], customer: Person, business: str, alone: dict[str, Any]
) -> Past | Unhandled:
    try:
        by = _by(item, business)
        said = told(number, item, customer, by)
    except UNREADABLE as error:
        return Unhandled(number, f"history item unreadable ({type(error).__name__})", alone)
    status = _STATUSES.get(str(mapping(item.get("history_context")).get("status")).upper())
    return Past(said, status if by == PHONE else None, alone)


def _entry(number: str, item: Any, alone: dict[str, Any]) -> Entry | Unhandled:
    try:
        contact = mapping(item["contact"])
        at = time(mapping(item.get("metadata"))["timestamp"])
        who = person([], digits(optional(contact.get("phone_number")) or ""), contact.get("user_id"))
        name = name_of(contact.get("full_name")) or name_of(contact.get("first_name"))
        if item["type"] != "contact" or who == Person():
            raise ValueError("no contact")
        entry = replace(who, username=optional(contact.get("username")))
        return Entry(entry, None if text(item["action"]) == "remove" else name, at, alone)
    except UNREADABLE as error:
        return Unhandled(number, f"state_sync item unreadable ({type(error).__name__})", alone)
