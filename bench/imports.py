"""What the webhook's entry point costs a cold start: its import, against that of Firestore's client alone."""

import os
import statistics
import subprocess
import sys

from bench.peers.home import PROJECT

_ROUNDS = 8
_FLOOR, _ENTRY = "google.cloud.firestore", "functions.webhook.entry"
_LATE = f"{_ENTRY}, google.cloud.tasks_v2"

_SETTINGS = {
    "LEADLINE_STORE": "firestore://project/database",
    "LEADLINE_TASKS": "cloud-tasks://project/location",
    "LEADLINE_MEDIA": "gs://bucket",
}


def rows() -> list[tuple[str, str]]:
    """Return the row: medians of fresh processes with compiled modules, in turns."""
    for modules in (_FLOOR, _LATE):
        _seconds(modules)  # Compiles what is not yet compiled.
    names = (_FLOOR, _ENTRY, _LATE)
    rounds = [{each: _seconds(each) for each in names[:: -1 if turn % 2 else 1]} for turn in range(_ROUNDS)]
    floor, entry, late = (statistics.median(each[name] for each in rounds) for name in names)
    return [
        (
            "import of the webhook's entry point",
            f"{entry / floor:.2f} × {_FLOOR} alone ({entry * 1e3:.0f} against {floor * 1e3:.0f} ms of CPU); "
            f"{late / floor:.2f} × with Cloud Tasks' client, which the first message imports",
        )
    ]


def _seconds(modules: str) -> float:
    """CPU time of the import: it waits for nothing else, and a busy machine spoils it less than the clock's."""
    code = f"import time\nstarted = time.process_time()\nimport {modules}\nprint(time.process_time() - started)"
    environment = {"PATH": os.environ.get("PATH", ""), **_SETTINGS}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return float(done.stdout)
