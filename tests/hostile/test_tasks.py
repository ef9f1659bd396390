"""No task leads one account to what is another's, whatever stands in its body."""

import re
from pathlib import Path

import pytest

from functions.core.courtesies import GOODBYES
from functions.core.tasks import Task
from tests.hostile.accounts import THEIR_LINE, THEIR_NUMBER, all_of_theirs
from tests.payloads import ANA, LUCIA, inbound_text
from tests.rig import CONNECTION, LINE

FUNCTIONS = Path(__file__).parents[2] / "functions"

MIXED = {
    # Kind: the function, and what it is told of beside one of our lines.
    "send": ("sender", "conversation"),
    "typing": ("sender", "conversation"),
    "fetch_media": ("sender", "message"),
    "thumbnail": ("sender", "message"),
    "read": ("sender", "message"),
}
OF_TWO = {*MIXED, "goodbye"}
OF_ONE = {
    # What names one thing alone, or nothing: there is nothing to mix up.
    *("checkup", "templates", "template"),  # a line
    *("events", "check"),  # a connection
    *("carry", "notice", "trim"),  # a conversation
    *("carry_person", "erase"),  # a contact
    *("import", "retention", "health", "sweep"),
}


def test_every_kind_of_task_is_known():
    code = "".join((FUNCTIONS / function / "app.py").read_text() for function in ("sender", "sync"))
    assert set(re.findall(r'"(\w+)": lambda task', code)) == OF_TWO | OF_ONE


@pytest.mark.parametrize("kind", MIXED)
async def test_our_line_does_nothing_with_what_is_theirs(rig, theirs, kind):
    function, what = MIXED[kind]
    before = all_of_theirs(rig)
    assert before
    task = {"kind": kind, "line": LINE, what: theirs[what], "attempt": "0", "until": "9" * 10}
    assert (await rig.run(Task("send-line", function, task))).status_code == 200
    assert (rig.whatsapp.messages, rig.whatsapp.read_marks, rig.whatsapp.typing) == ([], [], [])
    assert rig.whatsapp.tokens == set()
    assert all_of_theirs(rig) == before


async def test_a_goodbye_is_never_in_the_language_of_somebody_elses_customer(rig, theirs):
    await rig.deliver(inbound_text(LUCIA, "PARAR", number=THEIR_NUMBER))
    await rig.deliver(inbound_text(ANA, "STOP"))
    in_portuguese, ours = rig.tasks.of_kind("goodbye")
    rig.tasks.waiting.clear()
    mixed = {**ours.payload, "message": in_portuguese.payload["message"]}
    assert (await rig.run(Task("sync-x", "sync", mixed))).status_code == 200
    await rig.drain()
    assert rig.whatsapp.texts == [GOODBYES["en"]]


async def test_their_line_does_it(rig, theirs):
    """Without this, a task that never does anything would pass."""
    task = {"kind": "fetch_media", "line": THEIR_LINE, "message": theirs["message"], "attempt": "0"}
    assert (await rig.run(Task("send-line", "sender", task))).status_code == 200
    assert rig.whatsapp.tokens == {"theirs"}


async def test_a_connections_events_are_its_own_accounts_alone(rig, theirs):
    await rig.run(Task("sync-x", "sync", {"kind": "events", "connection": CONNECTION}))
    assert {event["conversation"]["line"]["id"] for event in rig.crm.events} == {LINE}


async def test_retention_of_one_account_takes_nothing_of_another(rig, theirs):
    before = all_of_theirs(rig)
    await rig.run(Task("housekeeping", "sync", {"kind": "retention", "account": "acme"}))
    assert all_of_theirs(rig) == before
