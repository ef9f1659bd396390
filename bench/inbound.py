"""Inbound, from Meta's POST to what is kept of it. Everything is a ratio, measured in one run on this machine.

What is missing on the machine is said in its row. Every load is bounded, on loopback, and ends by itself;
`python -m bench.inbound` prints these rows alone.
"""

import platform
import sqlite3
from collections.abc import Iterator
from importlib.metadata import version

from bench import embedded_store, firestore_store, imports, webhook_cpu, webhook_load
from bench.peers.home import PYWA

_PARTS = (webhook_cpu, webhook_load, firestore_store, embedded_store, imports)


_SERVED_BY = ("functions-framework", "starlette", "uvicorn", "uvloop", "google-cloud-firestore", "msgspec")


def rows() -> Iterator[tuple[str, str]]:
    """Yield the table's rows as they are measured: versions, CPU, HTTP, durable messages, counts, imports."""
    yield "versions", _versions()
    for part in _PARTS:
        yield from part.rows()


def _versions() -> str:
    named = ", ".join(f"{name} {version(name)}" for name in _SERVED_BY)
    return f"Python {platform.python_version()}, {named}, SQLite {sqlite3.sqlite_version}; pywa {PYWA}"


if __name__ == "__main__":
    for name, figure in rows():
        print(f"  {name:<58} {figure}", flush=True)
