"""How satisfied a customer was reaches the CRM as a fact, without the words on the button."""

import json

import pytest

from tests.payloads import ANA, inbound

BUTTON = "leadline.satisfaction.42.5"


@pytest.mark.parametrize(
    ("type_", "content"),
    [
        ("interactive", {"type": "button_reply", "button_reply": {"id": BUTTON, "title": "Splendid"}}),
        ("interactive", {"type": "list_reply", "list_reply": {"id": BUTTON, "title": "Splendid"}}),
        ("button", {"payload": BUTTON, "text": "Splendid"}),
    ],
)
async def test_a_pressed_button_tells_session_and_rating(rig, type_, content):
    await rig.deliver(inbound(ANA, type_, content))
    await rig.drain()
    [event] = rig.crm.of_type("message.received")
    assert event["message"]["satisfaction"] == {"session": 42, "rating": 5}
    assert "Splendid" not in json.dumps(event)


@pytest.mark.parametrize(
    ("type_", "content"),
    [
        ("text", {"body": BUTTON}),
        ("interactive", {"type": "button_reply", "button_reply": {"id": "leadline.satisfaction.42.6", "title": "?"}}),
        ("interactive", {"type": "button_reply", "button_reply": {"id": f"{BUTTON}.1", "title": "?"}}),
        ("interactive", {"type": "button_reply", "button_reply": {"id": 7, "title": "?"}}),
        ("button", {"payload": None, "text": "Yes"}),
    ],
)
async def test_nothing_else_that_a_customer_says_is_such_an_answer(rig, type_, content):
    await rig.deliver(inbound(ANA, type_, content))
    await rig.drain()
    [event] = rig.crm.of_type("message.received")
    assert "satisfaction" not in event["message"]


async def test_the_crm_is_told_when_somebody_answered_and_whether_anybody_did(rig):
    tab = await rig.chatting(ANA)
    said = await tab.say("Hello Ana")
    await rig.drain()
    told = rig.crm.of_type("message.sent")[-1]["message"]
    assert (told["at"], told["author"]["kind"], told["automatic"]) == (said["at"], "agent", False)
