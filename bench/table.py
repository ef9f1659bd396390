"""Figures of a load as a table: on the screen, and in `docs/load.md` with versions, date and the machine's load."""

import argparse
import os
import platform
import re
import sqlite3
import statistics
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs" / "load.md"

Rows = Sequence[tuple[str, str]]
Progress = Callable[[str], None]

_SERVED_BY = ("uvicorn", "uvloop", "httptools", "starlette", "msgspec")


def aloud(said: str) -> None:
    """Print how far a load has come."""
    print(f"  … {said}", flush=True)


def percentile(seconds: Sequence[float], at: float) -> float:
    """Return a percentile; 100 is the longest."""
    if len(seconds) < 2 or at == 100:
        return max(seconds, default=float("nan"))
    return statistics.quantiles(seconds, n=1000, method="inclusive")[round(at * 10) - 1]


def milliseconds(seconds: Sequence[float], at: float) -> str:
    """Return a percentile as it is shown."""
    return f"{percentile(seconds, at) * 1e3:,.1f} ms"


def run(parser: argparse.ArgumentParser, name: str, rows: Callable[[argparse.Namespace], Rows]) -> None:
    """Run a load from the command line: print its table; `--write` also puts it into `docs/load.md`."""
    parser.add_argument("--write", action="store_true", help="write the table into docs/load.md")
    given = parser.parse_args()
    began = time.perf_counter()
    found = rows(given)
    seconds = time.perf_counter() - began
    for title, figure in found:
        print(f"  {title:<58} {figure}", flush=True)
    print(f"  {name} took {seconds:.0f} s; {_load()}", flush=True)
    if given.write:
        DOCS.write_text(_written(DOCS.read_text(), name, found, seconds))


def _written(text: str, name: str, rows: Rows, seconds: float) -> str:
    """Return the text of the page with the part of that name as it was measured now."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    table = "".join(f"| {title} | {figure} |\n" for title, figure in rows)
    made = f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC, {seconds:.0f} s; {_versions()}; {_load()}."
    part = f"{begin}\n|  |  |\n| --- | --- |\n{table}\n*{made}*\n{end}"
    found, count = re.subn(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: part, text, flags=re.DOTALL)
    if not count:
        raise LookupError(f"{DOCS} has no part {begin}")
    return found


def _versions() -> str:
    named = ", ".join(f"{name} {version(name)}" for name in _SERVED_BY)
    return f"Python {platform.python_version()}, {named}, SQLite {sqlite3.sqlite_version}"


def _load() -> str:
    return f"{os.cpu_count()} cores, load average at the end {os.getloadavg()[0]:.1f}"
