"""What becomes of a message after Meta's answer, or without one."""

import httpx
import pytest

from functions.core.message import message_key
from functions.core.meta_errors import MEANINGS, Decision
from functions.core.store import update
from tests.payloads import ANA, MIA, error, status
from tests.rig import LINE, TOKEN, accepted

OF = {decision: [code for code, known in MEANINGS.items() if known.decision is decision] for decision in Decision}
FAILS = [*OF[Decision.TEMPLATE_NEEDED], *OF[Decision.RECIPIENT], *OF[Decision.TEMPLATE], *OF[Decision.OURS]]
LOST = [
    httpx.ReadTimeout("late"),
    httpx.RemoteProtocolError("gone"),
    httpx.Response(500, text="oops"),
    httpx.Response(200, text="<html>"),
    httpx.Response(400, json={"error": {"code": 131000, "message": "Something went wrong"}}),
]


async def sent(tab):
    return [item for item in await tab.messages() if item["direction"] == "out"]


async def statuses(tab):
    return [item["status"] for item in await sent(tab)]


async def test_a_text_goes_to_the_number_with_a_plus_and_comes_from_the_line(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi!")
    await rig.drain()
    [message] = rig.whatsapp.messages
    assert message.pop("biz_opaque_callback_data").startswith(f"leadline:{LINE}:")
    assert message == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+5511987654321",
        "type": "text",
        "text": {"body": "Hi!", "preview_url": False},
    }
    assert rig.whatsapp.tokens == {TOKEN}


async def test_a_customer_without_a_number_is_addressed_by_bsuid_and_never_in_to(rig):
    tab = await rig.chatting(MIA)
    await tab.say("Hi!")
    await rig.drain()
    [message] = rig.whatsapp.messages
    assert message["recipient"] == MIA.bsuid
    assert "to" not in message


async def test_a_reply_quotes_what_the_customer_wrote(rig):
    conversation = await rig.met(ANA, wamid="wamid.question")
    tab = rig.tab(conversation)
    question = await tab.last()
    await tab.send({"type": "text", "text": {"body": "Yes"}, "context": {"message_id": question["id"]}})
    await rig.drain()
    assert rig.whatsapp.messages[0]["context"] == {"message_id": "wamid.question"}
    assert (await tab.last())["reply_to"]["preview"] == "Hello"


async def test_a_reply_to_another_conversations_message_quotes_nothing(rig):
    foreign = await (await rig.chatting(MIA)).last()
    tab = await rig.chatting(ANA)
    await tab.send({"type": "text", "text": {"body": "Yes"}, "context": {"message_id": foreign["id"]}})
    await rig.drain()
    assert all("context" not in message for message in rig.whatsapp.messages)


async def test_what_metas_echo_carries_settles_the_message(rig):
    tab = await rig.chatting(ANA)
    message = await tab.say("Hi!")
    rig.whatsapp.answers_next(httpx.ReadTimeout("late"))
    await rig.drain()
    echoed = rig.whatsapp.messages[0]["biz_opaque_callback_data"]
    await rig.deliver(status("sent", "wamid.never.heard.of", callback=echoed))
    [shown] = await sent(tab)
    assert (shown["id"], shown["status"], shown["error"]) == (message["id"], "sent", None)


@pytest.mark.parametrize("code", OF[Decision.AMBIGUOUS])
async def test_an_ambiguous_error_is_unknown_and_the_agent_reads_so(rig, code):
    tab = await rig.chatting(ANA)
    await tab.say("Hi!")
    rig.whatsapp.refuses_next(code)
    await rig.drain()
    [shown] = await sent(tab)
    assert (shown["status"], shown["error"]["decision"]) == ("unknown", "ambiguous")
    assert "did not say whether it took" in shown["error"]["plain"]


@pytest.mark.parametrize("answer", LOST, ids=str)
async def test_a_lost_answer_is_unknown_and_never_repeated(rig, answer):
    tab = await rig.chatting(ANA)
    await tab.say("Hi!")
    rig.whatsapp.answers_next(answer)
    for _ in range(10):
        await rig.drain()
        rig.clock.forward(minutes=1)
        await rig.sweep()
    assert len(rig.whatsapp.messages) == 1
    [shown] = await sent(tab)
    assert shown["status"] == "unknown"
    assert shown["error"]["plain"].startswith("WhatsApp did not say")


async def test_what_stands_behind_an_unknown_message_waits_thirty_seconds(rig):
    tab = await rig.chatting(ANA)
    await tab.say("one")
    await tab.say("two")
    rig.whatsapp.answers_next(httpx.ReadTimeout("late"))
    await rig.drain()
    rig.clock.forward(seconds=28)
    await rig.drain()
    assert await statuses(tab) == ["unknown", "queued"]
    rig.clock.forward(seconds=3)
    await rig.drain()
    assert await statuses(tab) == ["unknown", "sent"]


@pytest.mark.parametrize("code", OF[Decision.RETRY])
async def test_a_rate_limit_makes_it_wait_and_never_fails_it(rig, code):
    tab = await rig.chatting(ANA)
    await tab.say("one")
    await tab.say("two")
    for _ in range(2):
        rig.whatsapp.refuses_next(code)
        await rig.drain()
        assert "sent" not in await statuses(tab)
        rig.clock.forward(seconds=max(MEANINGS[code].pause, 4) + 1)
    await rig.drain()
    rig.clock.forward(seconds=1)
    await rig.drain()
    assert await statuses(tab) == ["sent", "sent"]
    assert rig.whatsapp.texts == ["one", "one", "one", "two"]


async def test_a_sick_token_never_stops_what_comes_in(rig):
    tab = await rig.chatting(ANA)
    await tab.say("one")
    rig.whatsapp.refuses_next(190, 401)
    await rig.drain()
    await rig.met(ANA, "still there?")
    assert (await tab.last())["text"]["body"] == "still there?"


@pytest.mark.parametrize("code", [*FAILS, 999999])
async def test_any_other_refusal_fails_the_message_and_lets_the_next_one_go(rig, code):
    tab = await rig.chatting(ANA)
    await tab.say("one")
    await tab.say("two")
    rig.whatsapp.refuses_next(code, error_data={"details": "Why"})
    await rig.drain()
    one, two = await sent(tab)
    assert (one["status"], one["error"]["code"], one["error"]["details"]) == ("failed", code, "Why")
    assert one["error"]["plain"].endswith(".")
    assert two["status"] == "sent"


async def test_metas_error_is_not_lost_when_its_status_comes_before_the_answer(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi!")

    async def failed_at_once(request):
        callback = rig.whatsapp.messages[-1]["biz_opaque_callback_data"]
        await rig.deliver(status("failed", "wamid.out.1", callback=callback, errors=[error(131049)]))
        return accepted("wamid.out.1")

    rig.whatsapp.answers_next(failed_at_once)
    await rig.drain()
    [shown] = await sent(tab)
    assert (shown["status"], shown["error"]["code"]) == ("failed", 131049)


async def test_a_customer_who_was_erased_meanwhile_gets_nothing_and_the_agent_reads_why(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi!")
    await rig.erase("contacts")
    await rig.drain()
    assert rig.whatsapp.messages == []
    [shown] = await sent(tab)
    assert (shown["status"], shown["error"]["plain"]) == ("failed", "No number of this customer is known.")


@pytest.mark.parametrize("answer", [None, *LOST[:1], httpx.Response(400, json={"error": {"code": 131026}})], ids=str)
async def test_the_crm_hears_of_every_end(rig, answer):
    tab = await rig.chatting(ANA)
    message = await tab.say("Hi!")
    if answer:
        rig.whatsapp.answers_next(answer)
    await rig.drain()
    told = rig.crm.of_type("message.status")[-1]["message"]
    [shown] = await sent(tab)
    assert (told["id"], told["status"], told["version"]) == (message["id"], shown["status"], shown["version"])
    assert told["status"] in ("sent", "unknown", "failed")


async def test_a_message_that_can_not_be_built_fails_and_lets_the_next_one_go(rig):
    tab = await rig.chatting(ANA)
    broken = await tab.send({"type": "text", "text": {"body": "one"}})
    await rig.store.commit([update(message_key(broken.json()["id"]), {"type": "contacts"})])
    await tab.say("two")
    await rig.drain()
    assert await statuses(tab) == ["failed", "sent"]
    assert rig.whatsapp.texts == ["two"]
