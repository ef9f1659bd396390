"""Meta's rates make messages wait, and never fail them or the queue."""

import asyncio

import httpx
import pytest

from functions.core.meta_errors import MEANINGS
from functions.core.outbox import PAIR_BURST
from tests.payloads import ANA, LUCIA, customers

OF_THE_LINE = [code for code, known in MEANINGS.items() if known.line]


async def outgoing(tab):
    return [item for item in await tab.messages() if item["direction"] == "out"]


async def states(tab):
    return [item["status"] for item in await outgoing(tab)]


async def run_all(rig, seconds):
    """Let so many seconds pass, with every task at its time."""
    for _ in range(2 * seconds):
        rig.clock.forward(seconds=0.5)
        await rig.drain()


async def test_a_customer_gets_forty_five_at_once_and_then_one_every_six_seconds(rig):
    tab = await rig.chatting(ANA)
    for n in range(PAIR_BURST + 3):
        await tab.say(str(n))
    await rig.drain()
    assert len(rig.whatsapp.texts) == PAIR_BURST
    for more in (1, 2, 3):
        await run_all(rig, 6)
        assert len(rig.whatsapp.texts) in (PAIR_BURST + more, PAIR_BURST + more - 1)
    await run_all(rig, 2)
    assert rig.whatsapp.texts == [str(n) for n in range(PAIR_BURST + 3)]


async def test_one_customers_pair_limit_is_nobody_elses(rig):
    ana, lucia = await rig.chatting(ANA), await rig.chatting(LUCIA)
    for n in range(PAIR_BURST + 1):
        await ana.say(str(n))
    await lucia.say("Hola")
    await rig.drain()
    assert rig.whatsapp.texts[-1] == "Hola"


async def test_what_never_left_costs_nothing_of_the_pair_limit(rig):
    tab = await rig.chatting(ANA)
    rig.whatsapp.plays(httpx.ConnectError("no way"))
    await tab.say("patience")
    for _ in range(60):
        rig.clock.forward(minutes=1)
        await rig.drain()
    rig.whatsapp.plays(None)
    rig.clock.forward(minutes=1)
    for n in range(PAIR_BURST - 1):
        await tab.say(str(n))
    await rig.drain()
    assert set(await states(tab)) == {"sent"}


async def test_when_meta_says_that_a_pair_is_too_fast_the_pause_grows_fourfold(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi")
    for pause in (1, 4, 16, 64):
        rig.whatsapp.refuses_next(131056)
        await rig.drain()
        rig.clock.forward(seconds=pause - 1)
        before = len(rig.whatsapp.messages)
        await rig.drain()
        assert len(rig.whatsapp.messages) == before
        rig.clock.forward(seconds=1.6)
    await rig.drain()
    assert await states(tab) == ["sent"]
    await tab.say("again")
    rig.whatsapp.refuses_next(131056)
    await rig.drain()
    await run_all(rig, 2)
    assert await states(tab) == ["sent", "sent"]


async def test_an_agent_reads_why_a_message_waits_only_if_it_waits_long(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi")
    shown = []
    for _ in range(4):
        rig.whatsapp.refuses_next(131056)
        await rig.drain()
        shown.append((await outgoing(tab))[0]["error"])
        rig.clock.forward(seconds=65)
    assert [error and error["code"] for error in shown] == [None, None, None, 131056]


@pytest.mark.parametrize("code", OF_THE_LINE)
async def test_a_rate_of_the_line_lets_all_its_conversations_wait_without_asking(rig, code):
    tabs = [await rig.chatting(customer) for customer in customers(10)]
    for tab in tabs:
        await tab.say("Hi")
    rig.whatsapp.refuses_next(code)
    await rig.drain()
    assert len(rig.whatsapp.messages) == 1
    await run_all(rig, 1)
    assert len(rig.whatsapp.messages) == 1
    rig.clock.forward(seconds=MEANINGS[code].pause)
    await rig.drain()
    assert len(rig.whatsapp.messages) == 11
    assert {state for tab in tabs for state in await states(tab)} == {"sent"}


async def test_another_line_never_waits_for_it(rig):
    ana = await rig.chatting(ANA)
    await rig.add_line("other", number="200000000000002")
    await rig.met(LUCIA, number="200000000000002")
    lucia = rig.tab(rig.crm.of_type("message.received")[-1]["conversation"]["id"])
    await ana.say("Hi")
    rig.whatsapp.refuses_next(130429)
    await rig.drain()
    await lucia.say("Hola")
    await rig.drain()
    assert (await states(ana), await states(lucia)) == (["sending"], ["sent"])


TROUBLES = {
    "rate": httpx.Response(400, json={"error": {"code": 130429}}),
    "pair": httpx.Response(400, json={"error": {"code": 131056}}),
    "account": httpx.Response(401, json={"error": {"code": 190}}),
    "server error": httpx.Response(500, text="oops"),
    "time-out": httpx.ReadTimeout("late"),
    "no connection": httpx.ConnectError("no way"),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=list(TROUBLES))
async def test_no_trouble_of_metas_ever_slows_the_queue(rig, trouble):
    """A 429 or 5xx would slow everything in it: whatever happens, the task is answered 200."""
    tabs = [await rig.chatting(customer) for customer in customers(3)]
    for tab in tabs:
        for n in range(3):
            await tab.say(str(n))
        await tab.read((await tab.messages())[0]["id"])
    rig.whatsapp.plays(trouble)
    for _ in range(6):
        due = rig.tasks.due()
        rig.tasks.waiting = [task for task in rig.tasks.waiting if task not in due]
        answers = await asyncio.gather(*(rig.run(task) for task in due for _ in range(2)))
        assert {answer.status_code for answer in answers} <= {200}
        rig.clock.forward(minutes=3)


async def test_tasks_that_wait_for_the_same_moment_become_one(rig):
    tab = await rig.chatting(ANA)
    for n in range(PAIR_BURST + 20):
        await tab.say(str(n))
    await rig.drain()
    assert len(rig.tasks.of_kind("send")) <= 2
