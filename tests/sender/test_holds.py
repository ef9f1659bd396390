"""A line that may not send: everything waits, one message tries, and it starts again by itself."""

import asyncio
from itertools import pairwise

import httpx
import pytest

from functions.core.lines import line_key
from functions.core.meta_errors import MEANINGS, Decision
from functions.core.secrets import Seal
from functions.core.store import update
from tests.payloads import ANA, LUCIA, customers, error, status, webhook
from tests.rig import LINE, accepted

ACCOUNT_ERRORS = [code for code, known in MEANINGS.items() if known.decision is Decision.ACCOUNT]
EXPIRED = httpx.Response(401, json={"error": {"code": 190, "message": "expired"}})


def outgoing(items):
    return [item for item in items if item["direction"] == "out"]


async def states(tab):
    return [(item["status"], item["error"] and item["error"]["code"]) for item in outgoing(await tab.messages())]


async def held(rig, customer=ANA, body="one"):
    """Let a line be stopped by what Meta answers to a customer's message."""
    tab = await rig.chatting(customer)
    await tab.say(body)
    rig.whatsapp.plays(EXPIRED)
    await rig.drain()
    return tab


async def pass_time(rig, **duration):
    rig.clock.forward(**duration)
    await rig.sweep()


@pytest.mark.parametrize("code", ACCOUNT_ERRORS)
async def test_an_error_of_the_account_keeps_everything_queued_and_says_why(rig, code):
    tab = await rig.chatting(ANA)
    await tab.say("one")
    await tab.say("two")
    rig.whatsapp.refuses_next(code, 401)
    await rig.drain()
    assert await states(tab) == [("sending", code), ("queued", code)]
    [one, _] = outgoing(await tab.messages())
    assert one["error"]["decision"] == "account"
    assert one["error"]["plain"] == MEANINGS[code].plain
    for _ in range(3):
        await pass_time(rig, hours=1, minutes=1)
    assert await states(tab) == [("sent", None), ("sent", None)]
    assert rig.whatsapp.texts == ["one", "one", "two"]


async def test_while_a_line_is_held_one_message_tries_after_each_pause_however_many_wait(rig):
    await held(rig)
    tabs = [await rig.chatting(customer) for customer in customers(20)]
    for tab in tabs:
        await tab.say("me too")
    await rig.drain()
    assert len(rig.whatsapp.messages) == 1
    for _ in range(3):
        before = len(rig.whatsapp.messages)
        rig.clock.forward(minutes=16)
        due = rig.tasks.due()
        rig.tasks.waiting = [task for task in rig.tasks.waiting if task not in due]
        assert {answer.status_code for answer in await asyncio.gather(*(rig.run(task) for task in due))} == {200}
        assert len(rig.whatsapp.messages) == before + 1


async def test_the_pauses_between_two_tries_grow_to_a_quarter_of_an_hour(rig):
    await held(rig)
    tries = []
    for minute in range(120):
        before = len(rig.whatsapp.messages)
        await pass_time(rig, minutes=1)
        if len(rig.whatsapp.messages) > before:
            tries.append(minute)
    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert gaps[0] <= 3
    assert 15 <= max(gaps) <= 17
    assert len(tries) <= 13


async def test_when_one_is_taken_all_the_others_follow_by_themselves(rig):
    first = await held(rig)
    tabs = [first, *[await rig.chatting(customer) for customer in customers(5)]]
    for tab in tabs:
        await tab.say("late")
    await rig.drain()
    rig.whatsapp.plays(None)
    for _ in range(3):
        await pass_time(rig, minutes=1, seconds=1)
    for tab in tabs:
        assert {state for state, _ in await states(tab)} == {"sent"}


async def test_the_crm_hears_once_that_a_line_is_held_and_once_that_it_sends_again(rig):
    await held(rig)
    for _ in range(3):
        await pass_time(rig, minutes=16)
    rig.whatsapp.plays(None)
    await pass_time(rig, minutes=16)
    stopped, again = rig.crm.of_type("line.health")
    assert (stopped["conversation"], stopped["message"], stopped["line"]["id"]) == (None, None, LINE)
    assert (stopped["health"]["sending"], stopped["health"]["error"]["code"]) == ("held", 190)
    assert stopped["health"]["since"]
    well = {"sending": "ok", "error": None, "since": None, "quality": None, "limit": None}
    assert again["health"] == {**well, "graph": "ok", "checked": None, "problems": []}


async def test_somebody_is_alerted_once_for_each_hold(rig, caplog):
    await held(rig)
    for _ in range(3):
        await pass_time(rig, minutes=16)
    assert [record.line for record in caplog.records if record.message == "the line can't send"] == [LINE]


async def test_a_waiting_message_shows_the_reason_and_is_written_once_for_it(rig):
    tab = await held(rig)
    await tab.say("two")
    await rig.drain()
    assert await states(tab) == [("sending", 190), ("queued", 190)]
    versions = [item["version"] for item in await tab.messages()]
    rig.clock.forward(seconds=30)
    await rig.sweep()
    assert [item["version"] for item in await tab.messages()] == versions


async def test_an_agent_who_writes_into_a_held_line_reads_why_it_waits(rig):
    await held(rig)
    lucia = await rig.chatting(LUCIA)
    await lucia.say("Hola")
    await rig.drain()
    assert await states(lucia) == [("queued", 190)]


async def test_many_messages_refused_at_once_make_one_hold(rig):
    tabs = [await rig.chatting(customer) for customer in customers(10)]
    for tab in tabs:
        await tab.say("Hi")
    together = asyncio.Barrier(10)

    async def refuse(request):
        await together.wait()
        return EXPIRED

    rig.whatsapp.plays(refuse)
    tasks = rig.tasks.of_kind("send")
    rig.tasks.waiting = [task for task in rig.tasks.waiting if task not in tasks]
    assert {answer.status_code for answer in await asyncio.gather(*(rig.run(task) for task in tasks))} == {200}
    rig.whatsapp.plays(EXPIRED)
    await rig.drain()
    assert len(rig.whatsapp.messages) == 10
    assert len(rig.crm.of_type("line.health")) == 1


async def test_a_try_that_fails_for_the_message_alone_lets_the_next_one_try_at_once(rig):
    tab = await held(rig)
    await tab.say("two")
    await rig.drain()
    rig.whatsapp.plays(None)
    rig.whatsapp.refuses_next(131026)
    await pass_time(rig, minutes=16)
    assert await states(tab) == [("failed", 131026), ("sent", None)]
    assert rig.documents("holds") == []


@pytest.mark.parametrize(
    "answer", [httpx.ReadTimeout("late"), httpx.ConnectError("no way"), httpx.Response(500, text="oops")], ids=str
)
async def test_a_try_without_an_answer_keeps_the_line_held(rig, answer):
    tab = await held(rig)
    rig.whatsapp.plays(answer)
    await pass_time(rig, minutes=16)
    assert len(rig.whatsapp.messages) == 2
    assert len(rig.documents("holds")) == 1
    rig.whatsapp.plays(None)
    await tab.say("two")
    for _ in range(3):
        await pass_time(rig, minutes=16)
    assert (await states(tab))[-1] == ("sent", None)
    assert rig.documents("holds") == []


async def test_a_sender_that_dies_while_it_tries_leaves_the_line_to_the_next_try(rig):
    tab = await held(rig)

    async def store_goes_away(request):
        rig.store.out_of_reach = True
        return accepted("wamid.lost")

    await tab.say("two")
    rig.clock.forward(minutes=16)
    rig.whatsapp.plays(store_goes_away)
    task = next(task for task in rig.tasks.due() if task.payload["kind"] == "send")
    rig.tasks.waiting.remove(task)
    assert (await rig.run(task)).status_code == 503
    rig.store.out_of_reach = False
    rig.whatsapp.plays(None)
    for _ in range(4):
        await pass_time(rig, minutes=16)
    assert await states(tab) == [("unknown", None), ("sent", None)]
    assert rig.documents("holds") == []


async def test_another_token_is_tried_at_once(rig):
    tab = await held(rig)
    rig.whatsapp.plays(None)
    await rig.add_line(token="a-new-token")
    rig.start()
    await pass_time(rig, seconds=31)
    assert await states(tab) == [("sent", None)]
    assert "a-new-token" in rig.whatsapp.tokens


async def test_a_number_that_moved_keeps_what_is_queued_and_sends_it_from_its_new_place(rig):
    tab = await held(rig)
    await tab.say("two")
    rig.whatsapp.plays(None)
    await rig.add_line(number="200000000000002")
    rig.start()
    await pass_time(rig, seconds=31)
    assert await states(tab) == [("sent", None), ("sent", None)]
    assert rig.whatsapp.numbers[-1] == "200000000000002"


@pytest.mark.parametrize(
    "said",
    [
        webhook({"event": "ACCOUNT_RECONNECTED"}, field="account_update"),
        webhook({"decision": "APPROVED"}, field="account_review_update"),
        webhook({"display_phone_number": "15550100001", "decision": "APPROVED"}, field="phone_number_name_update"),
    ],
    ids=["account", "review", "number"],
)
async def test_news_of_the_account_lets_a_message_try_soon(rig, said):
    tab = await held(rig)
    for _ in range(6):
        await pass_time(rig, minutes=16)
    rig.whatsapp.plays(None)
    assert (await rig.post_body(said)).status_code == 200
    await pass_time(rig, seconds=61)
    assert await states(tab) == [("sent", None)]


async def test_a_token_that_can_not_be_opened_holds_the_line_and_says_so(rig):
    tab = await rig.chatting(ANA)
    foreign = Seal(["6fVn2cO9vMDHhVRFXyw4aKs9qW9vvw2_0ExcMm7BW5E="]).close("secret")
    await rig.store.commit([update(line_key(LINE), {"token": foreign})])
    rig.start()
    await tab.say("one")
    await rig.drain()
    [one] = outgoing(await tab.messages())
    assert one["error"]["plain"].startswith("The line's access token can't be opened")
    assert rig.whatsapp.messages == []
    await rig.add_line()
    rig.start()
    await pass_time(rig, seconds=31)
    assert await states(tab) == [("sent", None)]


async def test_what_customers_write_and_what_is_read_never_notices_a_hold(rig):
    tab = await held(rig)
    await rig.met(ANA, "still there?")
    assert (await tab.last())["text"]["body"] == "still there?"
    await tab.read((await tab.last())["id"])
    await rig.drain()
    assert (await tab.head())["unread"] == 0


async def test_a_failed_status_with_an_error_of_the_account_holds_the_line_when_it_is_news(rig):
    tab = await rig.chatting(ANA)
    await tab.say("one")
    await rig.drain()
    callback = rig.whatsapp.messages[-1]["biz_opaque_callback_data"]
    failed = status("failed", "wamid.out.1", callback=callback, errors=[error(131042)], at=rig.clock().timestamp())
    await rig.deliver(failed)
    await tab.say("two")
    await rig.drain()
    assert await states(tab) == [("failed", 131042), ("queued", 131042)]
    rig.whatsapp.plays(None)
    await pass_time(rig, seconds=61)
    assert await states(tab) == [("failed", 131042), ("sent", None)]


async def test_two_such_statuses_in_one_post_hold_it_once_and_an_old_one_never(rig):
    tab = await rig.chatting(ANA)
    for body in ("one", "two"):
        await tab.say(body)
    await rig.drain()
    callbacks = [message["biz_opaque_callback_data"] for message in rig.whatsapp.messages]
    at = rig.clock().timestamp()
    old = [
        status("failed", f"wamid.{n}", callback=callback, errors=[error(131042)], at=at - 3600)
        for n, callback in enumerate(callbacks)
    ]
    await rig.deliver(*old)
    assert rig.documents("holds") == []
    await rig.deliver(
        *(
            status("failed", f"wamid.{n}", callback=callback, errors=[error(131042)], at=at)
            for n, callback in enumerate(callbacks)
        )
    )
    assert len(rig.documents("holds")) == 1
