import contextlib
from dataclasses import replace

import httpx
import pytest

from functions.chat.app import create as create_chat
from functions.core.http import asgi
from tests.mortal import Mortal, Stepping
from tests.payloads import ANA


class _DiesAt(Mortal):
    """A process that dies when it comes to a certain one of its steps."""

    def __init__(self, start, step):
        self._step = step
        super().__init__(start, kill=1, seed=0)

    def _lifetime(self):
        return self._step


async def read_up_to_last(rig, tab):
    await tab.read((await tab.last())["id"])


async def test_reading_shows_the_customer_blue_ticks(rig):
    tab = rig.tab(await rig.met(ANA, wamid="wamid.1"))
    await read_up_to_last(rig, tab)
    await rig.drain()
    assert rig.whatsapp.read_marks == ["wamid.1"]


async def test_blue_ticks_come_wherever_the_process_died_that_was_asked(rig):
    tab = rig.tab(await rig.met(ANA, wamid="wamid.0"))
    kills = [await _read_by_a_process_that_dies(rig, tab, step) for step in range(1, 25)]
    assert kills == [*([1] * sum(kills)), *([0] * (24 - sum(kills)))], "died at each of its steps, one after another"
    assert 10 < sum(kills) < 24
    assert rig.whatsapp.read_marks == [f"wamid.{step}" for step in range(1, 25)]


async def _read_by_a_process_that_dies(rig, tab, step):
    """Let a customer write and an agent read it, asking again when the process has died at its step; count deaths."""

    def chat(mortal):
        ports = replace(rig.ports, store=Stepping(rig.store, mortal), tasks=Stepping(rig.tasks, mortal))
        return asgi(create_chat(ports))

    await rig.met(ANA, wamid=f"wamid.{step}")
    last = (await tab.last())["id"]
    mortal, alive = _DiesAt(chat, step), rig.chat
    rig.chat = httpx.AsyncClient(transport=httpx.ASGITransport(mortal), base_url=alive.base_url)
    with contextlib.suppress(httpx.ReadError):
        await tab.read(last)
    mortal.spared = True
    answer = await tab.read(last)
    rig.chat = alive
    assert answer.json()["unread"] == 0
    await rig.drain()
    return mortal.kills


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
