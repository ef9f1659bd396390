"""The peer's own environment, made at first use in `.leadline/bench`, so that its packages never meet ours."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.google.parts import MissingPart

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / ".leadline" / "bench"

PYWA = "4.5.0"
_PACKAGES = (f"pywa=={PYWA}", "fastapi", "uvicorn", "uvloop", "httptools")
"""Of the servers' packages the same versions as ours, so that only the peer itself differs."""


def pywa_python() -> Path:
    """Return the interpreter that has pywa, installing it if need be. Raises MissingPart."""
    home = FOLDER / f"pywa-{PYWA}"
    python, done = home / "bin" / "python", home / "complete"
    if not done.exists():
        shutil.rmtree(home, ignore_errors=True)
        _run(sys.executable, "-m", "venv", str(home))
        pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run(*pip, "-c", str(PROJECT / "constraints.txt"), *_PACKAGES)
        done.touch()
    return python


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise MissingPart(f"pywa {PYWA} can't be installed: {last}")
