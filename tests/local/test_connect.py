"""`leadline connect`: from nothing to a pairing code, as often as one likes, and back."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from functions.core.lines import connection_key
from functions.local import connecting
from functions.local.cli import main
from functions.local.connecting import Wanted
from functions.local.failure import SetUpFailed
from functions.local.keys import Keys
from tests.payloads import ANA, inbound_text
from tests.rig import ACCOUNT, CONNECTION, LINE, Rig, rigged


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(tmp_path) as rig:
        yield rig


class Stopped(BaseException):
    """Ctrl-C."""


@pytest.fixture
async def bare(rig: Rig) -> Rig:
    """A deployment with a line of an account, and no connection yet."""
    await rig.erase("connections")
    rig.start()
    return rig


async def exchange(rig, code):
    body = {"code": code, "claim": "a-claim-of-twenty-two-letters", "kind": "odoo", "place": {"url": "http://crm.test"}}
    answer = await rig.chat.post("/v1/pairings", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def cli(rig, *arguments, said=None):
    """Return what the command line answers on this rig's store, in a thread as it has a loop of its own."""
    folder = rig._folder
    Keys.of(folder)
    return asyncio.to_thread(CliRunner().invoke, main, [*arguments, "--folder", str(folder)], said)


async def test_the_first_connection_takes_the_queue_that_is_there_and_the_lines_without_one(bare):
    made = await connecting.connect(bare.ports, Wanted(account=ACCOUNT))
    assert (made.connection.id, [line.id for line in made.lines], made.paired) == ("default", [LINE], False)
    assert bare.tasks.made == ["sync-default"]
    told = await exchange(bare, made.code)
    assert (told["connection"], [line["id"] for line in told["lines"]]) == ("default", [LINE])


async def test_until_it_is_paired_customers_can_write_and_nobody_is_called(bare):
    await connecting.connect(bare.ports, Wanted(account=ACCOUNT))
    bare.start()
    await bare.deliver(inbound_text(ANA))
    await bare.drain()
    assert bare.crm.asked == 0
    assert not bare.documents("parked")
    assert len(bare.documents("events")) == 1


async def test_a_second_account_gets_a_connection_and_a_queue_of_its_own(bare):
    await connecting.connect(bare.ports, Wanted(account=ACCOUNT))
    await bare.add_line("theirs", number="200", account="other", connection="")
    made = await connecting.connect(bare.ports, Wanted(account="other"))
    assert (made.connection.id, [line.id for line in made.lines]) == ("other-odoo", ["theirs"])
    assert bare.tasks.made == ["sync-default", "sync-other-odoo"]


async def test_repeating_it_only_gives_another_code(rig):
    first, second = [await connecting.connect(rig.ports, Wanted()) for _ in range(2)]
    assert first.code != second.code
    assert (first.connection, first.lines) == (second.connection, second.lines)
    assert second.paired
    # The paired CRM goes on until somebody uses a code.
    await rig.met(ANA)
    assert rig.crm.events


@pytest.mark.parametrize("step", range(3))
async def test_a_run_that_was_stopped_anywhere_is_repeated(bare, monkeypatch, step):
    commits = 0
    commit = bare.store.commit

    async def stopped(writes):
        nonlocal commits
        if commits == step:
            raise Stopped
        commits += 1
        await commit(writes)

    monkeypatch.setattr(bare.store, "commit", stopped)
    with pytest.raises(Stopped):
        await connecting.connect(bare.ports, Wanted(account=ACCOUNT))
    monkeypatch.undo()
    made = await connecting.connect(bare.ports, Wanted(account=ACCOUNT))
    assert (made.connection.id, [line.id for line in made.lines]) == ("default", [LINE])
    assert (await exchange(bare, made.code))["connection"] == "default"


async def test_a_line_is_given_to_another_connection_by_its_id_or_its_number(rig):
    await rig.add_line("second", number="200")
    made = await connecting.connect(rig.ports, Wanted(connection="shop", lines=["200"]))
    assert [line.id for line in made.lines] == ["second"]
    rest = await connecting.connect(rig.ports, Wanted(connection=CONNECTION))
    assert [line.id for line in rest.lines] == [LINE]


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (Wanted(account="other", connection=CONNECTION), "belongs to another account"),
        (Wanted(account="other", lines=[LINE]), "has no line"),
        (Wanted(lines=["nothing"]), "no line nothing"),
        (Wanted(account=ACCOUNT, connection="Not A Name"), "can't be a connection's name"),
    ],
)
async def test_what_cannot_be_is_said_in_a_sentence_and_changes_nothing(rig, wanted, sentence):
    before = rig.documents("connections"), rig.documents("lines")
    with pytest.raises(SetUpFailed, match=sentence):
        await connecting.connect(rig.ports, wanted)
    assert (rig.documents("connections"), rig.documents("lines")) == before


async def test_of_several_accounts_or_connections_one_must_be_named(rig):
    await rig.add_connection("second")
    with pytest.raises(SetUpFailed, match="--connection"):
        await connecting.connect(rig.ports, Wanted(account=ACCOUNT))
    await rig.add_connection("theirs", account="other")
    with pytest.raises(SetUpFailed, match="--account"):
        await connecting.connect(rig.ports, Wanted())


async def test_a_queue_that_cannot_be_made_leaves_the_line_where_it_is(bare):
    bare.tasks.out_of_reach = True
    with pytest.raises(SetUpFailed, match="--connection"):
        await connecting.connect(bare.ports, Wanted(account=ACCOUNT))
    assert not bare.documents("connections")


# Taking it back


async def test_a_connection_without_lines_goes_with_its_queue_and_its_events(rig):
    await rig.deliver(inbound_text(ANA))
    await connecting.connect(rig.ports, Wanted(connection="shop", lines=[LINE]))
    rig.start()
    removed = await connecting.remove(rig.ports, CONNECTION)
    assert removed.lines == ()
    assert await rig.store.get([connection_key(CONNECTION)]) == [None]
    assert not [event for event in rig.documents("events") if event["connection"] == CONNECTION]
    assert rig.tasks.made == ["sync-shop"]


async def test_a_connection_with_lines_shuts_its_crm_out_and_loses_no_message(rig):
    conversation = await rig.met(ANA)
    removed = await connecting.remove(rig.ports, CONNECTION)
    assert [line.id for line in removed.lines] == [LINE]
    rig.start()
    assert (await rig.call("GET", "/v1/conversations")).status_code == 401
    asked = rig.crm.asked
    await rig.deliver(inbound_text(ANA, "Are you there?"))
    await rig.drain()
    assert rig.crm.asked == asked
    made = await connecting.connect(rig.ports, Wanted())
    rig.secret = (await exchange(rig, made.code))["secret"]
    assert (await rig.tab(conversation).last())["text"]["body"] == "Are you there?"


async def test_what_is_not_there_cannot_be_removed(rig):
    with pytest.raises(SetUpFailed, match="leadline connect list"):
        await connecting.remove(rig.ports, "nothing")


# The command line


async def test_the_command_prints_the_code_and_where_to_enter_it(rig):
    done = await cli(rig, "connect", "odoo")
    assert done.exit_code == 0, done.output
    [code] = re.findall(r"\b[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}\b", done.output)
    assert "takes its place" in done.output
    assert "Service address" in done.output
    assert (await exchange(rig, code))["connection"] == CONNECTION


async def test_the_list_says_how_each_crm_is_reached(rig):
    await rig.add_connection("pulling", url="")
    done = await cli(rig, "connect", "list")
    assert re.search(rf"{CONNECTION}\s+account {ACCOUNT}\s+{LINE}\s+pushed", done.output), done.output
    assert re.search(r"pulling .* pulled \(No address", done.output), done.output


@pytest.mark.parametrize(
    "command", [("connect", "odoo", "--connection", CONNECTION, "--undo"), ("connect", "remove", CONNECTION)]
)
async def test_nothing_is_taken_back_without_a_yes(rig, command):
    asked = await cli(rig, *command, said="n\n")
    assert asked.exit_code == 1
    assert rig.documents("connections")[0]["secrets"]
    done = await cli(rig, *command, "--yes")
    assert done.exit_code == 0, done.output
    assert not rig.documents("connections")[0]["secrets"]
