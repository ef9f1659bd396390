"""What strangers and tests can do with customers, over HTTP."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from functions.local.simulator import Simulator
from tests.local.simulator.parties import ANA, LUCIA, NUMBER, OTHER_NUMBER, Business, Endpoint, Phone


async def test_three_customers_are_there_from_the_start(phone: Phone) -> None:
    customers = (await phone.http.get("/simulator/customers")).json()
    assert [(one["wa_id"], one["name"]) for one in customers] == [
        (ANA, "Ana Souza"),
        ("12025550123", "John Carter"),
        (LUCIA, "Lucía Gómez"),
    ]
    assert customers[2]["number"] == "+52 55 1234 5678"


async def test_a_customer_can_be_added_and_renamed(phone: Phone) -> None:
    body = {"name": "Maria Rossi", "wa_id": "+39 312 345 6789"}
    added = await phone.http.post("/simulator/customers", json=body)
    assert (added.status_code, added.json()["wa_id"]) == (201, "393123456789")
    again = await phone.http.post("/simulator/customers", json={**body, "name": "Maria Bianchi"})
    assert (again.status_code, again.json()["name"]) == (200, "Maria Bianchi")


@pytest.mark.parametrize(
    "body", [{}, {"name": "Maria"}, {"name": "", "wa_id": "393123456789"}, {"name": "M", "wa_id": "12"}]
)
async def test_a_customer_needs_a_name_and_a_number(phone: Phone, body: dict[str, Any]) -> None:
    answer = await phone.http.post("/simulator/customers", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_a_number_nobody_met_is_a_user_with_an_empty_phone(phone: Phone, endpoint: Endpoint) -> None:
    phone.wa_id = "447700900123"
    assert await phone.shows() == []
    await phone.write({"text": "hello", "name": "Jo"})
    assert endpoint.values[0]["contacts"][0]["profile"]["name"] == "Jo"
    assert endpoint.messages[0]["from"] == "447700900123"


async def test_the_phone_shows_both_sides_oldest_first(business: Business, phone: Phone) -> None:
    await phone.write({"text": "one"})
    await business.sent(text="two")
    await phone.write({"type": "text", "text": {"body": "three"}})
    shown = await phone.shows()
    assert [(one["direction"], one["from"], one["text"]["body"]) for one in shown] == [
        ("out", "customer", "one"),
        ("in", "business", "two"),
        ("out", "customer", "three"),
    ]
    assert [one["status"] for one in shown] == ["delivered", "delivered", "delivered"]
    assert all(one["at"].endswith("Z") and one["line"] == NUMBER for one in shown)


async def test_only_what_changed_is_shown_after_a_version(business: Business, phone: Phone) -> None:
    written = await phone.write({"text": "one"})
    version = max(one["version"] for one in await phone.shows())
    assert await phone.shows(after=version) == []
    await business.post({"messaging_product": "whatsapp", "status": "read", "message_id": written["id"]})
    assert [(one["id"], one["status"]) for one in await phone.shows(after=version)] == [(written["id"], "read")]


async def test_chats_with_two_lines_are_apart(phone: Phone, endpoint: Endpoint) -> None:
    await phone.write({"text": "one"})
    await phone.write({"text": "two", "line": OTHER_NUMBER})
    assert [one["text"]["body"] for one in await phone.shows(line=OTHER_NUMBER)] == ["two"]
    assert [value["metadata"]["phone_number_id"] for value in endpoint.values] == [NUMBER, OTHER_NUMBER]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "location", "location": {"latitude": 1.5, "longitude": 2, "name": "Shop"}},
        {"type": "contacts", "contacts": [{"name": {"formatted_name": "Jo"}}]},
        {"type": "order", "order": {"catalog_id": "1", "product_items": []}},
        {"type": "button", "button": {"payload": "Yes", "text": "Yes"}},
        {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "1", "title": "Yes"}}},
        {"type": "text", "text": {"body": "from an ad"}, "referral": {"source_type": "ad", "ctwa_clid": "Aff"}},
        {"type": "unsupported", "errors": [{"code": 131051}], "unsupported": {"type": "edit"}},
        {"type": "next_years_type", "next_years_type": {"x": [1, {"y": None}]}},
    ],
    ids=lambda message: message["type"],
)
async def test_any_inbound_type_can_be_sent_as_it_is(phone: Phone, endpoint: Endpoint, message: dict[str, Any]) -> None:
    await phone.write(message)
    sent = endpoint.messages[0]
    assert {key: sent[key] for key in message} == message


async def test_a_reply_names_the_author_it_quotes(business: Business, phone: Phone, endpoint: Endpoint) -> None:
    wamid = await business.sent(text="ten")
    await phone.write({"text": "too much", "context": {"id": wamid}})
    assert endpoint.messages[0]["context"] == {"from": "15550100001", "id": wamid}


async def test_a_system_event_comes_without_contacts(phone: Phone, endpoint: Endpoint) -> None:
    await phone.write({"type": "system", "system": {"type": "user_changed_number", "body": "changed"}})
    assert "contacts" not in endpoint.values[0]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"type":"image"}', b'{"text":"x","line":"7"}', b'{"text":"x","timestamp":"soon"}'],
)
async def test_what_cannot_be_written_is_answered_with_a_problem(phone: Phone, body: bytes) -> None:
    answer = await phone.http.post(f"/simulator/customers/{ANA}/messages", content=body)
    assert answer.status_code == 422
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (422, "unwritable")
    assert problem["detail"]


async def test_the_same_id_is_not_written_twice(phone: Phone) -> None:
    written = await phone.write({"text": "one"})
    answer = await phone.http.post(f"/simulator/customers/{ANA}/messages", json={"text": "two", "id": written["id"]})
    assert answer.status_code == 422


async def test_a_name_that_is_no_number_is_refused(phone: Phone) -> None:
    assert (await phone.http.get("/simulator/customers/ana/messages")).status_code == 422


async def test_unread_messages_are_counted_until_the_chat_is_read(business: Business, phone: Phone) -> None:
    async def unread() -> int:
        customers = (await phone.http.get("/simulator/customers")).json()
        return int(customers[0]["chats"][0]["unread"])

    await business.sent(text="one")
    await business.sent(text="two")
    assert await unread() == 2
    await phone.read(line=OTHER_NUMBER)
    assert await unread() == 2
    await phone.read(line=NUMBER)
    assert await unread() == 0


async def test_the_page_and_its_parts_are_served(phone: Phone) -> None:
    page = await phone.http.get("/simulator/")
    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for part in ("phone.js", "bubbles.js", "elements.js", "link.js", "phone.css", "icon.svg", "wallpaper.svg"):
        assert (await phone.http.get(f"/simulator/page/{part}")).status_code == 200
    assert (await phone.http.get("/simulator")).headers["location"] == "/simulator/"


async def test_a_part_that_the_page_lacks_is_not_found(phone: Phone) -> None:
    for name in ("nothing.js", "..%2Fapi.py"):
        assert (await phone.http.get(f"/simulator/page/{name}")).status_code == 404


async def test_another_sites_page_cannot_write(phone: Phone) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = await phone.http.post(f"/simulator/customers/{ANA}/messages", json={"text": "x"}, headers=headers)
    assert (answer.status_code, await phone.shows()) == (403, [])


async def test_the_lines_can_be_listed(phone: Phone) -> None:
    lines = (await phone.http.get("/simulator/lines")).json()
    assert lines[0] == {
        "phone_number_id": NUMBER,
        "number": "+1 555 010 0001",
        "name": "Green Leaf",
        "link": "https://wa.me/15550100001",
    }


async def test_open_pages_hear_who_has_news(simulator: Simulator) -> None:
    stream = simulator.changes.stream(heartbeat=5)
    news = asyncio.create_task(anext(stream))
    await asyncio.sleep(0)
    simulator.write(ANA, "hello")
    assert await asyncio.wait_for(news, 1) == ANA
    await simulator.stop()
    assert [one async for one in stream if one != ANA] == []


async def test_the_clock_can_be_moved_over_http(business: Business, phone: Phone) -> None:
    await business.sent(text="hello")
    await phone.http.post("/simulator/clock", json={"advance": 25 * 3600})
    assert (await business.send(text="late")).json()["error"]["code"] == 131047


async def test_everything_outlives_a_restart(build: Callable[..., Simulator]) -> None:
    first = build()
    await first.start()
    first.meet("393123456789", "Maria Rossi")
    written = first.write("393123456789", "ciao")
    await first.settled()
    await first.stop()
    second = build()
    transport = httpx.ASGITransport(second.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://simulator") as client:
        shown = (await client.get("/simulator/customers/393123456789/messages")).json()
        names = [one["name"] for one in (await client.get("/simulator/customers")).json()]
    assert [(one["id"], one["status"]) for one in shown] == [(written.id, "delivered")]
    assert names == ["Ana Souza", "John Carter", "Lucía Gómez", "Maria Rossi"]
