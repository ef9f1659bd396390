"""A reaction of an agent is sent like any message and ends on the message that it belongs to."""

import httpx
import pytest

from functions.core.message import Author, message_key, outbound_fields, outbound_key
from functions.core.outbox import send_task
from functions.core.store import create, update
from tests.payloads import ANA, error, status
from tests.rig import ACCOUNT, LINE


async def react(rig, tab, target, emoji, client_id):
    """Queue a reaction as the chat API does: a message without a place, and the entry on its target."""
    body = {"type": "reaction", "reaction": {"message_id": target, "emoji": emoji}}
    key = outbound_key(tab.conversation, client_id)
    fields = outbound_fields(
        account=ACCOUNT,
        line=LINE,
        conversation=tab.conversation,
        author=Author("agent", "2", "Marc"),
        client_id=client_id,
        body=body,
        now=rig.clock(),
    )
    del fields["sort"]
    entry = {"emoji": emoji, "name": None, "at": int(rig.clock().timestamp()), "id": key.id, "status": "queued"}
    await rig.store.commit(
        [
            create(key, fields | {"target": target}),
            update(message_key(target), {"reactions": {"business": entry | {"error": None}}}),
        ]
    )
    await rig.tasks.enqueue(send_task(LINE, tab.conversation, key.id))


async def shown(tab, target):
    [message] = [item for item in await tab.messages() if item["id"] == target]
    return [(one["emoji"], one["status"], one["error"] and one["error"]["code"]) for one in message["reactions"]]


@pytest.fixture
async def tab(rig):
    return rig.tab(await rig.met(ANA, wamid="wamid.question"))


async def test_it_goes_to_the_wamid_of_its_message_and_shows_there_as_sent(rig, tab):
    target = (await tab.last())["id"]
    await react(rig, tab, target, "👍", "reaction-1")
    await rig.drain()
    assert rig.whatsapp.messages[-1]["reaction"] == {"message_id": "wamid.question", "emoji": "👍"}
    assert await shown(tab, target) == [("👍", "sent", None)]
    assert len(await tab.messages()) == 1


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        (httpx.Response(400, json={"error": {"code": 131026}}), ("👍", "failed", 131026)),
        (httpx.ReadTimeout("late"), ("👍", "unknown", None)),
    ],
)
async def test_its_end_shows_on_its_message(rig, tab, answer, end):
    target = (await tab.last())["id"]
    await react(rig, tab, target, "👍", "reaction-1")
    rig.whatsapp.answers_next(answer)
    await rig.drain()
    assert await shown(tab, target) == [end]


async def test_a_refusal_that_comes_as_a_status_shows_there_too(rig, tab):
    target = (await tab.last())["id"]
    await react(rig, tab, target, "👍", "reaction-1")
    await rig.drain()
    callback = rig.whatsapp.messages[-1]["biz_opaque_callback_data"]
    await rig.deliver(status("failed", "wamid.r", callback=callback, errors=[error(131026)]))
    assert await shown(tab, target) == [("👍", "failed", 131026)]


async def test_the_end_of_an_earlier_one_does_not_touch_a_later_one(rig, tab):
    target = (await tab.last())["id"]
    await react(rig, tab, target, "👍", "reaction-1")
    await react(rig, tab, target, "❤️", "reaction-2")
    rig.whatsapp.refuses_next(131026)
    await rig.drain()
    assert [message["reaction"]["emoji"] for message in rig.whatsapp.messages] == ["👍", "❤️"]
    assert await shown(tab, target) == [("❤️", "sent", None)]


async def test_it_waits_behind_the_message_that_it_belongs_to(rig, tab):
    ours = await tab.say("Hello")
    await react(rig, tab, ours["id"], "👍", "reaction-1")
    await rig.drain()
    assert [message["type"] for message in rig.whatsapp.messages] == ["text", "reaction"]
    assert rig.whatsapp.messages[-1]["reaction"]["message_id"] == "wamid.out.1"


@pytest.mark.parametrize("emoji", ["", "🎉"])
async def test_a_refused_change_leaves_the_reaction_that_the_customer_still_sees(rig, tab, emoji):
    target = (await tab.last())["id"]
    body = {"type": "reaction", "reaction": {"message_id": target, "emoji": "👍"}}
    assert (await tab.send(body)).status_code == 202
    await rig.drain()
    for _ in range(2):
        rig.whatsapp.refuses_next(131026)
        await tab.send({**body, "reaction": {"message_id": target, "emoji": emoji}})
        await rig.drain()
        assert await shown(tab, target) == [("👍", "failed", 131026)]
    await tab.send({**body, "reaction": {"message_id": target, "emoji": ""}})
    await rig.drain()
    assert await shown(tab, target) == []
