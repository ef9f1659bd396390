"""The whole of `leadline run` as a process, and the two pages that a test drives: the phone and the lead card."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

from functions.local.odoo.demo import DATABASE
from tests.personal import know

_START_SECONDS = 400


@dataclass(frozen=True)
class OpenLine:
    """A running `leadline run`: its own address and Odoo's."""

    url: str
    odoo: str
    folder: Path
    database: str = DATABASE


@contextmanager
def running(folder: Path) -> Iterator[OpenLine]:
    """Start `leadline run` on a free port with its data in a folder, and end it as Ctrl-C would."""
    port = _free_port()
    environment = {**os.environ, "PORT": str(port), "PYTHONUNBUFFERED": "1"}
    command = [str(Path(sys.executable).with_name("leadline")), "run", "--folder", str(folder)]
    output = folder.with_name("run.txt")
    with open(output, "w") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_up(url, process, output)
        found = re.search(r"(http://\S+)/odoo/", output.read_text())
        assert found, output.read_text()
        yield OpenLine(url, found[1], folder)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


@contextmanager
def browser() -> Iterator[Browser]:
    """Run headless Chromium, Debian's."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=chromium_path(),
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                # A microphone that beeps once a second, and nobody who has to allow it.
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
            ],
        )
        yield chromium
        chromium.close()


def chromium_path() -> str | None:
    """Return where Chromium is, or None."""
    places = (Path("/usr/bin/chromium"), Path("/usr/bin/chromium-browser"), Path("/usr/bin/google-chrome"))
    return next((str(place) for place in places if place.exists()), None)


class Phone:
    """The customer's phone: the simulator's page."""

    def __init__(self, page: Page, line: OpenLine) -> None:
        self.page = page
        self._line = line

    def be(self, wa_id: str) -> "Phone":
        """Take the phone of a customer, with the business's chat open."""
        know(wa_id)
        self.page.goto(f"{self._line.url}/simulator/?customer={wa_id}&link=https://wa.me/15550100001")
        self.page.get_by_test_id("composer").wait_for()
        return self

    def write(self, text: str) -> None:
        know(text)
        self.page.get_by_test_id("composer").fill(text)
        self.page.get_by_test_id("send").click()

    def send_picture(self, path: Path) -> None:
        self.page.get_by_test_id("file").set_input_files(path)
        self.page.get_by_test_id("send").click()

    def bubble(self, text: str) -> Locator:
        return self.page.locator("[data-testid=message]", has_text=text)


class Card:
    """A lead's or a contact's card in Odoo with its chat."""

    def __init__(self, page: Page, line: OpenLine) -> None:
        self.page = page
        self.line = line

    def log_in(self, login: str, password: str) -> None:
        self.page.goto(f"{self.line.odoo}/web/login")
        self.page.locator("input[name=login]").fill(login)
        self.page.locator("input[name=password]").fill(password)
        self.page.locator("button[type=submit]").first.click()
        self.page.locator(".o_main_navbar").wait_for()

    def open(self, place: str, record: int) -> None:
        """Open a card at its chat; `place` is its model, or the action that lists such cards."""
        self.page.goto(f"{self.line.odoo}/odoo/{place}/{record}")
        tab = self.page.get_by_role("tab", name="WhatsApp")
        tab.wait_for()
        tab.click()
        self.page.locator(".o_leadline_chat").wait_for()

    def write(self, text: str) -> None:
        know(text)
        self.page.locator("textarea.o_leadline_input").fill(text)
        self.page.keyboard.press("Enter")

    def send_picture(self, path: Path) -> None:
        self.page.locator("input.o_leadline_file").set_input_files(path)
        self.page.locator(".o_leadline_send").click()

    def record(self, seconds: float) -> None:
        """Record a voice note and send it."""
        self.page.locator(".o_leadline_record").click()
        self.page.locator(".o_leadline_voice[data-phase=recording]").wait_for()
        self.page.wait_for_timeout(seconds * 1000)
        self.page.locator(".o_leadline_voice_main").click()
        self.page.locator(".o_leadline_voice").wait_for(state="detached")

    def bubble(self, text: str) -> Locator:
        return self.page.locator(".o_leadline_message", has_text=text)

    def choose_template(self, name: str) -> None:
        """Choose a template, where the templates are shown."""
        self.page.locator(".o_leadline_option", has=self.page.get_by_text(name, exact=True)).first.click()
        self.page.locator(".o_leadline_picker_form").wait_for()

    def fill(self, field: str, value: str) -> None:
        """Write a value of the chosen template; `field` is the parameter's, such as body.1."""
        self.page.locator(f".o_leadline_field[data-field='{field}'] input").fill(value)

    def send_template(self) -> None:
        self.page.locator(".o_leadline_template_send").click()


class OdooRefused(Exception):
    """Odoo answered with an error; the text is the name of its exception."""


def ask_odoo(line: OpenLine, model: str, method: str, *arguments: object, login: str = "admin") -> Any:
    """Call a method of Odoo's, as its administrator unless told otherwise. Raises `OdooRefused`."""
    with httpx.Client(base_url=line.odoo, timeout=60) as client:
        who = {"db": line.database, "login": login, "password": login}
        client.post("/web/session/authenticate", json={"jsonrpc": "2.0", "params": who}).raise_for_status()
        call = {"model": model, "method": method, "args": list(arguments), "kwargs": {}}
        answer = client.post("/web/dataset/call_kw", json={"jsonrpc": "2.0", "params": call}).raise_for_status().json()
    if "error" in answer:
        raise OdooRefused(answer["error"]["data"]["name"])
    return answer["result"]


def add_agent(line: OpenLine, name: str, login: str) -> int:
    """Add somebody who sees all leads beside the demo's own agent; the password is the login. Again is harmless."""
    if there := ask_odoo(line, "res.users", "search", [("login", "=", login)]):
        return int(there[0])
    groups = [("module", "in", ["base", "sales_team"]), ("name", "in", ["group_user", "group_sale_salesman_all_leads"])]
    found = ask_odoo(line, "ir.model.data", "search_read", groups, ["res_id"])
    user = {"name": name, "login": login, "password": login, "notification_type": "inbox", "odoobot_state": "disabled"}
    membership = {"group_ids": [(6, 0, [one["res_id"] for one in found])]}
    return int(ask_odoo(line, "res.users", "create", [user | membership])[0])


def chat_api(line: OpenLine) -> httpx.Client:
    """Return a client of the chat API with a grant for every conversation."""
    command = [str(Path(sys.executable).with_name("leadline")), "token", "--all", "--folder", str(line.folder)]
    grant = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return httpx.Client(base_url=f"{line.url}/chat/v1", headers={"Authorization": f"Bearer {grant}"})


def records(line: OpenLine, name: str) -> dict[str, int]:
    """Return the CRM's records of the conversation with a customer of this name, as the chat API tells them.

    Waits until the CRM has answered.
    """
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = _records(line, name)
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"no records for {name} after 120 s")


def _records(line: OpenLine, name: str) -> dict[str, int]:
    with chat_api(line) as chat:
        for item in chat.get("/conversations").raise_for_status().json()["items"]:
            if item["contact"]["name"] == name:
                head = chat.get(f"/conversations/{item['id']}").raise_for_status().json()
                return {record["model"]: record["id"] for record in head["records"]}
    return {}


def wrote(line: OpenLine, wa_id: str, name: str, text: str, *, ago: timedelta) -> None:
    """Let a customer have written some time ago."""
    know(wa_id, name, text)
    at = int((datetime.now(UTC) - ago).timestamp())
    message = {"type": "text", "text": text, "timestamp": str(at), "name": name}
    httpx.post(f"{line.url}/simulator/customers/{wa_id}/messages", json=message).raise_for_status()


def open_context(chromium: Browser, **options: object) -> BrowserContext:
    """Return a fresh profile; `options` are Playwright's, such as a viewport."""
    return chromium.new_context(locale="en-US", **options)  # type: ignore[arg-type]


def wait_until_up(url: str, process: "subprocess.Popen[bytes]", output: Path) -> None:
    """Return once `leadline run` says that everything is there. Raises AssertionError with what it printed."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"leadline run ended:\n{output.read_text()}")
        try:
            if httpx.get(f"{url}/healthz").status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"not up after {_START_SECONDS} s:\n{output.read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
