"""A webhook's body as updates: every entry, every change, every item, each for itself."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from functions.core.phone import digits
from functions.core.whatsapp import account
from functions.core.whatsapp.account import Fact
from functions.core.whatsapp.call import call, call_status
from functions.core.whatsapp.coexistence import ADDRESS_BOOK, HISTORY, Import, imported
from functions.core.whatsapp.items import UNREADABLE, Unhandled, listed, mapping, optional, word
from functions.core.whatsapp.message import (
    Change,
    Edit,
    GroupMessage,
    Message,
    Reaction,
    Revocation,
    echoed,
    group_change,
    said,
)
from functions.core.whatsapp.person import contacts_of
from functions.core.whatsapp.preference import Preference, preference
from functions.core.whatsapp.status import Status, status

Update = Message | Change | GroupMessage | Preference | Fact | Import | Status | Unhandled

_Reader = Callable[[str, dict[str, Any], Sequence[dict[str, Any]]], Update]

_LISTS: dict[str, _Reader] = {
    "user_preferences": preference,
    "messages": said,
    "message_echoes": echoed,
    "statuses": status,
    "groups": group_change,
}
"""The lists of a change that hold updates, by whichever field they come."""

_CALLS = {"calls": call, "statuses": call_status}
"""What the lists of field `calls` hold."""

_HELD = frozenset((*_LISTS, *_CALLS, "errors"))
"""All lists whose items are updates of their own."""

_IMPORTS = (HISTORY, ADDRESS_BOOK)

_FIELDS = (
    "messages",
    "smb_message_echoes",
    "standby",
    "user_preferences",
    "group_lifecycle_update",
    "group_participants_update",
    "group_settings_update",
    "group_status_update",
)
"""`standby` has what `messages` has, for a number that another app or Meta's agent answers (Meta, "standby")."""

# Before anything reacts to a customer's words, it is known what they do not want.
_RANK: dict[type, int] = {Preference: -1, Reaction: 1, Edit: 1, Revocation: 1, Status: 2}


class Unreadable(Exception):
    """The body is not a webhook of a WhatsApp business account."""


def updates(body: Any) -> list[Update]:
    """Return all updates of a webhook's JSON body in the order in which to handle them. Raises `Unreadable`.

    Meta sends up to 1,000 updates in any number of entries and changes; one that can't be read becomes an
    `Unhandled` and never costs its neighbours.
    """
    if not isinstance(body, dict) or not isinstance(body.get("entry"), list):
        raise Unreadable("no list of entries")
    found = [update for entry in body["entry"] for update in _of_entry(entry)]
    # What changes a message, and a status, may speak of one in the same POST.
    return sorted(found, key=_rank)


def alone(body: Any, raw: Any) -> Any:
    """Return the webhook that holds nothing of a body but one update's raw item: delivered again, it is that update.

    `raw` is the very object that stands in `body`; the body itself for what stands nowhere in it.
    """
    for entry in body["entry"]:
        if entry is raw:
            return {**body, "entry": [entry]}
        for change in listed(entry, "changes"):
            reduced = change if change is raw else _reduced(change, raw)
            if reduced is not None:
                return {**body, "entry": [{**entry, "changes": [reduced]}]}
    return body


def _reduced(change: Any, raw: Any) -> dict[str, Any] | None:
    """Return a change with one item left; None where it does not hold that item."""
    value = mapping(mapping(change).get("value"))
    if name := _list_of(value, raw):
        return {**change, "value": {**_bare(value, raw), name: [raw]}}
    standby = mapping(value.get("standby"))
    if name := _list_of(standby, raw):
        return {**change, "value": {**_bare(value, raw), "standby": {**_bare(standby, raw), name: [raw]}}}
    return None


def _list_of(holder: dict[str, Any], raw: Any) -> str | None:
    """Return the name of the list that holds an item."""
    lists = (name for name in holder if name in _HELD)
    return next((name for name in lists if any(item is raw for item in listed(holder, name))), None)


def _bare(holder: dict[str, Any], raw: Any) -> dict[str, Any]:
    """Return what stands beside the lists of updates; of several people, those whom the item names."""
    bare = {name: value for name, value in holder.items() if name not in _HELD and name != "standby"}
    if len(listed(holder, "contacts")) > 1:
        named = [value for value in mapping(raw).values() if isinstance(value, str)]
        people = contacts_of(holder)
        bare["contacts"] = [one for one in people if one.get("user_id") in named or one.get("wa_id") in named]
    return bare


def _rank(update: Update) -> int:
    return _RANK.get(type(update), 0)


def _of_entry(entry: Any) -> Iterator[Update]:
    changes = mapping(entry).get("changes")
    if not isinstance(changes, list):
        yield Unhandled(None, "entry without changes", entry)
        return
    for change in changes:
        value = mapping(change).get("value")
        if not isinstance(value, dict):
            yield Unhandled(None, "change without value", change)
        elif change.get("field") in _FIELDS:
            yield from _of_value(value, optional(entry.get("id")))
        elif change.get("field") == "calls":
            yield from _of_calls(value)
        elif change.get("field") in _IMPORTS:
            yield from _of_import(change, value, optional(entry.get("id")))
        elif change.get("field") in account.FIELDS:
            yield from _of_account(entry, change)
        else:
            yield Unhandled(_phone_number_id(value), f"field {word(change.get('field'))}", change)


def _of_account(entry: dict[str, Any], change: dict[str, Any]) -> Iterator[Update]:
    unknown = Unhandled(None, f"field {word(change['field'])}", change)
    try:
        found = account.facts(change["field"], entry, change)
    except UNREADABLE:
        found = []
    yield from found
    if not found:
        yield unknown


def _of_import(change: dict[str, Any], value: dict[str, Any], waba: str | None) -> Iterator[Update]:
    number, kind = _phone_number_id(value), change["field"]
    given = imported(number, kind, value) if number else None
    if given is not None:
        yield given
    # The business may decline to share its chats, and says so in their place.
    declined = [fact for item in listed(value, kind) for fact in account.line_errors(number, waba, item, fact=kind)]
    yield from declined
    if given is None and not declined:
        yield Unhandled(number, f"field {kind}", change)


def _of_calls(value: dict[str, Any]) -> Iterator[Update]:
    number, contacts = _phone_number_id(value), contacts_of(value)
    business = digits(optional(mapping(value.get("metadata")).get("display_phone_number")) or "")
    for name, read in _CALLS.items():
        for item in listed(value, name):
            yield _of_item(name, partial(read, business=business), number, item, contacts)


def _of_value(value: dict[str, Any], waba: str | None) -> Iterator[Update]:
    number, contacts = _phone_number_id(value), contacts_of(value)
    own = _held(value, number, contacts, waba)
    if "standby" not in value:
        return own
    # Copies for a number that stands by are nested one level deeper.
    standby = mapping(value["standby"])
    return itertools.chain(own, _held(standby, number, contacts_of(standby) or contacts, waba))


def _held(
    holder: dict[str, Any], number: str | None, contacts: Sequence[dict[str, Any]], waba: str | None
) -> Iterator[Update]:
    for name, read in _LISTS.items():
        if name in holder:
            for item in listed(holder, name):
                yield _of_item(name, read, number, item, contacts)
    if "errors" in holder:
        yield from account.line_errors(number, waba, holder)


def _of_item(name: str, read: _Reader, number: str | None, item: Any, contacts: Sequence[dict[str, Any]]) -> Update:
    if number is None:
        return Unhandled(None, "no phone_number_id", item)
    try:
        return read(number, item, contacts)
    except UNREADABLE as error:
        return Unhandled(number, f"{name} item unreadable ({type(error).__name__})", item)


def _phone_number_id(value: dict[str, Any]) -> str | None:
    own = optional(mapping(value.get("metadata")).get("phone_number_id"))
    return own or optional(mapping(mapping(value.get("standby")).get("metadata")).get("phone_number_id"))
