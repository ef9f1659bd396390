"""`leadline contact` and `leadline retention`, as an admin uses them; all that is done at the command line is known."""

import asyncio
import getpass
import json
from collections.abc import AsyncIterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from click.testing import CliRunner

from functions.core.accounts import Account, account_write
from functions.local.cli import main
from functions.local.keys import Keys
from tests.payloads import ANA, LUCIA, inbound_image, inbound_text
from tests.rig import ACCOUNT, LINE, Rig, rigged


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(tmp_path) as rig:
        await rig.store.commit([account_write(Account(ACCOUNT, "Acme"))])
        yield rig


async def cli(rig, *arguments, said=None):
    """Return what the command line answers on this rig's store, in a thread as it has a loop of its own."""
    Keys.of(rig._folder)
    command = [*arguments, "--folder", str(rig._folder)]
    return await asyncio.to_thread(CliRunner().invoke, main, command, said)


async def acts(rig):
    items = (await rig.call("GET", "/v1/audit")).json()["items"]
    return [(one["act"], one["actor"], one["agent"], one["what"]) for one in items if one["act"] != "saw"]


@pytest.mark.parametrize("who", [ANA.wa_id, "+55 (11) 98765-4321", "551187654321", ANA.bsuid])
async def test_a_person_is_found_by_whatever_is_known_of_them(rig, tmp_path, who):
    await rig.met(ANA)
    answer = await cli(rig, "contact", "export", who, "--out", str(tmp_path / "out.zip"))
    assert (answer.exit_code, answer.output[:10]) == (0, "1 messages"), answer.output


async def test_who_is_asked_for_stays_out_of_the_shells_history(rig, tmp_path):
    await rig.met(ANA)
    answer = await cli(rig, "contact", "export", "--out", str(tmp_path / "out.zip"), said=f"{ANA.wa_id}\n")
    assert answer.exit_code == 0, answer.output
    with ZipFile(tmp_path / "out.zip") as archive:
        assert json.loads(archive.read("person.json"))["contact"]["wa_id"] == ANA.wa_id
    assert await acts(rig) == [("exported", "cli", getpass.getuser(), None)]


async def test_an_archive_that_is_there_is_not_written_over(rig, tmp_path):
    await rig.met(ANA)
    (tmp_path / "out.zip").write_text("precious")
    answer = await cli(rig, "contact", "export", ANA.wa_id, "--out", str(tmp_path / "out.zip"))
    assert (answer.exit_code, (tmp_path / "out.zip").read_text()) == (1, "precious")


async def test_an_erasure_says_what_goes_and_waits_for_a_yes(rig):
    rig.whatsapp.files["photo"] = b"the photo"
    await rig.deliver(inbound_text(ANA), inbound_image(ANA, "photo", b"the photo"), inbound_text(LUCIA))
    await rig.drain()
    no = await cli(rig, "contact", "erase", ANA.wa_id, said="n\n")
    assert "2 messages in 1 conversations" in no.output
    assert (no.exit_code, len(rig.documents("contacts"))) == (1, 2)
    yes = await cli(rig, "contact", "erase", ANA.wa_id, said="y\n")
    assert yes.exit_code == 0, yes.output
    assert "1 conversations, 1 files, 2 messages" in yes.output
    assert [one["name"] for one in rig.documents("contacts")] == ["Lucia"]
    assert rig.stored_files(ACCOUNT) == []
    assert ("erased", "cli", getpass.getuser(), None) in await acts(rig)


async def test_nobody_is_erased_by_an_unknown_number(rig):
    answer = await cli(rig, "contact", "erase", "4915550000000", "--yes")
    assert (answer.exit_code, "Nobody is known by that." in answer.output) == (1, True)


async def test_how_long_is_kept_what_is_shown_and_set_and_known(rig):
    assert "messages 730 days, their files 730 days" in (await cli(rig, "retention")).output
    answer = await cli(rig, "retention", "--messages", "365", "--media", "90")
    assert "messages 365 days, their files 90 days, who did what 730 days" in answer.output
    assert "messages 365 days, their files 90 days" in (await cli(rig, "retention")).output
    assert await acts(rig) == [("set", "cli", getpass.getuser(), "retention: media 90 days, messages 365 days")]


async def test_too_short_a_time_is_refused(rig):
    answer = await cli(rig, "retention", "--messages", "3")
    assert (answer.exit_code, "from 30 to 3650 days" in answer.output) == (1, True)


async def test_what_an_admin_sets_is_known(rig):
    await cli(rig, "account", "add", ACCOUNT, "--name", "Acme Ltd")
    await cli(rig, "connect", "odoo", "--account", ACCOUNT)
    what = [one[3] for one in await acts(rig)]
    assert what[0] == "account named"
    assert any("made, or its code renewed" in one for one in what)
    assert LINE not in str(what)
