"""What goes to many at once never stands before what an agent says."""

import httpx
import pytest

from tests.payloads import ANA, LUCIA, definition
from tests.rig import LINE

HELLO = {"type": "template", "template": {"name": "hello", "language": {"code": "en_US"}}}
SEND, BULK = f"send-{LINE}", f"bulk-{LINE}"


@pytest.fixture
async def tab(rig):
    await rig.holds_templates(definition("hello", "Good day"))
    return await rig.chatting(ANA)


async def campaign(rig, tab, client_id="client-campaign"):
    """Let a CRM server queue a template for which nobody pressed send."""
    body = {"client_id": client_id, "automatic": True, **HELLO}
    answer = await rig.call("POST", f"/v1/conversations/{tab.conversation}/messages", body)
    assert answer.is_success, answer.text


def queues(rig):
    return [task.queue for task in rig.tasks.waiting if task.payload["kind"] == "send"]


async def test_a_campaign_has_a_queue_of_its_own(rig, tab):
    await campaign(rig, tab)
    assert queues(rig) == [BULK]
    await rig.drain()
    assert len(rig.whatsapp.messages) == 1


async def test_what_an_agent_sends_never_waits_there_be_it_a_template(rig, tab):
    await tab.say("Here it is.")
    assert (await tab.send(HELLO)).is_success
    assert set(queues(rig)) == {SEND}


async def test_a_text_that_goes_out_by_itself_answers_somebody_and_waits_for_no_campaign(rig, tab):
    body = {"client_id": "client-greeting", "automatic": True, "type": "text", "text": {"body": "We are closed."}}
    answer = await rig.call("POST", f"/v1/conversations/{tab.conversation}/messages", body)
    assert answer.is_success, answer.text
    assert queues(rig) == [SEND]


async def test_what_must_wait_waits_in_its_own_queue(rig, tab):
    other = await rig.chatting(LUCIA)
    await campaign(rig, tab)
    await campaign(rig, other, "client-other")
    # A rate of the whole line: the first meets it, the second finds the line at rest.
    rig.whatsapp.refuses_next(130429)
    for task in rig.tasks.due():
        if task.payload["kind"] == "send":
            rig.tasks.waiting.remove(task)
            await rig.run(task)
    assert queues(rig) == [BULK, BULK]
    await other.say("Are you still there?")
    assert queues(rig) == [BULK, BULK, SEND]


async def test_a_line_that_is_held_keeps_them_apart_too(rig, tab):
    await campaign(rig, tab)
    rig.whatsapp.refuses_next(131042)
    await rig.drain()
    assert queues(rig) == [BULK]
    rig.clock.forward(hours=1)
    await rig.drain()
    assert len(rig.whatsapp.messages) == 2


async def test_an_answer_behind_a_campaigns_message_takes_it_along_and_keeps_the_order(rig, tab):
    await campaign(rig, tab)
    await tab.say("And here is what you asked for.")
    [answer] = [task for task in rig.tasks.due() if task.queue == SEND]
    rig.tasks.waiting.remove(answer)
    await rig.run(answer)
    assert [message["type"] for message in rig.whatsapp.messages] == ["template"]
    assert SEND in queues(rig)
    await rig.drain()
    assert [message["type"] for message in rig.whatsapp.messages] == ["template", "text"]


async def test_a_campaigns_message_whose_task_is_lost_comes_back_to_its_queue(rig, tab):
    await campaign(rig, tab)
    rig.tasks.waiting.clear()
    rig.clock.forward(minutes=2)
    await rig.sync.post("/", json={"kind": "sweep"})
    assert queues(rig) == [BULK]


async def test_an_uncertain_end_is_settled_where_it_was(rig, tab):
    rig.whatsapp.answers_next(httpx.ReadTimeout("late"))
    await campaign(rig, tab)
    await rig.drain()
    assert set(queues(rig)) <= {BULK}
