"""What a refusal changes beyond its message: the window, the customer's consent, our copy of a template."""

from datetime import timedelta

import httpx
import pytest

from functions.core.courtesies import GOODBYES
from functions.core.meta_errors import MEANINGS, Decision
from tests.payloads import ANA, Customer, definition, error, inbound_text, status
from tests.rig import accepted
from tests.webhook.test_facts import preference

TEMPLATE = {
    "type": "template",
    "template": {
        "name": "order_update",
        "language": {"code": "en_US"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}],
    },
}


@pytest.fixture(params=["answer", "status"])
def refuses(request, rig):
    """Refuse what is sent next, in the answer or later by a status."""

    async def refuse(tab, message, code):
        if request.param == "answer":
            rig.whatsapp.refuses_next(code)
        assert (await tab.send(message)).status_code == 202
        await rig.drain()
        if request.param == "status":
            callback = rig.whatsapp.messages[-1]["biz_opaque_callback_data"]
            at = rig.clock().timestamp()
            await rig.deliver(status("failed", "wamid.out.1", callback=callback, errors=[error(code)], at=at))
            await rig.drain()
        return next(item for item in await tab.messages() if item["direction"] == "out")

    return refuse


TEXT = {"type": "text", "text": {"body": "Hi"}}


async def test_when_meta_says_that_the_window_is_closed_it_is(rig, refuses):
    tab = await rig.chatting(ANA)
    said = await refuses(tab, TEXT, 131047)
    assert (said["status"], said["error"]["decision"]) == ("failed", "template needed")
    head = await tab.head()
    assert head["window"]["open"] is False
    refused = await tab.send(TEXT)
    assert (refused.status_code, refused.json()["code"]) == (422, "window_closed")
    told = rig.crm.of_type("conversation.updated")[-1]["conversation"]
    assert told["window_until"] == head["window"]["until"]


async def test_a_customer_who_writes_again_opens_it_again(rig, refuses):
    tab = await rig.chatting(ANA)
    await refuses(tab, TEXT, 131047)
    rig.clock.forward(minutes=1)
    await rig.met(ANA, "Sorry, I was asleep", at=rig.clock().timestamp())
    assert (await tab.head())["window"]["open"] is True
    assert (await tab.send(TEXT)).status_code == 202


async def test_a_customer_who_opted_out_of_marketing_is_marked_with_the_source(rig, refuses):
    tab = await rig.chatting(ANA)
    said = await refuses(tab, TEXT, 131050)
    assert said["error"]["plain"] == MEANINGS[131050].plain
    [contact] = rig.documents("contacts")
    assert list(contact["consent"]["marketing"]["stop"]) == ["whatsapp"]


@pytest.mark.parametrize("code", [132000, 132001])
async def test_a_template_that_changed_is_asked_for_again_once(rig, refuses, code):
    tab = await rig.chatting(ANA)
    await rig.holds_templates(definition())
    asked = rig.whatsapp.template_asks
    said = await refuses(tab, TEMPLATE, code)
    assert (said["status"], said["error"]["decision"]) == ("failed", "template")
    assert rig.whatsapp.template_asks == asked + 1


async def test_another_refusal_asks_for_no_template(rig, refuses):
    tab = await rig.chatting(ANA)
    await rig.holds_templates(definition())
    asked = rig.whatsapp.template_asks
    await refuses(tab, TEMPLATE, 132015)
    assert rig.whatsapp.template_asks == asked


FAILS = [
    code
    for code, known in MEANINGS.items()
    if known.decision not in (Decision.RETRY, Decision.AMBIGUOUS, Decision.ACCOUNT)
]


@pytest.mark.parametrize("code", [*FAILS, 424242])
async def test_whichever_way_a_refusal_comes_the_agent_reads_the_same(rig, refuses, code):
    tab = await rig.chatting(ANA)
    said = await refuses(tab, TEXT, code)
    assert (said["status"], said["error"]["code"]) == ("failed", code)
    assert said["error"]["plain"].endswith(".")
    assert said["error"]["plain"] == (MEANINGS[code].plain if code in MEANINGS else "WhatsApp refused the message.")


async def test_a_lost_answer_is_made_good_by_a_status_so_that_the_message_can_be_quoted(rig):
    tab = await rig.chatting(ANA)
    first = (await tab.send(TEXT)).json()
    rig.whatsapp.answers_next(httpx.ReadTimeout("late"))
    await rig.drain()
    callback = rig.whatsapp.messages[0]["biz_opaque_callback_data"]
    await rig.deliver(status("delivered", "wamid.found.out", callback=callback))
    rig.clock.forward(minutes=1)
    await tab.send({**TEXT, "context": {"message_id": first["id"]}})
    await rig.drain()
    assert rig.whatsapp.messages[-1]["context"] == {"message_id": "wamid.found.out"}


async def test_an_answer_teaches_what_it_can_even_if_one_identity_is_taken(rig):
    await rig.met(ANA)
    tab = await rig.chatting(Customer("5215512345678", "MX.other", "Other"))
    rig.whatsapp.answers_next(accepted("wamid.1", wa_id=ANA.wa_id, user_id="MX.new"))
    await tab.say("Hi")
    await rig.drain()
    known = [contact for contact in rig.documents("contacts") if "MX.other" in contact.get("bsuids", [])]
    assert known[0]["bsuids"] == ["MX.other", "MX.new"]
    assert ANA.wa_id not in known[0]["wa_ids"]


async def test_what_waited_when_the_customer_opted_out_is_not_sent(rig):
    tab = await rig.chatting(ANA)
    await rig.holds_templates(definition(category="MARKETING"))
    await rig.records(tab.conversation, "resume", at=rig.clock() - timedelta(hours=1))
    assert (await tab.send(TEMPLATE)).status_code == 202
    await tab.say("Your bicycle is ready")
    await rig.deliver(preference("stop", int(rig.clock().timestamp())))
    await rig.drain()
    offer = next(item for item in await tab.messages() if item["type"] == "template")
    assert (offer["status"], offer["error"]["plain"]) == ("failed", MEANINGS[131050].plain)
    assert rig.whatsapp.texts == ["Your bicycle is ready", GOODBYES["en"]]


async def test_what_waited_by_itself_when_the_customer_said_stop_is_not_sent(rig):
    tab = await rig.chatting(ANA)
    url = f"/v1/conversations/{tab.conversation}/messages"
    news = {"type": "text", "text": {"body": "Your daily news"}, "automatic": True, "client_id": "client-news"}
    assert (await rig.call("POST", url, news)).status_code == 202
    await tab.say("An agent's answer")
    await rig.deliver(inbound_text(ANA, "STOP"))
    await rig.drain()
    said = next(item for item in await tab.messages() if item["client_id"] == "client-news")
    assert (said["status"], said["error"]["plain"]) == (
        "failed",
        "The customer said STOP: nothing is sent automatically.",
    )
    assert rig.whatsapp.texts == ["An agent's answer", GOODBYES["en"]]
