"""The one builder: whatever is stored goes out in Graph's shape, with Meta's ids in place of ours."""

import pytest

from functions.core.store import Document, Key
from functions.sender.request import NoAddress, NoTarget, message_request

CONTACT = Document(Key("contacts", "contact"), {"wa_ids": ["5511987654321"], "bsuids": ["BR.1"]}, 1)
CARDS = [{"name": {"formatted_name": "Ana"}, "phones": [{"phone": "+15550100009"}]}]


def request(type_, content, *, contact=CONTACT, media_id=None, named_wamid=None):
    fields = {"type": type_, "content": content, "client_id": "client-1"}
    message = Document(Key("messages", "one"), fields, 1)
    return message_request(message, contact, line="line", media_id=media_id, named_wamid=named_wamid)


@pytest.mark.parametrize(
    ("type_", "stored", "sent"),
    [
        ("text", {"body": "Hi", "preview_url": True}, {"body": "Hi", "preview_url": True}),
        ("image", {"caption": "Look"}, {"caption": "Look", "id": "media"}),
        ("audio", {"voice": True}, {"voice": True, "id": "media"}),
        ("document", {"filename": "a.pdf"}, {"filename": "a.pdf", "id": "media"}),
        ("sticker", {}, {"id": "media"}),
        ("location", {"latitude": 1.5, "longitude": 2}, {"latitude": 1.5, "longitude": 2}),
        ("contacts", {"items": CARDS}, CARDS),
        (
            "interactive",
            {"type": "button", "header": {"type": "image", "image": {"id": "ours"}}, "body": {"text": "?"}},
            {"type": "button", "header": {"type": "image", "image": {"id": "media"}}, "body": {"text": "?"}},
        ),
        (
            "template",
            {
                "name": "promo",
                "language": {"code": "en"},
                "components": [
                    {"type": "header", "parameters": [{"type": "document", "document": {"filename": "a.pdf"}}]},
                    {"type": "body", "parameters": [{"type": "text", "text": "Ana"}]},
                ],
            },
            {
                "name": "promo",
                "language": {"code": "en"},
                "components": [
                    {
                        "type": "header",
                        "parameters": [{"type": "document", "document": {"filename": "a.pdf", "id": "media"}}],
                    },
                    {"type": "body", "parameters": [{"type": "text", "text": "Ana"}]},
                ],
            },
        ),
    ],
)
def test_a_content_goes_out_in_graphs_shape(type_, stored, sent):
    has_file = "media" in str(sent)
    body = request(type_, stored, media_id="media" if has_file else None)
    assert (body["type"], body[type_]) == (type_, sent)
    assert "context" not in body


@pytest.mark.parametrize("header", [None, {"type": "text", "text": "Hello"}])
def test_an_interactive_message_without_a_file_is_left_as_it_is(header):
    content = {"type": "list", "body": {"text": "?"}, **({"header": header} if header else {})}
    assert request("interactive", content)["interactive"] == content


@pytest.mark.parametrize("emoji", ["👍", ""])
def test_a_reaction_names_its_message_by_wamid_and_is_no_reply(emoji):
    body = request("reaction", {"message_id": "ours", "emoji": emoji}, named_wamid="wamid.1")
    assert body["reaction"] == {"message_id": "wamid.1", "emoji": emoji}
    assert "context" not in body


def test_a_reaction_to_what_whatsapp_does_not_know_is_not_sent():
    with pytest.raises(NoTarget):
        request("reaction", {"message_id": "ours", "emoji": "👍"})


def test_a_reply_quotes_by_wamid():
    assert request("text", {"body": "Yes"}, named_wamid="wamid.1")["context"] == {"message_id": "wamid.1"}


@pytest.mark.parametrize(
    ("identities", "address"),
    [
        ({"wa_ids": ["5511987654321"]}, {"to": "+5511987654321"}),
        ({"wa_ids": ["5511987654321"], "bsuids": ["BR.1"]}, {"to": "+5511987654321"}),
        ({"bsuids": ["BR.1"]}, {"recipient": "BR.1"}),
    ],
)
def test_a_number_comes_first_and_a_hidden_one_is_reached_by_bsuid(identities, address):
    body = request("text", {"body": "Hi"}, contact=Document(CONTACT.key, identities, 1))
    assert {name: body[name] for name in ("to", "recipient") if name in body} == address


@pytest.mark.parametrize("contact", [None, Document(CONTACT.key, {}, 1)])
def test_nobody_is_addressed_without_an_identity(contact):
    with pytest.raises(NoAddress):
        request("text", {"body": "Hi"}, contact=contact)
