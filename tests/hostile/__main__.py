"""What hostile input does: `python -m tests.hostile --examples 2000` prints a table, and what went wrong.

`--odoo` starts all of `leadline run` and attacks the add-on's doors as well. `--write` puts the table into
docs/security.md. Where atheris is installed (`pip install '.[fuzz]'`), the parsers are attacked guided by coverage.
"""

import argparse
import contextlib
import logging
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tests.hostile import guided
from tests.hostile.attacks import SURFACES, Tally, attack
from tests.hostile.odoo import DOORS, attack_door, doors
from tests.open_line import running

DOCS = Path(__file__).parents[2] / "docs" / "security.md"
_PLACE = re.compile(r"(<!-- made by: python -m tests\.hostile.*?-->\n)(.*?)(<!-- end -->)", re.DOTALL)
_HEAD = ("surface", "inputs", "crashes", "5xx", "otherwise wrong", "answers", "on")


def main() -> int:
    """Attack every surface; returns 1 if anything was answered as it may not be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=500, help="inputs for each surface")
    parser.add_argument("--guided", type=int, default=20_000, help="inputs for each parser that coverage guides")
    parser.add_argument("--odoo", action="store_true", help="the add-on's doors too, in a running Odoo")
    parser.add_argument("--only", default="", help="a part of a surface's name")
    parser.add_argument("--write", action="store_true", help="put the table into docs/security.md")
    asked = parser.parse_args()
    wrong = []
    logging.disable(logging.CRITICAL)
    with contextlib.ExitStack() as open_things:
        for name, attacked in _attacks(asked, open_things):
            if asked.only not in name:
                continue
            began = time.monotonic()
            tally = attacked()
            row = _row(tally)
            print("  ".join(row), f"({time.monotonic() - began:.0f} s)", flush=True)
            wrong += tally.wrong
            if asked.write:
                _write(row)
    for one in wrong:
        print(f"\n{one[:1000]}")
    return int(bool(wrong))


def _attacks(asked: argparse.Namespace, open_things: contextlib.ExitStack) -> Iterator[tuple[str, Callable[[], Tally]]]:
    for surface in SURFACES:
        yield surface.name, partial(attack, surface, asked.examples)
    if guided.installed():
        for target in guided.TARGETS:
            yield target, partial(guided.run, target, asked.guided)
    if asked.odoo:
        folder = Path(open_things.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        here = open_things.enter_context(doors(open_things.enter_context(running(folder / "data"))))
        for door in DOORS:
            yield door.name, partial(attack_door, here, door, asked.examples)


def _row(tally: Tally) -> tuple[str, ...]:
    statuses = " ".join(f"{status}×{count:,}" for status, count in sorted(tally.statuses.items()))
    numbers = (tally.inputs, tally.crashes, tally.server_errors, len(tally.wrong))
    return tally.surface, *(f"{number:,}" for number in numbers), statuses or "–"


def _write(row: tuple[str, ...]) -> None:
    """Put a row into the table in the docs, in the place of what stood there of the same surface."""
    page = DOCS.read_text()
    found = _PLACE.search(page)
    assert found, "docs/security.md has no place for the table"
    kept = [line for line in found[2].splitlines() if line.startswith("| ")][2:]
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in kept}
    rows[row[0]] = f"| {' | '.join([*row, f'{datetime.now(UTC):%Y-%m-%d}'])} |"
    lines = [f"| {' | '.join(one)} |" for one in (_HEAD, ("---",) * len(_HEAD))] + list(rows.values())
    DOCS.write_text(_PLACE.sub(lambda _: found[1] + "\n".join(lines) + "\n" + found[3], page))


if __name__ == "__main__":
    sys.exit(main())
