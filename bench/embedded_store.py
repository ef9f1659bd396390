"""Accepting messages on the embedded store, against bare SQLite transactions that write the same rows as durably."""

import asyncio
import itertools
import secrets
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import uvloop

from bench.idle.ports import LINE, SECRET, idle_ports
from bench.peers.home import FOLDER
from bench.texts import PEOPLE, texts
from bench.throughput import Once, accepting, rates
from functions.core.lines import line_writes
from functions.local.sqlite_store import SqliteStore
from functions.local.sqlite_tasks import SqliteTasks

_IN_FLIGHT = 64

Row = tuple[str, str, int, str]
"""Collection, id, version, fields."""


def rows() -> list[tuple[str, str]]:
    """Return the row."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Beside the project, on a disk as the real file has: a folder for temporary files may lie in memory.
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        figures = uvloop.run(_rates(Path(folder)))
    own, bare, queued = (figures[name] for name in ("own", "bare", "queued"))
    return [
        (
            f"durable messages/s, embedded store, {_IN_FLIGHT} at once",
            f"{own / bare:.2f} × bare SQLite transactions of the same rows ({own:,.0f} against {bare:,.0f}); "
            f"{queued / bare:.2f} × with the task in the embedded queue ({queued:,.0f})",
        )
    ]


async def _rates(folder: Path) -> dict[str, float]:
    ports = idle_ports({"WHATSAPP_APP_SECRET": SECRET})
    store, second = SqliteStore(folder / "store.db"), SqliteStore(folder / "second.db")
    await SqliteStore(folder / "bare.db").close()  # The same tables and indexes.
    async with httpx.AsyncClient() as client:
        tasks = SqliteTasks(folder / "tasks.db", client)
        for each in (store, second):
            await each.commit(line_writes(LINE))
        own = accepting(replace(ports, store=store), texts(SECRET))
        for _ in range(2 * PEOPLE):
            await own()
        with closing(_opened(folder / "bare.db")) as connection:
            works = {
                "own": own,
                "bare": _bare(connection, _messages(folder / "store.db")),
                "queued": accepting(replace(ports, store=second, tasks=tasks), texts(SECRET)),
            }
            figures = await rates(works, in_flight=_IN_FLIGHT)
        await tasks.close()
    await store.close()
    await second.close()
    return figures


def _opened(path: Path) -> sqlite3.Connection:
    """The file with the durability of `functions.local.sqlite`."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    return connection


def _messages(path: Path) -> list[Sequence[Row]]:
    """The rows of each message of somebody known: those of its commit, and its conversation as it stands now."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT collection, id, version, fields FROM documents ORDER BY version").fetchall()
    conversations = itertools.cycle([row for row in found if row[0] == "conversations"])
    made = [row for row in found if row[0] in ("messages", "events")]
    by_commit = [list(group) for _, group in itertools.groupby(made, key=lambda row: row[2])]
    return [[*group, next(conversations)] for group in by_commit]


def _bare(connection: sqlite3.Connection, messages: Sequence[Sequence[Row]]) -> Once:
    turns = itertools.cycle(messages)

    async def once() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_UPSERT, _renewed(next(turns)))
        connection.execute("COMMIT")
        # The others in flight have their turn.
        await asyncio.sleep(0)

    return once


_UPSERT = """INSERT INTO documents (collection, id, version, fields) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET version = excluded.version, fields = excluded.fields"""


def _renewed(message: Sequence[Row]) -> Iterator[Row]:
    """The rows under new ids; a conversation keeps its own."""
    for collection, id_, version, fields in message:
        yield collection, id_ if collection == "conversations" else secrets.token_hex(16), version, fields
