"""A running service beside an Odoo that does not know it yet, and the wizard that brings them together."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Locator, Page

from functions.local.odoo.database import Databases
from functions.local.odoo.install import OdooHome
from functions.local.odoo.server import OdooServer
from functions.local.postgres import Postgres
from tests.open_line import OpenLine, wait_until_up

DATABASE = "fresh"
LEADLINE = str(Path(sys.executable).with_name("leadline"))
NOWHERE = "http://127.0.0.1:9"
"""An address of this Odoo at which nobody reaches it."""


@dataclass(frozen=True)
class Unpaired:
    """`leadline run` without an Odoo of its own, and an Odoo of somebody else with the module installed."""

    line: OpenLine
    databases: Databases

    def code(self) -> tuple[str, str]:
        """Make a pairing code as an admin does; returns the service's address and the code."""
        printed = self.leadline("connect", "odoo")
        found = re.search(r"Service address\s+(\S+)\s+Pairing code\s+(\S+)", printed)
        assert found, printed
        return found[1], found[2]

    def leadline(self, *arguments: str) -> str:
        """Run the command line on the service's data and return what it prints."""
        command = [LEADLINE, *arguments, "--folder", str(self.line.folder)]
        environment = {**os.environ, "PORT": self.line.url.rpartition(":")[2]}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        return done.stdout

    def write(self, wa_id: str, name: str, text: str) -> None:
        """Let a customer write."""
        message = {"type": "text", "text": text, "name": name}
        httpx.post(f"{self.line.url}/simulator/customers/{wa_id}/messages", json=message).raise_for_status()

    def sql(self, query: str) -> list[str]:
        """Ask Odoo's database."""
        return self.databases.postgres.sql(query, DATABASE)


@contextlib.contextmanager
def unpaired(odoo: OdooHome, folder: Path) -> Iterator[Unpaired]:
    """Start both; Odoo's scheduled actions run."""
    with contextlib.ExitStack() as running:
        url = running.enter_context(_service(folder / "data"))
        postgres = running.enter_context(Postgres(folder / "postgres", durable=False))
        databases = Databases(odoo, postgres, folder / "odoo")
        databases.create(DATABASE, ["leadline"])
        server = running.enter_context(OdooServer(databases, DATABASE))
        yield Unpaired(OpenLine(url, server.url, folder / "data", DATABASE), databases)


@contextlib.contextmanager
def _service(folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url, output = f"http://127.0.0.1:{port}", folder.with_name("run.txt")
    environment = {**os.environ, "PORT": str(port), "ODOO": "0", "PYTHONUNBUFFERED": "1"}
    with open(output, "w") as file:
        command = [LEADLINE, "run", "--folder", str(folder)]
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT)
    try:
        wait_until_up(url, process, output)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


class Wizard:
    """The wizard in a browser in which an administrator is logged in."""

    def __init__(self, page: Page, line: OpenLine) -> None:
        self.page = page
        self._line = line

    def open(self) -> "Wizard":
        self.page.goto(f"{self._line.odoo}/odoo/action-leadline.leadline_pairing_action")
        self.field("url").wait_for()
        return self

    def field(self, name: str) -> Locator:
        return self.page.locator(f".o_field_widget[name={name}] input")

    def pair(self, url: str, code: str, odoo_url: str | None = None) -> None:
        """Enter what `leadline connect` printed, and press the button."""
        self.field("url").fill(url)
        self.field("code").fill(code)
        if odoo_url is not None:
            self.field("odoo_url").fill(odoo_url)
        self.page.locator("button[name=action_pair]").click()

    def link(self, name: str, state: str) -> Locator:
        """The link of the chain once it is in a state."""
        return self.page.locator(f".o_leadline_chain [data-link={name}][data-state={state}]")
