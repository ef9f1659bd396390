"""The picker's list, and template messages: checked against the definition before anything is queued."""

from datetime import timedelta

import pytest

from tests.payloads import ANA, LUCIA, definition, inbound_text
from tests.rig import LINE
from tests.webhook.test_facts import preference

OFFER = definition(
    "spring_offer",
    "Hello {{1}}, {{2}} off everything green.",
    {"type": "HEADER", "format": "IMAGE"},
    {"type": "FOOTER", "text": "Reply STOP to hear no more"},
    {
        "type": "BUTTONS",
        "buttons": [
            {"type": "QUICK_REPLY", "text": "Tell me more"},
            {
                "type": "URL",
                "text": "Shop",
                "url": "https://shop.example/o/{{1}}",
                "example": ["https://shop.example/o/42"],
            },
            {"type": "COPY_CODE", "text": "Copy", "example": ["LEAF10"]},
            {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15550100001"},
        ],
    },
    category="MARKETING",
)
NAMED = definition(
    "reminder",
    "Your appointment is on {{day}} at {{time}}.",
    {
        "type": "HEADER",
        "format": "TEXT",
        "text": "See you, {{first_name}}",
        "example": {"header_text_named_params": [{"param_name": "first_name", "example": "Ana"}]},
    },
    parameter_format="NAMED",
)
PLAIN = definition("hello", "Hi {{1}}, your order {{2}} is on its way.")

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


def text(value, **more):
    return {"type": "text", "text": value, **more}


def template(name, *components, language="en_US"):
    return {
        "type": "template",
        "template": {"name": name, "language": {"code": language}, "components": list(components)},
    }


def body(*parameters):
    return {"type": "body", "parameters": list(parameters)}


def header(parameter):
    return {"type": "header", "parameters": [parameter]}


def button(index, kind, *parameters):
    return {"type": "button", "sub_type": kind, "index": index, "parameters": list(parameters)}


@pytest.fixture
async def tab(rig):
    await rig.holds_templates(PLAIN, OFFER, NAMED, definition("autumn", status="PAUSED"))
    await rig.decides(opt_in=False)
    return await rig.chatting(ANA)


async def offer(tab, **changed):
    parts = {
        "header": header({"type": "image", "image": {"id": await tab.upload(PNG, "image/png")}}),
        "body": body(text("Ana"), text("10 %")),
        "link": button(1, "url", text("42")),
        "code": button(2, "copy_code", {"type": "coupon_code", "coupon_code": "LEAF10"}),
    }
    return template("spring_offer", *(part for part in (parts | changed).values() if part))


def errors(answer):
    assert (answer.status_code, answer.json()["code"]) == (422, "template_invalid"), answer.text
    return {error["field"]: error["message"] for error in answer.json()["errors"]}


# The list


async def test_what_can_be_sent_comes_first_and_then_the_names(tab):
    items = (await tab.get("/v1/templates")).json()["items"]
    assert [one["name"] for one in items] == ["hello", "reminder", "spring_offer", "autumn"]


async def test_a_template_says_what_it_needs(tab):
    shown = {one["name"]: one for one in (await tab.get("/v1/templates")).json()["items"]}
    assert shown["spring_offer"]["parameters"] == [
        {"field": "header", "kind": "image", "example": None},
        {"field": "body.1", "kind": "text", "example": None},
        {"field": "body.2", "kind": "text", "example": None},
        {"field": "buttons.1", "kind": "url_suffix", "example": "42"},
        {"field": "buttons.2", "kind": "copy_code", "example": "LEAF10"},
    ]
    assert [one["field"] for one in shown["reminder"]["parameters"]] == [
        "header.first_name",
        "body.day",
        "body.time",
    ]
    assert shown["reminder"]["parameters"][0]["example"] == "Ana"
    assert shown["spring_offer"]["header"] == {"format": "image"}
    assert shown["spring_offer"]["footer"] == "Reply STOP to hear no more"
    assert shown["spring_offer"]["buttons"][1] == {
        "type": "url",
        "text": "Shop",
        "url": "https://shop.example/o/{{1}}",
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"search": "ORDER way"}, ["hello"]),
        ({"search": "spring offer"}, ["spring_offer"]),
        ({"search": "nothing"}, []),
        ({"language": "pt"}, []),
        ({"language": "en-us"}, ["hello", "reminder", "spring_offer", "autumn"]),
        ({"language": "en"}, ["hello", "reminder", "spring_offer", "autumn"]),
    ],
)
async def test_the_list_is_searched_by_words_of_name_and_body_and_by_language(tab, query, names):
    assert [one["name"] for one in (await tab.get("/v1/templates", **query)).json()["items"]] == names


async def test_every_page_goes_on_where_the_last_one_ended(tab):
    names, after = [], None
    for _ in range(4):
        page = (await tab.get("/v1/templates", limit=1, **({"after": after} if after else {}))).json()
        names += [one["name"] for one in page["items"]]
        after = page["next"]
    assert (names, after) == (["hello", "reminder", "spring_offer", "autumn"], None)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"status": "REJECTED"}, "rejected"),
        ({"status": "SOMETHING_NEW"}, "SOMETHING_NEW"),
        ({"category": "AUTHENTICATION"}, "one-time codes"),
        ({"components": [{"type": "BODY", "text": "x"}, {"type": "CAROUSEL", "cards": []}]}, "carousel"),
        ({"components": [{"type": "HEADER", "format": "GIF"}, {"type": "BODY", "text": "x"}]}, "GIF"),
        (
            {"components": [{"type": "BODY", "text": "x"}, {"type": "BUTTONS", "buttons": [{"type": "FLOW"}]}]},
            "form",
        ),
        ({"components": [{"type": "BODY", "text": "x"}, {"type": "NOVELTY"}]}, "NOVELTY"),
    ],
)
async def test_what_cant_be_sent_is_listed_with_a_reason_and_refused_with_it(rig, fields, why):
    await rig.holds_templates(definition("odd", **fields))
    tab = await rig.chatting(ANA)
    [shown] = (await tab.get("/v1/templates")).json()["items"]
    assert (shown["sendable"], shown["parameters"]) == (False, [])
    assert why in shown["why"]
    answer = await tab.send(template("odd", body(text("x"))))
    assert (answer.status_code, answer.json()["code"]) == (422, "template_not_approved")
    assert answer.json()["detail"] == shown["why"]


async def test_a_grant_sees_the_templates_of_its_own_line_only(rig, tab):
    await rig.add_line("second", number="100000000000002", waba="999")
    assert (await tab.get("/v1/templates", line=LINE)).status_code == 200
    assert (await tab.get("/v1/templates", line="second")).json()["code"] == "forbidden"
    assert (await rig.call("GET", "/v1/templates?line=second")).json() == {"items": [], "next": None}
    assert (await rig.call("GET", "/v1/templates")).json()["code"] == "invalid"
    assert (await rig.call("GET", "/v1/templates?line=nobodys")).status_code == 404
    assert (await tab.post(f"/v1/templates/sync?line={LINE}", {})).status_code == 403


# Sending


async def test_a_template_is_sent_in_graphs_shape_and_shown_as_the_customer_reads_it(rig, tab):
    answer = await tab.send(await offer(tab))
    assert answer.status_code == 202, answer.text
    await rig.drain()
    [sent] = rig.whatsapp.messages
    assert sent["template"] == {
        "name": "spring_offer",
        "language": {"code": "en_US"},
        "components": [
            {"type": "header", "parameters": [{"type": "image", "image": {"id": "uploaded-1"}}]},
            body(text("Ana"), text("10 %")),
            button(1, "url", text("42")),
            button(2, "copy_code", {"type": "coupon_code", "coupon_code": "LEAF10"}),
        ],
    }
    shown = await tab.last()
    assert shown["template"] == {
        "name": "spring_offer",
        "language": "en_US",
        "category": "MARKETING",
        "header": {"type": "image"},
        "body": "Hello Ana, 10 % off everything green.",
        "footer": "Reply STOP to hear no more",
        "buttons": [
            {"type": "quick_reply", "text": "Tell me more"},
            {"type": "url", "text": "Shop", "url": "https://shop.example/o/42"},
            {"type": "copy_code", "text": "Copy", "code": "LEAF10"},
            {"type": "phone_number", "text": "Call", "phone_number": "+15550100001"},
        ],
    }
    assert shown["media"]["mime"] == "image/png"
    assert shown["status"] == "sent"


async def test_named_values_are_sent_by_name(rig, tab):
    parts = [
        header(text("Ana", parameter_name="first_name")),
        body(text("10:00", parameter_name="time"), text("Friday", parameter_name="day")),
    ]
    answer = await tab.send(template("reminder", *parts, language="en-US"))
    assert answer.status_code == 202, answer.text
    assert answer.json()["template"]["body"] == "Your appointment is on Friday at 10:00."
    assert answer.json()["template"]["header"] == {"type": "text", "text": "See you, Ana"}
    await rig.drain()
    assert rig.whatsapp.messages[0]["template"]["components"][1] == body(
        text("Friday", parameter_name="day"), text("10:00", parameter_name="time")
    )


async def test_a_template_passes_when_the_window_is_closed(rig, tab):
    rig.clock.forward(hours=30)
    assert (await tab.send(template("hello", body(text("Ana"), text("42"))))).status_code == 202
    assert (await tab.send({"type": "text", "text": {"body": "Hi"}})).json()["code"] == "window_closed"


@pytest.mark.parametrize(
    ("parts", "fields"),
    [
        ([], {"body.1", "body.2"}),
        ([body(text("Ana"))], {"body.2"}),
        ([body(text("Ana"), text(" "))], {"body.2"}),
        ([body(text("Ana"), text("1"), text("2"))], {"body.3"}),
        ([body(text("A\nna"), text("4\t2"))], {"body.1", "body.2"}),
        ([body(text("A     na"), text("42"))], {"body.1"}),
        ([body(text("A" * 1000), text("42"))], {"body"}),
        ([body(text("Ana"), {"type": "coupon_code", "coupon_code": "X"})], {"body.2"}),
        ([body(text("Ana"), text("42")), header(text("x"))], {"header.1"}),
        ([body(text("Ana"), text("42")), button(0, "url", text("x"))], {"buttons.0"}),
    ],
    ids=str,
)
async def test_each_wrong_value_is_named(rig, tab, parts, fields):
    assert set(errors(await tab.send(template("hello", *parts)))) == fields
    await rig.drain()
    assert rig.whatsapp.messages == []


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"header": None}, {"header"}),
        ({"header": header(text("x"))}, {"header"}),
        ({"link": None}, {"buttons.1"}),
        ({"link": button(1, "url", text("a b"))}, {"buttons.1"}),
        ({"link": button(1, "url", text("x" * 2000))}, {"buttons.1"}),
        ({"link": button(0, "url", text("x"))}, {"buttons.0", "buttons.1"}),
        ({"code": button(2, "copy_code", {"type": "coupon_code", "coupon_code": "X" * 21})}, {"buttons.2"}),
        ({"code": None, "body": None}, {"body.1", "body.2", "buttons.2"}),
    ],
    ids=str,
)
async def test_header_and_buttons_are_checked_too(tab, changed, fields):
    assert set(errors(await tab.send(await offer(tab, **changed)))) == fields


async def test_five_spaces_are_too_many_and_four_are_not(tab):
    assert (await tab.send(template("hello", body(text("A    na"), text("42"))))).status_code == 202


async def test_a_named_template_wants_its_own_names(tab):
    parts = [header(text("Ana")), body(text("Friday", parameter_name="day"), text("10", parameter_name="hour"))]
    assert set(errors(await tab.send(template("reminder", *parts)))) == {
        "header.1",
        "header.first_name",
        "body.hour",
        "body.time",
    }


async def test_a_header_takes_only_a_file_that_whatsapp_takes_there(tab):
    film = header({"type": "image", "image": {"id": await tab.upload(b"x" * 10, "video/mp4")}})
    answer = await tab.send(await offer(tab, header=film))
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["header"]


async def test_an_unknown_template_is_refused_and_asked_for(rig, tab):
    rig.whatsapp.templates.append(definition("brand_new", "Hi"))
    answer = await tab.send(template("brand_new"))
    assert (answer.status_code, answer.json()["code"]) == (422, "template_unknown")
    await rig.drain()
    assert (await tab.send(template("brand_new"))).status_code == 202


async def test_a_quick_replys_payload_goes_along(rig, tab):
    payload = button(0, "quick_reply", {"type": "payload", "payload": "more-please"})
    assert (await tab.send(await offer(tab, payload=payload))).status_code == 202
    await rig.drain()
    assert payload in rig.whatsapp.messages[0]["template"]["components"]


async def test_the_same_template_again_is_the_same_message(tab):
    message = template("hello", body(text("Ana"), text("42")))
    first = await tab.send(message, "client-1")
    again = await tab.send(message, "client-1")
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])


# Consent


async def test_who_opted_out_gets_no_marketing_and_everything_else(rig, tab):
    await rig.deliver(preference("stop", int(rig.clock().timestamp())))
    answer = await tab.send(await offer(tab))
    assert (answer.status_code, answer.json()["code"]) == (422, "opted_out")
    assert (await tab.send(template("hello", body(text("Ana"), text("42"))))).status_code == 202
    await rig.deliver(preference("resume", int((rig.clock() + timedelta(seconds=5)).timestamp())))
    assert (await tab.send(await offer(tab))).status_code == 202


async def test_after_stop_nothing_goes_out_by_itself_and_an_agent_may_still_answer(rig, tab):
    url = f"/v1/conversations/{tab.conversation}/messages"
    said = {"type": "text", "text": {"body": "Your daily news"}, "automatic": True}
    assert (await rig.call("POST", url, said | {"client_id": "client-1"})).status_code == 202
    await rig.deliver(inbound_text(ANA, "STOP"))
    answer = await rig.call("POST", url, said | {"client_id": "client-2"})
    assert (answer.status_code, answer.json()["code"]) == (422, "stopped")
    rig.clock.forward(hours=25)
    assert (await rig.call("POST", url, said | {"client_id": "client-2"})).json()["code"] == "stopped"
    await rig.met(ANA, "A question", at=rig.clock().timestamp())
    assert (await tab.send({"type": "text", "text": {"body": "Of course"}})).status_code == 202
    assert (await tab.send(await offer(tab))).json()["code"] == "opted_out"


async def test_a_server_says_who_speaks_and_a_browser_does_not(rig, tab):
    url = f"/v1/conversations/{tab.conversation}/messages"
    said = {"type": "text", "text": {"body": "Hi"}}
    author = {"kind": "system", "id": "bot-7", "name": "Greeter"}
    assert (await rig.call("POST", url, said | {"client_id": "client-1", "author": author})).json()["author"] == author
    for more in ({"author": author}, {"automatic": True}):
        answer = await tab.send(said | more)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_one_customers_stop_is_not_anothers(rig, tab):
    await rig.deliver(inbound_text(ANA, "STOP"))
    other = await rig.chatting(LUCIA)
    assert (await other.send(await offer(other))).status_code == 202
