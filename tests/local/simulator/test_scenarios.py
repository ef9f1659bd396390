"""Each fault of the table does what it says, for whom it was chosen, as often as it was told."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from functions.local.simulator import Simulator
from functions.local.simulator.scenarios import FAULTS
from tests.local.simulator.parties import ANA, NUMBER, Business, Clock, Endpoint, Phone

JOHN = "12025550123"
HELLO = {"name": "hello_world", "language": {"code": "en_US"}}


async def test_a_closed_window_opens_with_the_customers_next_message(
    business: Business, phone: Phone, clock: Clock
) -> None:
    await phone.write({"text": "hello"})
    await phone.scenario("window_closed", customer=ANA)
    answer = await business.send(text="hello")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 131047)
    assert (await business.send(type="template", template=HELLO)).status_code == 200
    assert (await business.send(to=JOHN, text="hello")).status_code == 200
    clock.now += 1
    await phone.write({"text": "here again"})
    assert (await business.send(text="hello")).status_code == 200


@pytest.mark.parametrize(("fault", "status", "code"), [("account_locked", 403, 131031), ("rate_limited", 400, 130429)])
async def test_refusals_come_in_the_answer(
    business: Business, phone: Phone, fault: str, status: int, code: int
) -> None:
    await phone.scenario(fault, line=NUMBER)
    answer = await business.send(text="hello")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_an_expired_token_is_refused_on_every_call(business: Business, phone: Phone) -> None:
    await phone.scenario("token_expired")
    for answer in (await business.send(text="hello"), await business.http.get(f"/graph/v26.0/{NUMBER}")):
        assert answer.status_code == 401
        error = answer.json()["error"]
        assert (error["code"], error["type"]) == (190, "OAuthException")
        assert "error_data" not in error


async def test_a_number_without_whatsapp_fails_after_it_was_accepted(
    business: Business, phone: Phone, endpoint: Endpoint
) -> None:
    await phone.scenario("not_on_whatsapp", customer=ANA)
    wamid = await business.sent(text="hello", biz_opaque_callback_data="leadline:7")
    assert endpoint.states(wamid) == ["failed"]
    status, value = endpoint.statuses[0], endpoint.values[0]
    assert status["errors"][0]["code"] == 131026
    assert status["errors"][0]["error_data"]["details"]
    assert status["biz_opaque_callback_data"] == "leadline:7"
    assert "contacts" not in value
    assert "recipient_user_id" not in status
    assert await phone.shows() == []


async def test_a_refusal_can_come_early_or_late_with_any_code(
    business: Business, phone: Phone, endpoint: Endpoint
) -> None:
    await phone.scenario("not_on_whatsapp", later=False, times=1)
    assert (await business.send(text="hello")).json()["error"]["code"] == 131026
    await phone.scenario("refused", code=131049, later=True, times=1)
    await business.sent(text="hello")
    assert endpoint.statuses[-1]["errors"][0]["code"] == 131049


async def test_who_opted_out_gets_no_marketing_and_everything_else(
    business: Business, phone: Phone, endpoint: Endpoint
) -> None:
    await phone.http.post(
        "/simulator/templates",
        json={
            "name": "offer",
            "language": "en_US",
            "category": "MARKETING",
            "components": [{"type": "BODY", "text": "Cheap"}],
        },
    )
    await phone.scenario("opted_out", customer=ANA)
    assert endpoint.states(await business.sent(text="hello")) == ["sent", "delivered"]
    assert endpoint.states(await business.sent(type="template", template=HELLO)) == ["sent", "delivered"]
    offer = {"name": "offer", "language": {"code": "en_US"}}
    assert endpoint.states(await business.sent(type="template", template=offer)) == ["failed"]
    assert endpoint.statuses[-1]["errors"][0]["code"] == 131050


@pytest.mark.parametrize(
    ("fault", "accepted"),
    [("error_before", False), ("time_out_before", False), ("error_after", True), ("time_out_after", True)],
)
async def test_a_lost_answer_says_nothing_about_acceptance(
    business: Business, phone: Phone, endpoint: Endpoint, fault: str, accepted: bool
) -> None:
    await phone.scenario(fault, seconds=0, times=1)
    answer = await business.send(text="hello")
    await phone.simulator.settled()
    assert answer.status_code >= 500
    assert answer.json()["error"]["is_transient"]
    assert len(await phone.shows()) == accepted
    assert len(endpoint.statuses) == 2 * accepted


async def test_a_time_out_lasts_until_the_caller_gives_up(business: Business, phone: Phone) -> None:
    await phone.scenario("time_out_after")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(business.send(text="hello"), 0.05)
    assert len(await phone.shows()) == 1


async def test_stopping_ends_every_held_answer(business: Business, phone: Phone) -> None:
    await phone.scenario("time_out_before")
    held = asyncio.create_task(business.send(text="hello"))
    await asyncio.sleep(0.01)
    await phone.simulator.stop()
    assert (await asyncio.wait_for(held, 1)).status_code == 504


async def test_a_server_error_has_the_status_that_was_chosen(business: Business, phone: Phone) -> None:
    await phone.scenario("error_before", http=503, code=131016)
    answer = await business.send(text="hello")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, 131016)


async def test_statuses_can_be_late(business: Business, phone: Phone, endpoint: Endpoint, clock: Clock) -> None:
    await phone.scenario("statuses_late", seconds=60)
    wamid = await business.sent(text="hello")
    assert endpoint.states(wamid) == []
    clock.now += 60
    phone.simulator.webhooks.wake()
    await phone.simulator.settled()
    assert endpoint.states(wamid) == ["sent", "delivered"]
    assert (await phone.shows())[0]["status"] == "delivered"


async def test_statuses_can_be_doubled(business: Business, phone: Phone, endpoint: Endpoint) -> None:
    await phone.scenario("statuses_doubled")
    assert endpoint.states(await business.sent(text="hello")) == ["sent", "sent", "delivered", "delivered"]


async def test_statuses_can_come_out_of_order(
    business: Business, phone: Phone, endpoint: Endpoint, clock: Clock
) -> None:
    await phone.scenario("statuses_reversed")
    wamid = await business.sent(text="hello")
    await phone.read()
    clock.now += 1
    phone.simulator.webhooks.wake()
    await phone.simulator.settled()
    assert endpoint.states(wamid) == ["delivered", "read", "sent"]


async def test_statuses_can_stay_away(business: Business, phone: Phone, endpoint: Endpoint) -> None:
    await phone.scenario("statuses_never")
    await business.sent(text="hello")
    await phone.read()
    assert endpoint.statuses == []
    assert (await phone.shows())[0]["status"] == "read"


async def test_updates_can_share_a_post(business: Business, phone: Phone, endpoint: Endpoint) -> None:
    await phone.scenario("webhooks_batched", size=6, seconds=60)
    for number in range(2):
        await phone.write({"text": f"{number}"})
    await business.sent(text="hello")
    await phone.write({"text": "to the other line", "line": "100000000000002"})
    assert endpoint.bodies == []
    await phone.read()
    assert len(endpoint.bodies) == 1
    assert [message["text"]["body"] for message in endpoint.messages] == ["0", "1", "to the other line"]
    assert [status["status"] for status in endpoint.statuses] == ["sent", "delivered", "read"]
    (entry,) = endpoint.posts[0]["entry"]
    assert len(entry["changes"]) == 2
    assert len(entry["changes"][0]["value"]["contacts"]) == 1


async def test_a_batch_that_does_not_fill_goes_after_its_time(phone: Phone, endpoint: Endpoint, clock: Clock) -> None:
    await phone.scenario("webhooks_batched", size=100, seconds=5)
    await phone.write({"text": "one"})
    await phone.write({"text": "two"})
    clock.now += 5
    phone.simulator.webhooks.wake()
    await asyncio.sleep(0.01)
    await phone.simulator.settled()
    assert (len(endpoint.bodies), len(endpoint.messages)) == (1, 2)


async def test_a_post_can_be_made_several_times_at_once(phone: Phone, endpoint: Endpoint) -> None:
    await phone.scenario("webhooks_repeated", size=4, customer=ANA)
    await phone.write({"text": "hello"})
    assert len(endpoint.bodies) == 4
    assert len(set(endpoint.bodies)) == 1


async def test_a_download_can_fail(business: Business, phone: Phone) -> None:
    media_id = (await business.upload(b"\x89PNG")).json()["id"]
    url = (await business.http.get(f"/graph/v26.0/{media_id}")).json()["url"]
    await phone.scenario("media_failing", times=1, http=500)
    assert (await business.http.get(url)).status_code == 500
    assert (await business.http.get(url)).status_code == 200


async def test_a_scenario_strikes_as_often_as_told_and_can_be_ended(business: Business, phone: Phone) -> None:
    await phone.scenario("rate_limited", times=2)
    codes = [(await business.send(text="hello")).status_code for _ in range(3)]
    assert codes == [400, 400, 200]
    scenario_id = await phone.scenario("rate_limited")
    assert (await business.send(text="hello")).status_code == 400
    await phone.http.delete(f"/simulator/scenarios/{scenario_id}")
    assert (await business.send(text="hello")).status_code == 200


async def test_a_share_strikes_about_that_often_and_the_same_with_the_same_seed(
    build: Callable[..., Simulator],
) -> None:
    def strikes() -> list[bool]:
        simulator = build(seed=7)
        simulator.scenarios.clear()
        simulator.scenario("error_after", share=0.05)
        return [simulator.scenarios.take(FAULTS, NUMBER) is not None for _ in range(2000)]

    first = strikes()
    assert 60 <= sum(first) <= 140
    assert strikes() == first


async def test_scenarios_outlive_a_restart(build: Callable[..., Simulator]) -> None:
    build().scenario("rate_limited", times=3)
    again = build()
    assert again.scenarios.take(["rate_limited"], NUMBER)
    assert [scenario.times for scenario in build().scenarios.all()] == [2]


@pytest.mark.parametrize(
    "body", [{}, {"fault": "bad_hair_day"}, {"fault": "refused", "share": 2}, {"fault": "refused", "x": 1}]
)
async def test_a_scenario_that_makes_no_sense_is_refused(phone: Phone, body: dict[str, Any]) -> None:
    answer = await phone.http.post("/simulator/scenarios", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid"


async def test_the_table_of_faults_can_be_read(phone: Phone) -> None:
    await phone.scenario("refused", code=131048)
    body = (await phone.http.get("/simulator/scenarios")).json()
    assert set(body["faults"]) == set(FAULTS)
    assert body["items"][0]["code"] == 131048
