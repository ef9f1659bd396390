"""What a CRM is told, and what becomes of its answers."""

import asyncio
import json

import httpx
import pytest

from functions.core.parked import body_of, items
from functions.core.store import Key, delete, update
from tests.payloads import ANA, LUCIA, customers, inbound_text, status
from tests.rig import CONNECTION, LINE, LINE_NUMBER, rigged
from tests.sync.https import serving

LEAD = {"model": "crm.lead", "id": 7, "name": "A lead"}


async def test_a_message_is_told_with_everything_but_its_words(rig):
    conversation = await rig.met(ANA, "a secret")
    [event] = rig.crm.of_type("message.received")
    message = await rig.tab(conversation).last()
    assert event["conversation"] | {"version": 0, "last_in": "", "window_until": ""} == {
        "id": conversation,
        "version": 0,
        "line": {"id": LINE, "phone_number_id": "100000000000001", "number": LINE_NUMBER, "name": "Shop"},
        "contact": {
            "id": message["author"]["id"],
            "name": "Ana",
            "wa_id": "5511987654321",
            "phone": "+5511987654321",
            "phone_variants": ["+5511987654321", "+551187654321"],
            "bsuid": ANA.bsuid,
            "username": None,
        },
        "consent": {"marketing": None, "agreed": False, "stopped": False, "notice": None},
        "received": 1,
        "read": 0,
        "last_in": "",
        "last_out": None,
        "window_until": "",
        "referral": None,
        "attribution": None,
        "merged_into": None,
    }
    assert event["message"] == {
        "id": message["id"],
        "version": message["version"],
        "direction": "in",
        "type": "text",
        "at": message["at"],
        "author": {"kind": "customer", "id": message["author"]["id"], "name": "Ana"},
        "automatic": False,
        "status": "received",
    }
    assert "a secret" not in json.dumps(event)


async def test_events_are_signed_and_name_their_connection_and_database(rig):
    await rig.add_connection(database="odoo")
    await rig.met(ANA)
    [headers] = rig.crm.headers  # The rig's CRM has checked the signature.
    assert (headers["leadline-connection"], headers["x-odoo-database"]) == (CONNECTION, "odoo")


async def test_without_a_database_none_is_named(rig):
    await rig.met(ANA)
    assert "x-odoo-database" not in rig.crm.headers[0]


async def test_the_records_and_the_owner_that_the_crm_answers_stand_at_the_head(rig):
    head = await (await rig.chatting(ANA)).head()
    assert (head["records"], head["owner"]) == ([LEAD], {"id": 2, "name": "Marc"})


async def test_an_event_that_was_taken_is_not_told_again(rig):
    await rig.met(ANA)
    told = len(rig.crm.events)
    rig.clock.forward(minutes=2)
    await rig.sweep()
    assert len(rig.crm.events) == told


async def test_events_come_in_batches_of_at_most_a_hundred_oldest_first(rig):
    people = customers(250)
    await rig.deliver(*(inbound_text(customer) for customer in people))
    await rig.drain()
    rig.crm.batches.clear()
    await rig.deliver(*(inbound_text(customer) for customer in people))
    await rig.drain()
    assert [len(batch) for batch in rig.crm.batches] == [100, 100, 50]
    times = [event["at"] for event in rig.crm.events]
    assert times == sorted(times)
    assert len({event["id"] for event in rig.crm.events}) == 250


async def test_customers_who_are_new_come_a_few_at_a_time_so_that_the_first_do_not_wait_for_the_last(rig):
    people = customers(45)
    await rig.deliver(*(inbound_text(customer) for customer in people for _ in range(2)))
    await rig.drain()
    assert [_conversations(batch) for batch in rig.crm.batches] == [20, 20, 5]
    assert len({event["id"] for event in rig.crm.events}) == 90


def _conversations(batch):
    return len({event["conversation"]["id"] for event in batch})


async def test_more_than_one_task_can_carry_goes_on_in_the_next(rig, monkeypatch):
    monkeypatch.setattr("functions.sync.deliver._BATCHES_PER_TASK", 1)
    await rig.deliver(*(inbound_text(customer) for customer in customers(250)))
    await rig.drain()
    assert len(rig.crm.events) == 250


async def test_a_crm_that_is_down_costs_nothing_but_delay(rig):
    rig.crm.down = True
    for _ in range(10):
        await rig.deliver(inbound_text(ANA))
        await rig.drain()
    assert len(rig.tasks.waiting) == 1
    rig.crm.down = False
    rig.clock.forward(seconds=1.1)
    await rig.drain()
    assert len(rig.crm.of_type("message.received")) == 10
    assert not rig.tasks.waiting


async def test_the_pauses_grow_up_to_a_minute_and_nothing_is_asked_between(rig):
    rig.crm.down = True
    await rig.deliver(inbound_text(ANA))
    await rig.drain()
    pauses = []
    for _ in range(9):
        [retry] = rig.tasks.waiting
        pauses.append(round((retry.at - rig.clock()).total_seconds()))
        rig.clock.forward(seconds=pauses[-1] + 0.5)
        await rig.drain()
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_a_crm_that_came_back_is_told_at_once_of_what_is_new(rig):
    rig.crm.down = True
    await rig.deliver(inbound_text(ANA))
    await rig.drain()
    rig.crm.down = False
    rig.clock.forward(seconds=1.1)
    await rig.drain()
    await rig.met(LUCIA)
    assert len(rig.crm.of_type("message.received")) == 2
    rig.crm.down = True
    await rig.deliver(inbound_text(ANA))
    await rig.drain()
    [retry] = rig.tasks.waiting
    assert (retry.at - rig.clock()).total_seconds() < 2


async def test_a_retry_that_comes_twice_asks_once(rig):
    rig.crm.down = True
    await rig.deliver(inbound_text(ANA))
    await rig.drain()
    [retry] = rig.tasks.waiting
    rig.tasks.waiting.clear()
    for wait in (1, 0.6, 0.6):
        rig.clock.forward(seconds=wait)
        await rig.run(retry)
    assert (rig.crm.asked, len(rig.tasks.waiting)) == (2, 1)


async def test_tasks_that_fail_at_once_leave_one_retry(rig):
    rig.crm.down = True
    await rig.deliver(inbound_text(ANA))
    [task] = rig.tasks.of_kind("events")
    rig.tasks.waiting.clear()
    await asyncio.gather(*(rig.run(task) for _ in range(5)))
    for _ in range(6):
        rig.clock.forward(minutes=2)
        await rig.drain()
    assert len(rig.tasks.waiting) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(403),
        httpx.Response(302, headers={"location": "http://elsewhere.test"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={}),
        httpx.Response(200, json={"results": "odd"}),
        httpx.Response(200, json={"results": []}),
        httpx.Response(200, json={"results": [{"id": "another", "ok": True}]}),
        httpx.ReadTimeout("late"),
        httpx.ConnectError("no way"),
    ],
    ids=str,
)
async def test_any_other_answer_loses_nothing(rig, answer):
    async def odd(events):
        if isinstance(answer, Exception):
            raise answer
        return answer

    rig.crm.answers_with = odd
    await rig.deliver(inbound_text(ANA))
    await rig.drain()
    rig.crm.answers_with = None
    rig.clock.forward(seconds=2)
    await rig.drain()
    assert rig.crm.batches[-1][0]["type"] == "message.received"
    assert not rig.tasks.waiting


async def test_what_is_answered_is_settled_even_when_something_else_is_not(rig):
    async def all_but_the_first(events):
        return httpx.Response(200, json={"results": [rig.crm.result(event) for event in events[1:]]})

    await rig.deliver(*(inbound_text(customer) for customer in customers(3)))
    rig.crm.answers_with = all_but_the_first
    await rig.drain()
    rig.crm.answers_with = None
    rig.clock.forward(seconds=2)
    await rig.drain()
    assert [len(batch) for batch in rig.crm.batches] == [3, 1]


async def test_a_refused_event_is_parked_with_the_crms_sentence_and_not_told_again(rig):
    rig.crm.refuses["message.received"] = "This contact is archived."
    await rig.deliver(inbound_text(ANA))
    await rig.drain()
    [item] = [item async for item in items(rig.store)]
    kept = await body_of(rig.store, item)
    assert (item.state, item.reason) == ("event", "refused by the CRM")
    assert json.loads(kept)["refused"] == "This contact is archived."
    assert b"Ana" not in kept
    rig.clock.forward(minutes=2)
    await rig.sweep()
    assert len(rig.crm.batches) == 1


async def test_a_refused_event_costs_its_batch_nothing(rig):
    async def the_second(events):
        results = [rig.crm.result(event) for event in events]
        results[1] = {"id": events[1]["id"], "ok": False}
        return httpx.Response(200, json={"results": results})

    rig.crm.answers_with = the_second
    await rig.deliver(*(inbound_text(customer) for customer in customers(3)))
    await rig.drain()
    assert len(rig.crm.batches) == 1
    assert len(rig.documents("parked")) == 1
    assert len([head for head in rig.documents("conversations") if head.get("records")]) == 2


async def test_what_happens_again_while_it_is_told_is_told_again(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi!")
    await rig.drain()
    callback = rig.whatsapp.messages[-1]["biz_opaque_callback_data"]
    again = status("delivered", "wamid.out.1", callback=callback)

    async def while_it_is_told(events):
        rig.crm.answers_with = None
        await rig.deliver(again)
        return httpx.Response(200, json={"results": [rig.crm.result(event) for event in events]})

    rig.crm.batches.clear()
    rig.crm.answers_with = while_it_is_told
    await rig.deliver(again)
    await rig.drain()
    rig.clock.forward(minutes=2)
    await rig.sweep()
    assert [event["type"] for event in rig.crm.events] == ["message.status", "message.status"]


async def test_two_tasks_at_once_settle_each_event_once(rig):
    await rig.deliver(*(inbound_text(customer) for customer in customers(5)))
    [task] = rig.tasks.of_kind("events")
    answers = await asyncio.gather(*(rig.run(task) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {200}
    assert rig.documents("events") == []
    assert len([head for head in rig.documents("conversations") if head.get("records")]) == 5


async def test_an_event_whose_subject_is_gone_is_let_go(rig):
    await rig.deliver(inbound_text(ANA))
    await rig.erase("conversations")
    await rig.drain()
    assert rig.crm.batches == []
    assert rig.documents("events") == []


async def test_an_event_says_what_is_true_when_it_is_told(rig):
    rig.crm.down = True
    await rig.deliver(inbound_text(ANA))
    await rig.drain()
    await rig.deliver(inbound_text(ANA))
    rig.crm.down = False
    rig.clock.forward(seconds=2)
    await rig.drain()
    assert [event["conversation"]["received"] for event in rig.crm.events] == [2, 2]


async def test_a_store_that_is_away_makes_the_task_come_again(rig):
    await rig.deliver(inbound_text(ANA))
    [task] = rig.tasks.of_kind("events")
    for call in ("get", "query", "commit"):
        rig.store.fails_next(call)
        assert (await rig.run(task)).status_code == 503
    await rig.drain()
    assert rig.documents("events") == []


async def test_a_connection_that_is_gone_is_given_up(rig):
    answer = await rig.sync.post("/", json={"kind": "events", "connection": "gone"})
    assert answer.status_code == 200


async def test_each_connection_hears_of_its_own_lines_only(rig):
    await rig.add_connection("second", url="http://second.test")
    await rig.add_line("other", number="200", connection="second")
    await rig.deliver(inbound_text(ANA), inbound_text(LUCIA, number="200"))
    await rig.drain()
    lines = {headers["leadline-connection"]: batch[0]["conversation"]["line"]["id"] for headers, batch in told(rig)}
    assert lines == {CONNECTION: LINE, "second": "other"}


def told(rig):
    return zip(rig.crm.headers, rig.crm.batches, strict=True)


@pytest.mark.parametrize("url", ["https://127.0.0.1:8069", "https://10.0.0.7", "https://[::1]:8069"])
async def test_a_private_crm_is_not_called_unless_it_is_allowed(tmp_path, url):
    async with rigged(tmp_path, LEADLINE_ALLOW_PRIVATE_CRM="0") as rig:
        await rig.add_connection(url=url)
        await rig.deliver(inbound_text(ANA))
        await rig.drain()
        assert rig.crm.batches == []
        assert len(rig.documents("events")) == 1
        assert "LEADLINE_ALLOW_PRIVATE_CRM" in rig.documents("deliveries")[0]["reason"]


async def test_a_private_crm_is_called_when_it_is_allowed(rig):
    await rig.add_connection(url="http://127.0.0.1:8069")
    await rig.met(ANA)
    assert len(rig.crm.batches) == 1


async def test_while_a_connections_secret_rotates_events_are_signed_with_the_new_one(rig):
    await rig.add_connection(CONNECTION, rig.secret, "b" * 43)
    await rig.met(ANA)
    assert len(rig.crm.batches) == 1


@pytest.mark.parametrize("url", ["http://[::1", "no address", "http://", "http://crm\x00.test", "http://a.test:99999"])
@pytest.mark.parametrize("private", ["0", "1"])
async def test_a_url_that_is_none_is_a_fact_of_the_connection_and_no_error(tmp_path, url, private):
    async with rigged(tmp_path, LEADLINE_ALLOW_PRIVATE_CRM=private) as rig:
        await rig.add_connection(url=url)
        rig.start(to_crm=httpx.AsyncClient())
        await rig.deliver(inbound_text(ANA))
        await rig.drain()
        assert rig.documents("deliveries")[0]["reason"]
        assert len(rig.documents("events")) == 1
        assert [task.payload["connection"] for task in rig.tasks.of_kind("events")] == [CONNECTION]


@pytest.mark.parametrize("fact", [{"kind": "unheard of"}, {"secrets": ["not sealed by us"]}])
async def test_a_connection_that_cant_be_used_waits_and_fails_no_task(rig, fact):
    await rig.store.commit([update(Key("connections", CONNECTION), fact)])
    await rig.deliver(inbound_text(ANA))
    await rig.drain()
    assert len(rig.documents("events")) == 1
    assert rig.documents("deliveries")[0]["reason"]


async def test_an_owner_stays_until_the_crm_says_that_there_is_none(rig):
    tab = await rig.chatting(ANA)
    said = iter([{}, {"owner": None}])

    async def of_the_owner(events):
        more = next(said)
        return httpx.Response(200, json={"results": [{"id": event["id"], "ok": True, **more} for event in events]})

    rig.crm.answers_with = of_the_owner
    await rig.met(ANA)
    head = await tab.head()
    assert (head["owner"], head["records"]) == ({"id": 2, "name": "Marc"}, [LEAD])
    await rig.met(ANA)
    head = await tab.head()
    assert (head["owner"], head["records"]) == (None, [LEAD])


async def test_a_batch_of_which_one_event_was_settled_elsewhere_is_settled_in_two_commits(rig):
    await rig.deliver(*(inbound_text(customer) for customer in customers(20)))
    task, *_ = rig.tasks.of_kind("events")

    async def meanwhile(events):
        rig.crm.answers_with = None
        await rig.store.commit([delete(Key("events", events[10]["id"])), delete(Key("conversations", gone(events)))])
        rig.store.calls.clear()
        return httpx.Response(200, json={"results": [rig.crm.result(event) for event in events]})

    def gone(events):
        return events[14]["conversation"]["id"]

    rig.crm.answers_with = meanwhile
    assert (await rig.run(task)).status_code == 200
    assert rig.store.calls["commit"] == 2
    assert rig.documents("events") == []
    assert len([head for head in rig.documents("conversations") if head.get("records")]) == 18


async def test_a_public_crm_is_called_at_the_very_address_that_was_checked(tmp_path, monkeypatch):
    asked = []

    async def resolved(host):
        asked.append(host)
        return "203.0.113.7"

    monkeypatch.setattr("functions.sync.odoo.public_address", resolved)
    async with rigged(tmp_path, LEADLINE_ALLOW_PRIVATE_CRM="0") as rig:
        requests = []

        async def crm(request):
            requests.append(request)
            return await rig.crm(request)

        rig.start(to_crm=httpx.AsyncClient(transport=httpx.MockTransport(crm)))
        await rig.add_connection(url="https://crm.example.com/odoo")
        await rig.met(ANA)
        [request] = requests
    assert asked == ["crm.example.com"]
    assert str(request.url) == "https://203.0.113.7/odoo/leadline/events"
    assert request.headers["host"] == "crm.example.com"
    assert request.extensions["sni_hostname"] == "crm.example.com"


@pytest.mark.parametrize(("certified", "told"), [("crm.example.com", 1), ("other.example.com", 0)])
async def test_the_certificate_is_checked_against_the_name_and_not_the_address(tmp_path, monkeypatch, certified, told):
    async def resolved(_):
        return "127.0.0.1"

    monkeypatch.setattr("functions.sync.odoo.public_address", resolved)
    async with rigged(tmp_path, LEADLINE_ALLOW_PRIVATE_CRM="0") as rig, serving(rig.crm, certified) as (port, trust):
        rig.start(to_crm=httpx.AsyncClient(verify=trust))
        await rig.add_connection(url=f"https://crm.example.com:{port}")
        await rig.deliver(inbound_text(ANA))
        await rig.drain()
        assert len(rig.crm.batches) == told
