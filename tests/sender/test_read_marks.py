import httpx
import pytest

from tests.payloads import ANA


async def read_up_to_last(rig, tab):
    await tab.read((await tab.last())["id"])


async def test_reading_shows_the_customer_blue_ticks(rig):
    tab = rig.tab(await rig.met(ANA, wamid="wamid.1"))
    await read_up_to_last(rig, tab)
    await rig.drain()
    assert rig.whatsapp.read_marks == ["wamid.1"]


async def test_a_mark_that_meta_refuses_is_not_tried_again(rig):
    tab = await rig.chatting(ANA)
    await read_up_to_last(rig, tab)
    rig.whatsapp.refuses_next(131009)
    await rig.drain()
    assert not rig.tasks.waiting


async def test_a_mark_that_did_not_get_through_comes_again(rig):
    tab = rig.tab(await rig.met(ANA, wamid="wamid.1"))
    await read_up_to_last(rig, tab)
    rig.whatsapp.answers_next(httpx.ReadTimeout("late"))
    await rig.drain()
    assert [task.queue for task in rig.tasks.waiting] == ["marks"]
    rig.clock.forward(seconds=6)
    await rig.drain()
    assert rig.whatsapp.read_marks == ["wamid.1", "wamid.1"]
    assert not rig.tasks.waiting


@pytest.mark.parametrize("trouble", [httpx.ReadTimeout("late"), httpx.Response(400, json={"error": {"code": 130429}})])
async def test_a_mark_that_never_gets_through_is_given_up_without_an_error(rig, trouble):
    tab = await rig.chatting(ANA)
    await read_up_to_last(rig, tab)
    rig.whatsapp.plays(trouble)
    for _ in range(12):
        await rig.drain()
        rig.clock.forward(hours=1)
    assert not rig.tasks.waiting


async def test_marks_never_stand_in_the_queue_of_the_messages(rig):
    tab = await rig.chatting(ANA)
    await read_up_to_last(rig, tab)
    await tab.post(f"{tab.url}/typing", {})
    assert {task.queue for task in rig.tasks.waiting if task.function == "sender"} == {"marks"}


async def test_typing_is_shown_on_the_last_message_of_the_customer_and_marks_it_as_read(rig):
    tab = rig.tab(await rig.met(ANA, wamid="wamid.1"))
    await rig.met(ANA, wamid="wamid.2")
    await tab.say("Let me look …")
    answer = await tab.post(f"{tab.url}/typing", {})
    assert (answer.status_code, answer.json()) == (202, {})
    await rig.drain()
    assert rig.whatsapp.typing == ["wamid.2"]
    assert rig.whatsapp.read_marks == ["wamid.2"]


async def test_typing_is_told_once_in_twenty_seconds_and_never_late(rig):
    tab = rig.tab(await rig.met(ANA, wamid="wamid.1"))
    rig.clock.align(20)
    for _ in range(5):
        await tab.post(f"{tab.url}/typing", {})
    rig.whatsapp.answers_next(httpx.ReadTimeout("late"))
    await rig.drain()
    assert not rig.tasks.waiting
    assert rig.whatsapp.typing == ["wamid.1"]
    rig.clock.forward(seconds=20)
    await tab.post(f"{tab.url}/typing", {})
    await rig.drain()
    assert rig.whatsapp.typing == ["wamid.1", "wamid.1"]


async def test_a_grant_to_read_does_not_show_typing(rig):
    conversation = await rig.met(ANA)
    tab = rig.tab(conversation, can=["read"])
    assert (await tab.post(f"{tab.url}/typing", {})).status_code == 403


async def test_a_mark_of_a_message_that_is_gone_is_given_up(rig):
    payload = {"kind": "read", "line": "line", "message": "gone"}
    assert (await rig.sender.post("/", json=payload)).status_code == 200
    assert rig.whatsapp.read_marks == []
