"""The one builder of requests to the Graph API: whatever is sent, and whoever sends it."""

from collections.abc import Mapping
from typing import Any

from functions.core.conversation import address
from functions.core.message import Callback
from functions.core.store import Document
from functions.core.template_values import with_file


class NoAddress(Exception):
    """Neither a number nor a BSUID of the contact is known."""


def message_request(
    message: Document, contact: Document, *, line: str, media_id: str | None, quoted_wamid: str | None
) -> dict[str, Any]:
    """Return the body of `POST /{phone-number-id}/messages` for a message of ours. Raises `NoAddress`."""
    fields = message.fields
    content = fields["content"] if media_id is None else _with_file(fields["type"], fields["content"], media_id)
    callback = Callback(line, contact.key.id, fields["client_id"])
    body: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **_address(contact.fields),
        "type": fields["type"],
        fields["type"]: content,
        "biz_opaque_callback_data": callback.text(),
    }
    if quoted_wamid:
        body["context"] = {"message_id": quoted_wamid}
    return body


def _with_file(type_: str, content: Mapping[str, Any], media_id: str) -> dict[str, Any]:
    return with_file(content, media_id) if type_ == "template" else {**content, "id": media_id}


def _address(contact: Mapping[str, Any]) -> dict[str, str]:
    """Return where to send: the number while one is known, which keeps it shareable, else the BSUID.

    The plus matters: without it Meta puts the business's own country code in front (Meta, "Send messages"). A BSUID
    belongs in `recipient`; in `to` it is dropped without a word (Meta, "Business-scoped user IDs").
    """
    wa_id, bsuid = address(contact)
    if wa_id:
        return {"to": "+" + wa_id}
    if bsuid:
        return {"recipient": bsuid}
    raise NoAddress
