"""`make test`: lint, types, and every test; fails when any of them does.

In CI (`CI=true`) a missing part of the world is a failure; elsewhere its tests are skipped and say how to get it.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).parents[1]

_CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ruff check", ("ruff", "check", "functions", "tests", "bench", "addon", "main.py")),
    ("ruff format", ("ruff", "format", "--check", "functions", "tests", "bench", "main.py")),
    ("mypy", ("mypy",)),
    ("pylint-odoo", ("pylint", "--rcfile=addon/odoo/.pylintrc", "addon/odoo/leadline")),
)


def main() -> int:
    """Run everything and return the exit code."""
    failed = [name for name, command in _CHECKS if not _passes(name, command)]
    tests = subprocess.run([sys.executable, "-m", "pytest", "-q", *sys.argv[1:]], cwd=PROJECT, check=False).returncode
    if failed:
        print(f"Checks failed: {', '.join(failed)}", flush=True)
    return tests or bool(failed)


def _passes(name: str, command: tuple[str, ...]) -> bool:
    program = shutil.which(command[0], path=str(Path(sys.executable).parent))
    started = time.monotonic()
    ran = subprocess.run(
        [program or command[0], *command[1:]], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    print(f"{name}: {'passed' if ran.returncode == 0 else 'FAILED'} ({time.monotonic() - started:.0f} s)", flush=True)
    if ran.returncode:
        print(ran.stdout, ran.stderr, flush=True)
    return ran.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
