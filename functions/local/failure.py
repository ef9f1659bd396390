"""What a person at the terminal is told when this machine can't run Leadline as it is."""

import errno
import re
from pathlib import Path

# how apt, git, pip, PostgreSQL and a traceback mark the line that says why; it isn't always the last one
_REASON = re.compile(r"(?:\b(?:E|ERROR|FATAL|fatal|error)|^[\w.]+(?:Error|Exception)):\s+(.+)")


class SetUpFailed(Exception):
    """Something on this machine stands in the way.

    The message is for the person at the terminal: what is wrong, then the way out.
    """


def step_failed(step: str, output: str, folder: Path, way_out: str) -> SetUpFailed:
    """Name what went wrong while a program did `step` (an -ing phrase) and wrote into `folder`.

    A full disk is told apart, since its way out is always the same.
    """
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return disk_full(folder)
    marked = [found[1] for line in output.splitlines() if (found := _REASON.search(line))]
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    reason = (marked or lines or ["it gave no reason"])[-1].rstrip(".")
    return SetUpFailed(f"{step} failed ({reason}). {way_out}".strip())


def folder_failed(error: OSError, folder: Path) -> SetUpFailed:
    """Name what the operating system refused in `folder`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(folder)
    return SetUpFailed(f"{error.filename or folder}: {error.strerror}. Make it writable for you and start again.")


def disk_full(folder: Path) -> SetUpFailed:
    """The disk below `folder` has no room left."""
    return SetUpFailed(f"The disk that holds {folder} is full. Free some room there and start again.")
