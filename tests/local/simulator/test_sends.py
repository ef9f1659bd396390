"""What a business sends is checked as strictly as Meta checks it."""

from typing import Any

import pytest

from tests.local.simulator.parties import ANA, LUCIA, NUMBER, Business, Endpoint, Phone

BUTTONS = {
    "type": "button",
    "body": {"text": "Which day?"},
    "action": {"buttons": [{"type": "reply", "reply": {"id": "thu", "title": "Thursday"}}]},
}
LIST = {
    "type": "list",
    "body": {"text": "Which size?"},
    "action": {"button": "Sizes", "sections": [{"title": "All", "rows": [{"id": "s", "title": "Small"}]}]},
}
CARD = {"name": {"formatted_name": "Ana Souza", "first_name": "Ana"}, "phones": [{"phone": "+1 555 010 0123"}]}

VALID: list[dict[str, Any]] = [
    {"type": "text", "text": {"body": "x" * 4096, "preview_url": True}},
    {"type": "text", "text": {"body": "🌱" * 4096}},
    {"type": "image", "image": {"link": "https://shop.example/leaf.jpg", "caption": "y" * 1024}},
    {"type": "location", "location": {"latitude": 51.5, "longitude": -0.1, "name": "Shop", "address": "High St"}},
    {"type": "contacts", "contacts": [CARD]},
    {"type": "interactive", "interactive": BUTTONS},
    {"type": "interactive", "interactive": LIST},
    {
        "type": "interactive",
        "interactive": {
            "type": "cta_url",
            "body": {"text": "See it"},
            "action": {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://shop.example"}},
        },
    },
    {
        "type": "interactive",
        "interactive": {
            "type": "location_request_message",
            "body": {"text": "Where?"},
            "action": {"name": "send_location"},
        },
    },
    {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}},
]


def changed(kind: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {**kind, **parts}}


def many_buttons(count: int) -> list[dict[str, Any]]:
    return [{"type": "reply", "reply": {"id": f"b{n}", "title": f"Button {n}"}} for n in range(count)]


REFUSED: list[tuple[int, dict[str, Any]]] = [
    (100, {"type": "text", "text": {"body": "x" * 4097}}),
    (100, {"type": "text", "text": "hello"}),
    (100, {"type": "text", "text": {"body": "hello", "colour": "green"}}),
    (100, {"type": "fax", "fax": {}}),
    (131008, {"type": "text"}),
    (131008, {"type": "text", "text": {}}),
    (131009, {"type": "text", "text": {"body": ""}}),
    (131009, {"type": "image", "image": {}}),
    (131009, {"type": "image", "image": {"id": "1", "link": "https://shop.example/leaf.jpg"}}),
    (131009, {"type": "image", "image": {"link": "leaf.jpg"}}),
    (100, {"type": "image", "image": {"link": "https://shop.example/leaf.jpg", "caption": "y" * 1025}}),
    (100, {"type": "image", "image": {"link": "https://shop.example/leaf.jpg", "filename": "leaf.jpg"}}),
    (100, {"type": "audio", "audio": {"link": "https://shop.example/a.ogg", "caption": "no"}}),
    (100, {"type": "image", "image": {"id": "123456789012345"}}),
    (131009, {"type": "location", "location": {"latitude": 91, "longitude": 0}}),
    (131009, {"type": "contacts", "contacts": []}),
    (131009, {"type": "contacts", "contacts": [CARD] * 258}),
    (131009, {"type": "contacts", "contacts": [{"name": {"formatted_name": "Ana"}}]}),
    (131009, changed(BUTTONS, action={"buttons": many_buttons(4)})),
    (131009, changed(BUTTONS, action={"buttons": many_buttons(1) * 2})),
    (131009, changed(BUTTONS, body={"text": "z" * 1025})),
    (131009, changed(BUTTONS, body=None)),
    (100, changed(BUTTONS, footer={"text": "z" * 61})),
    (131009, changed(LIST, header={"type": "image", "image": {"link": "https://shop.example/l.jpg"}})),
    (131009, changed(LIST, action={"button": "Sizes", "sections": [{"rows": [{"id": "s", "title": "S"}] * 2}]})),
    (
        131009,
        changed(
            LIST, action={"button": "All", "sections": [{"rows": [{"id": f"{n}", "title": "S"} for n in range(11)]}]}
        ),
    ),
    (131009, {"type": "reaction", "reaction": {"message_id": "wamid.unknown", "emoji": "👍"}}),
    (132001, {"type": "template", "template": {"name": "no_such", "language": {"code": "en_US"}}}),
    (100, {"type": "text", "text": {"body": "x"}, "biz_opaque_callback_data": "c" * 513}),
]


@pytest.mark.parametrize("content", VALID, ids=lambda content: content["type"])
async def test_every_valid_type_is_accepted(business: Business, phone: Phone, content: dict[str, Any]) -> None:
    wamid = await business.sent(**content)
    shown = (await phone.shows())[-1]
    assert (shown["id"], shown["direction"], shown["status"]) == (wamid, "in", "delivered")
    assert shown[content["type"]] == content[content["type"]]


@pytest.mark.parametrize(("code", "content"), REFUSED)
async def test_what_meta_refuses_is_refused_in_metas_shape(
    business: Business, phone: Phone, code: int, content: dict[str, Any]
) -> None:
    answer = await business.send(**content)
    error = answer.json()["error"]
    assert 400 <= answer.status_code < 500
    assert error["code"] == code
    assert error["type"] == "OAuthException"
    assert error["message"].startswith(f"(#{code}) ")
    assert error["fbtrace_id"]
    if code > 130000:
        assert error["error_data"]["messaging_product"] == "whatsapp"
        assert error["error_data"]["details"]
    assert await phone.shows() == []


async def test_an_accepted_message_is_answered_as_meta_does(business: Business) -> None:
    answer = await business.send(text="hello")
    body = answer.json()
    wamid = body["messages"][0]["id"]
    assert body == {
        "messaging_product": "whatsapp",
        "contacts": [{"input": f"+{ANA}", "wa_id": ANA}],
        "messages": [{"id": wamid}],
    }


@pytest.mark.parametrize("body", [{}, [], "text", {"to": "+5511912345678", "type": "text", "text": {"body": "x"}}])
async def test_a_body_without_messaging_product_is_named_as_such(business: Business, body: Any) -> None:
    error = (await business.post(body)).json()["error"]
    assert error["message"] == "(#100) The parameter messaging_product is required."


async def test_a_recipient_is_needed_and_must_be_a_number(business: Business) -> None:
    text = {"messaging_product": "whatsapp", "type": "text", "text": {"body": "x"}}
    assert (await business.post(text)).json()["error"]["code"] == 100
    assert (await business.post({**text, "to": "Ana"})).json()["error"]["code"] == 131009
    assert (await business.post({**text, "to": "+1 555 010 0001"})).json()["error"]["code"] == 131021


async def test_a_number_is_reached_with_and_without_plus(business: Business) -> None:
    text = {"messaging_product": "whatsapp", "type": "text", "text": {"body": "x"}}
    for written in (ANA, f"+{ANA}", "+55 (11) 91234-5678"):
        answer = await business.post({**text, "to": written})
        assert answer.json()["contacts"] == [{"input": written, "wa_id": ANA}]


async def test_the_dialled_form_of_a_mexican_number_reaches_its_wa_id(business: Business) -> None:
    answer = await business.send(to="525512345678", text="hola")
    assert answer.json()["contacts"] == [{"input": "+525512345678", "wa_id": LUCIA}]


async def test_a_bsuid_reaches_its_customer_and_answers_without_the_number(
    business: Business, phone: Phone, endpoint: Endpoint
) -> None:
    customers = (await phone.http.get("/simulator/customers")).json()
    bsuid = customers[0]["bsuid"]
    body = {"messaging_product": "whatsapp", "recipient": bsuid, "type": "text", "text": {"body": "x"}}
    answer = (await business.post(body)).json()
    assert answer["contacts"] == [{"input": bsuid, "user_id": bsuid}]
    assert (await phone.shows())[0]["text"] == {"body": "x"}


async def test_the_number_wins_over_the_bsuid(business: Business, phone: Phone) -> None:
    body = {
        "messaging_product": "whatsapp",
        "to": f"+{ANA}",
        "recipient": "US.1",
        "type": "text",
        "text": {"body": "x"},
    }
    assert (await business.post(body)).json()["contacts"][0]["wa_id"] == ANA


async def test_an_unknown_bsuid_is_undeliverable(business: Business) -> None:
    body = {"messaging_product": "whatsapp", "recipient": "US.1", "type": "text", "text": {"body": "x"}}
    assert (await business.post(body)).json()["error"]["code"] == 131026


async def test_a_reaction_stands_on_its_message_and_reports_only_sent(
    business: Business, phone: Phone, endpoint: Endpoint
) -> None:
    written = await phone.write({"text": "thank you"})
    wamid = await business.sent(type="reaction", reaction={"message_id": written["id"], "emoji": "💚"})
    assert (await phone.shows())[-1]["reaction"] == {"message_id": written["id"], "emoji": "💚"}
    await phone.read()
    assert endpoint.states(wamid) == ["sent"]


async def test_a_reaction_to_a_message_older_than_30_days_is_refused(
    business: Business, phone: Phone, clock: Any
) -> None:
    written = await phone.write({"text": "long ago"})
    clock.now += 30 * 86400 + 1
    await phone.write({"text": "I am back"})
    answer = await business.send(type="reaction", reaction={"message_id": written["id"], "emoji": "💚"})
    assert answer.json()["error"]["code"] == 131009


async def test_a_reply_quotes_the_message(business: Business, phone: Phone) -> None:
    written = await phone.write({"text": "how much?"})
    await business.sent(text="ten", context={"message_id": written["id"]})
    assert (await phone.shows())[-1]["context"] == {"id": written["id"]}


async def test_reading_turns_the_customers_ticks_blue_up_to_that_message(business: Business, phone: Phone) -> None:
    written = [await phone.write({"text": text}) for text in ("one", "two", "three")]
    mark = {"messaging_product": "whatsapp", "status": "read", "message_id": written[1]["id"]}
    answer = await business.post(mark)
    assert answer.json() == {"success": True}
    assert [message["status"] for message in await phone.shows()] == ["read", "read", "delivered"]


async def test_a_read_mark_for_an_unknown_message_is_refused(business: Business) -> None:
    mark = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.unknown"}
    assert (await business.post(mark)).json()["error"]["code"] == 131009


async def test_typing_shows_until_the_reply_or_25_seconds(business: Business, phone: Phone, clock: Any) -> None:
    async def typing() -> bool:
        customers = (await phone.http.get("/simulator/customers")).json()
        return bool(customers[0]["chats"][0]["typing"])

    written = await phone.write({"text": "hello?"})
    mark = {"messaging_product": "whatsapp", "status": "read", "message_id": written["id"]}
    await business.post({**mark, "typing_indicator": {"type": "text"}})
    assert await typing()
    clock.now += 26
    assert not await typing()
    await business.post({**mark, "typing_indicator": {"type": "text"}})
    await business.sent(text="here I am")
    assert not await typing()


async def test_another_lines_messages_are_not_this_lines(business: Business, phone: Phone) -> None:
    answer = await phone.http.post(
        f"/simulator/customers/{ANA}/messages", json={"text": "x", "line": "100000000000002"}
    )
    mark = {"messaging_product": "whatsapp", "status": "read", "message_id": answer.json()["id"]}
    assert (await business.post(mark, NUMBER)).json()["error"]["code"] == 131009
