"""Chats of the past stand in the conversation, in their place, and make no noise."""

import json

import pytest

from tests.payloads import (
    ANA,
    LUCIA,
    Customer,
    echo_text,
    error,
    history,
    inbound_text,
    message,
    past_item,
    reaction,
    status,
    told,
    value,
    webhook,
)

AT = 1_780_000_000


async def heads(rig):
    return (await rig.call("GET", "/v1/conversations?limit=50")).json()["items"]


async def only(rig):
    [found] = await heads(rig)
    return rig.tab(found["id"])


async def hand_over(rig, *values):
    await rig.deliver(*values)
    await rig.drain()


def chat():
    return history(
        (
            ANA,
            [
                told(ANA, "Do you deliver?", wamid="wamid.past.1", at=AT),
                told(ANA, "We do", by="phone", wamid="wamid.past.2", at=AT + 1),
                told(ANA, "Great", wamid="wamid.past.3", at=AT + 2),
            ],
        )
    )


async def test_both_sides_stand_in_their_place_by_time(rig):
    tab = await rig.chatting(ANA)
    await hand_over(rig, chat())
    said = await tab.messages()
    assert [item["text"]["body"] for item in said] == ["Do you deliver?", "We do", "Great", "Hello"]
    assert [(item["direction"], item["status"], item["history"]) for item in said] == [
        ("in", "received", True),
        ("out", "read", True),
        ("in", "received", True),
        ("in", "received", False),
    ]
    assert said[1]["author"]["kind"] == "phone"
    assert set(said[1]["statuses"]) == {"sent"}


async def test_the_past_opens_no_window_is_not_unread_and_alerts_nobody(rig):
    at = rig.clock().timestamp() - 60
    await hand_over(rig, history((ANA, [told(ANA, "An hour ago", at=at)])))
    head = await (await only(rig)).head()
    assert (head["unread"], head["received"], head["window"]) == (0, 0, {"open": False, "until": None})
    [event] = rig.crm.events
    assert (event["type"], event["message"], event["conversation"]["contact"]["wa_id"]) == (
        "conversation.updated",
        None,
        ANA.wa_id,
    )


async def test_accepting_it_is_one_commit_and_no_work(rig):
    await rig.deliver(inbound_text(ANA))
    rig.store.calls.clear()
    await rig.deliver(history(*((who, [told(who, str(n)) for n in range(400)]) for who in (ANA, LUCIA))))
    assert rig.store.calls == {"commit": 1}
    [task] = rig.tasks.of_kind("import")
    assert (task.queue, task.function) == ("history", "sync")


async def test_it_is_worked_off_in_steps(rig):
    items = [told(ANA, str(n), at=AT + n, by="phone" if n % 2 else "customer") for n in range(1000)]
    await rig.deliver(history((ANA, items)))
    steps = 0
    while due := rig.tasks.of_kind("import"):
        rig.tasks.waiting.remove(due[0])
        assert (await rig.run(due[0])).status_code == 200
        steps += 1
    assert steps == 3
    assert sorted(one["at"] for one in rig.documents("messages")) == [AT + n for n in range(1000)]


@pytest.mark.parametrize("call", ["get", "commit", "query"])
async def test_a_step_that_fails_is_done_again(rig, call):
    await rig.deliver(chat())
    [task] = rig.tasks.of_kind("import")
    rig.store.fails_next(call)
    assert (await rig.run(task)).status_code == 503
    await rig.drain()
    assert len(await (await only(rig)).messages()) == 3


async def test_delivered_again_it_changes_nothing(rig):
    for _ in range(3):
        await hand_over(rig, chat())
        rig.clock.forward(hours=2)
        rig.start()
    assert len(rig.documents("messages")) == 3
    assert len(rig.crm.events) == 1
    assert [set(one) & {"body", "pending"} for one in rig.documents("imports")] == [set()]


async def test_the_same_words_in_another_chunk_are_still_one_message(rig):
    await hand_over(rig, chat(), history((ANA, [told(ANA, "Great", wamid="wamid.past.3", at=AT + 2)])))
    assert len(await (await only(rig)).messages()) == 3


@pytest.mark.parametrize("live_first", [True, False])
async def test_a_message_that_also_came_live_is_one_and_counts_as_live(rig, live_first):
    at = int(rig.clock().timestamp()) - 60
    live = inbound_text(ANA, "Hello", wamid="wamid.past.1", at=at)
    past = history((ANA, [told(ANA, "Hello", wamid="wamid.past.1", at=at)]))
    for posted in (live, past, live, past) if live_first else (past, live, past, live):
        await hand_over(rig, posted)
    tab = await only(rig)
    head = await tab.head()
    [said] = await tab.messages()
    assert (head["received"], head["unread"], head["window"]["open"], said["history"]) == (1, 1, True, False)
    assert said["author"]["name"] == "Ana"
    assert len(rig.crm.of_type("message.received")) == 1


@pytest.mark.parametrize("live_first", [True, False])
async def test_an_echo_that_the_history_tells_too_is_one(rig, live_first):
    past = history((ANA, [told(ANA, "From the phone", by="phone", wamid="wamid.past.1", at=AT)]))
    posts = [echo_text(ANA, wamid="wamid.past.1", at=AT), past]
    for posted in posts if live_first else reversed(posts):
        await hand_over(rig, posted)
    [said] = await (await only(rig)).messages()
    assert (said["status"], said["history"]) == ("read", False)


async def test_what_was_sent_through_us_is_not_told_again(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi!")
    await rig.drain()
    await hand_over(rig, history((ANA, [told(ANA, "Hi!", by="phone", wamid="wamid.out.1", status="DELIVERED")])))
    [_, said] = await tab.messages()
    assert (said["author"]["kind"], said["status"]) == ("agent", "delivered")


@pytest.mark.parametrize("picture_first", [True, False])
async def test_a_picture_that_comes_later_takes_the_place_that_was_kept_for_it(rig, picture_first):
    rig.whatsapp.files["media-1"] = b"picture"
    place = history((ANA, [past_item(ANA, "media_placeholder", None, by="phone", wamid="wamid.p", at=AT)]))
    image = {"id": "media-1", "mime_type": "image/jpeg", "caption": "Blue"}
    picture = value(messages=[message(ANA, "image", image, wamid="wamid.p", at=AT)])
    for posted in (picture, place) if picture_first else (place, picture):
        body = webhook(posted, field="history")
        assert (await rig.post_body(body)).status_code == 200
        await rig.drain()
    [said] = await (await only(rig)).messages()
    assert (said["type"], said["image"], said["media"]["state"]) == ("image", {"caption": "Blue"}, "stored")
    assert said["history"]


async def test_a_place_without_its_picture_says_so(rig):
    await hand_over(rig, history((ANA, [past_item(ANA, "media_placeholder", None, at=AT)])))
    [said] = await (await only(rig)).messages()
    assert said["unsupported"]["type"] == "media_placeholder"


async def test_statuses_and_reactions_that_came_before_the_past_are_applied(rig):
    await rig.deliver(status("played", "wamid.past.2", at=AT + 9), reaction(ANA, "wamid.past.2", "👍", at=AT + 8))
    await hand_over(rig, chat())
    [_, said, _] = await (await only(rig)).messages()
    assert (said["status"], [one["emoji"] for one in said["reactions"]]) == ("played", ["👍"])
    assert rig.documents("orphan_statuses") == []
    assert not any({"stranger", "contact"} & one.keys() for one in rig.documents("messages"))


async def test_what_came_before_the_past_is_applied_though_who_stored_it_died(rig):
    await rig.deliver(status("played", "wamid.past.2", at=AT + 9), reaction(ANA, "wamid.past.2", "👍", at=AT + 8))
    await rig.deliver(chat())
    [task] = rig.tasks.of_kind("import")
    rig.store.loses_next_answer("commit")
    assert (await rig.run(task)).status_code == 503
    await rig.drain()
    [_, said, _] = await (await only(rig)).messages()
    assert (said["status"], [one["emoji"] for one in said["reactions"]]) == ("played", ["👍"])


async def test_a_reaction_of_the_past_stands_on_its_message_and_alerts_nobody(rig):
    thumb = past_item(ANA, "reaction", {"message_id": "wamid.past.2", "emoji": "👍"}, at=AT + 5)
    await hand_over(rig, history((ANA, [thumb])), chat())
    await hand_over(rig, history((ANA, [told(ANA, "Later", at=AT + 6), thumb])))
    said = await (await only(rig)).messages()
    assert [one["emoji"] for one in said[1]["reactions"]] == ["👍"]
    assert [told["message"].get("what") for told in rig.crm.of_type("message.changed")] == [None]


async def test_one_that_can_not_be_stored_costs_nothing_but_itself(rig):
    items = [told(ANA, "one", at=AT), told(ANA, "\ud800", at=AT + 1), {"type": "text"}, told(ANA, "two", at=AT + 2)]
    await hand_over(rig, history((ANA, items)))
    assert [item["text"]["body"] for item in await (await only(rig)).messages()] == ["one", "two"]
    assert sorted(one["reason"] for one in rig.documents("parked")) == [
        "history item unreadable (KeyError)",
        "no store takes it",
    ]


async def test_half_an_emoji_in_a_reaction_of_the_past_costs_nothing_but_itself(rig):
    half = past_item(ANA, "reaction", {"message_id": "wamid.past.1", "emoji": "\ud83d"}, at=AT + 1)
    await hand_over(
        rig, history((ANA, [told(ANA, "one", wamid="wamid.past.1", at=AT), half]), (LUCIA, [told(LUCIA, "two")]))
    )
    assert len(await heads(rig)) == 2
    assert [one["reason"] for one in rig.documents("parked")] == ["no store takes it"]


async def test_who_hides_the_number_is_known_by_the_user_id(rig):
    tab = await rig.chatting(ANA)
    await hand_over(rig, history((Customer(None, ANA.bsuid), [told(Customer(None, ANA.bsuid), "Before", at=AT)])))
    assert [item["text"]["body"] for item in await tab.messages()] == ["Before", "Hello"]


async def test_a_business_that_keeps_its_chats_to_itself_is_a_fact_of_the_line(rig):
    declined = value(history=[{"errors": [error(2593109, "History sync is turned off")]}])
    await rig.deliver(declined)
    [kept] = rig.documents("line_facts")
    assert (kept["fact"], kept["value"], kept["line"]) == ("history", "2593109", "line")
    assert rig.tasks.of_kind("import") == rig.documents("parked") == []


async def test_live_messages_do_not_wait_for_the_past(rig):
    await rig.deliver(history((ANA, [told(ANA, str(n), at=AT + n) for n in range(300)])))
    await rig.deliver(inbound_text(ANA, "Now"))
    [task] = [task for task in rig.tasks.waiting if task.payload["kind"] == "events"]
    await rig.run(task)
    assert len(rig.crm.of_type("message.received")) == 1


async def test_the_raw_item_stays_with_its_message(rig):
    await hand_over(rig, chat())
    assert {json.loads(one["raw"])["history_context"]["status"] for one in rig.documents("messages")} == {"READ"}
