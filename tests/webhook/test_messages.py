import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.payloads import (
    ANA,
    LUCIA,
    MIA,
    WABA,
    Customer,
    customers,
    inbound,
    inbound_image,
    inbound_text,
    message,
    value,
    webhook,
)


async def conversations(rig):
    """Return the conversations as the CRM's server lists them."""
    answer = await rig.call("GET", "/v1/conversations?limit=200")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_a_customers_words_stand_in_the_chat(rig):
    tab = await rig.chatting(ANA)
    [said] = await tab.messages()
    assert said["text"] == {"body": "Hello"}
    assert (said["direction"], said["status"], said["type"]) == ("in", "received", "text")
    assert said["author"]["name"] == "Ana"


async def test_who_the_customer_is_stands_at_the_head(rig):
    head = await (await rig.chatting(ANA)).head()
    assert head["contact"] | {"id": None} == {
        "id": None,
        "name": "Ana",
        "wa_id": "5511987654321",
        "phone": "+5511987654321",
        "bsuid": ANA.bsuid,
        "username": None,
        "consent": {"marketing": None, "agreed": False, "stopped": False, "notice": None},
    }
    assert (head["received"], head["unread"], head["window"]["open"]) == (1, 1, True)


async def test_a_customer_without_a_number_is_a_contact_like_any_other(rig):
    contact = (await (await rig.chatting(MIA)).head())["contact"]
    assert (contact["name"], contact["phone"], contact["username"]) == ("Mia", None, "mia.codes")


async def test_the_same_webhook_three_times_is_one_message_counted_once(rig):
    body = webhook(inbound_text(ANA))
    for _ in range(3):
        assert (await rig.post_body(body)).status_code == 200
        await rig.drain()
    [conversation] = await conversations(rig)
    assert conversation["unread"] == 1
    assert len(await rig.tab(conversation["id"]).messages()) == 1
    assert len(rig.crm.of_type("message.received")) == 1


async def test_the_same_message_in_another_batch_is_still_one(rig):
    again = inbound_text(ANA, "again", wamid="wamid.again")
    await rig.deliver(again)
    await rig.deliver(inbound_text(ANA, "early bird"), again, inbound_text(LUCIA, "other"), again)
    await rig.drain()
    assert sorted(item["unread"] for item in await conversations(rig)) == [1, 2]


async def test_twenty_new_customers_delivered_four_times_at_once_are_twenty_of_each(rig):
    instances = [rig.webhook]
    for _ in range(3):
        rig.start()
        instances.append(rig.webhook)
    bodies = [webhook(inbound_text(customer)) for customer in customers(20)]

    async def deliver(instance, body):
        rig.webhook = instance
        return (await rig.post_body(body)).status_code

    answers = await asyncio.gather(*(deliver(instance, body) for body in bodies for instance in instances))
    assert set(answers) == {200}
    await rig.drain()
    found = await conversations(rig)
    assert len(found) == len({item["contact"]["id"] for item in found}) == len({item["id"] for item in found}) == 20
    assert {item["unread"] for item in found} == {1}
    assert sorted(item["contact"]["name"] for item in found) == sorted(f"Customer {n}" for n in range(20))
    assert len(rig.crm.of_type("message.received")) == 20
    assert all([len(await rig.tab(item["id"]).messages()) == 1 for item in found])


async def test_four_first_messages_of_one_customer_at_once_make_one_conversation(rig):
    await asyncio.gather(*(rig.deliver(inbound_text(ANA, str(n))) for n in range(4)))
    [conversation] = await conversations(rig)
    assert conversation["unread"] == 4
    assert {item["text"]["body"] for item in await rig.tab(conversation["id"]).messages()} == {"0", "1", "2", "3"}


async def test_one_poisoned_item_of_27_costs_nothing_but_itself(rig):
    people = customers(27)
    texts = [message(who, "text", {"body": who.name}) for who in people]
    texts[13]["text"]["body"] = "a lone surrogate: \ud800"

    def change(start):
        contacts = [who.contact() for who in people[start : start + 3]]
        return {"field": "messages", "value": value(contacts=contacts, messages=texts[start : start + 3])}

    entries = [{"id": WABA, "changes": [change(start + 3 * n) for n in range(3)]} for start in (0, 9, 18)]
    answer = await rig.post_body(json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode())
    assert answer.status_code == 200
    await rig.drain()
    assert len(await conversations(rig)) == len(rig.crm.of_type("message.received")) == 26
    [parked] = rig.documents("parked")
    assert (parked["reason"], parked["line"]) == ("no store takes it", "line")


def deep(levels):
    return json.loads('{"a":' * levels + "1" + "}" * levels)


@pytest.mark.parametrize(
    "content",
    [{"body": "\udfff"}, deep(25), {"body": 10**30}, {"": "no name"}, {"__reserved__": 1}, {"list": [[1]]}],
    ids=["lone surrogate", "nested deep", "huge number", "empty name", "reserved name", "list in list"],
)
async def test_what_no_store_takes_is_parked_and_answered_200(rig, content):
    await rig.deliver(inbound_text(ANA), inbound(LUCIA, "text", content))
    assert [item["contact"]["name"] for item in await conversations(rig)] == ["Ana"]
    assert len(rig.documents("parked")) == 1


async def test_a_message_over_a_mebibyte_is_parked_in_parts_and_answered_200(rig):
    # Compressed it must still be over 1 MiB, so it is random.
    body = "".join(chr(0x4E00 + (n * 7919 * n) % 20000) for n in range(400_000))
    await rig.deliver(inbound_text(ANA), inbound_text(LUCIA, body))
    assert [item["contact"]["name"] for item in await conversations(rig)] == ["Ana"]
    parts = rig.documents("parked")
    assert [part["part"] for part in parts] == list(range(len(parts)))


@pytest.mark.parametrize("levels", [100, 400, 900, 950, 970, 980, 985, 990, 995, 1000, 5000])
async def test_however_deep_a_body_is_nested_it_does_not_come_for_ever(rig, levels):
    nested = webhook(inbound_text(ANA, "HERE")).replace(b'"HERE"', b'{"a":' * levels + b"1" + b"}" * levels)
    assert (await rig.post_body(nested)).status_code == 200
    assert rig.documents("parked")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b"null", b'"text"', b'{"object":"page"}', b"[" * 9999])
async def test_an_unreadable_body_with_a_good_signature_is_quarantined(rig, body):
    assert (await rig.post_body(body)).status_code == 200
    [quarantined] = rig.documents("parked")
    assert quarantined["state"] == "quarantined"
    assert not rig.tasks.waiting


async def test_an_unknown_number_is_quarantined_and_never_lands_on_another_line(rig):
    await rig.deliver(inbound_text(ANA, number="999"), inbound_text(LUCIA))
    [parked] = rig.documents("parked")
    assert parked["reason"] == "no line has this phone_number_id"
    assert [item["contact"]["name"] for item in await conversations(rig)] == ["Lucia"]


async def test_a_line_that_is_added_later_is_found_at_once(rig):
    await rig.deliver(inbound_text(ANA, number="200"))
    await rig.add_line("second", number="200")
    await rig.deliver(inbound_text(ANA, number="200"))
    assert len(await conversations(rig)) == 1


async def test_each_line_has_its_own_conversation_with_the_same_contact(rig):
    await rig.add_line("second", number="200")
    await rig.deliver(inbound_text(ANA), inbound_text(ANA, number="200"))
    one, other = await conversations(rig)
    assert one["contact"]["id"] == other["contact"]["id"]
    assert {one["line"], other["line"]} == {"line", "second"}


@pytest.mark.parametrize("call", ["get", "commit"])
async def test_a_store_that_is_away_makes_meta_deliver_again(rig, call):
    body = webhook(inbound_text(ANA))
    rig.store.fails_next(call)
    assert (await rig.post_body(body)).status_code == 503
    assert (await rig.post_body(body)).status_code == 200
    await rig.drain()
    assert [item["unread"] for item in await conversations(rig)] == [1]
    assert len(rig.crm.of_type("message.received")) == 1


async def test_a_commit_whose_answer_was_lost_is_not_done_twice(rig):
    body = webhook(inbound_text(ANA), inbound_text(LUCIA))
    rig.store.loses_next_answer("commit")
    assert (await rig.post_body(body)).status_code == 503
    assert (await rig.post_body(body)).status_code == 200
    await rig.drain()
    assert [item["unread"] for item in await conversations(rig)] == [1, 1]
    assert len(rig.crm.of_type("message.received")) == 2


async def test_a_queue_that_is_away_makes_meta_deliver_again_and_that_enqueues(rig):
    picture = b"picture"
    body = webhook(inbound_text(ANA), inbound_image(LUCIA, "media-1", picture))
    rig.tasks.out_of_reach = True
    assert (await rig.post_body(body)).status_code == 503
    rig.tasks.out_of_reach = False
    rig.start()
    assert (await rig.post_body(body)).status_code == 200
    assert {task.payload["kind"] for task in rig.tasks.waiting} == {"events", "fetch_media"}


async def test_a_batch_asks_the_crm_once(rig):
    await rig.deliver(*(inbound_text(customer) for customer in customers(30)))
    assert len(rig.tasks.of_kind("events")) == 1
    await rig.drain()
    assert len(rig.crm.of_type("message.received")) == 30


async def test_a_batch_over_one_commit_keeps_the_order_of_its_messages(rig):
    at = 1_780_000_000
    await rig.deliver(*(inbound_text(ANA, str(n), at=at) for n in range(120)))
    [conversation] = await conversations(rig)
    messages = await rig.tab(conversation["id"]).messages()
    assert [item["text"]["body"] for item in messages] == [str(n) for n in range(120)]


async def test_a_thousand_updates_in_one_post_are_taken(rig):
    await rig.deliver(*(inbound_text(customer) for customer in customers(1000)))
    await rig.drain()
    assert len(rig.crm.of_type("message.received")) == 1000


async def test_messages_are_ordered_by_the_providers_time_not_by_arrival(rig):
    at = 1_780_000_000
    conversation = await rig.met(ANA, "second", at=at + 1)
    await rig.met(ANA, "first", at=at)
    assert [item["text"]["body"] for item in await rig.tab(conversation).messages()] == ["first", "second"]


async def test_a_webhook_that_comes_late_does_not_lengthen_the_window(rig):
    hour = 3600
    at = rig.clock().timestamp() - 23 * hour
    tab = rig.tab(await rig.met(ANA, at=at))
    await rig.met(ANA, at=at - 20 * hour)
    assert (await tab.head())["window"]["open"]
    rig.clock.forward(hours=2)
    assert not (await tab.head())["window"]["open"]


@pytest.mark.parametrize(("first", "then"), [("553188887777", "5531988887777"), ("5215512345678", "525512345678")])
async def test_both_forms_of_a_number_are_one_customer(rig, first, then):
    for one, other in ((first, then), (then, first)):
        assert await rig.met(Customer(one)) == await rig.met(Customer(other))


async def test_a_customer_who_hides_the_number_later_is_still_the_same(rig):
    assert await rig.met(ANA) == await rig.met(Customer(None, ANA.bsuid, "Ana"))


async def test_a_number_that_somebody_else_has_now_is_another_customer(rig):
    before = await rig.met(ANA)
    after = await rig.met(Customer(ANA.wa_id, "BR.other", "Bob"))
    assert before != after
    contacts = rig.documents("contacts")
    assert len({alias for contact in contacts for alias in contact["aliases"]}) == len(rig.names("aliases"))
    assert sum(len(contact["aliases"]) for contact in contacts) == len(rig.names("aliases"))
    assert (await rig.tab(before).head())["contact"]["name"] == "Ana"
    assert len(await rig.tab(before).messages()) == 1
    assert await rig.met(ANA) == before


async def test_a_changed_name_is_shown(rig):
    conversation = await rig.met(ANA)
    await rig.met(Customer(ANA.wa_id, ANA.bsuid, "Ana Maria"))
    assert (await rig.tab(conversation).head())["contact"]["name"] == "Ana Maria"


async def test_what_has_neither_number_nor_bsuid_is_parked(rig):
    await rig.deliver(inbound_text(Customer(name="Nameless Norbert")))
    assert [parked["reason"] for parked in rig.documents("parked")] == ["neither BSUID nor number"]


async def test_a_reply_shows_what_it_answers(rig):
    tab = rig.tab(await rig.met(ANA, "Is it blue?", wamid="wamid.question"))
    await rig.met(ANA, "Well?", context={"from": "15550100001", "id": "wamid.question"})
    assert (await tab.last())["reply_to"]["preview"] == "Is it blue?"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PLACES = ("context", "timestamp", "from", "from_user_id", "referral", "errors", "text", "image", "type", "id")
IN_MEDIA = ("id", "mime_type", "sha256", "filename", "caption", "url")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    type_=st.sampled_from(["text", "image"]), name=st.sampled_from(PLACES), inside=st.sampled_from(IN_MEDIA), odd=JSON
)
async def test_nothing_strange_in_a_message_hurts_the_chat_or_the_crm(rig, type_, name, inside, odd):
    content = {"body": "Hi"} if type_ == "text" else {"id": "media-1", "mime_type": "image/png", inside: odd}
    strange = inbound(ANA, type_, content)
    strange["messages"][0][name] = odd
    rig.crm.batches.clear()
    await rig.deliver(strange)
    conversation = await rig.met(ANA)
    assert await rig.tab(conversation).messages()
    assert rig.crm.of_type("message.received")


async def test_personal_data_never_stands_in_a_documents_name(rig):
    await rig.met(ANA, wamid="wamid.5511987654321")
    with_names = json.dumps([rig.names(collection) for collection in ("messages", "contacts", "aliases", "events")])
    assert ANA.wa_id not in with_names
    assert ANA.bsuid not in with_names
