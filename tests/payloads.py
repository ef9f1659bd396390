"""What Meta would send, built small: a builder returns the `value` of one change, `webhook` the body of a POST."""

import hashlib
import itertools
import json
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.personal import know

NUMBER, WABA = "100000000000001", "100000000000000"

wall_clock: Callable[[], float] = time.time
"""When Meta stamps what a builder makes; a rig puts its own here, so that both sides agree which second it is."""

_wamids = (f"wamid.{count}" for count in itertools.count(1))


@dataclass(frozen=True)
class Customer:
    """Someone with WhatsApp; what Meta does not tell of them is None."""

    wa_id: str | None = None
    bsuid: str | None = None
    name: str | None = None
    username: str | None = None

    def __post_init__(self) -> None:
        know(self.wa_id, self.bsuid, self.name, self.username)

    def contact(self) -> dict[str, Any]:
        """Return the entry of `contacts[]`: what is unknown is left out, as Meta does."""
        profile = {"name": self.name, "username": self.username}
        return _stated({"profile": _stated(profile), "wa_id": self.wa_id, "user_id": self.bsuid})


ANA = Customer("5511987654321", "BR.13491208655302741918", "Ana")
LUCIA = Customer("5215512345678", "MX.7719208655302741001", "Lucia")
MIA = Customer(None, "DE.5519208655302741777", "Mia", "mia.codes")


def customers(count: int) -> list[Customer]:
    """Return so many different customers."""
    return [Customer(f"4915550{n:06}", f"DE.{n:020}", f"Customer {n}") for n in range(count)]


def message(
    customer: Customer,
    type_: str,
    content: Any,
    *,
    wamid: str | None = None,
    at: float | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return one item of `messages[]`; `at` in epoch seconds (default: now)."""
    if isinstance(content, dict):
        know(*(said for name in ("body", "caption", "text") if isinstance(said := content.get(name), str)))
    return _stated(
        {
            "id": wamid or next(_wamids),
            "timestamp": _seconds(at),
            "type": type_,
            type_: content,
            "from": customer.wa_id,
            "from_user_id": customer.bsuid,
            **more,
        }
    )


def value(*, number: str = NUMBER, **lists: Any) -> dict[str, Any]:
    """Return the `value` of a change on field `messages`, with the lists that are named."""
    metadata = {"display_phone_number": "15550100001", "phone_number_id": number}
    return {"messaging_product": "whatsapp", "metadata": metadata, **lists}


def inbound(customer: Customer, type_: str, content: Any, *, number: str = NUMBER, **more: Any) -> dict[str, Any]:
    """Return a message from a customer, with the contact that Meta puts beside it."""
    return value(number=number, contacts=[customer.contact()], messages=[message(customer, type_, content, **more)])


def inbound_text(customer: Customer, body: str = "Hello", **more: Any) -> dict[str, Any]:
    return inbound(customer, "text", {"body": body}, **more)


def inbound_image(
    customer: Customer, media_id: str, file: bytes, *, caption: str = "", mime: str = "image/jpeg", **more: Any
) -> dict[str, Any]:
    """Return a picture from a customer; its SHA-256 is in base64, as in live webhooks."""
    sha256 = b64encode(hashlib.sha256(file).digest()).decode()
    image = {"id": media_id, "mime_type": mime, "sha256": sha256, "caption": caption}
    return inbound(customer, "image", image, **more)


def reaction(customer: Customer, target: str, emoji: str | None = "👍", **more: Any) -> dict[str, Any]:
    """Return a customer's reaction to a message; without an emoji it is taken back."""
    return inbound(customer, "reaction", _stated({"message_id": target, "emoji": emoji}), **more)


def edit(customer: Customer, target: str, body: str, **more: Any) -> dict[str, Any]:
    """Return a customer's new text for a message."""
    return inbound(customer, "edit", _new_text(target, body), **more)


def revoke(customer: Customer, target: str, **more: Any) -> dict[str, Any]:
    """Return a customer's taking back of a message."""
    return inbound(customer, "revoke", {"original_message_id": target}, **more)


def echo(customer: Customer, type_: str, content: Any, *, number: str = NUMBER, **more: Any) -> dict[str, Any]:
    """Return what the business sent from its phone app; the customer stands in `to`."""
    item = message(Customer("15550100001"), type_, content, to=customer.wa_id, to_user_id=customer.bsuid, **more)
    return value(number=number, message_echoes=[item])


def echo_text(customer: Customer, body: str = "From the phone", **more: Any) -> dict[str, Any]:
    return echo(customer, "text", {"body": body}, **more)


def echo_edit(customer: Customer, target: str, body: str, **more: Any) -> dict[str, Any]:
    return echo(customer, "edit", _new_text(target, body), **more)


def _new_text(target: str, body: str) -> dict[str, Any]:
    return {"original_message_id": target, "message": {"type": "text", "text": {"body": body}}}


def told(customer: Customer, body: str, *, by: str = "customer", status: str = "READ", **more: Any) -> dict[str, Any]:
    """Return one message of a chat of the past; `by`: customer or phone."""
    return past_item(customer, "text", {"body": body}, by=by, status=status, **more)


def past_item(
    customer: Customer, type_: str, content: Any, *, by: str = "customer", status: str = "READ", **more: Any
) -> dict[str, Any]:
    """Return one item of a chat of the past."""
    sender = customer if by == "customer" else Customer("15550100001")
    return message(sender, type_, content, **more) | {"history_context": {"status": status}}


def history(*threads: tuple[Customer, list[dict[str, Any]]], number: str = NUMBER, **more: Any) -> dict[str, Any]:
    """Return a chunk of chats of the past: who, and what was said."""
    chats = [
        {"id": who.wa_id, "context": _stated({"wa_id": who.wa_id, "user_id": who.bsuid}), "messages": items}
        for who, items in threads
    ]
    chunk = {"metadata": {"phase": 0, "chunk_order": 1, "progress": 55}, "threads": chats}
    return value(number=number, history=[chunk], **more)


def address_book(*entries: tuple[Customer, str | None, int], number: str = NUMBER) -> dict[str, Any]:
    """Return a chunk of the phone's address book: who, their name there (None: taken out), and when."""
    items = [
        {
            "type": "contact",
            "contact": _stated({"full_name": name, "phone_number": who.wa_id, "user_id": who.bsuid}),
            "action": "add" if name else "remove",
            "metadata": {"timestamp": str(at)},
        }
        for who, name, at in entries
    ]
    return value(number=number, state_sync=items)


def status(
    name: str,
    wamid: str,
    *,
    to: Customer = ANA,
    callback: str | None = None,
    at: float | None = None,
    errors: Any = None,
    number: str = NUMBER,
) -> dict[str, Any]:
    """Return what became of a message of ours; `callback` is the text that was given along with the send."""
    item = {
        "id": wamid,
        "status": name,
        "timestamp": _seconds(at),
        "recipient_id": to.wa_id,
        "recipient_user_id": to.bsuid,
        "biz_opaque_callback_data": callback,
        "errors": errors,
    }
    return value(number=number, statuses=[_stated(item)])


def error(code: int, title: str = "A title", details: str = "Some details") -> dict[str, Any]:
    """Return an error object of Meta's."""
    return {"code": code, "title": title, "message": title, "error_data": {"details": details}}


def definition(
    name: str = "order_update", body: str = "Hi {{1}}", *more: dict[str, Any], **fields: Any
) -> dict[str, Any]:
    """Return a template as Meta describes it: approved, with a body; `more` are further components."""
    usual = {
        "id": f"id-{name}",
        "language": "en_US",
        "status": "APPROVED",
        "category": "UTILITY",
        "parameter_format": "POSITIONAL",
        "quality_score": {"score": "GREEN"},
        "rejected_reason": "NONE",
    }
    return usual | {"name": name, "components": [{"type": "BODY", "text": body}, *more]} | fields


def _field(value: dict[str, Any]) -> str:
    return next((field for name, field in _FIELDS.items() if name in value), "messages")


_FIELDS = {"history": "history", "state_sync": "smb_app_state_sync"}
"""The fields that some lists come by."""


def webhook(*values: Any, field: str = "messages") -> bytes:
    """Return the body of a POST in which each value is a change of its own."""
    changes = [{"field": _field(value) if field == "messages" else field, "value": value} for value in values]
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": changes}]}).encode()


def _seconds(at: float | None) -> str:
    return str(int(wall_clock() if at is None else at))


def _stated(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
