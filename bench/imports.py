"""What the webhook costs a cold start: importing what the Functions Framework starts, against Firestore's client."""

import os
import statistics
import subprocess
import sys

from bench.peers.home import PROJECT

_ROUNDS = 8
_FLOOR = "import google.cloud.firestore"
_ENTRY = "from main import webhook"
_COLLECTED = "import functions.webhook.entry"
_LATE = f"{_ENTRY}; import google.cloud.tasks_v2"

_SETTINGS = {
    "LEADLINE_STORE": "firestore://project/database",
    "LEADLINE_TASKS": "cloud-tasks://project/location",
    "LEADLINE_MEDIA": "gs://bucket",
}


def rows() -> list[tuple[str, str]]:
    """Return the row: medians of fresh processes with compiled modules, in turns."""
    names = (_FLOOR, _ENTRY, _COLLECTED, _LATE)
    for each in names:
        _seconds(each)  # Compiles what is not yet compiled.
    rounds = [{each: _seconds(each) for each in names[:: -1 if turn % 2 else 1]} for turn in range(_ROUNDS)]
    floor, entry, collected, late = (statistics.median(each[name] for each in rounds) for name in names)
    return [
        (
            "import of the webhook's entry point",
            f"{entry / floor:.2f} × google.cloud.firestore alone ({entry * 1e3:.0f} against {floor * 1e3:.0f} ms of "
            f"CPU); {collected / floor:.2f} × if main.py did not hold the garbage collector back meanwhile; "
            f"{late / floor:.2f} × with Cloud Tasks' client, which the first message imports",
        )
    ]


def _seconds(statement: str) -> float:
    """CPU time of the import: it waits for nothing else, and a busy machine spoils it less than the clock's."""
    code = f"import time\nstarted = time.process_time()\n{statement}\nprint(time.process_time() - started)"
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
