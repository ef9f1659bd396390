"""Calls: Leadline takes none, but who was called must see it, and a customer's call opens the window.

Source: Meta, "calls webhook reference" (2026).
"""

from collections.abc import Sequence
from typing import Any

from functions.core.phone import digits
from functions.core.whatsapp.items import listed, mapping, optional, text, time
from functions.core.whatsapp.message import CUSTOMER, PHONE, Message
from functions.core.whatsapp.person import person

RINGING, ANSWERED, ENDED = 1, 2, 3
"""How far a call has come: of what is told of it, the furthest stands."""

_STATUSES = {"RINGING": (RINGING, "call_ringing"), "ACCEPTED": (ANSWERED, "call_answered")}


def call(number: str, item: dict[str, Any], contacts: Sequence[dict[str, Any]], business: str) -> Message:
    """Return an item of `calls[]`. `business`: the line's own number. Raises as `message.said` does."""
    by = _caller(item, business)
    # Meta's own examples have the sides the wrong way round: whoever is not the business is the customer.
    side = "to" if digits(optional(item.get("from")) or "") == business else "from"
    customer = person(contacts, item.get(side), item.get(f"{side}_user_id") or item.get("user_id"))
    reached, kind = (RINGING, "call_ringing") if item["event"] == "connect" else (ENDED, _end(item, by))
    seconds = item.get("duration")
    content = {"kind": kind, "body": None, "seconds": seconds if isinstance(seconds, int) else None}
    return _message(number, item, by, customer, content, reached)


def call_status(number: str, item: dict[str, Any], contacts: Sequence[dict[str, Any]], business: str) -> Message:
    """Return an item of `statuses[]` of a call, which the business began. Raises as `message.said` does."""
    told = optional(item.get("recipient_id"))
    customer = person(contacts, told if digits(told or "") != business else None, item.get("recipient_user_id"))
    reached, kind = _STATUSES.get(text(item["status"]).upper(), (ENDED, "call_unanswered"))
    return _message(number, item, PHONE, customer, {"kind": kind, "body": None, "seconds": None}, reached)


def _message(
    number: str, item: dict[str, Any], by: str, customer: Any, content: dict[str, Any], reached: int
) -> Message:
    return Message(
        phone_number_id=number,
        wamid=text(item["id"]),
        at=time(item["timestamp"]),
        person=customer,
        by=by,
        raw=item,
        type="system",
        content=content,
        errors=[],
        call=reached,
    )


def _caller(item: dict[str, Any], business: str) -> str:
    """Return who began a call. A first event may not say so, but only a caller offers a session."""
    said = optional(item.get("direction"))
    if said is not None:
        return CUSTOMER if said == "USER_INITIATED" else PHONE
    if mapping(item.get("session")).get("sdp_type") == "offer":
        return CUSTOMER
    return PHONE if digits(optional(item.get("from")) or "") == business else CUSTOMER


def _end(item: dict[str, Any], by: str) -> str:
    told = [str(one).upper() for one in listed(item, "status")] or [str(item.get("status")).upper()]
    if "COMPLETED" in told and item.get("duration"):
        return "call_ended"
    return "call_missed" if by == CUSTOMER else "call_unanswered"
