"""The one builder of requests to the Graph API: whatever is sent, and whoever sends it.

Contents are stored in Graph's shape; what is put in their place here are Meta's ids for our own.
"""

from collections.abc import Mapping
from typing import Any

from functions.core.conversation import address, invitation
from functions.core.message import Callback
from functions.core.store import Document
from functions.core.template_values import with_file


class NoAddress(Exception):
    """Neither a number nor a BSUID of the contact is known."""


class NoTarget(Exception):
    """What a reaction is meant for is gone, or Meta has no id for it."""


def message_request(
    message: Document, contact: Document | None, *, line: str, media_id: str | None, named_wamid: str | None
) -> dict[str, Any]:
    """Return the body of `POST /{phone-number-id}/messages` for a message of ours.

    `media_id`: Meta's id of its file; `named_wamid`: of the message that it quotes or reacts to. Raises `NoAddress` and
    `NoTarget`.
    """
    if contact is None:
        raise NoAddress
    fields = message.fields
    type_ = fields["type"]
    invited = invitation(contact.fields) != (None, None)
    callback = Callback(line, fields.get("contact_then", contact.key.id), fields["client_id"], invited=invited)
    body: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **_address(contact.fields),
        "type": type_,
        type_: _content(type_, fields["content"], media_id, named_wamid),
        "biz_opaque_callback_data": callback.text(),
    }
    if named_wamid and type_ != "reaction":
        body["context"] = {"message_id": named_wamid}
    return body


def _content(type_: str, content: Mapping[str, Any], media_id: str | None, named_wamid: str | None) -> Any:
    match type_:
        case "reaction":
            if named_wamid is None:
                raise NoTarget
            return {**content, "message_id": named_wamid}
        case "contacts":
            return content["items"]
        case "template" if media_id:
            return with_file(content, media_id)
        case "interactive" if media_id:
            header = content["header"]
            return {**content, "header": {**header, header["type"]: {**header[header["type"]], "id": media_id}}}
    return dict(content) if media_id is None else {**content, "id": media_id}


def _address(contact: Mapping[str, Any]) -> dict[str, str]:
    """Return where to send: the number while one is known, which keeps it shareable, else the BSUID.

    The plus matters: without it Meta puts the business's own country code in front (Meta, "Send messages"). A BSUID
    belongs in `recipient`; in `to` it is dropped without a word (Meta, "Business-scoped user IDs").
    """
    (wa_id, bsuid), (invited, invited_bsuid) = address(contact), invitation(contact)
    wa_id, bsuid = wa_id or invited, bsuid or invited_bsuid
    if wa_id:
        return {"to": "+" + wa_id}
    if bsuid:
        return {"recipient": bsuid}
    raise NoAddress
