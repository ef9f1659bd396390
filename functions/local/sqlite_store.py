"""The store in one SQLite file, with Firestore's promises.

Two things are simpler than there. Commits are done one after the other, so `NOW` is the moment of the commit itself,
and no commit becomes visible late. And true and 1 are the same in a query.
"""

import sqlite3
import time
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from functions.core import documents
from functions.core.indexes import EXPIRING, INDEXES, TTL_FIELD, Index, index_of
from functions.core.store import (
    AlreadyExists,
    Document,
    Key,
    NotFound,
    Query,
    Stale,
    Unavailable,
    Unstorable,
    Write,
)
from functions.local.fields import changed, encoded, from_json, to_json
from functions.local.sqlite import Database, Unusable

_PURGED_AT_ONCE = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Answer = TypeVar("Answer")


class SqliteStore:
    """A `Store` in a file, for one machine. Raises `Unavailable` with a sentence if the file can't be used."""

    def __init__(self, path: Path | str) -> None:
        try:
            self._database = Database(path, _SCHEMA)
        except Unusable as error:
            raise Unavailable(str(error)) from error

    async def get(self, keys: Sequence[Key]) -> list[Document | None]:
        def look(connection: sqlite3.Connection) -> list[Document | None]:
            return [_document(connection, key) if documents.is_name(key.id) else None for key in keys]

        return await _available(self._database.read(look)) if keys else []

    async def commit(self, writes: Sequence[Write]) -> None:
        documents.check(writes)

        def change(connection: sqlite3.Connection) -> None:
            version = _tick(connection)
            for write in writes:
                _WRITERS[write.kind](connection, write, version)

        if writes:
            await _available(self._database.write(change))

    async def query(self, query: Query) -> list[Document]:
        statement, values = statement_of(query)

        def look(connection: sqlite3.Connection) -> list[Document]:
            return [
                Document(Key(query.collection, id_), from_json(fields), version)
                for id_, version, fields in connection.execute(statement, values)
            ]

        return await _available(self._database.read(look))

    async def purge_expired(self, now: datetime) -> int:
        """Take the documents away whose `TTL_FIELD` has passed, and return how many they were."""
        purged = 0
        while True:
            count = await _available(self._database.write(lambda connection: _purge(connection, now)))
            purged += count
            if count < _PURGED_AT_ONCE:
                return purged

    async def close(self) -> None:
        await self._database.close()


async def _available(call: Awaitable[Answer]) -> Answer:
    try:
        return await call
    except Unusable as error:
        raise Unavailable(str(error)) from error
    except TimeoutError as error:
        raise Unavailable("the store did not answer in time") from error


# Tables and indexes. A field is indexed only in documents that have it, so an index on what waits stays small.


def _field(name: str) -> str:
    path = ".".join(f'"{part}"' for part in name.split("."))
    return f"json_extract(fields, '$.{path}')"


def _name_of(index: Index) -> str:
    return "_".join(("by", index.collection, *index.equal, index.order, "down" if index.descending else "up")).replace(
        ".", "_"
    )


def _condition(index: Index) -> str:
    present = " AND ".join(f"{_field(name)} IS NOT NULL" for name in (*index.equal, index.order))
    return f"collection = '{index.collection}' AND {present}"


def _index_statement(index: Index) -> str:
    columns = ", ".join((*map(_field, index.equal), _field(index.order), "id"))
    return f"CREATE INDEX IF NOT EXISTS {_name_of(index)} ON documents ({columns}) WHERE {_condition(index)}"


_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS documents (
        collection TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, fields TEXT NOT NULL,
        PRIMARY KEY (collection, id)
    )""",
    "CREATE TABLE IF NOT EXISTS clock (last INTEGER NOT NULL)",
    "INSERT INTO clock SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM clock)",
    f"CREATE INDEX IF NOT EXISTS by_expiry ON documents ({_field(TTL_FIELD)}) WHERE {_field(TTL_FIELD)} IS NOT NULL",
    *map(_index_statement, INDEXES),
)


def statement_of(query: Query) -> tuple[str, list[Any]]:
    """Return the SQL of a query and its values. Raises LookupError for a query without a declared index."""
    index = index_of(query)
    order, way, behind = _field(index.order), "ASC", ">"
    if index.descending:
        way, behind = "DESC", "<"
    conditions, values = [_condition(index)], []
    for name in index.equal:
        conditions.append(f"{_field(name)} = ?")
        values.append(encoded(query.where[name]))
    if query.since is not None:
        conditions.append(f"{order} {behind}= ?")
        values.append(encoded(query.since))
    if query.after:
        # The first comparison is the one that an index can use.
        last = encoded(query.after[0])
        conditions.append(f"{order} {behind}= ? AND ({order} {behind} ? OR id {behind} ?)")
        values += [last, last, query.after[1]]
    statement = (
        f"SELECT id, version, fields FROM documents INDEXED BY {_name_of(index)}"  # noqa: S608 - our own names
        f" WHERE {' AND '.join(conditions)} ORDER BY {order} {way}, id {way} LIMIT ?"
    )
    return statement, [*values, query.limit]


# Writing. Each of these runs on the writer's thread, inside a transaction of its own.


def _tick(connection: sqlite3.Connection) -> int:
    """The version of this commit: the time in µs, and more than any before even if the clock was put back."""
    connection.execute("UPDATE clock SET last = max(last + 1, ?)", (time.time_ns() // 1000,))
    (version,) = connection.execute("SELECT last FROM clock").fetchone()
    return int(version)


def _row(connection: sqlite3.Connection, key: Key) -> tuple[int, str] | None:
    """The version and the JSON of a document."""
    row: tuple[int, str] | None = connection.execute(
        "SELECT version, fields FROM documents WHERE collection = ? AND id = ?", (key.collection, key.id)
    ).fetchone()
    return row


def _document(connection: sqlite3.Connection, key: Key) -> Document | None:
    row = _row(connection, key)
    return Document(key, from_json(row[1]), row[0]) if row else None


def _create(connection: sqlite3.Connection, write: Write, version: int) -> None:
    fields = changed({}, write.fields, _moment(version))
    done = connection.execute(
        "INSERT INTO documents (collection, id, version, fields) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (write.key.collection, write.key.id, version, _storable(write.key, fields)),
    )
    if not done.rowcount:
        raise AlreadyExists("a document of that name exists")


def _merge(connection: sqlite3.Connection, write: Write, version: int) -> None:
    row = _row(connection, write.key)
    if row:
        _change(connection, write, row[1], version)
    else:
        _create(connection, write, version)


def _update(connection: sqlite3.Connection, write: Write, version: int) -> None:
    row = _row(connection, write.key)
    if write.version is not None:
        _check_version(row, write.version)
    if not row:
        raise NotFound("there is no document to update")
    _change(connection, write, row[1], version)


def _change(connection: sqlite3.Connection, write: Write, old: str, version: int) -> None:
    """Write the changed fields. A write that changes nothing leaves the version, as in Firestore."""
    new = _storable(write.key, changed(from_json(old), write.fields, _moment(version)))
    if new != old:
        connection.execute(
            "UPDATE documents SET version = ?, fields = ? WHERE collection = ? AND id = ?",
            (version, new, write.key.collection, write.key.id),
        )


def _delete(connection: sqlite3.Connection, write: Write, version: int) -> None:
    if write.version is not None:
        _check_version(_row(connection, write.key), write.version)
    connection.execute("DELETE FROM documents WHERE collection = ? AND id = ?", (write.key.collection, write.key.id))


def _check_version(row: tuple[int, str] | None, version: int) -> None:
    if not row or row[0] != version:
        raise Stale("the document is not at that version")


_WRITERS = {"create": _create, "merge": _merge, "update": _update, "delete": _delete}


def _storable(key: Key, fields: Mapping[str, Any]) -> str:
    """The fields as they are stored; what grew too large by merging is refused like in Firestore."""
    text = to_json(fields)
    # A character of JSON stands for at most four of Firestore's bytes (an emoji, a digit), so few need counting.
    if len(text) > documents.MAX_BYTES // 5 and documents.size_of(key, fields) > documents.MAX_BYTES:
        raise Unstorable("a document is larger than 1 MiB")
    return text


def _moment(version: int) -> datetime:
    return _EPOCH + timedelta(microseconds=version)


def _purge(connection: sqlite3.Connection, now: datetime) -> int:
    return connection.execute(PURGE, (encoded(now),)).rowcount


_COLLECTIONS = ", ".join(f"'{name}'" for name in EXPIRING)

# The index is named: SQLite would rather look at all documents of each collection, and nobody could write meanwhile.
PURGE = f"""DELETE FROM documents WHERE rowid IN (SELECT rowid FROM documents INDEXED BY by_expiry
    WHERE collection IN ({_COLLECTIONS}) AND {_field(TTL_FIELD)} <= ? LIMIT {_PURGED_AT_ONCE})"""  # noqa: S608 - our own names
