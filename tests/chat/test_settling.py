"""What becomes of a message with an unknown end is an agent's decision, and nobody's twice."""

from datetime import datetime, timedelta

import httpx
import pytest

from tests.payloads import ANA, LUCIA, definition, status

LET_BE = {"as": "let_be"}


def again(client_id="client-again"):
    return {"as": "send_again", "client_id": client_id}


@pytest.fixture
async def tab(rig):
    return await rig.chatting(ANA)


async def settle(tab, message, body):
    return await tab.post(f"{tab.url}/messages/{message['id']}/settle", body)


async def unknown(rig, tab, body="Hi!"):
    """Send a message to which no answer comes."""
    rig.whatsapp.answers_next(httpx.ReadTimeout("lost"))
    message = await tab.say(body)
    await rig.drain()
    return await shown(tab, message)


async def shown(tab, message):
    return next(one for one in await tab.messages() if one["id"] == message["id"])


async def test_it_says_from_when_it_can_be_settled_and_not_before(rig, tab):
    message = await unknown(rig, tab)
    since = datetime.fromisoformat(message["settle"]["from"])
    assert timedelta(minutes=9) < since - rig.clock() < timedelta(minutes=10, seconds=1)
    for body in (LET_BE, again()):
        answer = await settle(tab, message, body)
        assert (answer.status_code, answer.json()["code"]) == (409, "too_early")
        assert answer.json()["since"] == message["settle"]["from"]


async def test_sent_again_is_a_new_message_that_names_the_old_one(rig, tab):
    message = await unknown(rig, tab)
    rig.clock.forward(minutes=10)
    answer = await settle(tab, message, again())
    assert answer.status_code == 202
    new = answer.json()
    assert (new["again_of"], new["text"], new["status"]) == (message["id"], message["text"], "queued")
    old = await shown(tab, message)
    assert (old["again"], old["settle"]) == (new["id"], None)
    assert old["settled"]["as"] == "sent_again"
    assert old["settled"]["by"] == {"id": "2", "name": "Marc"}
    await rig.drain()
    assert rig.whatsapp.texts == ["Hi!", "Hi!"]
    assert (await shown(tab, new))["status"] == "sent"


async def test_a_repeated_request_sends_once(rig, tab):
    message = await unknown(rig, tab)
    rig.clock.forward(minutes=10)
    first = await settle(tab, message, again())
    second = await settle(tab, message, again())
    assert (second.status_code, second.json()["id"]) == (200, first.json()["id"])
    await rig.drain()
    assert rig.whatsapp.texts == ["Hi!", "Hi!"]


async def test_of_two_agents_one_sends_again(rig, tab):
    message = await unknown(rig, tab)
    rig.clock.forward(minutes=10)
    await settle(tab, message, again("client-one"))
    answer = await settle(rig.tab(tab.conversation, sub="9", name="Jo"), message, again("client-two"))
    assert (answer.status_code, answer.json()["code"]) == (409, "settled_already")
    assert (await settle(tab, message, LET_BE)).json()["code"] == "settled_already"


async def test_let_be_leaves_it_as_it_is_and_again_is_harmless(rig, tab):
    message = await unknown(rig, tab)
    rig.clock.forward(minutes=10)
    for _ in range(2):
        answer = await settle(tab, message, LET_BE)
        assert answer.status_code == 200
        assert (answer.json()["settled"]["as"], answer.json()["settle"], answer.json()["again"]) == (
            "let_be",
            None,
            None,
        )
    await rig.drain()
    assert rig.whatsapp.texts == ["Hi!"]
    assert (await settle(tab, message, again())).json()["code"] == "settled_already"


async def test_when_its_status_came_meanwhile_there_is_nothing_to_settle(rig, tab):
    message = await unknown(rig, tab)
    contact = (await tab.head())["contact"]["id"]
    rig.clock.forward(minutes=10)
    await rig.deliver(status("delivered", "wamid.late", callback=f"leadline:line:{contact}:{message['client_id']}"))
    for body in (LET_BE, again()):
        assert (await settle(tab, message, body)).json()["code"] == "settled_already"
    assert (await shown(tab, message))["settle"] is None


async def test_a_failed_message_is_sent_again_at_once_with_the_same_file(rig, tab):
    image = await tab.upload(b"\xff\xd8\xff\xe0" + b"x" * 100, "image/jpeg")
    message = (await tab.send({"type": "image", "image": {"id": image, "caption": "Look"}})).json()
    rig.whatsapp.answers_next(httpx.Response(200, json={"id": "up-1"}))
    rig.whatsapp.refuses_next(131026)
    await rig.drain()
    failed = await shown(tab, message)
    assert (failed["status"], failed["error"]["decision"]) == ("failed", "recipient")
    assert (await settle(tab, message, LET_BE)).json()["code"] == "settled_already"
    new = (await settle(tab, message, again())).json()
    await rig.drain()
    assert rig.whatsapp.messages[-1]["image"]["caption"] == "Look"
    assert (await shown(tab, new))["status"] == "sent"


async def test_a_template_is_said_again_as_it_was(rig, tab):
    await rig.holds_templates(definition("hello"))
    parts = [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}]
    sent = {"type": "template", "template": {"name": "hello", "language": {"code": "en_US"}, "components": parts}}
    rig.whatsapp.answers_next(httpx.ReadTimeout("lost"))
    message = (await tab.send(sent)).json()
    await rig.drain()
    rig.clock.forward(hours=30)
    new = (await settle(tab, message, again())).json()
    assert new["template"] == message["template"]
    await rig.drain()
    assert rig.whatsapp.messages[0]["template"] == rig.whatsapp.messages[1]["template"]


async def test_what_could_not_be_sent_anew_is_not_sent_again(rig, tab):
    message = await unknown(rig, tab)
    rig.clock.forward(hours=30)
    assert (await settle(tab, message, again())).json()["code"] == "window_closed"
    assert (await settle(tab, message, LET_BE)).status_code == 200


async def test_only_ones_own_messages_are_settled(rig, tab):
    message = await unknown(rig, tab)
    rig.clock.forward(minutes=10)
    other = await rig.chatting(LUCIA)
    assert (await settle(other, message, LET_BE)).status_code == 404
    reader = rig.tab(tab.conversation, can=["read"])
    assert (await settle(reader, message, LET_BE)).status_code == 403
    received = (await tab.messages())[0]
    assert (await settle(tab, received, again("client-x"))).json()["code"] == "settled_already"
    assert (await settle(tab, message, {"as": "guess"})).status_code == 422
