"""What a CRM server asks for by itself: its conversations, and its events where we can't reach it."""

import pytest

from functions.core.parked import items
from tests.payloads import ANA, LUCIA, customers, inbound_text, status


async def pulled(rig, path):
    answer = await rig.call("GET", path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_conversations_are_listed_the_latest_changed_first(rig):
    for customer in (ANA, LUCIA, ANA):
        await rig.deliver(inbound_text(customer))
    items = (await pulled(rig, "/v1/conversations"))["items"]
    assert [(item["contact"]["name"], item["unread"]) for item in items] == [("Ana", 2), ("Lucia", 1)]
    assert items[0]["window"]["open"]


async def test_a_long_list_comes_in_pages(rig):
    for customer in customers(7):
        await rig.deliver(inbound_text(customer))
    names, path = [], "/v1/conversations?limit=3"
    while path:
        page = await pulled(rig, path)
        names += [item["contact"]["name"] for item in page["items"]]
        path = page["next"] and f"/v1/conversations?limit=3&before={page['next']}"
    assert names == [f"Customer {n}" for n in reversed(range(7))]


async def test_only_what_changed_since_a_time_is_listed(rig):
    await rig.deliver(inbound_text(ANA))
    [ana] = (await pulled(rig, "/v1/conversations"))["items"]
    await rig.deliver(inbound_text(LUCIA))
    since = ana["updated"].replace("+", "%2B")
    items = (await pulled(rig, f"/v1/conversations?updated_after={since}"))["items"]
    assert [item["contact"]["name"] for item in items] == ["Lucia"]


@pytest.mark.parametrize("name", ["second", "200"])
async def test_a_line_is_named_by_its_id_or_its_phone_number_id(rig, name):
    await rig.add_line("second", number="200")
    await rig.deliver(inbound_text(ANA), inbound_text(LUCIA, number="200"))
    items = (await pulled(rig, f"/v1/conversations?line={name}"))["items"]
    assert [item["contact"]["name"] for item in items] == ["Lucia"]


@pytest.mark.parametrize("name", ["theirs", "200", "nothing"])
async def test_a_line_of_another_connection_is_not_found(rig, name):
    await rig.add_line("theirs", number="200", connection="other", account="other")
    assert (await rig.call("GET", f"/v1/conversations?line={name}")).status_code == 404


async def test_conversations_of_another_connection_are_not_listed(rig):
    await rig.add_line("theirs", number="200", connection="other", account="other")
    await rig.deliver(inbound_text(ANA), inbound_text(LUCIA, number="200"))
    assert [item["contact"]["name"] for item in (await pulled(rig, "/v1/conversations"))["items"]] == ["Ana"]


async def test_events_can_be_pulled_as_they_would_be_pushed(rig):
    await rig.deliver(inbound_text(ANA))
    page = await pulled(rig, "/v1/events")
    await rig.drain()
    assert page["items"] == rig.crm.events


async def test_a_pull_goes_on_where_the_last_one_ended(rig):
    await rig.deliver(*(inbound_text(customer) for customer in customers(12)))
    seen, after = [], "0"
    for _ in range(3):
        page = await pulled(rig, f"/v1/events?limit=5&after={after}")
        seen += [event["id"] for event in page["items"]]
        after = page["next"]
    assert len(seen) == len(set(seen)) == 12
    await rig.deliver(inbound_text(ANA))
    later = (await pulled(rig, f"/v1/events?after={after}"))["items"]
    assert later[-1]["conversation"]["contact"]["name"] == "Ana"


def result(event, **changed):
    """Return what a CRM says of an event that it pulled and took."""
    lead = {"model": "crm.lead", "id": 7, "name": "A lead"}
    taken = {"id": event["id"], "at": event["at"], "ok": True, "records": [lead], "owner": {"id": 2, "name": "Marc"}}
    return taken | changed


async def hand_in(rig, *results, **signed_as):
    answer = await rig.call("POST", "/v1/events/results", {"results": results}, **signed_as)
    assert answer.status_code == 200, answer.text
    return answer.json()["settled"]


async def test_what_was_taken_is_neither_pulled_again_nor_pushed(rig):
    await rig.deliver(inbound_text(ANA), inbound_text(LUCIA))
    first, second = (await pulled(rig, "/v1/events"))["items"]
    assert await hand_in(rig, result(first)) == 1
    assert (await pulled(rig, "/v1/events"))["items"] == [second]
    await rig.drain()
    assert [event["id"] for event in rig.crm.events] == [second["id"]]


async def test_records_and_owner_of_a_pulled_event_stand_at_the_head(rig):
    await rig.deliver(inbound_text(ANA))
    [event] = (await pulled(rig, "/v1/events"))["items"]
    await hand_in(rig, result(event))
    head = await rig.tab(event["conversation"]["id"]).head()
    assert (head["records"][0]["id"], head["owner"]) == (7, {"id": 2, "name": "Marc"})


async def test_a_pulled_event_that_is_refused_is_put_aside_with_its_sentence(rig):
    await rig.deliver(inbound_text(ANA))
    [event] = (await pulled(rig, "/v1/events"))["items"]
    await hand_in(rig, {"id": event["id"], "at": event["at"], "ok": False, "refused": "No such line."})
    assert (await pulled(rig, "/v1/events"))["items"] == []
    [item] = [item async for item in items(rig.store)]
    assert (item.state, item.reason) == ("event", "refused by the CRM")


async def test_what_happened_again_since_the_pull_is_told_again(rig):
    await (await rig.chatting(ANA)).say("Hello")
    await rig.drain()
    await rig.deliver(status("delivered", "wamid.out.1"))
    [event] = (await pulled(rig, "/v1/events"))["items"]
    await rig.deliver(status("delivered", "wamid.out.1"))
    assert await hand_in(rig, result(event)) == 0
    [again] = (await pulled(rig, "/v1/events"))["items"]
    assert (again["id"], again["at"] > event["at"]) == (event["id"], True)
    assert await hand_in(rig, result(again)) == 1


async def test_results_for_another_connections_events_change_nothing(rig):
    await rig.add_connection("other", account="other")
    await rig.deliver(inbound_text(ANA))
    [event] = (await pulled(rig, "/v1/events"))["items"]
    assert await hand_in(rig, result(event), connection="other") == 0
    assert (await pulled(rig, "/v1/events"))["items"] == [event]


async def test_results_may_be_handed_in_again(rig):
    await rig.deliver(inbound_text(ANA))
    [event] = (await pulled(rig, "/v1/events"))["items"]
    assert [await hand_in(rig, result(event)) for _ in range(2)] == [1, 0]


async def test_an_event_whose_subject_is_gone_is_in_nobodys_way(rig):
    await rig.deliver(inbound_text(ANA))
    await rig.erase("conversations")
    assert (await pulled(rig, "/v1/events"))["items"] == []
    assert rig.documents("events") == []


async def test_a_conversation_is_listed_with_all_that_its_events_tell(rig):
    await rig.met(ANA)
    told = rig.crm.events[-1]["conversation"]
    [listed] = (await pulled(rig, "/v1/conversations"))["items"]
    # The version grew when the CRM answered whose the conversation is.
    same = told.keys() - {"line", "version"}
    assert {name: listed[name] for name in same} == {name: told[name] for name in same}
    assert listed["line"] == told["line"]["id"]


async def test_a_crm_that_pulls_because_it_cannot_be_reached_is_called_less_often(rig):
    rig.crm.down = True
    await rig.deliver(inbound_text(ANA))
    pauses = []
    for _ in range(12):
        await rig.drain()
        assert (await pulled(rig, "/v1/events"))["reach"]["way"] == "pulled"
        [retry] = rig.tasks.waiting
        pauses.append(round((retry.at - rig.clock()).total_seconds()))
        rig.clock.forward(seconds=pauses[-1] + 0.5)
    assert pauses[-2:] == [900, 900]
    # It is pushed to again by itself, once it can be reached.
    rig.crm.down = False
    await rig.drain()
    assert len(rig.crm.of_type("message.received")) == 1
    assert (await pulled(rig, "/v1/events"))["reach"] == {"way": "pushed", "code": None, "reason": None, "check": None}


async def test_events_of_another_connection_are_not_pulled(rig):
    await rig.add_connection("other", account="other")
    await rig.add_line("theirs", number="200", connection="other", account="other")
    await rig.deliver(inbound_text(LUCIA, number="200"))
    assert (await pulled(rig, "/v1/events"))["items"] == []


@pytest.mark.parametrize(
    "query",
    [
        "events?after=x",
        "events?limit=201",
        "conversations?before=x",
        "conversations?before=1",
        "conversations?updated_after=yesterday",
    ],
)
async def test_a_wrong_question_is_a_problem(rig, query):
    answer = await rig.call("GET", f"/v1/{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_cursors_use_unreserved_characters_only(rig):
    await rig.deliver(*(inbound_text(customer) for customer in customers(3)))
    listed = await pulled(rig, "/v1/conversations?limit=1")
    events = await pulled(rig, "/v1/events?limit=1")
    for cursor in (listed["next"], events["next"], listed["items"][0]["id"]):
        assert cursor.translate({ord(character): None for character in "-._~"}).isalnum()
