import asyncio
import itertools
from dataclasses import dataclass
from typing import Any

import pytest

from functions.core.identity import Alias
from tests.payloads import ANA, LUCIA, error, inbound_text, status
from tests.rig import ACCOUNT, LINE, Rig, Tab, accepted


@dataclass
class Sent:
    """A text that an agent sent and Meta took; `callback` is what Meta echoes in its statuses."""

    rig: Rig
    tab: Tab
    id: str
    wamid: str
    callback: str

    def status(self, name: str, **more: Any) -> dict[str, Any]:
        return status(name, self.wamid, callback=self.callback, **more)

    async def becomes(self, name: str, **more: Any) -> None:
        await self.rig.deliver(self.status(name, **more))

    async def shown(self) -> dict[str, Any]:
        [found] = [item for item in await self.tab.messages() if item["id"] == self.id]
        return found


@pytest.fixture
async def sent(rig):
    tab = await rig.chatting(ANA)
    message = await tab.say("Hi!")
    await rig.drain()
    return Sent(rig, tab, message["id"], "wamid.out.1", rig.whatsapp.messages[-1]["biz_opaque_callback_data"])


@pytest.mark.parametrize("order", list(itertools.permutations(["sent", "delivered", "read"])))
async def test_in_whatever_order_the_ticks_come_they_end_the_same(sent, order):
    for name in order:
        await sent.becomes(name)
    shown = await sent.shown()
    assert shown["status"] == "read"
    assert {"sent", "delivered", "read"} <= set(shown["statuses"])


async def test_a_late_delivered_never_hides_read(sent):
    await sent.becomes("read")
    await sent.becomes("delivered")
    assert (await sent.shown())["status"] == "read"


async def test_a_status_brings_the_crm_a_new_version_of_its_message(rig, sent):
    before = await sent.shown()
    await sent.becomes("delivered")
    await rig.drain()
    told = rig.crm.of_type("message.status")[-1]["message"]
    assert (told["id"], told["status"]) == (sent.id, "delivered")
    assert told["version"] == (await sent.shown())["version"] > before["version"]


async def test_a_failure_after_delivery_keeps_the_tick_and_shows_the_error(sent):
    await sent.becomes("delivered")
    await sent.becomes("failed", errors=[error(131026, "Undeliverable", "Why")])
    shown = await sent.shown()
    assert shown["status"] == "delivered"
    assert [shown["error"][name] for name in ("code", "title", "details")] == [131026, "Undeliverable", "Why"]
    assert shown["error"]["plain"].startswith("The customer can't receive this")


async def test_a_failure_stays_shown_when_sent_comes_late(sent):
    await sent.becomes("failed", errors=[error(131049)])
    await sent.becomes("sent")
    shown = await sent.shown()
    assert (shown["status"], shown["error"]["code"]) == ("failed", 131049)


async def test_without_our_text_the_wamid_finds_the_message(rig, sent):
    await rig.deliver(status("delivered", sent.wamid))
    assert (await sent.shown())["status"] == "delivered"


@pytest.mark.parametrize("foreign", ["", "their own words", "leadline:other-line:contact:client", "leadline:line:x"])
async def test_a_text_that_is_not_ours_is_ignored_and_the_wamid_decides(rig, sent, foreign):
    await rig.deliver(status("read", sent.wamid, callback=foreign))
    assert (await sent.shown())["status"] == "read"


async def test_a_text_of_another_line_touches_nothing_of_ours(rig, sent):
    await rig.add_line("second", number="200", account="other", connection="other")
    for text in (sent.callback, sent.callback.replace(f":{LINE}:", ":second:")):
        await rig.deliver(status("read", "wamid.theirs", callback=text, number="200"))
    assert (await sent.shown())["status"] == "sent"


async def test_a_text_that_names_no_message_becomes_an_orphan(rig, sent):
    await rig.deliver(status("read", "wamid.unknown", callback=sent.callback + "x"))
    assert [orphan["status"] for orphan in rig.documents("orphan_statuses")] == ["read"]


async def test_a_status_of_a_message_nobody_knows_is_kept_once_with_its_recipient(rig):
    for _ in range(2):
        await rig.deliver(status("delivered", "wamid.unknown"), inbound_text(LUCIA, wamid="wamid.l"))
    [orphan] = rig.documents("orphan_statuses")
    # By hashes: until its message comes, nobody needs to know whose it is but who erases them.
    assert Alias(ACCOUNT, "wa_id", ANA.wa_id).key.id in orphan["identities"]
    assert ANA.wa_id not in str(orphan)


async def test_a_status_that_comes_before_the_answer_to_its_send_is_not_lost(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi!")

    async def after_its_status(request):
        callback = rig.whatsapp.messages[-1]["biz_opaque_callback_data"]
        await rig.deliver(status("delivered", "wamid.out.1", callback=callback))
        return accepted("wamid.out.1")

    rig.whatsapp.answers_next(after_its_status)
    await rig.drain()
    assert (await tab.last())["status"] == "delivered"


async def test_an_unknown_status_is_parked(rig, sent):
    await sent.becomes("deleted")
    assert (await sent.shown())["status"] == "sent"
    assert [parked["reason"] for parked in rig.documents("parked")] == ["status deleted"]


async def test_a_message_and_a_status_in_one_post_both_count(rig, sent):
    await rig.deliver(sent.status("read"), inbound_text(ANA, "Thanks"))
    assert [item["status"] for item in await sent.tab.messages()][-2:] == ["read", "received"]


async def test_a_repeated_status_does_not_keep_a_new_one_beside_it_from_the_crm(rig, sent):
    await sent.becomes("delivered")
    await rig.drain()
    await rig.deliver(sent.status("delivered"), sent.status("read"))
    await rig.drain()
    assert rig.crm.of_type("message.status")[-1]["message"]["status"] == "read"


async def test_a_status_never_opens_the_window_or_counts_as_unread(rig, sent):
    before = await sent.tab.head()
    rig.clock.forward(hours=25)
    await sent.becomes("read", at=rig.clock().timestamp())
    after = await sent.tab.head()
    assert not after["window"]["open"]
    assert (after["unread"], after["window"]["until"]) == (before["unread"], before["window"]["until"])


async def test_a_batch_that_looks_things_up_waits_for_the_store_at_once(rig, monkeypatch):
    under_way, most, query = 0, 0, rig.store.query

    async def slow(asked):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        return await query(asked)

    monkeypatch.setattr(rig.store, "query", slow)

    await rig.deliver(*(status("delivered", f"wamid.elsewhere.{n}") for n in range(30)))

    assert len(rig.documents("orphan_statuses")) == 30
    assert most == 30


async def test_a_store_that_fails_in_a_batch_is_answered_503_when_all_has_ended(rig):
    rig.store.fails_next("query")
    answer = await rig.post(*(status("delivered", f"wamid.elsewhere.{n}") for n in range(3)))
    assert answer.status_code == 503
    await rig.deliver(*(status("delivered", f"wamid.elsewhere.{n}") for n in range(3)))
    assert len(rig.documents("orphan_statuses")) == 3
