"""Who sends what, and when: one message at a time, in order, once."""

import asyncio
import random

import httpx
import pytest

from tests.payloads import ANA, LUCIA, customers
from tests.rig import accepted


async def statuses(tab):
    return [(item["text"]["body"], item["status"]) for item in await tab.messages() if item["direction"] == "out"]


async def crash(rig, tab, text):
    """Let a sender die between taking the lease and settling: its answer from Meta never gets back."""

    async def store_goes_away(request):
        rig.store.out_of_reach = True
        return accepted("wamid.lost")

    await tab.say(text)
    rig.whatsapp.answers_next(store_goes_away)
    [task] = rig.tasks.of_kind("send")
    rig.tasks.waiting.remove(task)
    assert (await rig.run(task)).status_code == 503
    rig.store.out_of_reach = False
    return task


async def test_messages_go_out_in_the_order_in_which_they_were_accepted(rig):
    tab = await rig.chatting(ANA)
    for n in range(5):
        await tab.say(str(n))
    await rig.drain()
    assert rig.whatsapp.texts == ["0", "1", "2", "3", "4"]
    assert {status for _, status in await statuses(tab)} == {"sent"}


@pytest.mark.parametrize("seed", range(5))
async def test_doubled_and_reordered_tasks_send_each_message_once_and_in_order(rig, seed):
    tab = await rig.chatting(ANA)
    for n in range(4):
        await tab.say(str(n))
    doubled = rig.tasks.of_kind("send") * 3
    random.Random(seed).shuffle(doubled)
    for task in doubled:
        assert (await rig.run(task)).status_code == 200
    assert rig.whatsapp.texts == ["0", "1", "2", "3"]


async def test_the_same_task_many_times_at_once_sends_once(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi!")
    [task] = rig.tasks.of_kind("send")
    await asyncio.gather(*(rig.run(task) for _ in range(8)))
    assert rig.whatsapp.texts == ["Hi!"]


async def test_messages_whose_tasks_run_at_once_all_go_out_without_a_long_wait(rig):
    tab = await rig.chatting(ANA)
    for n in range(4):
        await tab.say(str(n))
    tasks = rig.tasks.of_kind("send")
    rig.tasks.waiting = [task for task in rig.tasks.waiting if task not in tasks]
    await asyncio.gather(*(rig.run(task) for task in tasks))
    for _ in range(4):
        rig.clock.forward(seconds=1)
        await rig.drain()
    assert rig.whatsapp.texts == ["0", "1", "2", "3"]


async def test_each_dispatch_sends_at_most_one_message(rig):
    tab = await rig.chatting(ANA)
    for n in range(3):
        await tab.say(str(n))
    for sent, task in enumerate(rig.tasks.of_kind("send"), 1):
        await rig.run(task)
        assert len(rig.whatsapp.messages) == sent


async def test_one_conversation_never_waits_for_another(rig):
    ana, lucia = await rig.chatting(ANA), await rig.chatting(LUCIA)
    await crash(rig, ana, "to Ana")
    await lucia.say("to Lucia")
    await rig.drain()
    assert rig.whatsapp.texts[-1] == "to Lucia"


async def test_while_somebody_else_sends_a_task_comes_back_later(rig):
    tab = await rig.chatting(ANA)
    await tab.say("first")
    answer = asyncio.Event()

    async def slowly(request):
        await answer.wait()
        return accepted("wamid.slow")

    rig.whatsapp.answers_next(slowly)
    [task] = rig.tasks.of_kind("send")
    rig.tasks.waiting.remove(task)
    sending = asyncio.create_task(rig.run(task))
    while not rig.whatsapp.messages:
        await asyncio.sleep(0)
    await tab.say("second")
    await rig.drain()
    assert rig.whatsapp.texts == ["first"]
    assert [status for _, status in await statuses(tab)] == ["sending", "queued"]
    answer.set()
    await sending
    await rig.drain()
    assert rig.whatsapp.texts == ["first", "second"]


async def test_a_sender_that_died_leaves_unknown_and_nothing_is_sent_twice(rig):
    tab = await rig.chatting(ANA)
    task = await crash(rig, tab, "Hi!")
    await tab.say("behind")
    assert (await rig.run(task)).status_code == 200
    assert await statuses(tab) == [("Hi!", "sending"), ("behind", "queued")]
    rig.clock.forward(minutes=4)
    await rig.drain()
    assert await statuses(tab) == [("Hi!", "unknown"), ("behind", "queued")]
    rig.clock.forward(seconds=31)
    await rig.drain()
    assert await statuses(tab) == [("Hi!", "unknown"), ("behind", "sent")]
    assert rig.whatsapp.texts == ["Hi!", "behind"]


async def test_a_sender_that_died_before_it_took_the_lease_costs_nothing(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi!")
    [task] = rig.tasks.of_kind("send")
    for call in ("get", "query", "commit"):
        rig.store.fails_next(call)
        assert (await rig.run(task)).status_code == 503
    assert (await rig.run(task)).status_code == 200
    assert rig.whatsapp.texts == ["Hi!"]


@pytest.mark.parametrize("step", range(12))
async def test_wherever_the_store_goes_away_a_message_is_sent_at_most_once_and_never_forgotten(rig, step):
    tab = await rig.chatting(ANA)
    await tab.say("one")
    await tab.say("two")
    [task, _] = rig.tasks.of_kind("send")
    calls = 0
    watched = rig.store._watched

    async def away_at_step(name, call, argument):
        nonlocal calls
        calls += 1
        rig.store.out_of_reach = calls == step
        return await watched(name, call, argument)

    rig.store._watched = away_at_step
    await rig.run(task)
    rig.store._watched = watched
    rig.store.out_of_reach = False
    await rig.run(task)
    for _ in range(6):
        await rig.drain()
        rig.clock.forward(minutes=2)
        await rig.sweep()
    assert [status for _, status in await statuses(tab)] in (["sent", "sent"], ["unknown", "sent"])
    assert rig.whatsapp.texts == ["one", "two"]


async def test_a_queue_that_is_away_does_not_make_it_send_twice(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi!")
    [task] = rig.tasks.of_kind("send")
    rig.tasks.out_of_reach = True
    assert (await rig.run(task)).status_code == 503
    rig.tasks.out_of_reach = False
    assert (await rig.run(task)).status_code == 200
    assert rig.whatsapp.texts == ["Hi!"]
    await rig.sweep()
    rig.clock.forward(minutes=2)
    await rig.sweep()
    assert rig.crm.of_type("message.status")[-1]["message"]["status"] == "sent"


async def test_twenty_conversations_at_once_each_keep_their_order(rig):
    tabs = [await rig.chatting(customer) for customer in customers(20)]
    for n in range(3):
        for tab in tabs:
            await tab.say(f"{tab.conversation} {n}")
    tasks = rig.tasks.of_kind("send")
    random.Random(1).shuffle(tasks)
    for task in tasks:
        await rig.run(task)
    assert len(rig.whatsapp.texts) == 60
    for tab in tabs:
        assert [text[-1] for text in rig.whatsapp.texts if text.startswith(tab.conversation)] == ["0", "1", "2"]


async def test_a_task_with_nothing_to_send_is_done(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi!")
    [task] = rig.tasks.of_kind("send")
    for _ in range(2):
        assert (await rig.run(task)).status_code == 200


async def test_a_task_of_a_line_that_is_gone_is_given_up(rig):
    payload = {"kind": "send", "line": "gone", "conversation": "x"}
    assert (await rig.sender.post("/", json=payload)).status_code == 200


async def test_a_connection_refused_is_tried_again_in_order(rig):
    tab = await rig.chatting(ANA)
    await tab.say("one")
    await tab.say("two")
    rig.whatsapp.answers_next(httpx.ConnectError("no way"))
    await rig.drain()
    assert await statuses(tab) == [("one", "sending"), ("two", "queued")]
    for _ in range(2):
        rig.clock.forward(seconds=6)
        await rig.drain()
    assert await statuses(tab) == [("one", "sent"), ("two", "sent")]
