"""A pytest plugin: nothing personal may stand in any log of the whole suite, in the open or in base64.

Builders of tests say what is personal in what they make. What the functions log is kept as production would write
it; logs of the processes that tests start are read from the files that lie in the tests' folders. When all tests have
run, everything is searched, and a hit fails the run.
"""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.core.logs import _CloudFormatter
from tests.personal import KNOWN
from tests.traces import found, readings

_ID = re.compile(r"\b[0-9a-f]{32}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,]?\d*")
_DIGITS = re.compile(r"\d{9,}")
_LOGS = ("*.log", "run.txt")


class Watch(logging.Handler):
    """Keeps the distinct lines that were logged, with our own ids taken out."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: set[str] = set()
        self.setFormatter(_CloudFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.add(self.format(record))

    def add(self, line: str) -> None:
        """Keep a line of a log."""
        self.lines.add(_TIME.sub("", _ID.sub("", line)))

    def read(self, folder: Path) -> int:
        """Keep the lines of all logs in a folder, and return how many logs there are."""
        files = [path for pattern in _LOGS for path in folder.rglob(pattern) if path.is_file()]
        for path in files:
            for line in path.read_text(errors="replace").splitlines():
                self.add(line)
        return len(files)

    def leaks(self, personal: set[str]) -> Iterator[tuple[str, str]]:
        """Yield each personal text that was logged, with its line."""
        wordy = {text for text in personal if not text.isdecimal()}
        numbers = personal - wordy
        runs = set(_DIGITS.findall(_opened(self.lines)))
        suspects = found("\n".join(self.lines).encode(), wordy)
        suspects |= {number for number in numbers if any(number in run for run in runs)}
        for text in sorted(suspects):
            yield text, next((line for line in self.lines if found(line.encode(), [text])), "")


def _opened(lines: set[str]) -> str:
    """Return lines with everything that base64 hides in them."""
    return "\n".join(data.decode("latin-1") for data in readings("\n".join(lines).encode(), 1))


_WATCH = pytest.StashKey[Watch]()
_LEAKS = pytest.StashKey[list[tuple[str, str]]]()


def pytest_configure(config: pytest.Config) -> None:
    watch = config.stash[_WATCH] = Watch()
    # On our own logger: some tests replace the root's handlers.
    logger = logging.getLogger("functions")
    logger.addHandler(watch)
    logger.setLevel(logging.INFO)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    watch = session.config.stash[_WATCH]
    factory: Any = getattr(session.config, "_tmp_path_factory", None)
    if factory is not None and factory._basetemp is not None:
        watch.read(factory._basetemp)
    leaks = session.config.stash[_LEAKS] = [*watch.leaks(KNOWN)]
    if leaks and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    leaks, watch = config.stash.get(_LEAKS, []), config.stash[_WATCH]
    terminalreporter.write_line(
        f"logs: {len(watch.lines)} different lines, {len(KNOWN)} personal texts looked for, {len(leaks)} found"
    )
    for text, line in leaks:
        terminalreporter.write_line(f"LEAKED {text!r} in: {line[:300]}")
