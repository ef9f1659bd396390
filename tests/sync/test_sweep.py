"""What lost its task gets another one."""

import pytest

from tests.payloads import ANA, LUCIA, inbound_text


async def test_events_that_lost_their_task_are_told(rig):
    await rig.deliver(inbound_text(ANA))
    rig.tasks.waiting.clear()
    rig.clock.forward(minutes=1)
    await rig.sweep()
    assert len(rig.crm.of_type("message.received")) == 1


async def test_messages_that_lost_their_task_are_sent(rig):
    tab = await rig.chatting(ANA)
    await tab.say("one")
    await tab.say("two")
    rig.tasks.waiting.clear()
    rig.clock.forward(minutes=1)
    await rig.sweep()
    assert rig.whatsapp.texts == ["one", "two"]


async def test_what_is_fresh_is_left_to_its_own_task(rig):
    await rig.deliver(inbound_text(ANA))
    rig.tasks.waiting.clear()
    await rig.sweep()
    assert rig.crm.batches == []


async def test_each_conversation_and_connection_gets_one_task_a_minute(rig):
    ana, lucia = await rig.chatting(ANA), await rig.chatting(LUCIA)
    for tab in (ana, lucia):
        for n in range(3):
            await tab.say(str(n))
    rig.tasks.waiting.clear()
    rig.clock.forward(minutes=1)
    for _ in range(3):
        await rig.sync.post("/", json={"kind": "sweep"})
    assert len(rig.tasks.of_kind("send")) == 2
    assert len(rig.tasks.of_kind("events")) == 1


async def test_a_sweep_over_nothing_queues_nothing(rig):
    await rig.met(ANA)
    rig.clock.forward(minutes=1)
    await rig.sync.post("/", json={"kind": "sweep"})
    assert rig.tasks.waiting == []


@pytest.mark.xfail(strict=True, reason="the sweep looks at the oldest 200 events of all connections together")
async def test_a_crm_that_is_down_does_not_keep_anothers_events_from_being_swept(rig):
    await rig.add_connection("second", url="http://second.test")
    await rig.add_line("other", number="200", connection="second")
    rig.crm.down = True
    await rig.deliver(*(inbound_text(ANA, str(n)) for n in range(220)))
    await rig.deliver(inbound_text(LUCIA, number="200"))
    rig.tasks.waiting.clear()
    rig.clock.forward(minutes=1)
    await rig.sync.post("/", json={"kind": "sweep"})
    assert {task.payload["connection"] for task in rig.tasks.of_kind("events")} == {"connection", "second"}
