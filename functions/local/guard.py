"""Stands between Leadline and a program it started, and ends that program when Leadline is gone.

Run as a script by `child.Child`: `guard.py <stop signal> <grace in seconds> <program> <arguments…>`. Its standard
input is a pipe whose only other end is Leadline's. When that end closes, on purpose or because the process died
(kill -9 included), the program gets the stop signal and, `grace` later, its whole process group is killed.

A session of its own keeps Ctrl-C in the terminal from reaching the program before Leadline says what stops first.
Linux' PR_SET_PDEATHSIG is not used: it fires when the *thread* that started the program ends.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence


def guard(stop_signal: int, grace: float, command: Sequence[str]) -> int:
    """Run `command` and give its exit code, 128 + n when signal n ended it, 127 when it can't be started."""
    try:
        program = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)  # noqa: S603 - our own command
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return 127

    def end_with_the_pipe() -> None:
        os.read(0, 1)  # nobody ever writes: it returns when the other end is closed
        program.send_signal(stop_signal)
        try:
            program.wait(grace)
        except subprocess.TimeoutExpired:
            _kill_group(program.pid)

    signal.signal(signal.SIGTERM, lambda *_: program.send_signal(stop_signal))
    threading.Thread(target=end_with_the_pipe, daemon=True).start()
    code = program.wait()
    _kill_group(program.pid)  # what the program itself started and left behind
    return code if code >= 0 else 128 - code


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # nobody left; macOS says the second of a group of zombies
        return


if __name__ == "__main__":
    sys.exit(guard(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
