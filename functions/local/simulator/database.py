"""What the simulator remembers: one SQLite file, short statements, no cleverness."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS customers (
    wa_id TEXT PRIMARY KEY, name TEXT NOT NULL, bsuid TEXT NOT NULL UNIQUE, username TEXT,
    online INTEGER NOT NULL DEFAULT 1,       -- 0: the phone is off, nothing is delivered
    auto_read INTEGER NOT NULL DEFAULT 0,    -- 1: reads at once, without the phone page
    receipts INTEGER NOT NULL DEFAULT 1,     -- 0: read receipts are turned off
    shares_phone INTEGER NOT NULL DEFAULT 1, -- 0: webhooks name the customer by BSUID alone
    marketing INTEGER NOT NULL DEFAULT 1     -- 0: stopped marketing messages
);
CREATE TABLE IF NOT EXISTS chats (
    line TEXT NOT NULL, wa_id TEXT NOT NULL,
    opened REAL NOT NULL,                    -- start of the 24 h window
    wrote REAL NOT NULL DEFAULT 0,           -- when the customer last wrote; 0 = never
    typing_until REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (line, wa_id)
);
CREATE TABLE IF NOT EXISTS messages (
    id TEXT PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL,
    line TEXT NOT NULL, wa_id TEXT NOT NULL, author TEXT NOT NULL, -- customer | business
    type TEXT NOT NULL, content TEXT NOT NULL, status TEXT NOT NULL, at REAL NOT NULL,
    callback TEXT, category TEXT, by_bsuid INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS messages_by_customer ON messages (wa_id, version);
CREATE TABLE IF NOT EXISTS media (
    id TEXT PRIMARY KEY, line TEXT NOT NULL, mime TEXT NOT NULL, sha256 BLOB NOT NULL, size INTEGER NOT NULL,
    name TEXT, uploaded INTEGER NOT NULL,    -- 1: by the business, 0: sent by a customer
    expires REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS webhooks (
    id INTEGER PRIMARY KEY, payload TEXT NOT NULL, state TEXT NOT NULL, -- held | waiting | delivered | dropped
    due REAL NOT NULL, created REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, answer TEXT,
    copies INTEGER NOT NULL DEFAULT 1, batch TEXT
);
CREATE INDEX IF NOT EXISTS webhooks_due ON webhooks (state, due);
CREATE TABLE IF NOT EXISTS scenarios (id INTEGER PRIMARY KEY, definition TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS templates (
    id TEXT PRIMARY KEY, waba TEXT NOT NULL, name TEXT NOT NULL, language TEXT NOT NULL, definition TEXT NOT NULL,
    UNIQUE (waba, name, language)
);
CREATE TABLE IF NOT EXISTS unsubscribed (waba TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS numbers (
    phone_number_id TEXT PRIMARY KEY, waba TEXT NOT NULL, number TEXT NOT NULL, name TEXT NOT NULL, token TEXT NOT NULL,
    registered INTEGER NOT NULL, pin TEXT,   -- of two-step verification; without one any is taken, and kept
    tries TEXT NOT NULL DEFAULT '[]'         -- when it was registered lately
);
CREATE TABLE IF NOT EXISTS overrides (of TEXT PRIMARY KEY, uri TEXT NOT NULL); -- of a number or an account
"""


class Database:
    """A thin hand on one SQLite connection, used from the event loop's thread in statements that take microseconds."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The loop may run in another thread than the one that built the simulator, but never in two at once.
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)

    def run(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Execute one statement."""
        return self._connection.execute(sql, values)

    def one(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """Return the first row, or None."""
        row: sqlite3.Row | None = self.run(sql, *values).fetchone()
        return row

    def all(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Return every row."""
        return self.run(sql, *values).fetchall()

    def number(self, sql: str, *values: Any) -> float:
        """Return the first column of the first row, 0 where there is none."""
        row = self.one(sql, *values)
        return (row[0] or 0) if row else 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything inside together, or nothing. A transaction inside another is part of it."""
        if self._connection.in_transaction:
            yield
            return
        self.run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.run("ROLLBACK")
            raise
        self.run("COMMIT")

    def close(self) -> None:
        self._connection.close()
