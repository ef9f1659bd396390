"""The watch over the suite's logs finds what leaks: tried on runs of their own."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
NUMBER = "5521976543210"
WAMID = base64.b64encode(b"\x1d\x06\x15" + NUMBER.encode() + b"\x15\x02").decode()

_TEST = """
import logging
from tests.personal import know

know("{number}", "Verônica Quitéria", "Meu pedido de azulejos")
log = logging.getLogger("functions.some.place")

def test_it(tmp_path):
    {act}
"""


def run(tmp_path: Path, act: str) -> subprocess.CompletedProcess[str]:
    """Run a test that does this, with the plugin, and return what became of it."""
    test = tmp_path / "test_inner.py"
    test.write_text(_TEST.format(number=NUMBER, act=act))
    command = [*(sys.executable, "-m", "pytest", "-q", "-p", "tests.log_watch"), "--rootdir", str(tmp_path), str(test)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    "act",
    [
        f'log.warning("update parked", extra={{"reason": "from {NUMBER}"}})',
        f'log.info("update parked", extra={{"reason": "wamid.{WAMID}"}})',
        'log.info(f"{chr(0x56)}erônica Quitéria wrote")',
        '(tmp_path / "leadline.log").write_text("customer said: Meu pedido de azulejos")',
    ],
    ids=["number", "wamid", "name in the text", "text in a process's log"],
)
def test_a_leak_fails_the_run_and_is_shown(tmp_path: Path, act: str) -> None:
    ran = run(tmp_path, act)
    assert ran.returncode == 1, ran.stdout
    assert "1 passed" in ran.stdout
    assert "LEAKED" in ran.stdout


def test_ids_times_and_counts_are_no_leak(tmp_path: Path) -> None:
    ran = run(tmp_path, 'log.warning("update parked", extra={"line": "0" * 32, "count": 5521, "reason": "why"})')
    assert (ran.returncode, "LEAKED" in ran.stdout) == (0, False), ran.stdout + ran.stderr
