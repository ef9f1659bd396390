"""The doctor says what is wrong, in words, and how to mend it; and what is well, it leaves as it was."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from functions.core.checkup.finding import Finding, ago
from functions.core.health import begun
from functions.core.lines import Directory
from functions.core.media import MediaUnavailable
from functions.core.meta_errors import error_view
from functions.local.cli import main
from functions.local.doctor import examination
from functions.local.keys import Keys
from tests.doctor_faults import Surgery, surgery
from tests.payloads import ANA, LUCIA, Customer, error, inbound, inbound_image, inbound_text, value
from tests.rig import CONNECTION, LINE, Rig


@pytest.fixture
async def patient(tmp_path: Path) -> AsyncIterator[Surgery]:
    async with surgery(tmp_path) as patient:
        yield patient


@pytest.fixture
def rig(patient: Surgery) -> Rig:
    return patient.rig


@pytest.fixture
def client(patient: Surgery) -> httpx.AsyncClient:
    return patient.client


async def examined(rig, client):
    """Return the findings by name."""
    return {finding.name: finding for finding in await examination.examine(rig.ports, client)}


async def test_where_all_is_well_nothing_is_bad_and_nothing_is_left_behind(rig, client):
    before = {name: rig.documents(name) for name in ("nonces", "messages", "events", "conversations")}
    found = await examined(rig, client)
    assert {finding.state for finding in found.values()} == {"ok"}, found
    assert all(finding.mend is None for finding in found.values())
    assert examination.exit_code([*found.values()]) == 0
    await rig.drain()
    assert {name: rig.documents(name) for name in before} == before
    assert (len(rig.whatsapp.messages), len([batch for batch in rig.crm.batches if batch])) == (0, 1)
    assert {
        "store",
        "queue housekeeping",
        f"queue send-{LINE}",
        f"queue bulk-{LINE}",
        f"queue sync-{CONNECTION}",
        "media store",
        "outbox",
        "reviews",
        f"line {LINE}: WhatsApp",
    } <= set(found)


async def test_the_same_minute_queues_one_sweep(rig, client):
    for _ in range(3):
        await examined(rig, client)
    assert len(rig.tasks.of_kind("sweep")) in (1, 2)


@pytest.mark.parametrize("broken", ["store", "queue housekeeping", "media store"])
async def test_what_is_out_of_reach_is_a_finding_and_no_exception(rig, client, monkeypatch, broken):
    async def away(*_):
        raise MediaUnavailable("the disk is full")

    rig.store.out_of_reach = broken == "store"
    rig.tasks.out_of_reach = broken.startswith("queue")
    if broken == "media store":
        monkeypatch.setattr(rig.media, "save", away)
    found = await examined(rig, client)
    assert found[broken].state == "bad"
    assert found[broken].mend
    assert examination.exit_code([*found.values()]) == 1


async def test_what_was_put_aside_is_counted_by_reason_with_the_command_that_tries_it_again(rig, client):
    await rig.deliver(inbound_text(ANA, number="200"), inbound_text(LUCIA, number="200"))
    await rig.deliver(value(messages=[{"id": "odd"}]))
    found = await examined(rig, client)
    unknown = found["put aside: no line has this phone_number_id"]
    assert (unknown.state, unknown.seen) == ("warn", "2 of kind parked")
    assert 'replay run --reason "no line has this phone_number_id"' in unknown.mend
    assert found["put aside: messages item unreadable (KeyError)"].seen == "1 of kind parked"


async def test_types_that_this_version_does_not_know_are_counted_by_day(rig, client):
    for _ in range(3):
        await rig.deliver(inbound(ANA, "hologram", {"depth": 3}))
    found = (await examined(rig, client))["unknown: type hologram"]
    assert found.seen == f"3 on {rig.clock().date().isoformat()}"
    rig.clock.forward(days=9)
    assert "unknown: type hologram" not in await examined(rig, client)


@pytest.mark.parametrize(("minutes", "state"), [(1, "ok"), (5, "warn"), (90, "bad")])
async def test_what_waits_for_a_crm_gets_worse_with_time(rig, client, minutes, state):
    rig.crm.down = True
    await rig.deliver(inbound_text(ANA))
    await rig.drain()
    rig.clock.forward(minutes=minutes)
    found = (await examined(rig, client))[f"connection {CONNECTION}: events"]
    assert found.state == state
    assert "status 502" in found.seen


@pytest.mark.parametrize(("minutes", "state"), [(1, "ok"), (5, "warn"), (90, "bad")])
async def test_what_waits_to_be_sent_or_fetched_gets_worse_with_time(rig, client, minutes, state):
    await (await rig.chatting(ANA)).say("Hi!")
    await rig.deliver(inbound_image(ANA, "media-1", b"picture"))
    rig.clock.forward(minutes=minutes)
    found = await examined(rig, client)
    assert (found["outbox"].state, found["files"].state) == (state, state)


async def test_a_line_that_is_held_is_bad_and_says_why(rig, client):
    line = await Directory(rig.store).line(LINE)
    await rig.store.commit(begun(line, error_view(error(131031)), rig.clock()))
    found = (await examined(rig, client))[f"line {LINE}: sending"]
    assert found.state == "bad"
    assert "held since" in found.seen


async def test_a_line_to_which_nobody_writes_is_worth_a_look(rig, client):
    name = f"line {LINE}: last message in"
    await rig.add_line("other", number="200", waba="300")
    assert (await examined(rig, client))["line other: last message in"].seen == "none yet"
    assert (await examined(rig, client))[name].state == "ok"
    rig.clock.forward(days=8)
    assert (await examined(rig, client))[name].state == "warn"


async def test_people_who_may_be_one_are_counted(rig, client):
    await rig.met(ANA)
    await rig.met(Customer(ANA.wa_id, "BR.99999999999999999999", "Ana?"))
    found = (await examined(rig, client))["reviews"]
    assert (found.state, found.seen) == ("warn", "1 to compare: the two may be one person")


async def test_without_lines_the_doctor_says_so(tmp_path, client):
    rig = Rig(tmp_path / "empty")
    found = await examined(rig, client)
    assert found["lines"].state == "warn"
    await rig.store.close()


def test_the_table_has_a_row_for_each_and_what_to_do_below():
    table = examination.as_table([Finding("store", "ok", "fine"), Finding("queues", "bad", "away", "Start them.")])
    assert table.splitlines() == [
        "ok    store   fine",
        "BAD   queues  away",
        "              → Start them.",
    ]


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s ago"), (119, "119 s ago"), (7300, "2 h ago"), (9e5, "10 d ago")]
)
async def test_times_are_said_in_one_unit(rig, seconds, said):
    now = rig.clock()
    assert ago(now - timedelta(seconds=seconds), now) == said


async def test_the_command_prints_json_and_exits_with_1_when_something_is_bad(rig, tmp_path, monkeypatch):
    Keys.of(tmp_path)
    monkeypatch.setenv("WHATSAPP_GRAPH_URL", "http://127.0.0.1:9")
    answer = await asyncio.to_thread(CliRunner().invoke, main, ["doctor", "--json", "--folder", str(tmp_path)])
    found = {finding["name"]: finding for finding in json.loads(answer.stdout)}
    assert found["store"]["state"] == "ok"
    assert found[f"line {LINE}: token"]["state"] == "bad"
    assert answer.exit_code == 1


@pytest.mark.parametrize(("setting", "wrong"), [("PORT", "0"), ("LEADLINE_STORE", "firestore://")])
def test_a_wrong_setting_is_a_finding(tmp_path, monkeypatch, setting, wrong):
    Keys.of(tmp_path)
    monkeypatch.setenv(setting, wrong)
    answer = CliRunner().invoke(main, ["doctor", "--folder", str(tmp_path)])
    assert answer.exit_code == 1
    assert answer.output.startswith("BAD   settings")
    assert setting in answer.output
