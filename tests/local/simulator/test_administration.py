"""Tokens, the app's webhooks, overrides and registration, as strict as Meta is with them."""

import httpx
import pytest

from functions.local.simulator import Line, Simulator
from functions.local.simulator.administration import APP_ID
from tests.local.simulator.parties import NUMBER, OTHER_NUMBER, TOKEN, WABA, Business, Clock, Endpoint, Phone

APP = {"Authorization": f"Bearer {APP_ID}|test_app_secret"}
BRANCH = "100000000000003"
V = "/graph/v26.0"
ENDPOINT = "http://business/webhook"


@pytest.fixture
def branch(simulator: Simulator) -> str:
    """A number that was added in Meta's console and that nobody has registered."""
    simulator.add_line(Line(BRANCH, WABA, "+1 555 010 0003", "Branch", TOKEN))
    return BRANCH


def code(answer: httpx.Response) -> int:
    return int(answer.json()["error"]["code"])


async def register(business: Business, pin: str = "123456", number: str = BRANCH) -> httpx.Response:
    return await business.http.post(f"{V}/{number}/register", json={"messaging_product": "whatsapp", "pin": pin})


async def test_a_number_sends_once_it_is_registered(business: Business, branch: str) -> None:
    text = {"messaging_product": "whatsapp", "to": "+5511912345678", "type": "text", "text": {"body": "hello"}}
    assert code(await business.post(text, number=branch)) == 133010
    assert (await register(business)).json() == {"success": True}
    assert (await business.post(text, number=branch)).status_code == 200
    await business.http.post(f"{V}/{branch}/deregister")
    assert code(await business.post(text, number=branch)) == 133010
    assert code(await business.http.post(f"{V}/{branch}/deregister")) == 133010


async def test_the_first_pin_becomes_the_numbers_and_no_other_fits_then(business: Business, branch: str) -> None:
    assert [code(await register(business, pin)) for pin in ("12345", "1234567", "abcdef")] == [100, 100, 100]
    assert (await register(business)).status_code == 200
    assert code(await register(business, "654321")) == 133005
    await business.http.post(f"{V}/{branch}", json={"pin": "654321"})
    assert (await register(business, "654321")).status_code == 200


async def test_ten_registrations_in_72_hours_are_all(business: Business, branch: str, clock: Clock) -> None:
    for _ in range(10):
        assert (await register(business)).status_code == 200
    assert code(await register(business)) == 133016
    clock.now += 72 * 3600 + 1
    assert (await register(business)).status_code == 200


async def test_a_number_says_whether_it_is_registered(business: Business, branch: str) -> None:
    fields = {"fields": "status,platform_type"}
    before = (await business.http.get(f"{V}/{branch}", params=fields)).json()
    await register(business)
    after = (await business.http.get(f"{V}/{branch}", params=fields)).json()
    assert (before["status"], before["platform_type"]) == ("PENDING", "NOT_APPLICABLE")
    assert (after["status"], after["platform_type"]) == ("CONNECTED", "CLOUD_API")


async def test_a_token_is_asked_about(business: Business, phone: Phone) -> None:
    async def told(token: str = TOKEN) -> dict:
        answer = await business.http.get(f"{V}/debug_token", params={"input_token": token})
        return answer.json()["data"]

    whole = await told()
    assert (whole["is_valid"], whole["app_id"], whole["expires_at"]) == (True, APP_ID, 0)
    assert set(whole["scopes"]) == {"whatsapp_business_management", "whatsapp_business_messaging"}
    wrong = await told("wrong")
    assert (wrong["is_valid"], wrong["error"]["code"]) == (False, 190)
    await phone.scenario("token_expiring", seconds=60)
    assert (await told())["expires_at"] == int(business.simulator.now()) + 60
    await phone.scenario("permission_missing")
    assert (await told())["scopes"] == ["whatsapp_business_management"]


async def test_only_the_app_itself_sees_and_sets_its_webhooks(business: Business) -> None:
    path = f"{V}/{APP_ID}/subscriptions"
    assert code(await business.http.get(path)) == 15
    assert code(await business.http.get(path, headers={"Authorization": f"Bearer {APP_ID}|wrong"})) == 190
    [told] = (await business.http.get(path, headers=APP)).json()["data"]
    assert (told["object"], told["callback_url"]) == ("whatsapp_business_account", ENDPOINT)
    wanted = {"object": told["object"], "callback_url": ENDPOINT, "verify_token": "verify-me", "fields": "calls"}
    assert code(await business.http.post(path, headers=APP, json={**wanted, "verify_token": "wrong"})) == 2200
    assert (await business.http.post(path, headers=APP, json=wanted)).status_code == 200
    [told] = (await business.http.get(path, headers=APP)).json()["data"]
    assert [field["name"] for field in told["fields"]] == ["calls"]


async def test_a_field_that_is_not_subscribed_is_not_delivered(
    simulator: Simulator, endpoint: Endpoint, phone: Phone
) -> None:
    simulator.webhooks.configure(ENDPOINT, ["account_update"])
    await phone.write({"text": "hello"})
    assert not endpoint.posts


async def test_an_override_is_taken_after_the_handshake_and_the_nearest_one_counts(business: Business) -> None:
    other = "http://business/webhook?other"
    configuration = {"override_callback_uri": other, "verify_token": "wrong"}
    path = f"{V}/{NUMBER}"
    assert code(await business.http.post(path, json={"webhook_configuration": configuration})) == 2200
    configuration["verify_token"] = "verify-me"
    assert (await business.http.post(path, json={"webhook_configuration": configuration})).status_code == 200
    await business.http.post(f"{V}/{WABA}/subscribed_apps", json={**configuration, "override_callback_uri": ENDPOINT})
    told = (await business.http.get(path, params={"fields": "webhook_configuration"})).json()["webhook_configuration"]
    assert told == {"application": ENDPOINT, "whatsapp_business_account": ENDPOINT, "phone_number": other}
    too_long = {"override_callback_uri": f"http://business/webhook?{'x' * 200}", "verify_token": "verify-me"}
    assert code(await business.http.post(path, json={"webhook_configuration": too_long})) == 100
    await business.http.post(path, json={"webhook_configuration": {"override_callback_uri": ""}})
    told = (await business.http.get(path, params={"fields": "webhook_configuration"})).json()["webhook_configuration"]
    assert "phone_number" not in told


async def test_messages_follow_an_override_and_facts_do_not(
    business: Business, phone: Phone, endpoint: Endpoint
) -> None:
    elsewhere = "http://business/elsewhere"
    business.simulator.numbers.set_override(NUMBER, elsewhere)
    await phone.http.post(f"/simulator/customers/{phone.wa_id}/messages", json={"text": "hello", "line": OTHER_NUMBER})
    await business.simulator.settled()
    assert len(endpoint.messages) == 1
    await phone.http.post(f"/simulator/customers/{phone.wa_id}/messages", json={"text": "hello", "line": NUMBER})
    await business.simulator.settled()
    assert len(endpoint.messages) == 1, "what went elsewhere came here"


async def test_only_the_tokens_own_number_is_registered(business: Business) -> None:
    answer = await register(business, number=OTHER_NUMBER)
    assert (code(answer), answer.json()["error"]["error_subcode"]) == (100, 33)


async def test_a_slow_graph_answers_all_the_same_and_tells_the_time(build, clock: Clock) -> None:
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    simulator = build(pause=pause)
    await simulator.start()
    simulator.scenario("slow", seconds=2.5)
    transport = httpx.ASGITransport(simulator.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://simulator") as client:
        answer = await client.get(f"{V}/{NUMBER}", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert paused == [2.5]
    assert answer.headers["date"] == "Thu, 28 May 2026 20:26:40 GMT"


async def test_a_number_can_be_added_as_in_metas_console(phone: Phone) -> None:
    answer = await phone.http.post("/simulator/lines", json={"number": "+1 555 010 0009", "name": "Branch"})
    added = answer.json()
    assert answer.status_code == 201
    assert {"phone_number_id", "waba", "token"} <= set(added)
    headers = {"Authorization": f"Bearer {added['token']}"}
    listed = await phone.http.get(f"{V}/{added['waba']}/phone_numbers", headers=headers)
    assert [number["id"] for number in listed.json()["data"]] == [added["phone_number_id"]]
