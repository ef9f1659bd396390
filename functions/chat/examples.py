"""Examples of what can be sent, for the API's description: a test sends each of them."""

from typing import Any

_FILE = "0123456789abcdef0123456789abcdef"
"""Stands for the id that `POST media` gave, or for a message's."""


def _message(**said: Any) -> dict[str, Any]:
    type_ = next(iter(said))
    return {"client_id": f"example-{type_}", "type": type_, **said}


def _button(id_: str, title: str) -> dict[str, Any]:
    return {"type": "reply", "reply": {"id": id_, "title": title}}


def _text(value: str) -> dict[str, str]:
    return {"type": "text", "text": value}


_INTERACTIVE: dict[str, dict[str, Any]] = {
    "buttons": {
        "type": "button",
        "body": {"text": "Does Friday suit you?"},
        "action": {"buttons": [_button("yes", "Yes"), _button("no", "No")]},
    },
    "list": {
        "type": "list",
        "body": {"text": "Which one would you like?"},
        "action": {
            "button": "Choose",
            "sections": [{"rows": [{"id": "26", "title": "Blue", "description": "26 inch"}]}],
        },
    },
    "link": {
        "type": "cta_url",
        "body": {"text": "Your invoice is ready."},
        "action": {
            "name": "cta_url",
            "parameters": {"display_text": "Open it", "url": "https://shop.example/invoices/7"},
        },
    },
    "question for a location": {
        "type": "location_request_message",
        "body": {"text": "Where shall we deliver?"},
        "action": {"name": "send_location"},
    },
}

TEMPLATE = _message(
    template={
        "name": "order_update",
        "language": {"code": "en_US"},
        "components": [
            {"type": "body", "parameters": [_text("Ana"), _text("#42")]},
            {"type": "button", "sub_type": "url", "index": 0, "parameters": [_text("42")]},
        ],
    }
)

MESSAGES: dict[str, dict[str, Any]] = {
    "text": _message(text={"body": "It is still for sale.", "preview_url": False}),
    "reply": _message(text={"body": "This one?"}) | {"context": {"message_id": _FILE}},
    "image": _message(image={"id": _FILE, "caption": "The blue one"}),
    "voice note": _message(audio={"id": _FILE, "voice": True}),
    "document": _message(document={"id": _FILE, "filename": "offer.pdf"}),
    "location": _message(location={"latitude": 52.52, "longitude": 13.405, "name": "The shop"}),
    "contact": _message(
        contacts=[{"name": {"formatted_name": "Jo Doe", "first_name": "Jo"}, "phones": [{"phone": "+1 555 010 0009"}]}]
    ),
    "template": TEMPLATE,
    "reaction": _message(reaction={"message_id": _FILE, "emoji": "👍"}),
    **{name: _message(interactive=said) for name, said in _INTERACTIVE.items()},
}

START: dict[str, dict[str, Any]] = {
    "to a number": {"line": "100000000000001", "to": {"phone": "+1 555 010 0042"}, "name": "Bo", "message": TEMPLATE}
}

SETTLE: dict[str, dict[str, Any]] = {
    "send again": {"as": "send_again", "client_id": "example-again"},
    "let be": {"as": "let_be"},
}

CARE: dict[str, dict[str, Any]] = {
    "owner and tags": {"owner": {"id": 2, "name": "Marc"}, "tags": ["bikes"]},
    "records": {"records": [{"model": "crm.lead", "id": 7, "name": "A blue bicycle"}]},
}

FILE: dict[str, dict[str, Any]] = {
    "picture": {
        "conversation": _FILE,
        "type": "image",
        "filename": "bicycle.png",
        "mime": "image/png",
        "size": 20000,
    }
}
