"""Nobody takes calls here, so whoever calls must be seen to have called."""

import itertools

import pytest

from tests.payloads import ANA, NUMBER, value, webhook

AT = 1_780_000_000
OURS = "15550100001"


def call(event, *, at=AT, wacid="wacid.1", from_=ANA.wa_id, to=OURS, **more):
    item = {"id": wacid, "from": from_, "to": to, "event": event, "timestamp": str(at), **more}
    return value(number=NUMBER, contacts=[ANA.contact()], calls=[item])


def rings(**more):
    return call("connect", session={"sdp_type": "offer", "sdp": "…"}, **more)


def ends(status="Failed", **more):
    return call("terminate", direction="USER_INITIATED", status=status, **more)


async def post(rig, said):
    assert (await rig.post_body(webhook(said, field="calls"))).status_code == 200
    await rig.drain()


async def only(rig):
    [found] = (await rig.call("GET", "/v1/conversations")).json()["items"]
    return rig.tab(found["id"])


async def test_a_missed_call_stands_in_the_chat_is_unread_and_opens_the_window(rig):
    at = int(rig.clock().timestamp())
    await post(rig, rings(at=at))
    await post(rig, ends(at=at + 30))
    tab = await only(rig)
    [said] = await tab.messages()
    assert (said["type"], said["direction"], said["author"]["kind"]) == ("system", "in", "customer")
    assert said["system"] == {"kind": "call_missed", "body": None, "seconds": None}
    head = await tab.head()
    assert (head["unread"], head["window"]["open"], head["contact"]["name"]) == (1, True, "Ana")
    assert len(rig.crm.of_type("message.received")) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_news_of_a_call_end_the_same_in_any_order(rig, order):
    at = int(rig.clock().timestamp())
    news = [rings(at=at), ends("Completed", at=at + 40, duration=40), rings(at=at)]
    for place in (*order, *order):
        await post(rig, news[place])
    tab = await only(rig)
    [said] = await tab.messages()
    assert said["system"] == {"kind": "call_ended", "body": None, "seconds": 40}
    assert (await tab.head())["received"] == 1


async def test_a_call_of_the_business_opens_nothing(rig):
    ringing = {"id": "wacid.2", "type": "call", "status": "RINGING", "timestamp": str(AT), "recipient_id": ANA.wa_id}
    await post(rig, value(statuses=[ringing]))
    await post(rig, value(statuses=[ringing | {"status": "REJECTED", "timestamp": str(AT + 5)}]))
    tab = await only(rig)
    [said] = await tab.messages()
    assert (said["direction"], said["system"]["kind"]) == ("out", "call_unanswered")
    head = await tab.head()
    assert (head["unread"], head["window"]["until"]) == (0, None)


async def test_who_calls_is_told_apart_from_who_is_called_even_where_meta_mixes_them_up(rig):
    await post(rig, rings(from_=OURS, to=ANA.wa_id))
    [said] = await (await only(rig)).messages()
    assert (said["direction"], said["author"]["kind"]) == ("in", "customer")


async def test_a_call_that_can_not_be_read_is_parked(rig):
    await post(rig, value(calls=[{"id": "wacid.3"}]))
    assert [parked["reason"] for parked in rig.documents("parked")] == ["calls item unreadable (KeyError)"]
