import httpx

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
    [task] = rig.tasks.of_kind("read")
    rig.whatsapp.answers_next(httpx.ReadTimeout("late"))
    assert (await rig.run(task)).status_code == 503
    assert (await rig.run(task)).status_code == 200
    assert rig.whatsapp.read_marks[-1] == "wamid.1"


async def test_a_mark_of_a_message_that_is_gone_is_given_up(rig):
    payload = {"kind": "read", "line": "line", "message": "gone"}
    assert (await rig.sender.post("/", json=payload)).status_code == 200
    assert rig.whatsapp.read_marks == []
