"""Where the service can't reach Odoo: from a customer's send to what is seen, in an open tab and as a lead.

`python -m bench.pulled` runs it alone, since a round of the second kind may take a minute.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from functions.local.odoo.install import ensure_odoo
from tests.fresh_odoo import NOWHERE, Unpaired, Wizard, unpaired
from tests.open_line import Card, browser, open_context

TAB_ROUNDS, LEAD_ROUNDS = 10, 4
_CUSTOMER, _NAME = "12025550123", "John Carter"
_LONGEST = 90


def measure() -> dict[str, list[float]]:
    """Return the seconds of each round."""
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
        page.close()
        return {"in the open tab": tab, "as a lead": [_as_lead(both, number) for number in range(LEAD_ROUNDS)]}


def _in_tab(both: Unpaired, card: Card, number: int) -> float:
    text = f"round {number} {time.time_ns()}"
    return _timed(lambda: both.write(_CUSTOMER, _NAME, text), lambda: card.bubble(text).wait_for(timeout=120_000))


def _as_lead(both: Unpaired, number: int) -> float:
    name = f"Stranger {number}"

    def seen() -> None:
        while not both.sql(f"SELECT id FROM crm_lead WHERE contact_name = '{name}'"):
            time.sleep(0.1)

    return _timed(lambda: both.write(f"1202555{number:04}", name, "Hello!"), seen)


def _timed(write: Callable[[], object], seen: Callable[[], object]) -> float:
    started = time.perf_counter()
    write()
    seen()
    return time.perf_counter() - started


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
