"""Programs we start: they end when we say so, and when we are gone."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from functions.local.child import Child, run, run_step
from functions.local.failure import SetUpFailed

PROJECT = Path(__file__).parents[2]
# says its own id and that of a program it starts, then sleeps
FAMILY = "sleep 60 & echo $$ $! > {pids}.new; mv {pids}.new {pids}; wait"
# a parent of that family that survives Ctrl-C
PARENT = """
import signal, sys, time
from pathlib import Path
from functions.local.child import Child
signal.signal(signal.SIGINT, lambda *_: None)
child = Child(["sh", "-c", sys.argv[1]], log=Path(sys.argv[2]))
time.sleep(60)
"""


def wait_for(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(pid: str) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


@pytest.fixture
def pids(tmp_path: Path) -> Path:
    return tmp_path / "pids"


def family(pids: Path) -> list[str]:
    wait_for(pids.exists)
    return pids.read_text().split()


def sh(script: str, tmp_path: Path, **options: float) -> Child:
    return Child(["sh", "-c", script], log=tmp_path / "log", grace=options.get("grace", 20))


def test_stop_ends_the_program_and_what_it_started(tmp_path: Path, pids: Path) -> None:
    child = sh(FAMILY.format(pids=pids), tmp_path)
    started = family(pids)
    assert child.running
    assert child.stop() == 128 + signal.SIGTERM
    assert not any(map(alive, started))
    assert child.stop() == 128 + signal.SIGTERM


@pytest.fixture
def parent(tmp_path: Path, pids: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", PARENT, FAMILY.format(pids=pids), str(tmp_path / "log")]
    with subprocess.Popen(command, cwd=PROJECT, start_new_session=True) as parent:
        yield parent
        parent.kill()


def test_a_parent_killed_with_9_takes_its_programs_along(parent: subprocess.Popen[bytes], pids: Path) -> None:
    started = family(pids)
    parent.kill()
    wait_for(lambda: not any(map(alive, started)))


def test_ctrl_c_in_the_terminal_leaves_the_program_to_us(parent: subprocess.Popen[bytes], pids: Path) -> None:
    started = family(pids)
    os.killpg(parent.pid, signal.SIGINT)
    time.sleep(0.3)
    assert all(map(alive, started))


def test_a_program_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    children: list[Child] = []
    thread = threading.Thread(target=lambda: children.append(sh("sleep 60", tmp_path)))
    thread.start()
    thread.join()
    time.sleep(0.2)
    assert children[0].running
    children[0].stop()


def test_a_program_deaf_to_the_signal_is_killed_after_its_grace(tmp_path: Path, pids: Path) -> None:
    child = sh(f"trap '' TERM; {FAMILY.format(pids=pids)}; wait", tmp_path, grace=0.3)
    started = family(pids)
    assert child.stop() == 128 + signal.SIGKILL
    assert not any(map(alive, started))


def test_exit_code_and_output_are_the_programs_own(tmp_path: Path) -> None:
    child = sh("echo out; echo err >&2; exit 3", tmp_path)
    assert child.wait(20) == 3
    assert sorted((tmp_path / "log").read_text().split()) == ["err", "out"]


def test_waiting_for_a_program_ends_in_time(tmp_path: Path) -> None:
    child = sh("sleep 60", tmp_path)
    with pytest.raises(TimeoutError):
        child.wait(0.1)
    child.stop()


def test_a_missing_program_is_named() -> None:
    with pytest.raises(SetUpFailed, match=r"^no-such-program is not on this machine"):
        run(["no-such-program"])


def test_a_failed_step_gives_the_reason_and_the_way_out(tmp_path: Path) -> None:
    script = "echo one; echo 'E: The archive is asleep.' >&2; echo two; exit 100"
    with pytest.raises(SetUpFailed, match=r"^Fetching failed \(The archive is asleep\)\. Come back later\.$"):
        run_step("Fetching", ["sh", "-c", script], log=tmp_path / "log", way_out="Come back later.")


def test_a_step_that_hangs_on_a_full_disk_is_ended_and_told(tmp_path: Path) -> None:
    script = "echo 'write: No space left on device'; sleep 60"
    with pytest.raises(SetUpFailed, match=r"The disk that holds .* is full\. Free some room there and start again\."):
        run_step("Fetching", ["sh", "-c", script], log=tmp_path / "log")
