"""Programs that Leadline starts on this machine: quick ones, steps of the set-up, and servers that stay."""

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from functions.local import guard
from functions.local.failure import SetUpFailed, step_failed


def run(
    command: Sequence[str | Path],
    *,
    stdin: str = "",
    folder: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a quick program in `folder` to its end. Its output is in the answer, whatever its exit code.

    Raises SetUpFailed where there is no such program.
    """
    argv = [str(part) for part in command]
    try:
        return subprocess.run(  # noqa: S603 - no shell, and our own code names the program
            argv, input=stdin, cwd=folder, env=env, capture_output=True, text=True, errors="replace", check=False
        )
    except FileNotFoundError as missing:
        raise SetUpFailed(f"{argv[0]} is not on this machine. Install it and start again.") from missing


def run_step(
    step: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    folder: Path | None = None,
    env: Mapping[str, str] | None = None,
    way_out: str = "",
) -> None:
    """Run a program that may take long; its output goes to `log`, and it ends with this process, whatever ends that.

    Raises SetUpFailed, with the reason the program gave, when it fails at `step` (an -ing phrase).
    """
    log.unlink(missing_ok=True)
    child = Child(command, log=log, folder=folder, env=env)
    try:
        code = _wait_or_full(child)
    finally:
        child.stop()
    if code:
        raise step_failed(step, log.read_text(errors="replace"), log.parent, way_out)


def _wait_or_full(child: "Child") -> int:
    """Wait for the end, or for a full disk: some programs (apt) then hang instead of ending."""
    while True:
        try:
            return child.wait(1.0)
        except TimeoutError:
            if "No space left on device" in child.log.read_text(errors="replace"):
                return child.stop() or 1


class Child:
    """A program that runs until `stop`, until it ends by itself, or until this process is gone (see guard.py).

    It works in `folder`; `log` receives its output (appended). `stop_signal` asks it to end, and `grace` seconds later
    it is killed with everything in its process group.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        folder: Path | None = None,
        env: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace: float = 20.0,
    ) -> None:
        self.log = log
        self._grace = grace
        argv = [sys.executable, "-I", guard.__file__, str(int(stop_signal)), str(grace), *map(str, command)]
        with log.open("ab") as output:
            self._guard = subprocess.Popen(  # noqa: S603 - our own interpreter and file
                argv, stdin=subprocess.PIPE, stdout=output, stderr=output, cwd=folder, env=env, start_new_session=True
            )

    @property
    def running(self) -> bool:
        """Whether the program is still there."""
        return self._guard.poll() is None

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the program ends and give its exit code (128 + n when signal n ended it).

        Raises TimeoutError after `timeout` seconds.
        """
        try:
            return self._guard.wait(timeout)
        except subprocess.TimeoutExpired as late:
            raise TimeoutError(f"{self.log.stem} still runs after {timeout} s") from late

    def stop(self) -> int:
        """End the program, wait until it is gone, and give its exit code. Harmless when it has ended."""
        assert self._guard.stdin is not None  # noqa: S101 - for the type checker
        self._guard.stdin.close()
        return self.wait(self._grace + 10)
