"""Opening the chat tab on a conversation of 50,000 messages, against one of 50: `python -m bench.open_tab`.

Both stand in the same store, and the page of each is open at once; the rounds take turns. The clock runs in the page,
from the click on the tab until the first message is drawn.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Page

from bench.idle.ports import IdleTasks, idle_ports
from bench.texts import SENTENCE
from functions.core.store import Document, Key, Query, Write
from functions.local import demo
from functions.local.sqlite_store import SqliteStore
from functions.webhook.accept import Acceptance
from tests.open_line import Card, OpenLine, browser, chat_api, open_context, records, running, wrote
from tests.payloads import Customer, inbound_text, webhook

LONG, SHORT = 50_000, 50
ROUNDS = 20
_AT_ONCE = 500
_PEOPLE = {
    LONG: Customer("447700900501", None, "Ann Long"),
    SHORT: Customer("447700900502", None, "Ben Short"),
}
_SECONDS_APART = 20

# Clicks the tab, and answers the milliseconds until a message of the conversation has been drawn.
_OPEN = """() => new Promise((done) => {
    const tab = [...document.querySelectorAll("[role=tab]")].find((tab) => tab.textContent.includes("WhatsApp"));
    const started = performance.now();
    const look = () => document.querySelector(".o_leadline_message")
        ? done(performance.now() - started)
        : requestAnimationFrame(look);
    tab.click();
    look();
})"""
_LEAVE = """() => {
    const tabs = [...document.querySelectorAll("[role=tab]")];
    tabs.find((tab) => !tab.textContent.includes("WhatsApp")).click();
}"""


class _Quiet:
    """The store of a machine, written as the webhook does, but for the events: no CRM is told of what is filled in."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    async def get(self, keys: Sequence[Key]) -> list[Document | None]:
        return await self._store.get(keys)

    async def commit(self, writes: Sequence[Write]) -> None:
        await self._store.commit([write for write in writes if write.key.collection != "events"])

    async def query(self, query: Query) -> list[Document]:
        return await self._store.query(query)

    async def close(self) -> None:
        await self._store.close()


async def _fill(folder: Path, customer: Customer, count: int) -> None:
    """Let a customer have written so many messages, by the webhook's own acceptance of Meta's bodies."""
    store = _Quiet(SqliteStore(folder / "store.db"))
    ports = idle_ports({"WHATSAPP_APP_SECRET": demo.APP_SECRET})
    acceptance = Acceptance(replace(ports, store=store, tasks=IdleTasks()))
    begun = int(time.time()) - (count + 10) * _SECONDS_APART
    try:
        for start in range(0, count, _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, count))
            texts = [inbound_text(customer, f"{SENTENCE} {n}", at=begun + n * _SECONDS_APART) for n in numbers]
            if parked := await acceptance.accept(webhook(*texts)):
                raise RuntimeError(f"{len(parked)} messages were put aside: {sorted(set(parked.values()))}")
    finally:
        await store.close()


def measure() -> dict[int, list[float]]:
    """Return the milliseconds of each round, by the length of the conversation."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as line:
        leads = {count: _met(line, customer, count) for count, customer in _PEOPLE.items()}
        with browser() as chromium:
            context = open_context(chromium, viewport={"width": 1280, "height": 900})
            Card(context.new_page(), line).log_in("agent", "agent")
            return _rounds({count: _opened(line, context.new_page(), lead) for count, lead in leads.items()})


def _met(line: OpenLine, customer: Customer, count: int) -> int:
    """Return the lead of a customer who has written so many messages, all of them read."""
    assert customer.wa_id
    assert customer.name
    asyncio.run(_fill(line.folder, customer, count - 1))
    # The last one on the usual way, so that Odoo hears of the customer.
    wrote(line, customer.wa_id, customer.name, SENTENCE, ago=timedelta(seconds=1))
    lead = records(line, customer.name)["crm.lead"]
    with chat_api(line) as chat:
        listed = chat.get("/conversations").raise_for_status().json()["items"]
        [path] = [f"/conversations/{one['id']}" for one in listed if one["contact"]["name"] == customer.name]
        [newest] = chat.get(f"{path}/messages", params={"limit": 1}).raise_for_status().json()["items"]
        chat.post(f"{path}/read", json={"message": newest["id"]}).raise_for_status()
        head = chat.get(path).raise_for_status().json()
    if (head["received"], head["unread"]) != (count, 0):
        raise RuntimeError(f"{head['received']} messages with {head['unread']} unread in place of {count}")
    return lead


def _opened(line: OpenLine, page: Page, lead: int) -> Page:
    Card(page, line).open("crm.lead", lead)
    page.locator(".o_leadline_message").first.wait_for()
    return page


def _rounds(pages: dict[int, Page]) -> dict[int, list[float]]:
    took: dict[int, list[float]] = {count: [] for count in pages}
    for round_ in range(ROUNDS + 1):
        for count, page in pages.items():
            page.bring_to_front()
            page.evaluate(_LEAVE)
            page.locator(".o_leadline_chat").wait_for(state="detached")
            milliseconds = page.evaluate(_OPEN)
            # The first one of each page warms it up.
            if round_:
                took[count].append(milliseconds)
    return took


def rows() -> list[tuple[str, str]]:
    """Return the table's row."""
    took = {count: statistics.median(rounds) for count, rounds in measure().items()}
    ratio = took[LONG] / took[SHORT]
    return [
        (
            f"open the tab on {LONG:,} messages, until the first is seen",
            f"{ratio:.2f} × on {SHORT} ({took[LONG]:.0f} against {took[SHORT]:.0f} ms, medians of {ROUNDS})",
        )
    ]


if __name__ == "__main__":
    for name, figure in rows():
        print(f"{name:<58} {figure}")
