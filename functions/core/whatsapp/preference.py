"""What a customer wants to get: WhatsApp's own switch for marketing messages."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from functions.core.whatsapp.items import Unhandled, time, word
from functions.core.whatsapp.person import Person, person


class Preference(Struct, frozen=True):
    """A customer stops marketing messages (`stop`) or takes them again (`resume`)."""

    phone_number_id: str
    person: Person
    value: str
    at: int
    raw: dict[str, Any]


def preference(number: str, item: dict[str, Any], contacts: Sequence[dict[str, Any]]) -> Preference | Unhandled:
    """Return an item of `user_preferences[]`. Raises KeyError, TypeError, ValueError … for what can't be read."""
    if item.get("category") != "marketing_messages" or item.get("value") not in ("stop", "resume"):
        return Unhandled(number, f"preference {word(item.get('value'))}", item)
    who = person(contacts, item.get("wa_id"), item.get("user_id"))
    return Preference(number, who, item["value"], time(item["timestamp"]), item)
