"""Webhooks are signed, shaped and delivered again as Meta's are."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest

from functions.core.signature import sign_meta
from functions.local.simulator import Simulator
from tests.local.simulator.parties import ANA, NUMBER, WABA, Business, Clock, Endpoint, Phone


def test_the_signature_is_metas() -> None:
    body, spaced = (
        '{"object":"whatsapp_business_account","entry":[]}',
        '{"object": "whatsapp_business_account", "entry": []}',
    )
    known = "sha256=dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"
    known_spaced = "sha256=56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a"
    assert sign_meta(body.encode(), "test_app_secret") == known
    assert sign_meta(spaced.encode(), "test_app_secret") == known_spaced


async def test_every_delivery_is_signed_over_its_raw_bytes(
    business: Business, phone: Phone, endpoint: Endpoint
) -> None:
    await phone.write({"text": "olá, 50/50 🌱"})
    await business.sent(text="tudo bem?")
    assert len(endpoint.bodies) == 3
    for body, headers in zip(endpoint.bodies, endpoint.headers, strict=True):
        mac = hmac.new(b"test_app_secret", body, hashlib.sha256).hexdigest()
        assert headers["x-hub-signature-256"] == f"sha256={mac}"
        assert headers["content-type"] == "application/json"


async def test_who_serialises_again_breaks_the_signature(phone: Phone, endpoint: Endpoint) -> None:
    await phone.write({"text": "olá, 50/50"})
    body = endpoint.bodies[0]
    assert b"ol\\u00e1, 50\\/50" in body
    assert json.dumps(json.loads(body), separators=(",", ":")).encode() != body


async def test_a_text_has_metas_envelope(phone: Phone, endpoint: Endpoint, clock: Clock) -> None:
    written = await phone.write({"text": "Do you have monstera?"})
    customer = (await phone.http.get("/simulator/customers")).json()[0]
    assert endpoint.posts == [
        {
            "object": "whatsapp_business_account",
            "entry": [
                {
                    "id": WABA,
                    "changes": [
                        {
                            "value": {
                                "messaging_product": "whatsapp",
                                "metadata": {"display_phone_number": "15550100001", "phone_number_id": NUMBER},
                                "contacts": [
                                    {"profile": {"name": "Ana Souza"}, "wa_id": ANA, "user_id": customer["bsuid"]}
                                ],
                                "messages": [
                                    {
                                        "from": ANA,
                                        "from_user_id": customer["bsuid"],
                                        "id": written["id"],
                                        "timestamp": str(int(clock.now)),
                                        "type": "text",
                                        "text": {"body": "Do you have monstera?"},
                                    }
                                ],
                            },
                            "field": "messages",
                        }
                    ],
                }
            ],
        }
    ]


async def test_statuses_follow_an_accepted_message_and_echo_its_callback(
    business: Business, phone: Phone, endpoint: Endpoint
) -> None:
    wamid = await business.sent(text="hello", biz_opaque_callback_data="leadline:42")
    assert endpoint.states(wamid) == ["sent", "delivered"]
    await phone.read()
    assert endpoint.states(wamid) == ["sent", "delivered", "read"]
    for status in endpoint.statuses:
        assert status["biz_opaque_callback_data"] == "leadline:42"
        assert status["recipient_id"] == ANA
        assert status["recipient_user_id"].startswith("BR.")
    free = {
        "billable": False,
        "pricing_model": "PMP",
        "type": "free_customer_service",
        "category": "service",
    }
    assert [status.get("pricing") for status in endpoint.statuses] == [free, free, None]
    assert all(value["contacts"][0]["profile"]["name"] == "Ana Souza" for value in endpoint.values)


async def test_reading_twice_reports_once(business: Business, phone: Phone, endpoint: Endpoint) -> None:
    wamid = await business.sent(text="hello")
    await phone.read()
    await phone.read()
    assert endpoint.states(wamid) == ["sent", "delivered", "read"]


async def test_a_phone_that_is_off_receives_when_it_is_on_again(
    business: Business, phone: Phone, endpoint: Endpoint
) -> None:
    await phone.switch(online=False)
    wamid = await business.sent(text="are you there?")
    assert endpoint.states(wamid) == ["sent"]
    assert await phone.shows() == []
    await phone.switch(online=True)
    assert endpoint.states(wamid) == ["sent", "delivered"]
    assert len(await phone.shows()) == 1


async def test_without_read_receipts_nothing_is_reported_as_read(
    business: Business, phone: Phone, endpoint: Endpoint
) -> None:
    await phone.switch(receipts=False)
    wamid = await business.sent(text="hello")
    await phone.read()
    assert endpoint.states(wamid) == ["sent", "delivered"]
    assert (await phone.shows())[0]["status"] == "read"


async def test_a_phone_can_read_by_itself(business: Business, phone: Phone, endpoint: Endpoint) -> None:
    await phone.switch(auto_read=True)
    wamid = await business.sent(text="hello")
    assert endpoint.states(wamid) == ["sent", "delivered", "read"]


async def test_a_voice_message_can_be_played(business: Business, phone: Phone, endpoint: Endpoint) -> None:
    media_id = (await business.upload(b"OggS", "audio/ogg; codecs=opus", "voice.ogg")).json()["id"]
    wamid = await business.sent(type="audio", audio={"id": media_id, "voice": True})
    await phone.read()
    await phone.read(state="played")
    assert endpoint.states(wamid) == ["sent", "delivered", "read", "played"]


async def test_anything_but_200_is_delivered_again_later_and_later(
    phone: Phone, endpoint: Endpoint, clock: Clock
) -> None:
    endpoint.answers = [500, 202, 404, 200]
    await phone.write({"text": "hello"})
    for pause in (1, 2, 4):
        before = len(endpoint.bodies)
        clock.now += pause - 0.5
        phone.simulator.webhooks.wake()
        await phone.simulator.settled()
        assert len(endpoint.bodies) == before
        clock.now += 0.5
        phone.simulator.webhooks.wake()
        await phone.simulator.settled()
        assert len(endpoint.bodies) == before + 1
    assert len(set(endpoint.bodies)) == 1
    state = (await phone.http.get("/simulator/webhooks")).json()[0]
    assert (state["state"], state["attempts"]) == ("delivered", 4)


async def test_a_customers_second_tick_comes_with_the_200(phone: Phone, endpoint: Endpoint, clock: Clock) -> None:
    endpoint.answers = [503]
    await phone.write({"text": "hello"})
    assert (await phone.shows())[0]["status"] == "sent"
    clock.now += 1
    phone.simulator.webhooks.wake()
    await phone.simulator.settled()
    assert (await phone.shows())[0]["status"] == "delivered"


async def test_after_7_days_a_webhook_is_given_up(phone: Phone, endpoint: Endpoint, clock: Clock) -> None:
    endpoint.answers = [500, 500]
    await phone.write({"text": "hello"})
    clock.now += 7 * 86400 + 1
    phone.simulator.webhooks.wake()
    await phone.simulator.settled()
    assert (await phone.http.get("/simulator/webhooks")).json()[0]["state"] == "dropped"


async def test_what_is_undelivered_outlives_a_restart(
    build: Callable[..., Simulator], endpoint: Endpoint, clock: Clock
) -> None:
    first = build()
    await first.start()
    endpoint.answers = [500]
    written = first.write(ANA, "hello")
    await first.settled()
    await first.stop()
    clock.now += 10
    second = build()
    await second.start()
    await second.settled()
    assert [message["id"] for message in endpoint.messages] == [written.id, written.id]
    assert [message.id for message in second.customers.messages(ANA)] == [written.id]


async def test_the_newest_webhook_can_be_delivered_again_at_once(phone: Phone, endpoint: Endpoint) -> None:
    first = await phone.write({"text": "one"})
    await phone.write({"text": "two"})
    answer = await phone.http.post("/simulator/webhook/redeliver", json={"times": 3})
    assert answer.json() == {"answers": [200, 200, 200]}
    assert [message["text"]["body"] for message in endpoint.messages] == ["one", "two", "two", "two", "two"]
    await phone.http.post("/simulator/webhook/redeliver", json={"times": 1, "containing": first["id"]})
    assert endpoint.messages[-1]["id"] == first["id"]
    nothing = await phone.http.post("/simulator/webhook/redeliver", json={"containing": "never said"})
    assert nothing.status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"entry": [{"id": WABA, "changes": [{"field": "flows", "value": {"x": "\ud800"}}]}]},
        {"entry": [{"changes": [{"value": {"messages": [1, {}]}}, 2]}, 3]},
        {"entry": 7},
        {},
    ],
)
async def test_any_body_can_be_signed_and_delivered(phone: Phone, endpoint: Endpoint, body: dict[str, Any]) -> None:
    assert (await phone.http.post("/simulator/webhooks", content=json.dumps(body))).status_code == 202
    await phone.simulator.settled()
    assert endpoint.posts == [body]


async def test_the_handshake_is_metas(simulator: Simulator, phone: Phone) -> None:
    assert await simulator.verify_webhook()
    assert (await phone.http.post("/simulator/webhook/verify")).json() == {"verified": True}


async def test_an_account_that_unsubscribed_gets_no_webhooks(
    business: Business, phone: Phone, endpoint: Endpoint
) -> None:
    path = f"/graph/v26.0/{WABA}/subscribed_apps"
    await business.http.delete(path)
    await phone.write({"text": "anybody?"})
    assert endpoint.bodies == []
    await business.http.post(path)
    await phone.write({"text": "hello"})
    assert [message["text"]["body"] for message in endpoint.messages] == ["hello"]


async def test_a_customer_without_a_number_is_named_by_bsuid_alone(
    business: Business, phone: Phone, endpoint: Endpoint
) -> None:
    await phone.switch(shares_phone=False, username="ana.souza")
    await phone.write({"text": "hello"})
    value = endpoint.values[0]
    assert "wa_id" not in value["contacts"][0]
    assert value["contacts"][0]["profile"]["username"] == "ana.souza"
    assert "from" not in value["messages"][0]
    bsuid = value["messages"][0]["from_user_id"]
    await business.post({"messaging_product": "whatsapp", "recipient": bsuid, "type": "text", "text": {"body": "hi"}})
    await phone.simulator.settled()
    assert all("recipient_id" not in status for status in endpoint.statuses)
    assert {status["recipient_user_id"] for status in endpoint.statuses} == {bsuid}


async def test_stopping_marketing_is_reported(phone: Phone, endpoint: Endpoint) -> None:
    await phone.switch(marketing=False)
    changes = [change for post in endpoint.posts for entry in post["entry"] for change in entry["changes"]]
    assert {change["field"] for change in changes} == {"user_preferences"}
    assert endpoint.values[0]["user_preferences"][0]["value"] == "stop"
