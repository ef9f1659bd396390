"""A customer who changes number or user id stays who he is, and two are joined only by WhatsApp's own word."""

import asyncio
import itertools
from contextlib import suppress

import httpx
import pytest

from functions.core.consent import marketing
from functions.core.courtesies import GOODBYES
from tests.payloads import ANA, NUMBER, Customer, inbound_text, message, status, value
from tests.pictures import PNG
from tests.rig import accepted

NEW = Customer("5511912345678", "BR.99999999999999999999", "Ana")


def moved(before=ANA, after=NEW, kind="user_changed_number", **more):
    """Return WhatsApp's notice that a customer has other identities; it has no contacts."""
    system = {"type": kind, "body": "A changed", "wa_id": after.wa_id, "user_id": after.bsuid}
    system |= {"previous_user_id": before.bsuid} | more.pop("system", {})
    stated = {name: told for name, told in system.items() if told is not None}
    return value(messages=[message(Customer(before.wa_id), "system", stated, **more)], number=NUMBER)


async def conversations(rig):
    return (await rig.call("GET", "/v1/conversations?limit=50")).json()["items"]


async def texts(rig, conversation):
    said = await rig.tab(conversation).messages()
    return [item["text"]["body"] for item in said if item["type"] == "text"]


async def settle(rig):
    """Run what waits, and what waits until every instance has forgotten whom it knew."""
    await rig.drain()
    rig.clock.forward(minutes=3)
    await rig.drain()


async def joined_unknown_to_an_instance(rig):
    """Let two conversations be joined, and what is delivered next come to an instance that does not know of it."""
    older, younger = await rig.met(ANA, "old"), await rig.met(NEW, "new")
    remembers = rig.webhook
    rig.start()
    await rig.deliver(moved())
    await rig.drain()
    rig.webhook = remembers
    return older, younger


async def test_after_a_changed_number_the_conversation_goes_on(rig):
    before = await rig.met(ANA)
    await rig.deliver(moved())
    assert await rig.met(NEW, "From my new number") == before
    assert await texts(rig, before) == ["Hello", "From my new number"]
    contact = (await rig.tab(before).head())["contact"]
    assert (contact["wa_id"], contact["bsuid"]) == (NEW.wa_id, NEW.bsuid)


async def test_a_changed_number_without_any_bsuid_keeps_the_conversation(rig):
    old, new = Customer(ANA.wa_id), Customer(NEW.wa_id)
    before = await rig.met(old)
    await rig.deliver(moved(old, new))
    assert await rig.met(NEW) == before


async def test_a_changed_bsuid_of_a_hidden_number_keeps_the_conversation(rig):
    old, new = Customer(None, "DE.1", "Mia"), Customer(None, "DE.2", "Mia")
    before = await rig.met(old)
    await rig.deliver(moved(old, new, kind="user_changed_user_id"))
    assert await rig.met(new) == before


async def test_a_change_that_names_no_number_is_answered_by_the_user_id(rig):
    tab = await rig.chatting(ANA)
    await rig.deliver(moved(ANA, Customer(None, "BR.2"), kind="user_changed_user_id"))
    await tab.say("Still there?")
    await rig.drain()
    assert (rig.whatsapp.messages[-1].get("to"), rig.whatsapp.messages[-1]["recipient"]) == (None, "BR.2")


async def test_the_notice_stands_in_the_chat(rig):
    conversation = await rig.met(ANA)
    await rig.deliver(moved())
    assert (await rig.tab(conversation).last())["system"] == {"kind": "number_changed", "body": "A changed"}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_in_whatever_order_it_becomes_known_they_end_as_one(rig, order):
    deliveries = [inbound_text(ANA, "old"), inbound_text(NEW, "new"), moved()]
    for place in (*order, *order):
        await rig.deliver(deliveries[place])
    await settle(rig)
    [conversation] = [one for one in await conversations(rig) if not one["merged_into"]]
    assert sorted(await texts(rig, conversation["id"])) == ["new", "old"]
    head = await rig.tab(conversation["id"]).head()
    assert (head["unread"], head["contact"]["wa_id"], head["contact"]["bsuid"]) == (2, NEW.wa_id, NEW.bsuid)


async def test_the_younger_becomes_a_redirect_and_loses_nothing(rig):
    older = await rig.met(ANA, "old")
    younger = await rig.met(NEW, "new")
    await rig.deliver(moved())
    await settle(rig)
    head = await rig.tab(younger).head()
    assert (head["id"], head["unread"]) == (older, 2)
    assert await texts(rig, younger) == ["old", "new"]
    [told] = rig.crm.of_type("conversation.merged")
    assert (told["conversation"]["id"], told["conversation"]["merged_into"]) == (younger, older)


async def test_what_another_instance_still_puts_into_the_younger_is_carried_over(rig):
    older, younger = await joined_unknown_to_an_instance(rig)
    await rig.deliver(inbound_text(NEW, "late"))
    await settle(rig)
    assert await texts(rig, younger) == ["old", "new", "late"]
    assert (await rig.tab(older).head())["unread"] == 3


def switched(customer, said, at):
    """Return the news that a customer used WhatsApp's own switch: it makes a contact and no conversation."""
    item = {"wa_id": customer.wa_id, "user_id": customer.bsuid, "category": "marketing_messages"}
    return value(number=NUMBER, user_preferences=[item | {"value": said, "timestamp": at}])


async def test_a_conversation_that_begins_while_its_contact_is_joined_is_joined_too(rig):
    first = await rig.met(ANA)
    await rig.deliver(switched(NEW, "resume", int(rig.clock().timestamp())))
    rig.start()

    async def refused():
        # There is no conversation to be updated; the next one makes it.
        rig.store.before_next("commit", lambda: rig.deliver(moved()))

    rig.store.before_next("commit", refused)
    await rig.deliver(inbound_text(NEW, "From my new number"))
    await settle(rig)
    assert [one["id"] for one in await conversations(rig) if not one["merged_into"]] == [first]
    assert await texts(rig, first) == ["Hello", "From my new number"]
    assert (await rig.tab(first).head())["unread"] == 2


async def test_a_stop_to_an_instance_that_does_not_know_of_the_joining_is_answered(rig):
    older, younger = await joined_unknown_to_an_instance(rig)
    await rig.deliver(inbound_text(NEW, "STOP"))
    await settle(rig)
    assert rig.whatsapp.texts == [GOODBYES["en"]]
    assert await texts(rig, younger) == await texts(rig, older) == ["old", "new", "STOP", GOODBYES["en"]]


async def test_an_answer_that_waits_in_the_younger_is_still_sent(rig):
    await rig.met(ANA)
    tab = await rig.chatting(NEW)
    await tab.say("Answer")
    await rig.deliver(moved())
    await settle(rig)
    assert rig.whatsapp.texts == ["Answer"]


async def test_a_number_that_was_somebody_elses_joins_nobody_and_is_reviewed(rig):
    await rig.met(ANA)
    other = await rig.met(Customer(NEW.wa_id, "BR.somebodyelse", "Bob"))
    await rig.deliver(moved())
    await settle(rig)
    assert [one["merged_into"] for one in await conversations(rig)] == [None, None]
    assert (await rig.tab(other).head())["contact"]["name"] == "Bob"
    assert len(rig.documents("reviews")) == 1


async def test_forms_seen_with_different_bsuids_stay_two_and_are_reviewed_once(rig):
    for _ in range(2):
        await rig.met(Customer("553188887777", "BR.1"))
        await rig.met(Customer("5531988887777", "BR.2"))
    assert len(await conversations(rig)) == 2
    [review] = rig.documents("reviews")
    assert len(review["contacts"]) == 2


async def test_a_stop_said_to_the_younger_holds_for_both(rig):
    await rig.met(NEW)
    await rig.met(ANA, "STOP")
    await rig.deliver(moved())
    [stays] = [contact for contact in rig.documents("contacts") if not contact.get("merged_into")]
    assert marketing(stays)["value"] == "stop"


async def test_a_request_that_is_repeated_after_the_joining_is_still_one_message(rig):
    await rig.met(ANA)
    tab = await rig.chatting(NEW)
    first = await tab.say("Answer", "client-1")
    await rig.deliver(moved())
    assert (await tab.say("Answer", "client-1"))["id"] == first["id"]
    await settle(rig)
    elder = rig.tab((await tab.head())["id"])
    assert (await elder.say("Answer", "client-1"))["id"] == first["id"]
    await settle(rig)
    assert rig.whatsapp.texts == ["Answer"]


async def test_the_status_of_an_answer_that_was_carried_over_finds_it(rig):
    await rig.met(ANA)
    tab = await rig.chatting(NEW)
    said = await tab.say("Answer")
    await rig.deliver(moved())
    await settle(rig)
    callback = rig.whatsapp.messages[-1]["biz_opaque_callback_data"]
    await rig.deliver(status("delivered", "wamid.other", callback=callback))
    [shown] = [item for item in await tab.messages() if item["id"] == said["id"]]
    assert shown["status"] == "delivered"


async def test_what_another_instance_still_learns_of_the_younger_is_carried_over(rig):
    await joined_unknown_to_an_instance(rig)
    await rig.deliver(inbound_text(Customer(NEW.wa_id, NEW.bsuid, "Ana Maria"), "STOP"))
    await settle(rig)
    [stays] = [contact for contact in rig.documents("contacts") if not contact.get("merged_into")]
    assert (stays["name"], marketing(stays)["value"]) == ("Ana Maria", "stop")


async def test_a_number_that_comes_back_is_where_the_answer_goes(rig):
    at = int(rig.clock().timestamp()) - 100
    other = Customer("5511977777777", ANA.bsuid, "Ana")
    await rig.met(ANA, at=at)
    await rig.met(other, at=at + 10)
    rig.start()
    await rig.met(ANA, at=at + 20)
    tab = await rig.chatting(ANA)
    assert (await tab.head())["contact"]["wa_id"] == ANA.wa_id


@pytest.mark.parametrize("next_owner", [Customer(ANA.wa_id, None, "Bob"), Customer(ANA.wa_id, "BR.bob", "Bob")])
async def test_who_has_a_left_number_next_is_somebody_else(rig, next_owner):
    old, new = Customer(ANA.wa_id, None, "Ana"), Customer(NEW.wa_id, None, "Ana")
    at = int(rig.clock().timestamp()) - 100
    before = await rig.met(old, "Mine", at=at)
    await rig.deliver(moved(old, new, at=at + 10))
    await rig.met(old, "Said before the change", at=at + 5)
    rig.start()
    other = await rig.met(next_owner, "Hello", at=at + 20)
    rig.start()
    assert await rig.met(Customer(ANA.wa_id), "Me again", at=at + 30) == other != before
    assert await texts(rig, before) == ["Mine", "Said before the change"]
    assert await texts(rig, other) == ["Hello", "Me again"]
    assert (await rig.tab(other).head())["contact"]["wa_id"] == ANA.wa_id
    assert rig.documents("reviews") == []


async def test_who_comes_back_to_a_number_is_the_same_again(rig):
    old, new = Customer(ANA.wa_id, None, "Ana"), Customer(NEW.wa_id, None, "Ana")
    at = int(rig.clock().timestamp()) - 100
    before = await rig.met(old, at=at)
    await rig.deliver(moved(old, new, at=at + 10))
    await rig.deliver(moved(new, old, at=at + 20))
    rig.start()
    assert await rig.met(old, "Back", at=at + 30) == before


async def test_the_crm_hears_of_the_new_number(rig):
    conversation = await rig.met(ANA)
    await rig.deliver(moved())
    await settle(rig)
    told = rig.crm.of_type("contact.updated")[-1]["conversation"]
    assert (told["id"], told["contact"]["wa_id"]) == (conversation, NEW.wa_id)


async def test_a_notice_whose_new_number_no_store_takes_costs_nothing_but_itself(rig):
    before = await rig.met(ANA)
    poisoned = moved(system={"wa_id": "5511\ud800"})
    for _ in range(2):
        assert (await rig.post(poisoned, inbound_text(ANA, "Behind it", wamid="wamid.behind"))).status_code == 200
    assert await texts(rig, before) == ["Hello", "Behind it"]
    [parked] = rig.documents("parked")
    assert parked["reason"] == "no store takes what follows from it"


async def test_what_was_joined_is_carried_over_though_its_tasks_were_lost(rig):
    older, younger = await rig.met(ANA, "old"), await rig.met(NEW, "new")
    await rig.deliver(moved())
    rig.tasks.waiting.clear()
    rig.clock.forward(minutes=4)
    await rig.sweep()
    assert await texts(rig, younger) == ["old", "new"]
    assert (await rig.tab(older).head())["unread"] == 2
    assert not [one for name in ("conversations", "contacts") for one in rig.documents(name) if one.get("carrying")]


async def test_the_crm_hears_what_the_elder_has_of_the_younger(rig):
    older = await rig.met(ANA, "old")
    await rig.met(NEW, "new")
    await rig.deliver(moved())
    await settle(rig)
    told = [event["conversation"] for event in rig.crm.events if event["conversation"]["id"] == older]
    assert max(told, key=lambda one: one["version"])["received"] == 2


async def test_two_changes_that_become_known_at_once_end_as_one_though_the_last_tasks_of_the_first_come_late(rig):
    newest = Customer("5511955554444", "BR.77777777777777777777", "Ana")
    first = await rig.met(ANA)
    await rig.met(NEW, "From my new number")
    await rig.met(newest, "From my newest number")
    await rig.deliver(moved(NEW, newest))
    rig.clock.forward(minutes=1)
    await rig.deliver(moved(ANA, NEW))
    await rig.drain()
    late = [task for kind in ("carry", "carry_person") for task in rig.tasks.of_kind(kind)]
    rig.clock.forward(minutes=3)
    # What the second joining has planned comes first; then what is left of the first one.
    for task in sorted(late, key=lambda task: task.at or rig.clock(), reverse=True):
        await rig.run(task)
    rig.start()
    assert await rig.met(newest, "Still me") == first
    await settle(rig)
    assert await texts(rig, first) == ["Hello", "From my new number", "From my newest number", "Still me"]
    assert (await rig.tab(first).head())["received"] == 4
    assert [one["id"] for one in await conversations(rig) if not one["merged_into"]] == [first]


async def test_two_changes_that_join_the_same_contact_at_once_join_all_three(rig):
    newest = Customer("5511955554444", "BR.77777777777777777777", "Ana")
    first = await rig.met(ANA)
    await rig.met(newest, "From my newest number")
    await rig.met(NEW, "From my new number")

    async def stored():
        # The next one joins.
        rig.store.before_next("commit", lambda: rig.deliver(moved(NEW, newest)))

    rig.store.before_next("commit", stored)
    await rig.deliver(moved(ANA, NEW))
    await settle(rig)
    assert [one["id"] for one in await conversations(rig) if not one["merged_into"]] == [first]
    assert sorted(await texts(rig, first)) == ["From my new number", "From my newest number", "Hello"]


async def test_what_is_being_sent_while_its_conversation_is_joined_is_not_sent_once_more(rig):
    first = await rig.met(ANA)
    tab = await rig.chatting(NEW)
    await tab.say("On my way")

    async def slowly(_request):
        rig.whatsapp.plays(None)
        await rig.deliver(moved())
        await rig.drain()
        return accepted("wamid.out.1")

    rig.whatsapp.plays(slowly)
    await rig.drain()
    await settle(rig)
    await rig.sweep()
    assert rig.whatsapp.texts == ["On my way"]
    assert await texts(rig, first) == ["Hello", "Hello", "On my way"]


async def test_what_waits_in_the_younger_goes_before_what_was_said_in_the_elder_since(rig):
    first = await rig.met(ANA)
    tab = await rig.chatting(NEW)
    await tab.say("On my way")
    await tab.say("Nearly there")

    async def slowly(_request):
        rig.whatsapp.plays(None)
        await rig.deliver(moved())
        await rig.tab(first).say("Here")
        await rig.drain()
        return accepted("wamid.out.1")

    rig.whatsapp.plays(slowly)
    await rig.drain()
    await settle(rig)
    await rig.sweep()
    await settle(rig)
    assert rig.whatsapp.texts == ["On my way", "Nearly there", "Here"]


async def test_a_file_that_was_announced_before_a_joining_may_be_sent_after_it(rig):
    first = await rig.met(ANA)
    tab = await rig.chatting(NEW)
    file = await tab.upload(PNG, "image/png")
    await rig.deliver(moved())
    await settle(rig)
    assert (await tab.send({"type": "image", "image": {"id": file}})).status_code == 202
    assert [one["type"] for one in await rig.tab(first).messages()][-1] == "image"


async def test_who_sends_again_and_asks_once_more_after_a_joining_gets_the_same_answer(rig):
    await rig.met(ANA)
    tab = await rig.chatting(NEW)
    rig.whatsapp.answers_next(httpx.ReadTimeout("lost"))
    message = await tab.say("Perhaps")
    await rig.drain()
    rig.clock.forward(minutes=10)
    again = {"as": "send_again", "client_id": "client-again"}
    answers = [await tab.post(f"{tab.url}/messages/{message['id']}/settle", again)]
    for passes in (rig.drain, lambda: settle(rig)):
        await rig.deliver(moved())
        await passes()
        answers.append(await tab.post(f"{tab.url}/messages/{message['id']}/settle", again))
    assert [answer.status_code for answer in answers] == [202, 200, 200], answers[1].text
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_what_a_sender_that_died_was_sending_is_unknown_also_after_a_joining(rig):
    first = await rig.met(ANA)
    tab = await rig.chatting(NEW)
    await tab.say("Perhaps")

    async def dies(_request):
        raise asyncio.CancelledError

    rig.whatsapp.plays(dies)
    [task] = rig.tasks.of_kind("send")
    with suppress(asyncio.CancelledError):
        await rig.run(task)
    rig.whatsapp.plays(None)
    rig.start()
    await rig.deliver(moved())
    await settle(rig)
    rig.clock.forward(minutes=3)
    await rig.sweep()
    await rig.sweep()
    assert rig.whatsapp.texts == ["Perhaps"]
    assert [(one["text"]["body"], one["status"]) for one in await rig.tab(first).messages() if one["client_id"]] == [
        ("Perhaps", "unknown")
    ]


async def test_a_reaction_that_waits_in_the_younger_is_still_sent(rig):
    await rig.met(ANA)
    tab = await rig.chatting(NEW)
    reaction = {"message_id": (await tab.last())["id"], "emoji": "👍"}
    await tab.send({"type": "reaction", "reaction": reaction})
    held, rig.tasks.waiting = rig.tasks.waiting, []
    await rig.deliver(moved())
    await rig.drain()
    rig.tasks.waiting += held
    await settle(rig)
    [sent] = [message for message in rig.whatsapp.messages if message["type"] == "reaction"]
    assert sent["reaction"]["emoji"] == "👍"
