"""Where the service can't reach Odoo: from a customer's send to what is seen, in an open tab and as a lead.

`python -m bench.pulled` runs it alone, in under three minutes.
"""

import statistics
import tempfile
import time
from pathlib import Path

from functions.local.odoo.install import ensure_odoo
from tests.fresh_odoo import NOWHERE, Unpaired, Wizard, unpaired
from tests.open_line import Card, browser, open_context

TAB_ROUNDS, STRANGERS, APART = 10, 6, 10.0
"""Strangers write so many seconds apart: over the minute from one of Odoo's turns to the next."""

_CUSTOMER, _NAME = "12025550123", "John Carter"
_LONGEST = 90


def measure() -> dict[str, list[float]]:
    """Return the seconds of each round. Raises TimeoutError when one takes longer than Odoo's turns allow."""
    odoo = ensure_odoo(None, print)
    with tempfile.TemporaryDirectory() as folder, unpaired(odoo, Path(folder)) as both, browser() as chromium:
        page = open_context(chromium).new_page()
        card = Card(page, both.line)
        card.log_in("admin", "admin")
        wizard = Wizard(page, both.line).open()
        wizard.pair(*both.code(), NOWHERE)
        wizard.link("odoo", "warn").wait_for()
        both.write(_CUSTOMER, _NAME, "Hello!")
        wizard.link("message", "ok").wait_for(timeout=_LONGEST * 1000)
        [lead] = both.sql(f"SELECT id FROM crm_lead WHERE contact_name = '{_NAME}'")
        card.open("crm.lead", int(lead))
        card.bubble("Hello!").wait_for()
        tab = [_in_tab(both, card, number) for number in range(TAB_ROUNDS)]
        # Who looks makes Odoo ask sooner.
        page.close()
        return {"in the open tab": tab, "as a lead": _as_leads(both)}


def _in_tab(both: Unpaired, card: Card, number: int) -> float:
    text = f"round {number} {time.time_ns()}"
    started = time.perf_counter()
    both.write(_CUSTOMER, _NAME, text)
    card.bubble(text).wait_for(timeout=_LONGEST * 1000)
    return time.perf_counter() - started


def _as_leads(both: Unpaired) -> list[float]:
    """Let strangers write one after the other, and wait for all of their leads at once."""
    written: dict[str, float] = {}
    seen: dict[str, float] = {}
    started = time.perf_counter()
    while len(seen) < STRANGERS:
        now = time.perf_counter()
        if len(written) < STRANGERS and now >= started + len(written) * APART:
            name = f"Stranger {len(written)}"
            both.write(f"1202555{len(written):04}", name, "Hello!")
            written[name] = now
        for name in both.sql("SELECT contact_name FROM crm_lead WHERE contact_name LIKE 'Stranger %'"):
            seen.setdefault(name, time.perf_counter())
        if now > started + STRANGERS * APART + _LONGEST:
            raise TimeoutError(f"{len(written) - len(seen)} of {len(written)} strangers became no leads")
        time.sleep(0.25)
    return [seen[name] - at for name, at in written.items()]


def rows() -> list[tuple[str, str]]:
    """Return the table's rows."""
    return [
        (
            f"customer's send → visible {where}, Odoo unreachable",
            f"median {statistics.median(seconds):.1f} s, longest {max(seconds):.1f} s of {len(seconds)}",
        )
        for where, seconds in measure().items()
    ]


if __name__ == "__main__":
    for name, figure in rows():
        print(f"  {name:<58} {figure}", flush=True)
