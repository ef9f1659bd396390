"""What the business writes from its phone stands in the same chat."""

import itertools

import pytest

from tests.payloads import ANA, MIA, echo, echo_text, inbound_text, status, value

AT = 1_780_000_000


async def chat(rig):
    [conversation] = (await rig.call("GET", "/v1/conversations")).json()["items"]
    return rig.tab(conversation["id"])


@pytest.mark.parametrize("customer", [ANA, MIA])
async def test_the_phones_words_stand_beside_the_customers(rig, customer):
    tab = await rig.chatting(customer)
    await rig.deliver(echo_text(customer, "We are open"))
    said = await tab.last()
    assert (said["text"], said["direction"], said["status"]) == ({"body": "We are open"}, "out", "sent")
    assert (said["author"]["kind"], said["author"]["name"]) == ("phone", None)


async def test_the_phones_words_open_no_window_and_are_not_unread(rig):
    await rig.deliver(echo_text(ANA))
    await rig.drain()
    head = await (await chat(rig)).head()
    assert (head["unread"], head["window"]["open"]) == (0, False)
    [told] = rig.crm.of_type("message.sent")
    assert (told["message"]["author"]["kind"], told["conversation"]["last_out"] is not None) == ("phone", True)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_the_ticks_of_the_phones_words_come_in_any_order_even_before_them(rig, order):
    deliveries = [
        echo_text(ANA, wamid="wamid.1", at=AT),
        status("delivered", "wamid.1", at=AT + 1),
        status("read", "wamid.1", at=AT + 2),
    ]
    for place in (*order, *order):
        await rig.deliver(deliveries[place])
    [said] = await (await chat(rig)).messages()
    assert (said["status"], set(said["statuses"])) == ("read", {"sent", "delivered", "read"})
    assert rig.documents("orphan_statuses") == []


async def test_in_one_post_the_ticks_find_the_words_they_come_with(rig):
    await rig.deliver(status("read", "wamid.1"), echo_text(ANA, wamid="wamid.1"))
    assert (await (await chat(rig)).last())["status"] == "read"


async def test_an_echo_of_what_an_agent_wrote_is_not_said_twice(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi!")
    await rig.drain()
    await rig.deliver(echo_text(ANA, "Hi!", wamid="wamid.out.1"))
    assert [item["text"]["body"] for item in await tab.messages()] == ["Hello", "Hi!"]


async def test_a_picture_from_the_phone_is_fetched(rig):
    await rig.deliver(echo(ANA, "image", {"id": "media-1", "mime_type": "image/jpeg"}))
    assert len(rig.tasks.of_kind("fetch_media")) == 1


async def test_a_copy_that_only_stands_by_is_in_the_chat_too(rig):
    nested = inbound_text(ANA, "To the agent")
    await rig.deliver(value(standby={name: nested[name] for name in ("contacts", "messages")}))
    assert (await (await chat(rig)).last())["text"] == {"body": "To the agent"}
