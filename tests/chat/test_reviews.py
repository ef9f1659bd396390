"""Who may be the same person is listed for a person to look at, with what is known of each."""

import pytest

from tests.payloads import ANA, LUCIA, Customer
from tests.rig import ACCOUNT

SOMEBODY = Customer(ANA.wa_id, "BR.99999999999999999999", "Ana?", "ana.too")


async def listed(rig, query=""):
    answer = await rig.call("GET", f"/v1/reviews{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_number_that_was_seen_with_two_bsuids_shows_both_people(rig):
    await rig.met(ANA)
    await rig.met(SOMEBODY)
    [review] = (await listed(rig))["items"]
    assert {contact["name"] for contact in review["contacts"]} == {"Ana", "Ana?"}
    assert {contact["bsuid"] for contact in review["contacts"]} == {ANA.bsuid, SOMEBODY.bsuid}
    assert review["reason"]
    assert review["at"].endswith("+00:00")
    head = await (await rig.chatting(ANA)).head()
    assert head["contact"] in review["contacts"]


async def test_where_nobody_is_in_doubt_the_list_is_empty(rig):
    await rig.met(ANA)
    await rig.met(LUCIA)
    assert await listed(rig) == {"items": [], "next": None}


async def test_the_list_comes_in_pages_the_newest_first(rig):
    for number in range(5):
        one = Customer(f"49155500{number:05}", f"DE.{number:020}", f"One {number}")
        await rig.met(one)
        await rig.met(Customer(one.wa_id, f"DE.9{number:019}", f"Other {number}"))
        rig.clock.forward(minutes=1)
    names, page = [], await listed(rig, "?limit=2")
    while True:
        names += [review["contacts"][0]["name"][-1] for review in page["items"]]
        if page["next"] is None:
            break
        page = await listed(rig, f"?limit=2&before={page['next']}")
    assert names == ["4", "3", "2", "1", "0"]


async def test_what_was_joined_or_erased_meanwhile_is_no_longer_asked(rig):
    await rig.met(ANA)
    await rig.met(SOMEBODY)
    await rig.erase("contacts")
    assert (await listed(rig))["items"] == []


async def test_another_accounts_reviews_are_not_shown(rig):
    await rig.met(ANA)
    await rig.met(SOMEBODY)
    await rig.add_connection("other", account="other")
    assert ACCOUNT != "other"
    answer = await rig.call("GET", "/v1/reviews", connection="other")
    assert answer.json() == {"items": [], "next": None}


async def test_a_browser_may_not_ask(rig):
    tab = await rig.chatting(ANA)
    assert (await tab.get("/v1/reviews")).status_code == 403


@pytest.mark.parametrize("cursor", ["x", "1", "x~y", "~"])
async def test_a_wrong_cursor_is_a_problem(rig, cursor):
    answer = await rig.call("GET", f"/v1/reviews?before={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
