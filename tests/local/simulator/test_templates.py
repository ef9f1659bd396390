"""A template send must fit the definition that the account holds."""

from typing import Any

import pytest

from tests.local.simulator.parties import WABA, Business, Endpoint, Phone
from tests.local.simulator.test_media import PNG


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def component(kind: str, *parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": kind, **more, "parameters": list(parameters)}


def button(index: int, kind: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    return component("button", *parameters, sub_type=kind, index=index)


def template(name: str, *components: dict[str, Any], language: str = "en_US") -> dict[str, Any]:
    return {"name": name, "language": {"code": language}, "components": list(components)}


ORDER_BODY = component("body", text("Ana"), text("#42"))
NAMED_BODY = component("body", text("Friday", parameter_name="day"), text("10:00", parameter_name="time"))
NAMED_HEADER = component("header", text("Ana", parameter_name="first_name"))
PICTURE = {"type": "image", "image": {"link": "https://shop.example/leaf.jpg"}}
OFFER_BODY, CODE = component("body", text("Ana")), {"type": "coupon_code", "coupon_code": "LEAF10"}


async def test_a_filled_template_reads_on_the_phone_as_it_should(business: Business, phone: Phone) -> None:
    await business.sent(type="template", template=template("order_update", ORDER_BODY, button(0, "url", text("42"))))
    shown = (await phone.shows())[0]["shown"]
    assert shown["body"] == "Hi Ana, your order #42 has left our workshop. It should be with you soon."
    assert shown["buttons"] == [{"type": "URL", "text": "Track it", "url": "https://shop.example/orders/42"}]


async def test_named_variables_are_filled_by_name(business: Business, phone: Phone) -> None:
    await business.sent(type="template", template=template("appointment_reminder", NAMED_HEADER, NAMED_BODY))
    shown = (await phone.shows())[0]["shown"]
    assert shown["header"] == {"type": "text", "text": "See you soon, Ana"}
    assert shown["body"] == "Your appointment is on Friday at 10:00. Does that still suit you?"
    assert shown["buttons"][0]["payload"] == "Yes, see you"


async def test_a_media_header_takes_an_uploaded_picture(business: Business, phone: Phone) -> None:
    media_id = (await business.upload(PNG)).json()["id"]
    picture = {"type": "image", "image": {"id": media_id}}
    offer = template("spring_offer", component("header", picture), OFFER_BODY, button(0, "copy_code", CODE))
    await business.sent(type="template", template=offer)
    shown = (await phone.shows())[0]["shown"]
    assert shown["header"] == {"type": "image", "image": {"id": media_id}}
    assert shown["buttons"][0]["code"] == "LEAF10"


async def test_a_templates_answer_and_price_differ(business: Business, endpoint: Endpoint) -> None:
    answer = await business.send(type="template", template=template("hello_world"))
    assert answer.json()["messages"][0]["message_status"] == "accepted"
    await business.simulator.settled()
    assert endpoint.statuses[0]["pricing"] == {
        "billable": True,
        "pricing_model": "PMP",
        "type": "regular",
        "category": "utility",
    }


@pytest.mark.parametrize(
    ("code", "sent", "details"),
    [
        (132001, template("order_update", ORDER_BODY, language="de_DE"), "does not exist in de_DE"),
        (132015, template("autumn_offer", component("body", text("Ana"))), "paused"),
        (
            132000,
            template("order_update", component("body", text("Ana"))),
            "(1) does not match the expected number of params (2)",
        ),
        (132000, template("hello_world", component("body", text("Ana"))), "body"),
        (132000, template("hello_world", button(0, "url", text("1"))), "no button at index 0"),
        (131008, template("order_update", ORDER_BODY), "Button at index 0 of type Url requires a parameter"),
        (132012, template("order_update", ORDER_BODY, button(0, "quick_reply", text("1"))), "of type URL"),
        (132012, template("order_update", component("body", text("Ana"), PICTURE)), "expected TEXT, received IMAGE"),
        (132018, template("order_update", component("body", text("Ana\nSouza"), text("1"))), "new-line"),
        (132018, template("order_update", component("body", text("Ana     Souza"), text("1"))), "4 consecutive spaces"),
        (132005, template("order_update", component("body", text("A" * 1000), text("1"))), "at most 1024"),
        (131008, template("order_update", component("body", text(""), text("1"))), "missing text value"),
        (131009, template("order_update", component("body", {"type": "text"})), "missing text value"),
        (
            100,
            template("appointment_reminder", NAMED_HEADER, component("body", text("a"), text("b"))),
            "Parameter name",
        ),
        (
            132012,
            template(
                "appointment_reminder",
                NAMED_HEADER,
                component("body", text("a", parameter_name="day"), text("b", parameter_name="hour")),
            ),
            "day, time",
        ),
        (132012, template("spring_offer", OFFER_BODY), "expected IMAGE, received UNKNOWN"),
        (132012, template("spring_offer", component("header", text("x")), OFFER_BODY), "expected IMAGE, received TEXT"),
        (131008, template("spring_offer", component("header", PICTURE), OFFER_BODY), "CopyCode requires a parameter"),
    ],
)
async def test_a_send_that_misfits_is_refused(
    business: Business, phone: Phone, code: int, sent: dict[str, Any], details: str
) -> None:
    answer = await business.send(type="template", template=sent)
    error = answer.json()["error"]
    assert error["code"] == code
    assert details in error["error_data"]["details"]
    assert answer.status_code == (404 if code == 132001 else 400)
    assert await phone.shows() == []


async def test_definitions_are_listed_in_pages(business: Business) -> None:
    path = f"/graph/v26.0/{WABA}/message_templates"
    whole = (await business.http.get(path)).json()
    assert len(whole["data"]) == 6
    assert "next" not in whole["paging"]
    seen: list[dict[str, Any]] = []
    url = f"{path}?limit=4&fields=name,status,language"
    while url:
        page = (await business.http.get(url)).json()
        seen += page["data"]
        url = page["paging"].get("next", "")
    assert [one["name"] for one in seen] == [one["name"] for one in whole["data"]]
    assert set(seen[0]) == {"name", "status", "language", "id"}
    paused = (await business.http.get(path, params={"status": "PAUSED"})).json()["data"]
    assert [one["name"] for one in paused] == ["autumn_offer"]


async def test_a_cursor_that_makes_no_sense_is_refused(business: Business) -> None:
    answer = await business.http.get(f"/graph/v26.0/{WABA}/message_templates?after=xyz")
    assert answer.json()["error"]["code"] == 131059


async def test_a_new_definition_waits_for_review_and_its_approval_is_reported(
    business: Business, phone: Phone, endpoint: Endpoint
) -> None:
    definition = {
        "name": "greeting",
        "language": "en_US",
        "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Good day"}],
    }
    made = (await business.http.post(f"/graph/v26.0/{WABA}/message_templates", json=definition)).json()
    assert made["status"] == "PENDING"
    refused = await business.send(type="template", template=template("greeting"))
    assert refused.json()["error"]["code"] == 132001
    await phone.http.post("/simulator/templates", json=definition)
    await phone.simulator.settled()
    value = endpoint.values[0]
    assert (value["event"], value["message_template_name"]) == ("APPROVED", "greeting")
    assert value["message_template_id"] == int(made["id"])
    assert (await business.http.get(f"/graph/v26.0/{made['id']}?fields=status")).json()["status"] == "APPROVED"
    await business.sent(type="template", template=template("greeting"))
    await business.http.delete(f"/graph/v26.0/{WABA}/message_templates?name=greeting")
    gone = await business.send(type="template", template=template("greeting"))
    assert gone.json()["error"]["code"] == 132001
