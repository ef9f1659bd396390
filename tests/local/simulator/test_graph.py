"""Version, token and node are checked before anything else; facts come by field."""

import pytest

from tests.local.simulator.parties import NUMBER, OTHER_NUMBER, WABA, Business, Phone

TEXT = {"messaging_product": "whatsapp", "to": "+5511912345678", "type": "text", "text": {"body": "hello"}}


@pytest.mark.parametrize("version", ["v21.0", "v22.0", "v23.0", "v24.0", "v25.0", "v26.0"])
async def test_living_versions_are_served(business: Business, version: str) -> None:
    assert (await business.http.post(f"/graph/{version}/{NUMBER}/messages", json=TEXT)).status_code == 200


@pytest.mark.parametrize(("version", "code"), [("v20.0", 2635), ("v27.0", 2635), ("v1", 2500), ("latest", 2500)])
async def test_other_versions_are_refused(business: Business, version: str, code: int) -> None:
    answer = await business.http.post(f"/graph/{version}/{NUMBER}/messages", json=TEXT)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


@pytest.mark.parametrize(("header", "code"), [("", 104), ("Basic x", 104), ("Bearer", 104), ("Bearer wrong", 190)])
async def test_a_call_needs_a_known_token(business: Business, header: str, code: int) -> None:
    path = f"/graph/v26.0/{NUMBER}/messages"
    answer = await business.http.post(path, json=TEXT, headers={"Authorization": header})
    error = answer.json()["error"]
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("OAuth")
    assert (error["code"], error["type"]) == (code, "OAuthException")
    assert set(error) == {"message", "type", "code", "fbtrace_id"}


@pytest.mark.parametrize("node", ["999", OTHER_NUMBER, WABA])
async def test_only_the_tokens_own_numbers_can_send(business: Business, node: str) -> None:
    answer = await business.http.post(f"/graph/v26.0/{node}/messages", json=TEXT)
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert (error["code"], error["error_subcode"], error["type"]) == (100, 33, "GraphMethodException")


async def test_a_number_tells_the_facts_that_are_asked_for(business: Business) -> None:
    path = f"/graph/v26.0/{NUMBER}"
    facts = (await business.http.get(path, params={"fields": "verified_name,status,quality_rating"})).json()
    assert facts == {"verified_name": "Green Leaf", "status": "CONNECTED", "quality_rating": "GREEN", "id": NUMBER}
    assert (await business.http.get(path)).json()["display_phone_number"] == "+1 555 010 0001"
    unknown = (await business.http.get(path, params={"fields": "shoe_size"})).json()
    assert unknown["error"]["message"] == "(#100) Tried accessing nonexisting field (shoe_size)"


async def test_a_locked_account_shows_in_its_health(business: Business, phone: Phone) -> None:
    async def health() -> str:
        body = (await business.http.get(f"/graph/v26.0/{NUMBER}?fields=health_status")).json()
        return str(body["health_status"]["can_send_message"])

    assert await health() == "AVAILABLE"
    await phone.scenario("account_locked")
    assert await health() == "BLOCKED"


async def test_an_account_lists_the_numbers_that_the_token_may_use(business: Business) -> None:
    body = (await business.http.get(f"/graph/v26.0/{WABA}/phone_numbers")).json()
    assert [number["id"] for number in body["data"]] == [NUMBER]


async def test_subscriptions_can_be_seen(business: Business) -> None:
    path = f"/graph/v26.0/{WABA}/subscribed_apps"
    assert len((await business.http.get(path)).json()["data"]) == 1
    await business.http.delete(path)
    assert (await business.http.get(path)).json()["data"] == []


async def test_what_does_not_exist_is_answered_in_json(business: Business) -> None:
    for method, path in (
        ("GET", "/graph/v26.0/1/2/3"),
        ("POST", f"/graph/v26.0/{NUMBER}/fax"),
        ("GET", "/graph/v26.0/1"),
    ):
        answer = await business.http.request(method, path)
        assert answer.status_code == 400
        assert answer.json()["error"]["fbtrace_id"]
