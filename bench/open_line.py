"""From one person's send to the other's eyes, through everything: both pages in Chromium, a real Odoo between them."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

from bench.drawn import drawn
from tests.open_line import Card, Phone, browser, open_context, records, running

ROUNDS = 20
_CUSTOMER, _NAME = "12025550123", "John Carter"


def measure() -> dict[str, list[float]]:
    """Return the seconds of each round, in both directions; the text is in the page when its clock stops."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as line, browser() as chromium:
        phone = Phone(open_context(chromium).new_page(), line).be(_CUSTOMER)
        card = Card(open_context(chromium).new_page(), line)
        card.log_in("agent", "agent")
        phone.write("Hello!")
        card.open("crm.lead", records(line, _NAME)["crm.lead"])
        card.bubble("Hello!").wait_for()
        return {
            "customer's send → visible in the open tab": _rounds(phone.write, card.page, ".o_leadline_message"),
            "agent's send → visible on the customer's phone": _rounds(card.write, phone.page, "[data-testid=message]"),
        }


def _rounds(write: Callable[[str], None], page: Page, bubble: str) -> list[float]:
    seconds = []
    for number in range(ROUNDS):
        text = f"{number} {time.time_ns()}"
        started = time.perf_counter()
        write(text)
        drawn(page, bubble, text)
        seconds.append(time.perf_counter() - started)
    return seconds


def rows() -> list[tuple[str, str]]:
    """Return the table's rows: median and p95."""
    return [
        (name, f"median {statistics.median(seconds):.2f} s, p95 {_p95(seconds):.2f} s of {len(seconds)}")
        for name, seconds in measure().items()
    ]


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]
