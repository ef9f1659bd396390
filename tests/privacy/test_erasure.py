"""Erased is erased: every store is dumped and searched, on both adapters, and what Meta delivers again stays away."""

import base64
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from functions.core.audit import Actor
from functions.core.erasure import begin, finish
from functions.core.joining import doubt
from functions.core.store import NOW, Key, create
from functions.core.tasks import Task
from tests.payloads import (
    LUCIA,
    NUMBER,
    Customer,
    address_book,
    definition,
    echo_text,
    edit,
    history,
    inbound,
    inbound_image,
    inbound_text,
    message,
    reaction,
    status,
    told,
    value,
)
from tests.privacy.conftest import Dump
from tests.rig import ACCOUNT, LINE, Rig
from tests.traces import found, wrapped

VERA = Customer("5521976543210", "BR.88130218470065519911", "Verônica Quitéria", "vera.quit")
VERA_NOW = Customer("5521912340987", "BR.77130218470065519000", "Verônica Quitéria")
SAYINGS = (
    "Meu pedido de azulejos",
    "Legenda da foto",
    "Azulejos azuis, por favor",
    "Nunca mais azulejos",
    "Azulejos no grupo",
    "Azulejos de antigamente",
    "Azulejos ilegíveis",
    "Dear azulejo friend",
    "An azulejo note",
    "azulejo-offer.pdf",
)
SECRETS = (
    *(number for who in (VERA, VERA_NOW) for number in (who.wa_id, who.wa_id[:4] + who.wa_id[5:])),
    VERA.bsuid,
    VERA_NOW.bsuid,
    VERA.name,
    VERA.username,
    "Verônica do telefone",
    *SAYINGS,
)


def wamid(number: str) -> str:
    """Return a wamid as Meta makes them: it spells out the customer's number."""
    inner = b"\x1d\x3e\x06\x00\x0b" + number.encode() + b"\x15\x02\x00\x12" + str(time.perf_counter_ns()).encode()
    return f"wamid.{base64.b64encode(inner).decode()}"


def hers(body: str, who: Customer = VERA, **more) -> dict:
    return inbound_text(who, body, wamid=more.pop("wamid", None) or wamid(who.wa_id), **more)


async def everything_of_vera(rig: Rig) -> tuple[str, list[tuple]]:
    """Let Vera leave a trace wherever one can be left. Returns her contact and the webhooks that did it."""
    webhooks = []

    async def deliver(*values):
        webhooks.append(values)
        await rig.deliver(*values)

    # A stranger's: what came before its message, and of a message that we do not have.
    first = wamid(VERA.wa_id)
    await deliver(edit(VERA, wamid(VERA.wa_id), SAYINGS[2]))
    await deliver(status("read", wamid(VERA.wa_id), to=VERA))
    link = (await rig.call("POST", "/v1/links", {"line": LINE, "text": "Olá"})).json()
    await deliver(hers(f"{SAYINGS[0]} ({link['reference']})", wamid=first))
    rig.whatsapp.files["photo"] = b"the photo of " + VERA.name.encode()
    photo = inbound_image(VERA, "photo", rig.whatsapp.files["photo"], caption=SAYINGS[1], wamid=wamid(VERA.wa_id))
    await deliver(photo)
    await deliver(reaction(VERA, first, "❤️", wamid=wamid(VERA.wa_id)))
    await rig.drain()
    conversation = rig.crm.of_type("message.received")[-1]["conversation"]
    tab = rig.tab(conversation["id"])
    await tab.say(SAYINGS[7])
    file = await tab.upload(b"%PDF-1.4 azulejo", "application/pdf", SAYINGS[9])
    await tab.send({"type": "document", "document": {"id": file, "filename": SAYINGS[9]}})
    await tab.upload(b"%PDF-1.4 azulejo never sent", "application/pdf", SAYINGS[9])
    await tab.note(SAYINGS[8])
    await rig.drain()
    await deliver(status("read", wamid(VERA.wa_id), to=VERA))
    # She takes another number, and writes from it.
    notice = {"type": "user_changed_number", "body": "changed", "wa_id": VERA_NOW.wa_id, "user_id": VERA_NOW.bsuid}
    notice |= {"previous_user_id": VERA.bsuid}
    who = Customer(VERA.wa_id)
    await deliver(value(messages=[message(who, "system", notice, wamid=wamid(VERA.wa_id))], number=NUMBER))
    await deliver(hers(SAYINGS[3], VERA_NOW))
    await deliver(hers("STOP", VERA_NOW))
    await deliver(hers(SAYINGS[4], VERA_NOW, group_id="group"))
    # What could not be handled: of no line, unreadable, a whole webhook, and what the CRM refused.
    await deliver(inbound_text(VERA, SAYINGS[6], number="999999", wamid=wamid(VERA.wa_id)))
    await deliver(inbound(VERA, "text", {"body": SAYINGS[6]}, wamid=wamid(VERA.wa_id), timestamp="soon"))
    await rig.post_body(f'{{"from": "{VERA.wa_id}", "text": "{SAYINGS[6]}'.encode())
    rig.crm.refuses["contact.updated"] = f"{VERA.name} ({VERA.wa_id}) is no customer"
    await deliver(value(user_preferences=[preference(VERA_NOW)]))
    await rig.drain()
    rig.crm.refuses.clear()
    await rig.store.commit([doubt(ACCOUNT, (conversation["contact"]["id"], "another"), "looks alike", rig.clock())])
    # Handed over by a phone, and not worked off yet; Lucia's chat stands behind hers.
    await deliver(
        history(
            (VERA, [told(VERA, SAYINGS[5], wamid=wamid(VERA.wa_id), at=time.time() - 9000)]),
            (LUCIA, [told(LUCIA, "Lucia's past", wamid=wamid(LUCIA.wa_id), at=time.time() - 9000)]),
        ),
    )
    await deliver(address_book((VERA, "Verônica do telefone", int(time.time()) - 50), (LUCIA, "Lucia B.", 5)))
    return conversation["contact"]["id"], webhooks


def preference(who: Customer) -> dict:
    now = str(int(time.time()))
    item = {"wa_id": who.wa_id, "user_id": who.bsuid, "detail": "-", "category": "marketing_messages"}
    return {**item, "value": "stop", "timestamp": now}


def hits(dump: dict[str, bytes]) -> dict[str, set[str]]:
    return {place: hit for place, data in dump.items() if (hit := found(data, SECRETS))}


@pytest.mark.parametrize("how", wrapped(""))
def test_the_search_sees_through_every_wrapping(how):
    assert found(wrapped("Verônica")[how], ["Verônica", "Somebody"]) == {"Verônica"}


async def test_nothing_of_an_erased_person_is_found_in_any_store(either: tuple[Rig, Dump]):
    rig, dump = either
    contact, webhooks = await everything_of_vera(rig)
    await rig.deliver(inbound_text(LUCIA, "I stay", wamid=wamid(LUCIA.wa_id)))
    before = hits(dump())
    expected = {"aliases", "contacts", "messages", "parked", "imports", "group_messages", "uploads"}
    assert expected <= before.keys(), "the search would find what is there"
    assert "orphan_statuses" in dump()
    assert any(place.startswith("media") for place in before)

    await rig.deliver(inbound_text(LUCIA, "Between"))
    answer = await rig.call("DELETE", f"/v1/contacts/{contact}?by=7")
    assert answer.status_code == 202, answer.text
    await rig.drain()
    assert hits(dump()) == {}
    assert not {"orphan_statuses", "reviews", "uploads", "group_messages"} & dump().keys()
    told_of = rig.crm.of_type("contact.erased")[-1]
    assert contact in told_of["erased"]["contacts"]
    assert len(told_of["erased"]["conversations"]) == 1

    # Meta delivers all of it again, to instances that remember and to fresh ones.
    for _ in range(2):
        for values in webhooks:
            await rig.deliver(*values)
        await rig.drain()
        rig.start()
    left = hits(dump())
    # What no line could be found for is put aside as it comes: it names an account to nobody.
    assert left.keys() <= {"parked", "the file itself"}, left
    rig.clock.forward(minutes=3)
    await rig.drain()

    lucia = (await rig.call("GET", "/v1/conversations")).json()["items"]
    assert [one["contact"]["name"] for one in lucia] == ["Lucia"]
    texts = [one["text"]["body"] for one in await rig.tab(lucia[0]["id"]).messages()]
    assert texts == ["Lucia's past", "I stay", "Between"]


async def erased(rig: Rig, conversation: str) -> str:
    """Erase whom a conversation is with, to its end, and return the contact's id."""
    contact = (await rig.tab(conversation).head())["contact"]["id"]
    assert (await rig.call("DELETE", f"/v1/contacts/{contact}?by=7")).status_code == 202
    await rig.drain()
    return contact


async def test_whoever_writes_after_an_erasure_begins_anew_at_once(rig):
    before = await rig.met(VERA)
    await erased(rig, before)
    after = await rig.met(VERA, "I am back", at=time.time() + 5)
    assert after != before
    assert [one["text"]["body"] for one in await rig.tab(after).messages()] == ["I am back"]
    assert (await rig.tab(after).head())["contact"]["name"] == VERA.name


async def test_old_messages_stay_away_from_who_has_begun_anew(rig):
    old = hers("From before")
    await rig.deliver(old)
    await rig.drain()
    await erased(rig, rig.crm.of_type("message.received")[-1]["conversation"]["id"])
    after = await rig.met(VERA, "I am back", at=time.time() + 5)
    for fresh in (False, True):
        if fresh:
            rig.start()
        await rig.deliver(old)
    assert [one["text"]["body"] for one in await rig.tab(after).messages()] == ["I am back"]


async def test_who_has_begun_anew_costs_one_commit_and_no_read(rig):
    await erased(rig, await rig.met(VERA))
    await rig.met(VERA, "I am back", at=time.time() + 5)
    rig.store.calls.clear()
    await rig.deliver(hers("And again", at=time.time() + 6))
    assert rig.store.calls == {"commit": 1}


async def test_an_open_tab_of_somebody_erased_finds_nothing_and_makes_nothing(rig):
    tab = await rig.chatting(VERA)
    await erased(rig, tab.conversation)
    assert (await tab.get(tab.url)).status_code == 404
    assert (await tab.send({"type": "text", "text": {"body": "Still there?"}})).status_code == 404
    assert (await tab.note("Still there?")).status_code == 404
    assert rig.documents("messages") == []


async def test_what_was_under_way_when_it_began_goes_with_a_second_look(rig):
    before = await rig.met(VERA)
    contact = await erased(rig, before)
    late = {"account": ACCOUNT, "conversation": before, "contact": contact, "changed": NOW, "content": {"body": "late"}}
    await rig.store.commit([create(Key("messages", "late"), late)])
    rig.clock.forward(minutes=3)
    await rig.drain()
    assert rig.documents("messages") == rig.documents("contacts") == rig.documents("conversations") == []


async def test_an_erasure_that_was_interrupted_is_gone_on_with(rig):
    tab = await rig.chatting(VERA)
    await tab.say("one")
    contact = (await tab.head())["contact"]["id"]
    await rig.call("DELETE", f"/v1/contacts/{contact}")
    rig.store.fails_next("query")
    task = Task("housekeeping", "sync", {"kind": "erase", "contact": contact})
    assert (await rig.run(task)).status_code == 503
    assert (await rig.run(task)).status_code == 200
    assert rig.documents("messages") == rig.documents("contacts") == []


async def test_what_others_said_in_the_past_is_taken_though_the_erasure_was_interrupted_there(rig):
    await rig.met(VERA)
    contact = (await rig.call("GET", "/v1/conversations")).json()["items"][0]["contact"]["id"]
    chats = ((who, [told(who, f"Past of {who.name}", at=time.time() - 9000)]) for who in (VERA, LUCIA))
    await rig.deliver(history(*chats))
    rig.tasks.waiting.clear()
    await rig.call("DELETE", f"/v1/contacts/{contact}")
    [task] = rig.tasks.of_kind("erase")
    rig.tasks.out_of_reach = True
    assert (await rig.run(task)).status_code == 503
    rig.tasks.out_of_reach = False
    await rig.run(task)
    rig.clock.forward(minutes=20)
    await rig.sweep()
    assert [one["content"]["body"] for one in rig.documents("messages")] == [f"Past of {LUCIA.name}"]


async def test_an_erasure_whose_task_was_lost_is_swept(rig):
    await rig.met(VERA)
    contact = (await rig.call("GET", "/v1/conversations")).json()["items"][0]["contact"]["id"]
    assert (await rig.call("DELETE", f"/v1/contacts/{contact}")).is_success
    rig.tasks.waiting.clear()
    rig.clock.forward(minutes=1)
    await rig.sweep()
    assert rig.documents("contacts") == rig.documents("messages") == []


async def test_a_message_that_is_being_sent_ends_without_its_document(rig):
    tab = await rig.chatting(VERA)
    await tab.say("On its way")
    contact = (await tab.head())["contact"]["id"]

    async def meanwhile(request):
        await rig.call("DELETE", f"/v1/contacts/{contact}")
        await finish(rig.ports, contact)
        return rig.whatsapp.usual(request)

    rig.whatsapp.plays(meanwhile)
    [send] = rig.tasks.of_kind("send")
    await rig.run(send)
    rig.whatsapp.plays(None)
    callback = rig.whatsapp.messages[-1]["biz_opaque_callback_data"]
    await rig.deliver(status("read", "wamid.out.1", to=VERA, callback=callback))
    assert rig.documents("messages") == rig.documents("orphan_statuses") == rig.documents("contacts") == []


async def test_a_file_that_is_being_fetched_is_not_left_behind(rig):
    rig.whatsapp.files["photo"] = b"the photo"
    await rig.deliver(inbound_image(VERA, "photo", b"the photo"))
    await rig.run(next(task for task in rig.tasks.waiting if task.payload["kind"] == "events"))
    contact = rig.crm.of_type("message.received")[-1]["conversation"]["contact"]["id"]

    async def meanwhile(request):
        if request.url.host == "lookaside.fbsbx.com":
            await rig.call("DELETE", f"/v1/contacts/{contact}")
            await finish(rig.ports, contact)
        return rig.whatsapp.usual(request)

    rig.whatsapp.plays(meanwhile)
    [fetch] = rig.tasks.of_kind("fetch_media")
    assert (await rig.run(fetch)).status_code == 200
    assert rig.stored_files(ACCOUNT) == []


def erases(rig: Rig, contact: str) -> Callable[[], Awaitable[Any]]:
    """Return what erases a person at once."""

    async def erase() -> None:
        await begin(rig.ports, contact, Actor("agent", "7"))
        await finish(rig.ports, contact)

    return erase


async def passes(rig: Rig) -> None:
    """Let everything be done, also what is done once more after two minutes."""
    await rig.drain()
    rig.clock.forward(minutes=3)
    await rig.drain()


@pytest.mark.parametrize("looks", [1, 2])
async def test_who_writes_after_an_erasure_that_came_amid_a_message_loses_nothing(rig, looks):
    """An instance remembers for a minute whom it has found. `looks`: after a commit that is refused it looks again."""
    tab = await rig.chatting(VERA)
    erase = erases(rig, (await tab.head())["contact"]["id"])
    rig.start()
    values = [hers("Old", at=time.time() - 60)]
    if looks == 2:
        again = hers("Again", at=time.time() - 70)
        await rig.deliver(again)
        rig.start()
        values.append(again)

    async def before_the_last_commit() -> None:
        if looks == 2:
            rig.store.before_next("commit", erase)
        else:
            await erase()

    rig.store.before_next("commit", before_the_last_commit)
    await rig.deliver(*values)
    await rig.deliver(hers("New", at=time.time() + 20))
    await passes(rig)
    [found] = (await rig.call("GET", "/v1/conversations")).json()["items"]
    assert [one["text"]["body"] for one in await rig.tab(found["id"]).messages()] == ["New"]


@pytest.mark.parametrize("call", ["get", "query", "commit"])
async def test_a_changed_number_that_is_told_amid_an_erasure_leads_nowhere(rig, call):
    tab = await rig.chatting(VERA)
    contact = (await tab.head())["contact"]["id"]
    notice = {"type": "user_changed_number", "body": "x", "wa_id": VERA_NOW.wa_id, "user_id": VERA_NOW.bsuid}
    moved = value(messages=[message(Customer(VERA.wa_id), "system", notice, at=time.time() - 60)], number=NUMBER)
    rig.store.before_next(call, erases(rig, contact))
    await rig.deliver(moved)
    await passes(rig)
    assert rig.documents("aliases") == rig.documents("contacts") == rig.documents("messages") == []


async def test_the_answer_to_a_stop_makes_no_conversation_again_that_was_just_erased(rig):
    """One that says nothing of its customer kept the CRM from hearing of anybody."""
    tab = await rig.chatting(VERA)
    contact = (await tab.head())["contact"]["id"]
    await rig.deliver(hers("STOP"))
    [goodbye] = rig.tasks.of_kind("goodbye")

    async def once_it_is_read() -> None:
        rig.store.before_next("get", lambda: begin(rig.ports, contact, Actor("agent", "7")))

    rig.store.before_next("get", once_it_is_read)
    await rig.run(goodbye)
    assert rig.documents("conversations") == []


async def test_a_refusal_makes_no_conversation_again_that_was_just_erased(rig):
    tab = await rig.chatting(VERA)
    await tab.say("On its way")
    contact = (await tab.head())["contact"]["id"]

    async def meanwhile(_request):
        await begin(rig.ports, contact, Actor("agent", "7"))
        error = {"code": 131047, "message": "A title", "type": "OAuthException"}
        return httpx.Response(400, json={"error": error})

    rig.whatsapp.plays(meanwhile)
    [send] = rig.tasks.of_kind("send")
    await rig.run(send)
    assert rig.documents("conversations") == []
    await finish(rig.ports, contact)
    await rig.drain()
    assert rig.documents("messages") == rig.documents("contacts") == []


@pytest.mark.parametrize(
    "early",
    [edit(VERA, "wamid.never", "Early", at=1_780_000_000), status("read", "wamid.no", to=VERA, at=1_780_000_000)],
)
async def test_what_comes_before_its_message_amid_an_erasure_goes_with_a_second_look(rig, early):
    tab = await rig.chatting(VERA)
    rig.store.before_next("commit", erases(rig, (await tab.head())["contact"]["id"]))
    await rig.deliver(early)
    await passes(rig)
    assert rig.documents("messages") == rig.documents("orphan_statuses") == []


async def test_who_came_back_is_not_led_to_the_erased_one_by_a_joining_that_is_still_carried_over(rig):
    await rig.met(VERA)
    await rig.met(VERA_NOW)
    notice = {"type": "user_changed_number", "body": "x", "wa_id": VERA_NOW.wa_id, "user_id": VERA_NOW.bsuid}
    await rig.deliver(value(messages=[message(Customer(VERA.wa_id), "system", notice, at=time.time())], number=NUMBER))
    [carried] = rig.tasks.of_kind("carry_person")
    [head] = [one for one in (await rig.call("GET", "/v1/conversations")).json()["items"] if not one["merged_into"]]
    await begin(rig.ports, head["contact"]["id"], Actor("agent", "7"))
    await rig.deliver(hers("I am back", VERA_NOW, at=time.time() + 5))
    assert (await rig.run(carried)).status_code == 200
    rig.start()
    await rig.deliver(hers("And again", VERA_NOW, at=time.time() + 6))
    await finish(rig.ports, head["contact"]["id"])
    await passes(rig)
    [found] = (await rig.call("GET", "/v1/conversations")).json()["items"]
    assert [one["text"]["body"] for one in await rig.tab(found["id"]).messages()] == ["I am back", "And again"]


async def test_asked_once_more_while_it_is_under_way_it_is_accepted_and_by_nobody_else(rig):
    await rig.add_connection("second", url="http://second.test")
    tab = await rig.chatting(VERA)
    contact = (await tab.head())["contact"]["id"]
    for _ in range(2):
        assert (await rig.call("DELETE", f"/v1/contacts/{contact}")).status_code == 202
    assert (await rig.call("DELETE", f"/v1/contacts/{contact}", connection="second")).status_code == 404
    await passes(rig)
    assert (await rig.call("DELETE", f"/v1/contacts/{contact}")).status_code == 404


async def test_what_who_came_back_says_before_the_rest_is_erased_stays(rig):
    """An erasure may take its time; whoever has come back is known by the same number."""
    tab = await rig.chatting(VERA)
    contact = (await tab.head())["contact"]["id"]
    await begin(rig.ports, contact, Actor("agent", "7"))
    soon = time.time() + 5
    await rig.deliver(
        reaction(VERA, "wamid.new", "❤️", at=soon + 2),
        edit(VERA, "wamid.new", "Edited", at=soon + 1),
        status("read", "wamid.echo", to=VERA, at=soon + 1),
        hers("In a group", group_id="group", at=soon),
    )
    rig.clock.forward(seconds=10)
    await rig.deliver(inbound(VERA, "text", {"body": "Nobody reads this"}, timestamp="soon"))
    await finish(rig.ports, contact)
    assert len(rig.documents("group_messages")) == len(rig.documents("parked")) == 1
    await rig.deliver(hers("New", wamid="wamid.new", at=soon))
    await rig.deliver(echo_text(VERA, "Welcome back", wamid="wamid.echo", at=soon))
    await passes(rig)
    [found] = (await rig.call("GET", "/v1/conversations")).json()["items"]
    said, echo = sorted(await rig.tab(found["id"]).messages(), key=lambda one: one["direction"])
    assert (said["text"]["body"], said["reactions"][0]["emoji"]) == ("Edited", "❤️")
    assert (echo["text"]["body"], echo["status"]) == ("Welcome back", "read")


async def test_what_was_to_be_done_for_a_message_of_somebody_erased_ends_quietly(rig):
    """Nothing went wrong: it is not put aside, where an admin would look into it."""
    rig.whatsapp.files["photo"] = b"the photo"
    await rig.deliver(inbound_image(VERA, "photo", b"the photo"))
    await rig.run(next(task for task in rig.tasks.waiting if task.payload["kind"] == "events"))
    tab = rig.tab(rig.crm.of_type("message.received")[-1]["conversation"]["id"])
    assert (await tab.read((await tab.last())["id"])).is_success
    contact = (await tab.head())["contact"]["id"]
    assert (await rig.call("DELETE", f"/v1/contacts/{contact}")).is_success
    await finish(rig.ports, contact)
    assert {"fetch_media", "read"} <= {task.payload["kind"] for task in rig.tasks.waiting}
    await rig.drain()
    assert rig.documents("parked") == []


async def test_who_was_only_invited_is_erased_and_may_be_invited_again(rig):
    await rig.holds_templates(definition("order_update", "Hi"))
    start = {"line": LINE, "to": {"phone": f"+{VERA.wa_id}"}, "name": "Vera"}
    named = {"name": "order_update", "language": {"code": "en_US"}}
    start["message"] = {"type": "template", "client_id": "client-1", "template": named}
    first = (await rig.call("POST", "/v1/conversations", start)).json()["conversation"]
    assert (await rig.call("DELETE", f"/v1/contacts/{first['contact']['id']}")).status_code == 202
    await finish(rig.ports, first["contact"]["id"])
    assert rig.documents("contacts") == []
    second = (await rig.call("POST", "/v1/conversations", start)).json()["conversation"]
    assert second["id"] != first["id"]


async def test_the_crm_is_told_on_each_connection_that_knew_the_person(rig):
    await rig.add_connection("second", url="http://crm.test")
    await rig.add_line("other", number="200", connection="second")
    before = await rig.met(VERA)
    await rig.deliver(inbound_text(VERA, number="200"))
    await rig.drain()
    contact = await erased(rig, before)
    events = rig.crm.of_type("contact.erased")
    assert [len(one["erased"]["conversations"]) for one in events] == [1, 1]
    assert all(one["erased"]["contacts"] == [contact] for one in events)


async def test_of_two_who_became_one_both_are_erased(rig):
    old = await rig.met(VERA)
    young = await rig.met(VERA_NOW)
    notice = {"type": "user_changed_number", "body": "x", "wa_id": VERA_NOW.wa_id, "user_id": VERA_NOW.bsuid}
    notice |= {"previous_user_id": VERA.bsuid}
    await rig.deliver(value(messages=[message(Customer(VERA.wa_id), "system", notice)], number=NUMBER))
    await rig.drain()
    assert (await rig.tab(young).head())["id"] == old
    await erased(rig, young)
    for collection in ("contacts", "conversations", "messages", "aliases"):
        assert rig.documents(collection) == [], collection


async def test_nobody_but_the_connection_that_knows_them_may_erase_or_read_a_person(rig):
    conversation = await rig.met(VERA)
    contact = (await rig.tab(conversation).head())["contact"]["id"]
    await rig.add_connection("second", rig.secret)
    await rig.add_connection("third", rig.secret, account="another")
    for connection in ("second", "third"):
        for method in ("GET", "DELETE"):
            answer = await rig.call(method, f"/v1/contacts/{contact}", connection=connection)
            assert answer.status_code == 404, (connection, method)
    tab = rig.tab(conversation)
    assert (await tab.get(f"/v1/contacts/{contact}")).status_code == 403
    assert (await rig.call("DELETE", "/v1/contacts/nobody")).status_code == 404


async def test_what_it_leaves_behind_is_who_did_it_and_nothing_of_the_person(rig):
    contact = await erased(rig, await rig.met(VERA))
    acts = (await rig.call("GET", "/v1/audit")).json()["items"]
    [erasure] = [one for one in acts if one["act"] == "erased"]
    assert (erasure["agent"], erasure["contact"], erasure["actor"]) == ("7", contact, "agent")
    ids = {"conversations", "contacts", "connections"}
    assert all(one.keys() <= {"account", "at", "expires_at"} | ids for one in rig.documents("erasures"))
