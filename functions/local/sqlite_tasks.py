"""The task queue in one SQLite file, and the runner that delivers from it, with Cloud Tasks' promises.

A task lies in the file until its function has answered 2xx, so one that is under way when the process dies runs
again. The file is the truth; what the runner holds in memory is read from it.
"""

import asyncio
import json
import logging
import secrets
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import httpx

from functions.core.queues import limits_of, pause_after
from functions.core.tasks import QueueUnavailable, Task
from functions.local.queues import Queue
from functions.local.sqlite import Database, Unusable

log = logging.getLogger(__name__)

TOMBSTONE_SECONDS = 3600
"""How long the name of a finished task is still known."""

ATTEMPT_SECONDS = 600.0
"""How long a function may take to answer, as in Cloud Tasks."""

_STOP_SECONDS = 10.0
# Another program may have queued a task, and the clock may have been put forward: look at least this often.
_LONGEST_NAP = 5.0

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class _Queued:
    """A task as it lies in the file. `due` is in seconds since 1970."""

    id: int
    queue: str
    name: str
    function: str
    payload: Mapping[str, str]
    due: float
    attempts: int


class SqliteTasks:
    """A `TaskQueue` in a file. Tasks can be queued at any time; they run between `start` and `stop`.

    They are posted with `client` to `/<function>` under its base URL. Raises `QueueUnavailable` with a sentence if
    the file can't be used. `clock` answers seconds since 1970; a test that moves it calls `wake`.
    """

    def __init__(self, path: Path | str, client: httpx.AsyncClient, *, clock: Callable[[], float] = time.time) -> None:
        try:
            self._database = Database(path, _SCHEMA)
        except Unusable as error:
            raise QueueUnavailable(str(error)) from error
        self._client = client
        self._clock = clock
        self._queues: dict[str, Queue[_Queued]] = {}
        self._attempts: set[asyncio.Task[None]] = set()
        self._runner: asyncio.Task[None] | None = None
        self._seen = 0
        self._unread = True
        self._changed = asyncio.Event()
        self._idle = asyncio.Event()

    async def enqueue(self, task: Task) -> None:
        if limits_of(task.queue) is None:
            raise QueueUnavailable(f"there is no queue {task.queue}")
        now = self._clock()
        try:
            await _available(self._database.write(lambda connection: _insert(connection, task, now)))
        finally:
            self.wake()

    async def make_queue(self, queue: str) -> None:
        # Here a queue is there as soon as a task names it.
        if limits_of(queue) is None:
            raise ValueError(f"no queue may be called {queue}")

    async def remove_queue(self, queue: str) -> None:
        try:
            await _available(self._database.write(lambda connection: connection.execute(_EMPTY, (queue,))))
        finally:
            self._queues.pop(queue, None)
            self.wake()

    async def start(self) -> None:
        """Begin to deliver, first what an earlier process has left."""
        self._runner = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Begin nothing more and give what is under way a few seconds to end. What does not end runs again later."""
        if self._runner:
            self._runner.cancel()
            await asyncio.wait([self._runner])
            self._runner = None
        if self._attempts:
            _, late = await asyncio.wait(self._attempts, timeout=_STOP_SECONDS)
            for attempt in late:
                attempt.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def close(self) -> None:
        """Stop, and close the file."""
        await self.stop()
        await self._database.close()

    async def idle(self) -> None:
        """Wait until nothing is under way and nothing is due. What waits for its time or for a retry may remain."""
        await self._idle.wait()

    def wake(self) -> None:
        """Look again at the file and at the clock."""
        self._unread = True
        self._idle.clear()
        self._changed.set()

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            await self._read_new()
            moment = self._dispatch()
            nap = _LONGEST_NAP if moment is None else min(_LONGEST_NAP, max(0.0, moment - self._clock()))
            try:
                async with asyncio.timeout(nap):
                    await self._changed.wait()
            except TimeoutError:
                self._unread = True

    async def _read_new(self) -> None:
        """Put what has been queued since the last look in its line."""
        if not self._unread:
            return
        self._unread = False
        try:
            found = await _available(self._database.read(lambda connection: _queued_after(connection, self._seen)))
        except QueueUnavailable as error:
            log.error("the task queue can't be read", extra={"reason": str(error)})
            return
        for queued in found:
            self._seen = queued.id
            self._line_up(queued)

    def _line_up(self, queued: _Queued) -> None:
        if queued.queue not in self._queues:
            limits = limits_of(queued.queue)
            if limits is None:
                log.error("a task waits in a queue that there is not", extra={"queue": queued.queue})
                return
            self._queues[queued.queue] = Queue(limits, self._clock())
        self._queues[queued.queue].add(queued.due, queued)

    def _dispatch(self) -> float | None:
        """Begin every attempt that may begin now; return when there may be more."""
        now = self._clock()
        for queue in self._queues.values():
            while queued := queue.take(now):
                attempt = asyncio.create_task(self._attempt(queue, queued))
                self._attempts.add(attempt)
                attempt.add_done_callback(self._ended)
        if not (self._attempts or self._unread or any(queue.has_due(now) for queue in self._queues.values())):
            self._idle.set()
        moments = [moment for queue in self._queues.values() if (moment := queue.next_moment(now)) is not None]
        return min(moments, default=None)

    async def _attempt(self, queue: Queue[_Queued], queued: _Queued) -> None:
        try:
            done = await self._deliver(queued)
            await (self._finish(queued) if done else self._postpone(queued))
        except QueueUnavailable as error:
            # It is still in the file as it was: at worst it runs once more.
            log.error("the end of a task can't be written", extra={"reason": str(error)})
            self._line_up(replace(queued, due=self._clock() + pause_after(queued.attempts + 1)))
        finally:
            queue.ended()

    def _ended(self, attempt: asyncio.Task[None]) -> None:
        self._attempts.discard(attempt)
        self._changed.set()

    async def _deliver(self, queued: _Queued) -> bool:
        """Post the task to its function, as Cloud Tasks would; return whether it answered 2xx."""
        headers = {
            "User-Agent": "Google-Cloud-Tasks",
            "X-CloudTasks-QueueName": queued.queue,
            "X-CloudTasks-TaskName": queued.name,
            "X-CloudTasks-TaskRetryCount": str(queued.attempts),
            "X-CloudTasks-TaskETA": f"{queued.due:.6f}",
        }
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                response = await self._client.post(
                    f"/{queued.function}", json=queued.payload, headers=headers, timeout=None
                )
        except Exception as error:
            # With an in-process client, whatever a function fails to catch arrives here; its text may be anything.
            reason = type(error).__name__
            log.warning("a task failed", extra={"queue": queued.queue, "task": queued.name, "reason": reason})
            return False
        return response.is_success

    async def _finish(self, queued: _Queued) -> None:
        until = self._clock() + TOMBSTONE_SECONDS
        await _available(self._database.write(lambda connection: _remove(connection, queued, until)))

    async def _postpone(self, queued: _Queued) -> None:
        attempts = queued.attempts + 1
        later = replace(queued, attempts=attempts, due=self._clock() + pause_after(attempts))
        await _available(self._database.write(lambda connection: _update(connection, later)))
        self._line_up(later)


async def _available(call: Awaitable[_Answer]) -> _Answer:
    try:
        return await call
    except Unusable as error:
        raise QueueUnavailable(str(error)) from error
    except TimeoutError as error:
        raise QueueUnavailable("the task queue did not answer in time") from error


# The file. Moments are in seconds since 1970.

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS tasks (
        id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, name TEXT NOT NULL, function TEXT NOT NULL,
        payload TEXT NOT NULL, due REAL NOT NULL, attempts INTEGER NOT NULL, UNIQUE (queue, name)
    )""",
    """CREATE TABLE IF NOT EXISTS tombstones (
        queue TEXT NOT NULL, name TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (queue, name)
    ) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS tombstones_by_end ON tombstones (until)",
)


_EMPTY = "DELETE FROM tasks WHERE queue = ?"


def _insert(connection: sqlite3.Connection, task: Task, now: float) -> None:
    """Queue the task unless its name is known."""
    name = task.name or secrets.token_hex(10)
    connection.execute(
        """INSERT INTO tasks (queue, name, function, payload, due, attempts)
        SELECT ?1, ?2, ?3, ?4, ?5, 0
        WHERE NOT EXISTS (SELECT 1 FROM tombstones WHERE queue = ?1 AND name = ?2 AND until > ?6)
        ON CONFLICT DO NOTHING""",
        (
            task.queue,
            name,
            task.function,
            json.dumps(dict(task.payload)),
            task.at.timestamp() if task.at else now,
            now,
        ),
    )


def _queued_after(connection: sqlite3.Connection, seen: int) -> list[_Queued]:
    rows = connection.execute(
        "SELECT id, queue, name, function, payload, due, attempts FROM tasks WHERE id > ? ORDER BY id", (seen,)
    )
    return [
        _Queued(id_, queue, name, function, json.loads(payload), due, attempts)
        for id_, queue, name, function, payload, due, attempts in rows
    ]


def _update(connection: sqlite3.Connection, queued: _Queued) -> None:
    connection.execute("UPDATE tasks SET due = ?, attempts = ? WHERE id = ?", (queued.due, queued.attempts, queued.id))


def _remove(connection: sqlite3.Connection, queued: _Queued, until: float) -> None:
    """Take the task away and keep its name; forget names that were kept long enough."""
    connection.execute("DELETE FROM tasks WHERE id = ?", (queued.id,))
    connection.execute("INSERT OR REPLACE INTO tombstones VALUES (?, ?, ?)", (queued.queue, queued.name, until))
    connection.execute("DELETE FROM tombstones WHERE until <= ?", (until - TOMBSTONE_SECONDS,))
