"""A manager erases a customer in the real Odoo: nothing of them is left in the service's stores or in our tables."""

import asyncio
import base64
import json
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from functions.local.odoo.demo import DATABASE
from functions.local.postgres import USER, _programs
from tests.end_to_end.test_redelivery import conversations, deliver, wait_for_leads, webhook
from tests.open_line import OpenLine, ask_odoo
from tests.traces import found

pytestmark = pytest.mark.timeout(300)

NUMBER, NAME, TEXT = "12025550377", "Erica Erasable", "Please forget these very words"


def named(body: bytes) -> bytes:
    """Return the webhook under a wamid as Meta makes them, which spells out the number."""
    wamid = base64.b64encode(b"\x1d\x06\x15" + NUMBER.encode() + b"\x15\x02\x00\x12").decode()
    return body.replace(f"wamid.{NUMBER}".encode(), f"wamid.{wamid}".encode())


def in_the_service(line: OpenLine) -> bytes:
    """Return all documents, tasks and files of the running machine; what the simulated WhatsApp knows is Meta's."""
    data = []
    for name in ("store.db", "tasks.db"):
        with closing(sqlite3.connect(f"file:{line.folder / name}?mode=ro", uri=True)) as database:
            data.append("\n".join(database.iterdump()).encode())
    files = [path.read_bytes() for path in (line.folder / "media").rglob("*") if path.is_file()]
    return b"\n".join([*data, *files])


def in_odoo(line: OpenLine, *, but: str = "") -> bytes:
    """Return every row of the add-on's own tables, of one of them excepted."""
    [pid_file] = line.folder.rglob("postmaster.pid")
    socket = pid_file.read_text().splitlines()[4]
    psql = [str(_programs(pid_file.parent) / "psql"), "-XqAt", "-h", socket, "-U", USER, DATABASE, "-c"]

    def ask(statement: str) -> str:
        return subprocess.run([*psql, statement], capture_output=True, text=True, check=True).stdout

    tables = ask("SELECT tablename FROM pg_tables WHERE tablename LIKE 'leadline%'").split()
    assert "leadline_conversation" in tables
    tables = [table for table in tables if table != but]
    return "\n".join(ask(f'SELECT t::text FROM "{table}" t') for table in tables).encode()


def logs(line: OpenLine) -> bytes:
    return b"\n".join(path.read_bytes() for path in Path(line.folder).rglob("*.log"))


async def test_who_is_erased_in_odoo_is_found_nowhere(line: OpenLine) -> None:
    body = named(webhook(NUMBER, NAME, TEXT))
    assert await deliver(line, [body]) == [200]
    [lead] = await asyncio.to_thread(wait_for_leads, line, "Erica", 1)
    [conversation] = conversations(line, "Erica")
    assert found(in_the_service(line), [NUMBER, NAME, TEXT]) == {NUMBER, NAME, TEXT}
    assert NAME in in_odoo(line).decode()

    wizard = ask_odoo(line, "leadline.erasure", "create", {"partner_id": lead["partner_id"][0], "sure": True})
    ask_odoo(line, "leadline.erasure", "action_erase", [wizard])
    deadline = time.monotonic() + 60
    while (left := found(in_the_service(line), [NUMBER, NAME, TEXT])) and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
    assert left == set()
    assert found(in_odoo(line), [NUMBER, TEXT]) == set()
    # Who did what is kept, with ids that lead nowhere any more.
    assert found(in_odoo(line, but="leadline_audit"), [conversation["id"]]) == set()

    # Meta delivers it again; whoever writes later begins anew.
    assert await deliver(line, [body]) == [200]
    assert conversations(line, "Erica") == []
    assert json.dumps(ask_odoo(line, "crm.lead", "read", [lead["id"]], ["contact_name"])).count(NAME) == 1
    assert found(logs(line), [NUMBER, NAME, TEXT]) == set()
