from datetime import datetime

import pytest

from functions.core.message import outbound_key
from tests.payloads import ANA, LUCIA, inbound_text, status
from tests.rig import LINE, LINE_NUMBER
from tests.webhook.test_facts import preference


@pytest.fixture
async def long(rig):
    """Return the tab of a conversation of 120 messages, numbered from 0."""
    began = rig.clock().timestamp() - 3600
    await rig.deliver(*(inbound_text(ANA, str(n), at=began + n) for n in range(120)))
    await rig.drain()
    return rig.tab(rig.crm.events[-1]["conversation"]["id"])


def numbers(page):
    return [int(item["text"]["body"]) for item in page["items"]]


async def test_the_head_says_who_is_talked_to_and_over_what(rig):
    tab = await rig.chatting(ANA)
    head = await tab.head()
    assert head["id"] == tab.conversation
    well = {"sending": "ok", "error": None, "since": None, "quality": None, "limit": None}
    named = {"id": LINE, "phone_number_id": "100000000000001", "number": LINE_NUMBER, "name": "Shop"}
    assert head["line"] == {**named, "opt_in": True, "health": well}
    assert set(head["contact"]) == {"id", "name", "wa_id", "phone", "bsuid", "username", "consent"}
    assert head["merged_into"] is None


async def test_the_head_says_what_the_customer_wants(rig):
    tab = await rig.chatting(ANA)
    assert (await tab.head())["contact"]["consent"] == {
        "marketing": None,
        "agreed": False,
        "stopped": False,
        "notice": None,
    }
    at = int(rig.clock().timestamp()) + 5
    await rig.deliver(inbound_text(ANA, "Stop.", at=at))
    consent = (await tab.head())["contact"]["consent"]
    assert (consent["marketing"]["value"], consent["marketing"]["source"]) == ("stop", "keyword")
    assert (datetime.fromisoformat(consent["marketing"]["at"]).timestamp(), consent["stopped"]) == (at, True)
    await rig.deliver(preference("resume", at + 1))
    consent = (await tab.head())["contact"]["consent"]
    assert (consent["marketing"]["value"], consent["stopped"]) == ("resume", False)
    await rig.deliver(preference("stop", at + 2))
    consent = (await tab.head())["contact"]["consent"]
    assert (consent["marketing"]["value"], consent["stopped"]) == ("stop", False)


async def test_the_head_says_that_the_line_is_held_and_what_meta_says_of_it(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi")
    rig.whatsapp.refuses_next(131042)
    await rig.drain()
    health = (await tab.head())["line"]["health"]
    assert (health["sending"], health["error"]["code"], health["error"]["decision"]) == ("held", 131042, "account")
    assert datetime.fromisoformat(health["since"]) <= rig.clock()


async def test_a_new_version_of_the_head_is_a_larger_number(rig):
    tab = await rig.chatting(ANA)
    before = (await tab.head())["version"]
    await rig.met(ANA)
    assert (await tab.head())["version"] > before


async def test_the_newest_page_comes_first_oldest_message_first(long):
    assert numbers(await long.page()) == list(range(70, 120))


async def test_older_pages_follow_to_the_beginning(long):
    page = await long.page()
    read = numbers(page)
    while page["next"]:
        page = await long.page(before=page["next"])
        read = numbers(page) + read
    assert read == list(range(120))


async def test_opening_reads_one_page_whatever_the_length(rig, long):
    rig.store.calls.clear()
    await long.page()
    assert rig.store.calls["query"] == 1


async def test_a_page_as_long_as_the_conversation_has_nothing_before_it(long):
    page = await long.page(limit=120)
    assert numbers(page) == list(range(120))
    assert page["next"] is None


async def test_new_messages_come_after_the_cursor(rig, long):
    cursor = (await long.page())["cursor"]
    await rig.met(ANA, "120")
    changed = await long.page(after=cursor, limit=200)
    assert changed["items"][-1]["text"]["body"] == "120"
    assert changed["next"] is None


async def test_a_message_that_changed_comes_again_with_a_larger_version(rig):
    tab = await rig.chatting(ANA)
    sent = await tab.say("Hi!")
    await rig.drain()
    page = await tab.page()
    [before] = [item for item in page["items"] if item["id"] == sent["id"]]
    callback = rig.whatsapp.messages[-1]["biz_opaque_callback_data"]
    await rig.deliver(status("read", "wamid.out.1", callback=callback))
    [after] = [item for item in (await tab.page(after=page["cursor"]))["items"] if item["id"] == sent["id"]]
    assert (before["status"], after["status"]) == ("sent", "read")
    assert after["version"] > before["version"]


async def test_an_old_message_that_changed_is_not_missed_though_its_page_is_not_shown(rig):
    tab = await rig.chatting(ANA)
    sent = await tab.say("Hi!")
    await rig.drain()
    callback = rig.whatsapp.messages[-1]["biz_opaque_callback_data"]
    await rig.deliver(*(inbound_text(ANA, str(n), at=rig.clock().timestamp() + 1 + n) for n in range(60)))
    page = await tab.page(limit=10)
    assert sent["id"] not in [item["id"] for item in page["items"]]
    await rig.deliver(status("read", "wamid.out.1", callback=callback))
    changed = await tab.page(after=page["cursor"], limit=200)
    assert sent["id"] in [item["id"] for item in changed["items"]]


async def test_a_reading_of_many_changes_goes_on_with_next_and_misses_none(long):
    seen, page = {}, await long.page(after="0", limit=50)
    pages = 1
    while True:
        seen |= {item["id"]: item["version"] for item in page["items"]}
        if not page["next"]:
            break
        page = await long.page(after=page["next"], limit=50)
        pages += 1
    assert len(seen) == 120
    assert pages == 3


async def test_the_last_seconds_come_again_and_are_known_by_id_and_version(rig):
    tab = await rig.chatting(ANA)
    page = await tab.page()
    again = await tab.page(after=page["cursor"])
    assert [(item["id"], item["version"]) for item in again["items"]] == [
        (item["id"], item["version"]) for item in page["items"]
    ]
    assert again["cursor"] == page["cursor"]


async def test_an_empty_reading_keeps_its_cursor(rig):
    tab = await rig.chatting(ANA)
    assert (await tab.page(after="9999999999999999"))["cursor"] == "9999999999999999"


@pytest.mark.parametrize("query", ["before=x", "after=x", "after=", "limit=0", "limit=201", "limit=x", "after=-1~x"])
async def test_a_wrong_cursor_or_limit_is_a_problem(rig, query):
    tab = await rig.chatting(ANA)
    answer = await tab.get(f"{tab.url}/messages?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_the_order_is_that_of_sort(rig):
    tab = rig.tab(await rig.met(ANA, "late"))
    await rig.met(ANA, "early", at=rig.clock().timestamp() - 60)
    await tab.note("to the side")
    sorts = [item["sort"] for item in await tab.messages()]
    assert sorts == sorted(sorts)


async def test_what_we_sent_and_what_came_back_stand_in_one_order(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi!")
    rig.clock.forward(seconds=2)
    await rig.met(ANA, "Thanks", at=rig.clock().timestamp())
    assert [item["direction"] for item in await tab.messages()] == ["in", "out", "in"]


async def test_a_quoted_message_is_shown_wherever_it_stands(rig, long):
    oldest = (await long.page(limit=120))["items"][0]
    await long.send({"type": "text", "text": {"body": "that one"}, "context": {"message_id": oldest["id"]}})
    [answer] = (await long.page(limit=1))["items"]
    assert answer["reply_to"]["id"] == oldest["id"]
    assert answer["reply_to"]["preview"] == "0"


async def test_a_customers_quote_of_ours_is_shown(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Blue or red?")
    await rig.drain()
    await rig.met(ANA, "Blue", context={"from": "15550100001", "id": "wamid.out.1"})
    assert (await tab.last())["reply_to"]["preview"] == "Blue or red?"
    [shown] = (await tab.page(limit=1))["items"]
    assert shown["reply_to"]["preview"] == "Blue or red?"


async def test_a_quote_of_another_conversation_is_not_shown(rig):
    await rig.met(LUCIA, "a secret", wamid="wamid.secret")
    tab = rig.tab(await rig.met(ANA, "Hm?", context={"from": "1", "id": "wamid.secret"}))
    assert "a secret" not in str(await tab.messages())


async def test_a_merged_conversation_opens_the_older_one(rig):
    older, younger = await rig.met(ANA), await rig.met(LUCIA)
    await rig.merge(younger, into=older)
    tab = rig.tab(younger)
    assert (await tab.head())["id"] == older
    assert [item["author"]["name"] for item in await tab.messages()] == ["Ana"]
    sent = await tab.say("Hi!")
    assert sent["conversation"] == older
    await rig.drain()
    assert rig.whatsapp.messages[0]["to"] == "+5511987654321"


@pytest.mark.parametrize("path", ["", "/messages"])
async def test_what_is_missing_and_what_is_anothers_look_the_same(rig, path):
    await rig.add_connection("other", account="other")
    await rig.add_line("theirs", number="200", connection="other", account="other")
    await rig.deliver(inbound_text(LUCIA, number="200"))
    [theirs] = (await rig.call("GET", "/v1/conversations", connection="other")).json()["items"]
    answers = [
        await rig.call("GET", f"/v1/conversations/{conversation}{path}") for conversation in (theirs["id"], "nothing")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()


async def test_a_line_that_moved_to_another_crm_takes_its_conversations_with_it(rig):
    tab = await rig.chatting(ANA)
    await rig.add_connection("other")
    await rig.add_line(connection="other")
    rig.start()
    assert (await tab.get(tab.url)).status_code == 404
    theirs = {"Authorization": f"Bearer {rig.grant(tab.conversation, kid='other')}"}
    assert (await rig.chat.get(tab.url, headers=theirs)).status_code == 200


async def test_a_reaction_is_no_place_that_one_has_read_up_to(rig):
    tab = await rig.chatting(ANA)
    [message] = await tab.messages()
    client_id = "client-reaction"
    sent = await tab.send({"type": "reaction", "reaction": {"message_id": message["id"], "emoji": "👍"}}, client_id)
    assert sent.status_code == 202, sent.text
    assert (await tab.read(outbound_key(tab.conversation, client_id).id)).status_code == 404
