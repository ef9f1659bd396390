"""The embedded store in the thread of the day itself: a seed plays nearly the same day again, and no thread waits."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from sqlite3 import Connection, Error
from typing import TypeVar

from functions.local.sqlite import Database, _transaction
from functions.local.sqlite_store import _SCHEMA, SqliteStore

Answer = TypeVar("Answer")


class DayStore(SqliteStore):
    """An SQLite store whose calls give way to others before and after, and are done at once in between."""

    def __init__(self, path: Path) -> None:
        self._database = _Here(path, _SCHEMA)


class _Here(Database):
    def _opened(self, schema: object) -> Connection:
        connection = super()._opened(schema)  # type: ignore[arg-type]
        # Nobody pulls the plug of a test.
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    async def read(self, look: Callable[[Connection], Answer]) -> Answer:
        await asyncio.sleep(0)
        answer = self._look(look)
        await asyncio.sleep(0)
        return answer

    async def write(self, change: Callable[[Connection], Answer]) -> Answer:
        await asyncio.sleep(0)
        try:
            with _transaction(self._writer):
                answer = change(self._writer)
        except Error as error:
            raise self._unusable(error) from error
        await asyncio.sleep(0)
        return answer
