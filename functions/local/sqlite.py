"""One SQLite file that many coroutines share: a thread writes, in groups that share one fsync; a few threads read.

A write is durable when it returns (`synchronous=FULL`). While the disk writes one group, the next gathers, so many
writers at once cost little more than one.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

DEADLINE = 2.8
"""Seconds after which a call ends with TimeoutError; a write may still be done."""

_BUSY_SECONDS = 2.0
_GROUP = 500
_READERS = 4
_FORMAT = 1

Answer = TypeVar("Answer")
Change = Callable[[sqlite3.Connection], Any]

_SENTENCES = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_BUSY: "another program has it locked",
    sqlite3.SQLITE_LOCKED: "another program has it locked",
    sqlite3.SQLITE_NOTADB: "it is not an SQLite database; move it away, or name another file",
    sqlite3.SQLITE_CORRUPT: "it is damaged; restore it from a copy, or move it away",
    sqlite3.SQLITE_READONLY: "it can't be written; check its owner and rights",
    sqlite3.SQLITE_PERM: "it can't be opened; check its owner and rights",
    sqlite3.SQLITE_CANTOPEN: "it can't be opened; check its folder and rights",
    sqlite3.SQLITE_IOERR: "the disk failed or is full",
}


class Unusable(Exception):
    """The file can't be used; the text is a sentence that names it and says why."""


class Database:
    """An open file. Raises `Unusable` where it can't be opened; so does every call when the disk fails later."""

    def __init__(self, path: Path | str, schema: Sequence[str]) -> None:
        self._path = Path(path)
        self._writer = self._opened(schema)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_for_ever, name=f"write {self._path.name}", daemon=True)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix=f"read {self._path.name}")
        self._local = threading.local()
        self._opened_readers: list[sqlite3.Connection] = []
        self._closed = False
        self._thread.start()

    def submit(self, change: Callable[[sqlite3.Connection], Answer]) -> "asyncio.Future[Answer]":
        """Run the change in its own transaction, on the writer's thread, and answer once it is durable.

        What it raises undoes it, and nothing else, and comes out of the future. Cancelling the future undoes nothing.
        """
        if self._closed:
            raise Unusable(f"{self._path} is closed.")
        job = _Job(change)
        self._jobs.put(job)
        return job.future

    async def write(self, change: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Submit the change and wait for it, no longer than `DEADLINE`."""
        async with asyncio.timeout(DEADLINE):
            return await self.submit(change)

    async def read(self, look: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Run the look on a reader's thread, in one snapshot, no longer than `DEADLINE`."""
        if self._closed:
            raise Unusable(f"{self._path} is closed.")
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(DEADLINE):
            return await loop.run_in_executor(self._readers, self._look, look)

    async def close(self) -> None:
        """Finish what was submitted and close the file."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
            await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._thread.join()
        self._readers.shutdown()
        for connection in (*self._opened_readers, self._writer):
            connection.close()

    def _opened(self, schema: Sequence[str]) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = self._connect()
        except OSError as error:
            raise Unusable(f"{self._path} can't be used: {error.strerror}.") from error
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            # What is deleted is overwritten; some builds of SQLite leave it in the file until its place is needed.
            connection.execute("PRAGMA secure_delete = ON")
            self._prepare(connection, schema)
        except sqlite3.Error as error:
            connection.close()
            raise self._unusable(error) from error
        except Unusable:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection, schema: Sequence[str]) -> None:
        """Make the tables and indexes that are missing."""
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > _FORMAT:
            raise Unusable(f"{self._path} can't be used: a newer version of this program has written it.")
        with _transaction(connection):
            for statement in schema:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_FORMAT}")

    def _connect(self) -> sqlite3.Connection:
        # Transactions are begun by hand; a connection moves from the thread that opens it to the one that uses it.
        return sqlite3.connect(
            self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
        )

    def _look(self, look: Callable[[sqlite3.Connection], Answer]) -> Answer:
        try:
            with _transaction(self._reader(), "BEGIN"):
                return look(self._reader())
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _reader(self) -> sqlite3.Connection:
        """This thread's own connection."""
        if not hasattr(self._local, "connection"):
            self._local.connection = self._connect()
            self._opened_readers.append(self._local.connection)
        connection: sqlite3.Connection = self._local.connection
        return connection

    def _write_for_ever(self) -> None:
        while not (self._closed and self._jobs.empty()):
            jobs = self._next_group()
            try:
                self._write_group(jobs)
            except sqlite3.Error as error:
                # Of a group that did not reach the disk, nothing is there.
                for job in jobs:
                    job.error = self._unusable(error)
            _settle(jobs)

    def _next_group(self) -> list["_Job"]:
        """What waits now, at least one entry. `close` wakes this with None."""
        found = [self._jobs.get()]
        while len(found) < _GROUP and not self._jobs.empty():
            found.append(self._jobs.get())
        return [job for job in found if job]

    def _write_group(self, jobs: Sequence["_Job"]) -> None:
        with _transaction(self._writer):
            for job in jobs:
                self._run(job)

    def _run(self, job: "_Job") -> None:
        self._writer.execute("SAVEPOINT job")
        try:
            job.answer = job.change(self._writer)
        except sqlite3.OperationalError:
            # The disk, not this change: it may have undone the whole transaction already.
            raise
        except Exception as error:
            # Whatever a change raises is its caller's to hear, and must not cost the others theirs.
            job.error = self._unusable(error) if isinstance(error, sqlite3.Error) else error
            self._writer.execute("ROLLBACK TO job")
        self._writer.execute("RELEASE job")

    def _unusable(self, error: sqlite3.Error) -> Unusable:
        reason = _SENTENCES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, str(error))
        return Unusable(f"{self._path} can't be used: {reason}.")


class _Job:
    """A change and, later, what came of it."""

    def __init__(self, change: Change) -> None:
        self.change = change
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self.answer: Any = None
        self.error: Exception | None = None

    def settle(self) -> None:
        if self.future.done():
            return
        if self.error:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.answer)


def _settle(jobs: Sequence[_Job]) -> None:
    """Give the answers to the event loops that wait for them, waking each once."""
    for loop in {job.loop for job in jobs}:
        # A loop that has been closed waits for nothing any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle_here, [job for job in jobs if job.loop is loop])


def _settle_here(jobs: Sequence[_Job]) -> None:
    for job in jobs:
        job.settle()


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite itself rolls back after some errors, such as a full disk.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
