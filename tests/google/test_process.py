"""Processes that never outlive the tests."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.google.process import OwnProcess, ProcessEnded

ENVIRONMENT = {"PATH": os.environ["PATH"]}
# A parent that starts a program with a child of its own, says their ids, and waits to be killed.
PARENT = """
import sys, time
from pathlib import Path
from tests.google.process import OwnProcess
command = ["/bin/sh", "-c", "sleep 60 & echo $!; wait"]
own = OwnProcess(command, environment={"PATH": "/usr/bin:/bin"}, log=Path(sys.argv[1]))
own.wait_until(lambda: own.log.read_text().strip() != "", 10)
print(own.pid, own.log.read_text().strip(), flush=True)
time.sleep(60)
"""


def gone(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 10
    while not all(map(gone, pids)):
        assert time.monotonic() < deadline, "still running"
        time.sleep(0.02)


def test_a_program_and_its_children_end_with_the_parent_however_it_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as parent:
        assert parent.stdout
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert not any(map(gone, pids))
        parent.send_signal(signal.SIGKILL)
    assert len(pids) == 2
    wait_until_gone(pids)


def test_stop_ends_a_program_that_ignores_the_request(tmp_path: Path) -> None:
    stubborn = ["/bin/sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done"]
    own = OwnProcess(stubborn, environment=ENVIRONMENT, log=tmp_path / "log")
    own.wait_until(lambda: "up" in own.log.read_text(), 10)
    assert own.running
    own.stop(grace=0.1)
    assert not own.running
    own.stop()


def test_a_program_that_ends_early_is_reported_with_its_log(tmp_path: Path) -> None:
    own = OwnProcess(["/bin/sh", "-c", "echo no luck; exit 3"], environment=ENVIRONMENT, log=tmp_path / "log")
    with pytest.raises(ProcessEnded, match=r"ended with code 3\nno luck"):
        own.wait_until(lambda: False, 10)
    own.kill()


def test_a_program_that_stays_silent_is_reported(tmp_path: Path) -> None:
    own = OwnProcess(["sleep", "60"], environment=ENVIRONMENT, log=tmp_path / "log")
    with pytest.raises(ProcessEnded, match=r"not ready after 0\.1 s"):
        own.wait_until(lambda: False, 0.1)
    own.kill()
