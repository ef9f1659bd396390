"""However often a customer comes by advertisements, their conversation stays small and tells how they came first."""

from tests.payloads import ANA, inbound_text
from tests.rig import Rig


def advertisement(number: int) -> dict[str, str]:
    return {
        "source_url": f"https://fb.me/{number}",
        "source_id": str(number),
        "source_type": "ad",
        "headline": "A headline " * 20,
        "body": "What the advertisement says. " * 1000,
        "ctwa_clid": f"click-{number}" * 20,
    }


async def test_many_taps_on_advertisements_leave_the_first_and_the_latest(rig: Rig) -> None:
    start = int(rig.clock.wall()) - 60_000
    for number in range(60):
        await rig.deliver(inbound_text(ANA, f"Tap {number}", at=start + number * 900, referral=advertisement(number)))
        await rig.drain()

    [conversation] = rig.documents("conversations")
    told = rig.crm.of_type("message.received")[-1]["conversation"]["attribution"]
    assert len(conversation["referrals"]) <= 21
    assert conversation["received"] == 60
    assert rig.documents("parked") == []
    assert [told[which]["referral"]["source_id"] for which in ("first", "last")] == ["0", "59"]


async def test_links_are_kept_within_the_same_bounds(rig: Rig) -> None:
    link = (await rig.call("POST", "/v1/links", {"line": "line", "label": "Poster"})).json()
    start = int(rig.clock.wall()) - 100_000
    for number in range(40):
        await rig.deliver(inbound_text(ANA, link["prefilled"], at=start + number * 900))
        await rig.drain()

    [conversation] = rig.documents("conversations")
    assert len(conversation["touches"]) <= 21
    assert conversation["touches"][0]["at"] == start
