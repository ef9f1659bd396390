"""What became of a message that the business sent."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from functions.core.whatsapp.items import Unhandled, errors, optional, text, time, word
from functions.core.whatsapp.person import Person, person

STATUSES = frozenset({"sent", "delivered", "read", "played", "failed"})

_PARENT = ("recipient_parent_user_id", "parent_recipient_user_id", "parent_user_id")
"""The spellings of Meta's pages, which differ by month."""

_PARTICIPANT = ("recipient_participant_user_id", "recipient_participant_id", "participant_recipient_id")


class Status(Struct, frozen=True):
    """What became of a message that the business sent. `callback` is what we gave along with the send.

    `participant`: the member of a group of whom alone it speaks.
    """

    phone_number_id: str
    wamid: str
    at: int
    status: str
    person: Person
    callback: str | None
    errors: list[dict[str, Any]]
    raw: dict[str, Any]
    participant: str | None = None


def status(number: str, item: dict[str, Any], contacts: Sequence[dict[str, Any]]) -> Status | Unhandled:
    """Return an item of `statuses[]`. Raises KeyError, TypeError, ValueError … for what can't be read."""
    if item["status"] not in STATUSES:
        return Unhandled(number, f"status {word(item['status'])}", item)
    parent = next((item[name] for name in _PARENT if name in item), None)
    callback = item.get("biz_opaque_callback_data")
    return Status(
        phone_number_id=number,
        wamid=text(item["id"]),
        at=time(item["timestamp"]),
        status=item["status"],
        person=person(contacts, item.get("recipient_id"), item.get("recipient_user_id"), parent),
        callback=callback if isinstance(callback, str) else None,
        errors=errors(item),
        raw=item,
        participant=_participant(item),
    )


def _participant(item: dict[str, Any]) -> str | None:
    if item.get("recipient_type") != "group":
        return None
    return next((who for name in _PARTICIPANT if (who := optional(item.get(name)))), "unknown")
