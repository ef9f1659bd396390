"""A code that a person types becomes a connection's secret, once and soon; and what both sides then know of the way."""

import asyncio

import httpx
import pytest

from functions.core.lines import Connection, connection_writes
from functions.core.pairing import VALID, new_code, pairing_write
from functions.core.secrets import derive
from tests.payloads import ANA, inbound_text
from tests.rig import ACCOUNT, CRM_URL, LINE, LINE_NUMBER

CONNECTION = "fresh"
CLAIM = "a-claim-of-twenty-two-letters"
PLACE = {"url": "https://odoo.example.com/", "database": "shop"}


@pytest.fixture
async def code(rig):
    """A code for a connection that nobody has paired yet, which has the line."""
    await rig.store.commit(connection_writes(Connection(CONNECTION, ACCOUNT, "odoo", "", ())))
    await rig.add_line(connection=CONNECTION)
    return await another_code(rig)


async def another_code(rig):
    code = new_code()
    await rig.store.commit([pairing_write(code, account=ACCOUNT, connection=CONNECTION, now=rig.clock())])
    return code


async def exchange(rig, code, claim=CLAIM, **changed):
    body = {"code": code, "claim": claim, "kind": "odoo", "place": PLACE} | changed
    return await rig.chat.post("/v1/pairings", json=body)


async def paired(rig, code, **changed):
    """Exchange a code; returns how the CRM calls then."""
    answer = await exchange(rig, code, **changed)
    assert answer.status_code == 201, answer.text
    key = derive(answer.json()["secret"], "calls")

    async def call(method, path, body=None):
        return await rig.call(method, path, body, connection=CONNECTION, key=key)

    return call


async def test_a_code_gives_connection_secret_and_lines(rig, code):
    told = (await exchange(rig, code)).json()
    assert told["connection"] == CONNECTION
    assert len(told["secret"]) == 43
    assert told["lines"] == [
        {
            "id": LINE,
            "phone_number_id": "100000000000001",
            "number": LINE_NUMBER,
            "name": "Shop",
            "link": "https://wa.me/15550100001?text=Hello%21",
        }
    ]


async def test_with_the_secret_the_crm_calls_and_is_known_where_it_is(rig, code):
    call = await paired(rig, code)
    shown = (await call("GET", "/v1/connection")).json()
    assert (shown["url"], shown["database"]) == ("https://odoo.example.com", "shop")
    assert shown["reach"] == {"way": "pushed", "code": None, "reason": None, "check": None}


@pytest.mark.parametrize("typed", [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code}\n"])
async def test_a_code_is_taken_as_people_type_it(rig, code, typed):
    assert (await exchange(rig, typed(code))).status_code == 201


async def test_a_wrong_code_opens_nothing(rig, code):
    for wrong in ("K7QF-M2XW-9R4T", code[:-1], "../connections/fresh", "x"):
        answer = await exchange(rig, wrong)
        assert (answer.status_code, answer.json()["code"]) == (404, "pairing_code_unknown")


async def test_a_code_runs_out(rig, code):
    rig.clock.forward(seconds=VALID.total_seconds() - 5)
    early = await exchange(rig, await another_code(rig))
    rig.clock.forward(seconds=10)
    late = await exchange(rig, code)
    assert early.status_code == 201
    assert (late.status_code, late.json()["code"]) == (410, "pairing_code_expired")


async def test_a_code_is_good_once(rig, code):
    assert (await exchange(rig, code)).status_code == 201
    again = await exchange(rig, code, claim="somebody-elses-claim-of-22")
    assert (again.status_code, again.json()["code"]) == (409, "pairing_code_used")


async def test_of_two_who_come_at_once_one_gets_the_secret(rig, code):
    answers = await asyncio.gather(*(exchange(rig, code, claim=f"{CLAIM}{n}") for n in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]


async def test_a_lost_answer_is_given_again_to_who_has_the_claim(rig, code):
    first, second = [(await exchange(rig, code)).json() for _ in range(2)]
    assert first == second


async def test_pairing_anew_shuts_the_older_crm_out_at_once_on_every_instance(rig, code):
    older = await paired(rig, code)
    assert (await older("GET", "/v1/connection")).status_code == 200
    chat = rig.chat
    rig.start()
    newer = await paired(rig, await another_code(rig))
    rig.chat, elsewhere = chat, rig.chat
    # The first instance remembers the older secret, and finds that it has changed.
    assert (await newer("GET", "/v1/connection")).status_code == 200
    assert (await older("GET", "/v1/connection")).status_code == 401
    rig.chat = elsewhere
    assert (await older("GET", "/v1/connection")).status_code == 401


async def test_the_store_never_holds_code_or_secret(rig, code):
    secret = (await exchange(rig, code)).json()["secret"]
    for collection in ("pairings", "connections"):
        kept = str(rig.documents(collection)) + str(rig.names(collection))
        assert code not in kept
        assert code.replace("-", "") not in kept
        assert secret not in kept


@pytest.mark.parametrize(
    "changed",
    [
        {"claim": "short"},
        {"kind": "other"},
        {"place": {"url": "odoo.example.com"}},
        {"place": {"database": "a b"}},
    ],
)
async def test_a_malformed_exchange_is_a_problem_and_uses_nothing_up(rig, code, changed):
    answer = await exchange(rig, code, **changed)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert (await exchange(rig, code)).status_code == 201


# The way to the CRM


async def checked(rig, call, place=PLACE):
    """Have the way tried, and return what is known of it then."""
    asked = await call("POST", "/v1/connection/check", place)
    assert asked.status_code == 202, asked.text
    await rig.drain()
    reach = (await call("GET", "/v1/connection")).json()["reach"]
    assert reach["check"] == asked.json()["check"]
    return reach


async def test_a_crm_that_answers_is_pushed_to(rig, code):
    rig.crm.secret = (await exchange(rig, code)).json()["secret"]
    reach = await checked(rig, await paired(rig, code))
    assert (reach["way"], reach["code"]) == ("pushed", None)
    # An empty batch, to the database that was named.
    assert rig.crm.batches == [[]]
    assert rig.crm.headers[0]["x-odoo-database"] == "shop"


async def test_a_crm_without_an_address_is_asked_to_pull(rig, code):
    call = await paired(rig, code, place={})
    await rig.deliver(inbound_text(ANA))
    reach = await checked(rig, call, {})
    assert (reach["way"], reach["code"]) == ("pulled", "no_address")
    assert rig.crm.asked == 0
    assert len((await call("GET", "/v1/events")).json()["items"]) == 1


async def test_a_connection_without_its_queue_says_how_to_make_it(rig, code):
    call = await paired(rig, code)
    rig.tasks.out_of_reach = True
    answer = await call("POST", "/v1/connection/check", PLACE)
    assert (answer.status_code, answer.json()["code"]) == (503, "queue_unavailable")


async def test_what_waited_while_the_way_was_broken_is_told_when_a_check_finds_it_open(rig):
    rig.crm.down = True
    await rig.deliver(inbound_text(ANA))
    await rig.drain()
    rig.clock.forward(seconds=30)
    rig.crm.down = False
    rig.tasks.waiting.clear()

    async def call(method, path, body=None):
        return await rig.call(method, path, body)

    assert (await checked(rig, call, {"url": CRM_URL}))["way"] == "pushed"
    assert len(rig.crm.of_type("message.received")) == 1


# Unpairing


async def test_after_unpairing_nothing_is_called_and_nobody_may_call(rig, code):
    call = await paired(rig, code)
    assert (await call("DELETE", "/v1/connection")).status_code == 200
    assert (await call("GET", "/v1/connection")).status_code == 401
    await rig.deliver(inbound_text(ANA))
    await rig.drain()
    assert rig.crm.asked == 0
    [connection] = [one for one in rig.documents("connections") if one["url"] != CRM_URL]
    assert (connection["url"], connection["secrets"], connection["database"]) == ("", [], None)


async def test_what_came_meanwhile_is_told_after_pairing_again(rig, code):
    call = await paired(rig, code)
    await call("DELETE", "/v1/connection")
    await rig.deliver(inbound_text(ANA))
    again = await paired(rig, await another_code(rig))
    [event] = (await again("GET", "/v1/events")).json()["items"]
    assert event["conversation"]["contact"]["name"] == "Ana"


async def test_a_browser_can_neither_see_nor_unpair_a_connection(rig):
    tab = await rig.chatting(ANA)
    headers = {"Authorization": f"Bearer {rig.grant(tab.conversation)}"}
    for method, path in (("GET", "connection"), ("DELETE", "connection"), ("POST", "connection/check")):
        answer: httpx.Response = await rig.chat.request(method, f"/v1/{path}", headers=headers, json={})
        assert answer.status_code == 403


async def test_who_paired_before_does_not_get_the_secret_of_who_paired_since(rig, code):
    assert (await exchange(rig, code)).status_code == 201
    assert (await exchange(rig, await another_code(rig), "another-claim-of-letters")).status_code == 201
    again = await exchange(rig, code)
    assert (again.status_code, again.json()["code"]) == (409, "pairing_code_used")


async def test_a_code_that_comes_again_after_unpairing_was_used(rig, code):
    call = await paired(rig, code)
    assert (await call("DELETE", "/v1/connection")).status_code == 200
    again = await exchange(rig, code)
    assert (again.status_code, again.json()["code"]) == (409, "pairing_code_used")
