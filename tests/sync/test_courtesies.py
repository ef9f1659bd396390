"""The answer to a STOP, and the data notice: each said once, whatever comes twice, late or at once."""

import asyncio
from datetime import timedelta

import pytest

from functions.core.courtesies import GOODBYES
from functions.core.tasks import Task
from tests.payloads import ANA, LUCIA, Customer, customers, definition, inbound_text, message, value
from tests.rig import LINE
from tests.webhook.test_facts import preference

ANA_NOW = Customer("5521912340987", "BR.77130218470065519000", "Ana")
NOTICE = "How we treat your data: https://shop.example/privacy"


def said(rig, *words):
    return [text for text in rig.whatsapp.texts if text in words]


async def stop(rig, word="STOP", **more):
    await rig.deliver(inbound_text(ANA, word, **more))
    await rig.drain()


# STOP


async def test_who_writes_stop_is_told_once_that_it_is_heard(rig):
    for word in ("STOP", "Stop!", "STOP"):
        await stop(rig, word)
    assert rig.whatsapp.texts == [GOODBYES["en"]]


async def test_a_redelivered_stop_is_answered_once_even_a_day_later(rig):
    again = inbound_text(ANA, "STOP")
    for hours in (0, 0, 2, 20):
        rig.clock.forward(hours=hours)
        rig.start()
        await rig.deliver(again)
        await rig.drain()
    assert rig.whatsapp.texts == [GOODBYES["en"]]


async def test_tasks_that_race_answer_once(rig):
    await rig.deliver(inbound_text(ANA, "STOP"))
    [task] = rig.tasks.of_kind("goodbye")
    await asyncio.gather(*(rig.run(task) for _ in range(8)))
    await rig.drain()
    assert rig.whatsapp.texts == [GOODBYES["en"]]


async def test_a_crash_behind_the_commit_loses_no_answer(rig):
    await rig.deliver(inbound_text(ANA, "STOP"))
    [task] = rig.tasks.of_kind("goodbye")
    rig.tasks.out_of_reach = True
    assert (await rig.run(task)).status_code >= 500
    rig.tasks.out_of_reach = False
    await rig.run(task)
    await rig.drain()
    assert rig.whatsapp.texts == [GOODBYES["en"]]


async def test_the_answer_is_in_the_language_of_the_word_else_of_the_line(rig):
    await rig.decides(language="pt_BR")
    for customer, word in zip(customers(4), ("STOP", "baja", "cancelar", "ARRÊT"), strict=True):
        await rig.deliver(inbound_text(customer, word))
        await rig.drain()
    assert rig.whatsapp.texts == [GOODBYES[language] for language in ("pt", "es", "pt", "fr")]


async def test_the_business_has_words_of_its_own_or_none(rig):
    await rig.decides(stop_reply="Bye then.", stop_words=["Basta ya"])
    await stop(rig, "basta YA!")
    await rig.decides(stop_replied=False)
    await rig.deliver(inbound_text(LUCIA, "STOP"))
    await rig.drain()
    assert rig.whatsapp.texts == ["Bye then."]


async def test_start_is_heard_and_a_stop_after_it_is_answered_but_never_twice_a_day(rig):
    words = {"resume_words": ["Again please"]}
    await rig.decides(**words)
    await stop(rig)
    await stop(rig, "again please", at=rig.clock.wall() + 1)
    await stop(rig, at=rig.clock.wall() + 2)
    assert len(rig.whatsapp.texts) == 1
    rig.clock.forward(hours=25)
    await stop(rig, "START", at=rig.clock().timestamp())
    rig.clock.forward(seconds=60)
    await stop(rig, at=rig.clock().timestamp())
    assert len(rig.whatsapp.texts) == 2


async def test_a_stop_that_was_answered_before_two_contacts_became_one_is_not_answered_again(rig):
    """Also where the elder's last answer was to an earlier STOP, taken back since."""
    await stop(rig)
    await stop(rig, "START", at=rig.clock.wall() + 5)
    rig.clock.forward(hours=30)
    now = rig.clock().timestamp()
    await rig.deliver(inbound_text(ANA_NOW, "STOP", at=now))
    await rig.drain()
    notice = {"type": "user_changed_number", "body": "x", "wa_id": ANA_NOW.wa_id, "user_id": ANA_NOW.bsuid}
    moved = message(Customer(ANA.wa_id), "system", notice, at=now - 60)
    await rig.deliver(value(messages=[moved]), inbound_text(ANA_NOW, "STOP", at=now + 1))
    await rig.drain()
    rig.clock.forward(minutes=5)
    await rig.deliver(inbound_text(ANA_NOW, "Stop!", at=now + 2))
    await rig.drain()
    assert rig.whatsapp.texts == [GOODBYES["en"]] * 2


async def test_whatsapps_switch_is_answered_where_there_is_an_open_window(rig):
    await rig.met(ANA)
    await rig.deliver(preference("stop", int(rig.clock().timestamp())))
    await rig.drain()
    assert rig.whatsapp.texts == [GOODBYES["en"]]


async def test_nothing_is_said_into_a_closed_window_or_to_who_never_wrote(rig):
    await rig.deliver(preference("stop", int(rig.clock.wall())))
    await rig.drain()
    await stop(rig, at=rig.clock.wall() - 25 * 3600)
    assert rig.whatsapp.texts == []


async def test_the_crms_blacklist_is_not_answered(rig):
    tab = await rig.chatting(ANA)
    await rig.records(tab.conversation, "stop", "blacklist")
    await rig.run(Task("housekeeping", "sync", {"kind": "goodbye", "conversation": tab.conversation}))
    await rig.drain()
    assert rig.whatsapp.texts == []


async def test_the_agent_sees_the_answer_and_that_nobody_of_them_said_it(rig):
    await stop(rig)
    tab = rig.tab(rig.crm.of_type("message.received")[-1]["conversation"]["id"])
    last = await tab.last()
    assert (last["author"]["kind"], last["status"]) == ("system", "sent")
    assert rig.crm.of_type("message.sent")[-1]["conversation"]["last_out"] is None


# The data notice


async def test_a_new_customer_gets_the_notice_once(rig):
    await rig.decides(notice=NOTICE)
    for body in ("Hello", "Are you there?"):
        await rig.met(ANA, body)
    assert rig.whatsapp.texts == [NOTICE]


async def test_a_customer_from_before_gets_it_with_their_next_message(rig):
    await rig.met(ANA)
    await rig.decides(notice=NOTICE)
    await rig.met(ANA, "It's me again")
    assert rig.whatsapp.texts == [NOTICE]


@pytest.mark.parametrize("hours", [0, 2, 30])
async def test_what_is_delivered_again_or_comes_to_a_fresh_instance_says_nothing_twice(rig, hours):
    await rig.decides(notice=NOTICE)
    first = inbound_text(ANA)
    for _ in range(3):
        await rig.deliver(first)
        await rig.drain()
        rig.clock.forward(hours=hours)
        rig.start()
    await rig.met(ANA, "Hello?", at=rig.clock().timestamp())
    assert rig.whatsapp.texts == [NOTICE]


async def test_tasks_that_race_give_the_notice_once(rig):
    await rig.decides(notice=NOTICE)
    await rig.deliver(inbound_text(ANA))
    [task] = rig.tasks.of_kind("notice")
    await asyncio.gather(*(rig.run(task) for _ in range(8)))
    await rig.drain()
    assert rig.whatsapp.texts == [NOTICE]


async def test_the_notice_is_given_once_per_person_whatever_the_line(rig):
    await rig.add_line("second", number="200000000000002", waba="2")
    for line in (LINE, "second"):
        await rig.decides(line, notice=NOTICE)
    await rig.met(ANA)
    await rig.deliver(inbound_text(ANA, number="200000000000002"))
    await rig.drain()
    assert rig.whatsapp.texts == [NOTICE]


async def test_who_says_stop_before_it_is_sent_gets_no_notice(rig):
    await rig.decides(notice=NOTICE)
    await rig.deliver(inbound_text(ANA))
    await rig.run(rig.tasks.of_kind("notice")[0])
    await rig.deliver(inbound_text(ANA, "STOP"))
    await rig.drain()
    assert said(rig, NOTICE) == []
    assert said(rig, GOODBYES["en"]) == [GOODBYES["en"]]


async def test_a_notice_that_failed_is_tried_again_with_the_next_message(rig):
    await rig.decides(notice=NOTICE)
    rig.whatsapp.refuses_next(131026)
    await rig.met(ANA)
    rig.clock.forward(hours=2)
    rig.start()
    await rig.met(ANA, "Hello?", at=rig.clock().timestamp())
    tab = rig.tab(rig.crm.of_type("message.received")[-1]["conversation"]["id"])
    assert [item["status"] for item in await tab.messages() if item["direction"] == "out"] == ["failed", "sent"]


async def test_that_whatsapp_took_the_notice_is_known_to_the_crm(rig):
    await rig.decides(notice=NOTICE)
    await rig.deliver(inbound_text(ANA))
    await rig.drain()
    told = [event["conversation"]["consent"]["notice"] for event in rig.crm.events]
    assert told[0] is None
    assert told[-1] is not None


async def test_a_line_without_a_notice_asks_for_none_and_a_known_customer_costs_no_task(rig):
    await rig.deliver(inbound_text(ANA))
    assert rig.tasks.of_kind("notice") == []
    await rig.decides(notice=NOTICE)
    await rig.deliver(inbound_text(ANA, "a"))
    await rig.deliver(inbound_text(ANA, "b"))
    assert len(rig.tasks.of_kind("notice")) == 1


async def test_an_agents_answer_after_stop_still_goes_and_offers_do_not(rig):
    await rig.holds_templates(definition("sale", category="MARKETING"))
    tab = await rig.chatting(ANA)
    await rig.records(tab.conversation, "resume", at=rig.clock() - timedelta(hours=1))
    await stop(rig)
    await tab.say("We are sorry to see you go")
    await rig.drain()
    assert rig.whatsapp.texts == [GOODBYES["en"], "We are sorry to see you go"]


async def test_what_is_said_by_itself_is_kept_as_long_as_any_message(rig):
    await rig.decides(notice=NOTICE)
    await rig.met(ANA)
    await stop(rig)
    ours = [one for one in rig.documents("messages") if one.get("courtesy")]
    assert len(ours) == 2
    assert all("expires_at" in one for one in ours)


async def test_a_queue_that_was_away_costs_nobody_the_notice(rig):
    await rig.decides(notice=NOTICE)
    hello = inbound_text(ANA, "Hello")
    rig.tasks.out_of_reach = True
    assert (await rig.post(hello)).status_code == 503
    rig.tasks.out_of_reach = False
    await rig.deliver(hello)
    await rig.drain()
    assert said(rig, NOTICE) == [NOTICE]
