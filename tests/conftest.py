"""What the whole suite shares: the table at its end that says how many tests of each kind ran, and what was skipped."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.local.failure import SetUpFailed
from functions.local.odoo.install import OdooHome, ensure_odoo
from tests import open_line
from tests.google.parts import MissingPart, require

pytest_plugins = ["tests.log_watch"]

_TESTS = Path(__file__).parent

_COUNTED_INSIDE = pytest.StashKey[dict[str, int]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_COUNTED_INSIDE] = {}


@pytest.fixture(scope="session")
def counted_inside(request: pytest.FixtureRequest) -> dict[str, int]:
    """Tests that another runner ran inside one of ours, by kind; the table at the end names them."""
    return request.config.stash[_COUNTED_INSIDE]


def _odoo() -> OdooHome:
    try:
        return ensure_odoo(None, print)
    except SetUpFailed as error:
        raise MissingPart(f"Odoo 19 is missing. {error}") from None


@pytest.fixture(scope="session")
def odoo() -> OdooHome:
    """A real Odoo 19, fetched if need be."""
    return require(_odoo)


@pytest.fixture(scope="session")
def line(odoo: OdooHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[open_line.OpenLine]:
    """The whole of `leadline run`, as a process."""
    with open_line.running(tmp_path_factory.mktemp("leadline") / "data") as running:
        yield running


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    seconds: Counter[str] = Counter()
    for outcome in ("passed", "failed", "skipped", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            kind = _kind(report.nodeid)
            counts[kind][outcome] += 1
    for reports in terminalreporter.stats.values():
        for report in reports:
            seconds[_kind(getattr(report, "nodeid", ""))] += getattr(report, "duration", 0)
    terminalreporter.section("tests of each kind")
    for kind, count in sorted(counts.items()):
        shown = ", ".join(f"{number} {outcome}" for outcome, number in count.items())
        terminalreporter.write_line(f"{kind:<12} {shown:<40} {seconds[kind]:6.1f} s")
    for kind, number in config.stash[_COUNTED_INSIDE].items():
        terminalreporter.write_line(f"{kind}: {number} tests")
    for report in terminalreporter.stats.get("skipped", []):
        terminalreporter.write_line(f"skipped {report.nodeid}: {report.longrepr[2]}")


def _kind(nodeid: str) -> str:
    parts = Path(nodeid.split("::")[0]).parts
    return parts[1] if len(parts) > 2 else "project"
