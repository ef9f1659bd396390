"""What lost its task gets another one."""

from functions.core.store import Key, create, delete
from tests.payloads import ANA, LUCIA, customers, history, inbound_image, inbound_text, told
from tests.rig import ACCOUNT, LINE


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


async def test_a_conversation_with_much_to_send_does_not_keep_anothers_from_being_swept(rig):
    ana, lucia = await rig.chatting(ANA), await rig.chatting(LUCIA)
    for n in range(60):
        await ana.say(str(n))
    await lucia.say("last")
    rig.tasks.waiting.clear()
    rig.clock.forward(minutes=1)
    await rig.sync.post("/", json={"kind": "sweep"})
    assert {task.payload["conversation"] for task in rig.tasks.of_kind("send")} == {
        ana.conversation,
        lucia.conversation,
    }


async def test_a_sweep_that_is_too_long_for_one_run_goes_on_by_itself(rig, monkeypatch):
    monkeypatch.setattr("functions.sync.sweep._AT_ONCE", 3)
    tabs = [await rig.chatting(customer) for customer in customers(8)]
    for tab in tabs:
        await tab.say("Hi!")
    rig.tasks.waiting.clear()
    rig.clock.forward(minutes=1)
    before = rig.store.calls["query"]
    await rig.sync.post("/", json={"kind": "sweep"})
    assert rig.store.calls["query"] - before < 14
    await rig.drain()
    assert len(rig.whatsapp.texts) == 8


async def test_of_a_line_that_cant_send_one_conversation_asks_for_all(rig):
    for customer in customers(5):
        await (await rig.chatting(customer)).say("Hi!")
    await rig.store.commit([create(Key("holds", LINE), {"account": ACCOUNT, "line": LINE})])
    rig.tasks.waiting.clear()
    rig.clock.forward(minutes=1)
    await rig.sync.post("/", json={"kind": "sweep"})
    assert len(rig.tasks.of_kind("send")) == 1


async def test_files_that_lost_their_task_are_fetched(rig, monkeypatch):
    monkeypatch.setattr("functions.sync.sweep._AT_ONCE", 3)
    monkeypatch.setattr("functions.sync.sweep._FILES", 2)
    conversation = await rig.met(ANA)
    for n in range(7):
        rig.whatsapp.files[f"media-{n}"] = bytes([n])
        await rig.deliver(inbound_image(ANA, f"media-{n}", bytes([n])))
    rig.tasks.waiting.clear()
    rig.clock.forward(minutes=5)
    await rig.sweep()
    assert "stored" not in [item["media"] and item["media"]["state"] for item in await rig.tab(conversation).messages()]
    rig.clock.forward(minutes=20)
    await rig.sweep()
    states = [item["media"]["state"] for item in await rig.tab(conversation).messages() if item["media"]]
    assert states == ["stored"] * 7


async def test_chats_of_the_past_whose_task_was_lost_are_gone_on_with_where_they_stand(rig):
    await rig.deliver(history((ANA, [told(ANA, str(n), at=1_780_000_000 + n) for n in range(1000)])))
    await rig.run(rig.tasks.of_kind("import")[0])
    rig.tasks.waiting.clear()
    rig.clock.forward(minutes=5)
    await rig.sweep()
    assert len(rig.documents("messages")) == 400
    rig.clock.forward(minutes=20)
    await rig.sync.post("/", json={"kind": "sweep"})
    [task] = rig.tasks.of_kind("import")
    assert task.payload["start"] == "10"
    await rig.drain()
    assert len(rig.documents("messages")) == 1000
    assert not any("pending" in one for one in rig.documents("imports"))


async def test_chats_of_the_past_of_a_line_that_is_gone_wait_for_an_admin(rig):
    await rig.deliver(history((ANA, [told(ANA, "Past", at=1_780_000_000)])))
    rig.tasks.waiting.clear()
    await rig.store.commit([delete(Key("lines", LINE))])
    rig.start()
    rig.clock.forward(minutes=20)
    await rig.sync.post("/", json={"kind": "sweep"})
    assert rig.tasks.of_kind("import") == []


async def test_a_file_that_meta_does_not_give_is_not_asked_for_every_minute(rig):
    await rig.deliver(inbound_image(ANA, "media-1", b"picture"))
    rig.tasks.waiting.clear()
    rig.clock.forward(minutes=20)
    for _ in range(10):
        await rig.sync.post("/", json={"kind": "sweep"})
        rig.clock.forward(minutes=1)
    assert len(rig.tasks.of_kind("fetch_media")) == 1
