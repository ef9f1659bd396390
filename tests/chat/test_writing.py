import asyncio
from datetime import datetime, timedelta

import pytest

from functions.core.store import Key, delete
from tests.payloads import ANA, LUCIA, inbound_text, status

TEXT = {"type": "text", "text": {"body": "Hi!"}}


@pytest.fixture
async def tab(rig):
    return await rig.chatting(ANA)


async def test_a_message_is_accepted_and_queued(rig, tab):
    answer = await tab.send(TEXT, "client-1")
    assert answer.status_code == 202
    message = answer.json()
    assert (message["status"], message["direction"], message["client_id"]) == ("queued", "out", "client-1")
    assert message["author"] == {"kind": "agent", "id": "2", "name": "Marc"}
    assert message["text"]["body"] == "Hi!"
    assert await tab.last() == message


async def test_colleagues_see_which_agent_wrote(rig, tab):
    await rig.tab(tab.conversation, sub="9", name="Jo").say("Hi!")
    assert (await tab.last())["author"] == {"kind": "agent", "id": "9", "name": "Jo"}


async def test_the_same_client_id_with_the_same_body_is_the_same_message(rig, tab):
    first = (await tab.send(TEXT, "client-1")).json()
    again = await tab.send({"text": {"body": "Hi!"}, "type": "text"}, "client-1")
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    await rig.drain()
    assert rig.whatsapp.texts == ["Hi!"]
    assert (await tab.send(TEXT, "client-1")).json()["status"] == "sent"


async def test_the_same_request_many_times_at_once_is_one_message(rig, tab):
    answers = await asyncio.gather(*(tab.send(TEXT, "client-1") for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [202]
    assert len({answer.json()["id"] for answer in answers}) == 1
    await rig.drain()
    assert rig.whatsapp.texts == ["Hi!"]


async def test_the_same_client_id_with_another_body_is_refused(rig, tab):
    await tab.send(TEXT, "client-1")
    for other in ({"type": "text", "text": {"body": "Ho!"}}, TEXT | {"context": {"message_id": "x"}}):
        answer = await tab.send(other, "client-1")
        assert (answer.status_code, answer.json()["code"]) == (409, "client_id_reused")
    assert (await tab.note("Hi!", "client-1")).json()["code"] == "client_id_reused"
    await rig.drain()
    assert rig.whatsapp.texts == ["Hi!"]


async def test_a_client_id_is_unique_in_its_conversation_only(rig, tab):
    other = await rig.chatting(LUCIA)
    assert (await tab.send(TEXT, "client-1")).json()["id"] != (await other.send(TEXT, "client-1")).json()["id"]


async def test_a_repeated_request_queues_what_was_never_queued(rig, tab):
    rig.tasks.out_of_reach = True
    assert (await tab.send(TEXT, "client-1")).status_code == 503
    rig.tasks.out_of_reach = False
    assert (await tab.send(TEXT, "client-1")).status_code == 200
    await rig.drain()
    assert rig.whatsapp.texts == ["Hi!"]


async def test_a_repeated_request_is_answered_though_the_window_closed_meanwhile(rig, tab):
    await tab.send(TEXT, "client-1")
    rig.clock.forward(hours=25)
    assert (await tab.send(TEXT, "client-1")).status_code == 200


async def test_when_the_window_is_closed_free_text_is_refused_with_the_time(rig, tab):
    until = datetime.fromisoformat((await tab.head())["window"]["until"])
    rig.clock.forward(hours=24, minutes=1)
    answer = await tab.send(TEXT)
    assert (answer.status_code, answer.json()["code"]) == (422, "window_closed")
    assert f"{until:%Y-%m-%d %H:%M} UTC" in answer.json()["detail"]
    assert datetime.fromisoformat(answer.json()["until"]) == until
    assert (await tab.head())["window"] == {"open": False, "until": until.isoformat()}
    await rig.drain()
    assert rig.whatsapp.messages == []


async def test_the_window_opens_again_with_the_next_message(rig, tab):
    rig.clock.forward(hours=30)
    await rig.met(ANA, at=rig.clock().timestamp())
    assert (await tab.send(TEXT)).status_code == 202


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": "text"},
        {"type": "text", "text": {}},
        {"type": "text", "text": {"body": ""}},
        {"type": "text", "text": {"body": " \n "}},
        {"type": "text", "text": {"body": "x" * 4097}},
        {"type": "text", "text": {"body": 5}},
        {"type": "text", "text": {"body": "Hi", "odd": 1}},
        {"type": "text", "text": {"body": "Hi"}, "to": "+15550100002"},
        {"type": "text", "text": {"body": "Hi"}, "biz_opaque_callback_data": "x"},
        {"type": "image", "image": {"link": "https://evil.test/a.png"}},
        {"type": "image", "image": {"id": "x", "caption": "x" * 1025}},
        {"type": "hologram", "hologram": {}},
        {"type": "location", "location": {"latitude": 91, "longitude": 0}},
        {"type": "text", "image": {"id": "x"}},
        {"type": "text", "text": {"body": "Hi"}, "context": {"message_id": "../x"}},
    ],
    ids=str,
)
async def test_what_whatsapp_would_not_take_is_refused_before_it_is_queued(rig, tab, message):
    answer = await tab.send(message)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    await rig.drain()
    assert rig.whatsapp.messages == []


@pytest.mark.parametrize("client_id", ["", "short", "x" * 65, "with space", "é" * 10, None, 12345678])
async def test_a_client_id_has_a_form(tab, client_id):
    answer = await tab.post(f"{tab.url}/messages", TEXT | {"client_id": client_id})
    assert answer.status_code == 422


async def test_the_longest_text_and_emoji_are_sent_whole(rig, tab):
    for body in ("x" * 4096, "👋🏽" * 100):
        await tab.say(body)
    await rig.drain()
    assert rig.whatsapp.texts == ["x" * 4096, "👋🏽" * 100]


async def test_a_text_that_is_not_unicode_is_refused(rig, tab):
    body = b'{"client_id":"client-1","type":"text","text":{"body":"\\ud800"}}'
    headers = {"Authorization": f"Bearer {rig.grant(tab.conversation)}", "Content-Type": "application/json"}
    answer = await rig.chat.post(f"{tab.url}/messages", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_a_location_is_sent(rig, tab):
    place = {"latitude": 52.52, "longitude": 13.405, "name": "Shop"}
    await tab.send({"type": "location", "location": place})
    await rig.drain()
    assert rig.whatsapp.messages[0]["location"] == place


async def test_a_sent_message_tells_the_crm_without_its_words(rig, tab):
    message = await tab.say("a secret")
    await rig.drain()
    [event] = rig.crm.of_type("message.sent")
    assert event["message"]["id"] == message["id"]
    assert event["message"]["author"]["name"] == "Marc"
    assert event["conversation"]["last_out"] is not None
    assert "a secret" not in str(rig.crm.events)


async def test_a_note_is_for_colleagues_and_never_reaches_the_customer(rig, tab):
    answer = await tab.note("difficult customer")
    assert answer.status_code == 201
    note = answer.json()
    assert (note["type"], note["status"], note["note"]) == ("note", None, {"body": "difficult customer"})
    await rig.drain()
    rig.clock.forward(minutes=2)
    await rig.sweep()
    assert rig.whatsapp.messages == []
    assert (await tab.last())["id"] == note["id"]


async def test_a_note_may_be_left_after_the_window(rig, tab):
    rig.clock.forward(days=3)
    assert (await tab.note("later")).status_code == 201


async def test_a_repeated_note_is_one_note(rig, tab):
    first = await tab.note("once")
    again = await tab.note("once")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert len(await tab.messages()) == 2


async def test_a_note_is_not_what_a_status_can_touch(rig, tab):
    note = (await tab.note("once", "client-note")).json()
    contact = (await tab.head())["contact"]["id"]
    await rig.deliver(status("read", "wamid.x", callback=f"leadline:line:{contact}:client-note"))
    assert (await tab.last())["status"] is None
    assert (await tab.last())["id"] == note["id"]


async def test_reading_brings_unread_to_nothing(rig, tab):
    await rig.met(ANA, "and")
    assert (await tab.head())["unread"] == 2
    answer = await tab.read((await tab.last())["id"])
    assert (answer.status_code, answer.json()) == (200, {"read": 2, "unread": 0})
    assert (await tab.head())["unread"] == 0


async def test_reading_up_to_a_message_leaves_the_later_ones_unread(rig, tab):
    shown = (await tab.last())["id"]
    for n in range(3):
        rig.clock.forward(seconds=1)
        await rig.met(ANA, str(n), at=rig.clock().timestamp())
    assert (await tab.read(shown)).json() == {"read": 1, "unread": 3}


async def test_reading_never_goes_back(rig, tab):
    first = (await tab.last())["id"]
    rig.clock.forward(seconds=1)
    await rig.met(ANA, "and", at=rig.clock().timestamp())
    await tab.read((await tab.last())["id"])
    assert (await tab.read(first)).json() == {"read": 2, "unread": 0}


async def test_reading_counts_what_the_customer_wrote_only(rig, tab):
    await tab.say("Hi!")
    await tab.note("note")
    assert (await tab.read((await tab.last())["id"])).json() == {"read": 1, "unread": 0}
    assert (await tab.head())["read"] == 1


async def test_reading_tells_the_crm_once(rig, tab):
    for _ in range(2):
        await tab.read((await tab.last())["id"])
        await rig.drain()
    [event] = rig.crm.of_type("conversation.updated")
    assert (event["conversation"]["read"], event["message"]) == (1, None)
    assert len(rig.whatsapp.read_marks) == 1


async def test_reading_up_to_a_message_of_another_conversation_is_not_found(rig, tab):
    other = await rig.chatting(LUCIA)
    for message in ((await other.last())["id"], "nothing"):
        answer = await tab.read(message)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_the_time_of_the_last_answer_is_ours(rig, tab):
    await tab.say("Hi!")
    await rig.drain()
    last_out = datetime.fromisoformat(rig.crm.of_type("message.sent")[-1]["conversation"]["last_out"])
    assert abs(last_out - rig.clock()) < timedelta(seconds=5)


async def test_reading_what_was_read_long_ago_looks_at_nothing_behind_it(rig, tab):
    await rig.deliver(*(inbound_text(ANA, str(n)) for n in range(60)))
    [first, *_], last = await tab.messages(), (await tab.last())["id"]
    assert (await tab.read(last)).json()["unread"] == 0
    before = rig.store.calls["query"]
    assert (await tab.read(first["id"])).json()["unread"] == 0
    assert rig.store.calls["query"] == before


async def test_reading_what_is_erased_at_this_moment_finds_nothing(rig, tab, monkeypatch):
    last, commit = (await tab.last())["id"], rig.store.commit

    async def erased_before(writes):
        await commit([delete(Key("conversations", tab.conversation))])
        await commit(writes)

    monkeypatch.setattr(rig.store, "commit", erased_before)
    answer = await tab.read(last)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
