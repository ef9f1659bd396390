"""What only the SQLite store promises: its file, its indexes, and what survives a crash."""

import asyncio
import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.core.indexes import EXPIRING, INDEXES, TTL_FIELD, Index
from functions.core.store import AlreadyExists, Increment, Key, Query, Unavailable, create, merge
from functions.local import sqlite_store
from functions.local.sqlite_store import PURGE, SqliteStore, statement_of

KEY = Key("messages", "one")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "store.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    adapter = SqliteStore(path)
    yield adapter
    await adapter.close()


# Crashes

WRITER = """
    import asyncio, sys
    from functions.core.store import Key, create
    from functions.local.sqlite_store import SqliteStore

    async def write(store, number):
        await store.commit([create(Key(name, f"{number}"), {}) for name in ("messages", "events")])
        print(number, flush=True)

    async def main(path, count):
        store = SqliteStore(path)
        await asyncio.gather(*(write(store, number) for number in range(count)))
        print("all", flush=True)
        await asyncio.sleep(60)

    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def killed_after(acknowledged: str, path: Path, count: int) -> list[int]:
    """Run the writer, kill it with SIGKILL when it has printed that line, and return what it acknowledged."""
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(path), str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        lines: list[str] = []
        for line in writer.stdout:
            lines.append(line.strip())
            if lines[-1] == acknowledged or (acknowledged.isdigit() and len(lines) == int(acknowledged)):
                break
        writer.send_signal(signal.SIGKILL)
        lines += [line.strip() for line in writer.stdout]
    return [int(line) for line in lines if line.isdigit()]


@pytest.mark.parametrize("moment", ["all", "300"])
async def test_what_was_acknowledged_survives_kill_9_and_nothing_is_half_there(path: Path, moment: str) -> None:
    acknowledged = await asyncio.to_thread(killed_after, moment, path, 1000)
    assert len(acknowledged) == 1000 if moment == "all" else len(acknowledged) >= 300
    store = SqliteStore(path)
    messages = await store.get([Key("messages", f"{number}") for number in range(1000)])
    events = await store.get([Key("events", f"{number}") for number in range(1000)])
    await store.close()
    kept = {number for number, document in enumerate(messages) if document}
    assert kept >= set(acknowledged)
    assert {number for number, document in enumerate(events) if document} == kept


async def test_one_refused_commit_costs_the_others_of_its_group_nothing(store: SqliteStore) -> None:
    await store.commit([create(KEY, {})])
    outcomes = await asyncio.gather(
        *(
            store.commit(
                [
                    create(Key("messages", f"m{number}"), {}),
                    merge(Key("conversations", "c"), {"count": Increment(1)}),
                    *([create(KEY, {})] if number % 3 == 0 else []),
                ]
            )
            for number in range(30)
        ),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [AlreadyExists, type(None), type(None)] * 10
    (conversation,) = await store.get([Key("conversations", "c")])
    assert conversation
    assert conversation.fields == {"count": 20}


# The file


async def test_versions_grow_even_if_the_clock_is_put_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = []
    for hour in (3, 2, 1):
        monkeypatch.setattr(sqlite_store.time, "time_ns", lambda hour=hour: hour * 3600 * 10**9)
        store = SqliteStore(path)
        await store.commit([merge(KEY, {"hour": hour})])
        (document,) = await store.get([KEY])
        assert document
        versions.append(document.version)
        await store.close()
    assert versions == sorted(set(versions))


async def test_two_programs_may_use_one_file(store: SqliteStore, path: Path) -> None:
    other = SqliteStore(path)
    await asyncio.gather(
        *(one.commit([merge(KEY, {"count": Increment(1)})]) for one in (store, other) for _ in range(50))
    )
    for one in (store, other):
        (document,) = await one.get([KEY])
        assert document
        assert document.fields == {"count": 100}
    await other.close()


def unusable(path: Path) -> str:
    with pytest.raises(Unavailable) as refused:
        SqliteStore(path)
    return str(refused.value)


def test_a_file_that_is_no_database_is_named_at_opening(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_text("my shopping list" * 100)
    assert re.fullmatch(r".*/store\.db can't be used: it is not an SQLite database; .*\.", unusable(path))


def test_a_folder_in_the_place_of_the_file_is_named_at_opening(tmp_path: Path) -> None:
    assert re.fullmatch(rf"{tmp_path} can't be used: it can't be opened; .*\.", unusable(tmp_path))


def test_a_file_in_the_place_of_the_folder_is_named_at_opening(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    assert re.fullmatch(r".*/data/store\.db can't be used: .*\.", unusable(tmp_path / "data" / "store.db"))


async def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    await SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert "newer version" in unusable(path)


async def test_a_locked_file_is_named_at_opening(path: Path) -> None:
    await SqliteStore(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert "another program has it locked" in await asyncio.to_thread(unusable, path)


async def test_a_damaged_file_is_unavailable_and_not_an_empty_store(path: Path) -> None:
    store = SqliteStore(path)
    await store.commit([create(Key("messages", f"{number}"), {"text": "x" * 2000}) for number in range(100)])
    await store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xaa" * (path.stat().st_size - 4096))
    with pytest.raises(Unavailable, match="damaged"):
        await read_once(path)


async def read_once(path: Path) -> None:
    store = SqliteStore(path)
    try:
        await store.get([Key("messages", "50")])
    finally:
        await store.close()


FULL_DISK = """
    import asyncio, resource, signal, sys
    from functions.core.store import Key, Unavailable, create
    from functions.local.sqlite_store import SqliteStore

    def limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    async def write(store, number):
        await store.commit([create(Key("messages", f"{number}"), {"text": "x" * 20_000})])

    async def main(path):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        store = SqliteStore(path)
        await write(store, 0)
        limit(100_000)
        outcomes = await asyncio.gather(*(write(store, number) for number in range(1, 21)), return_exceptions=True)
        print(*{f"{type(outcome).__name__}: {outcome}" for outcome in outcomes})
        print(len([one for one in await store.get([Key("messages", f"{n}") for n in range(21)]) if one]))
        limit(resource.RLIM_INFINITY)
        await write(store, 21)
        print("went on")
        await store.close()

    asyncio.run(main(sys.argv[1]))
"""


def test_a_disk_that_takes_no_more_is_said_and_passes(path: Path) -> None:
    script = [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(path)]
    output = subprocess.run(script, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    assert output == [f"Unavailable: {path} can't be used: the disk failed or is full.", "1", "went on"]


# Queries use their indexes


def queries(index: Index) -> list[Query]:
    where = dict.fromkeys(index.equal, "x")
    plain = Query(index.collection, where, index.order, descending=index.descending)
    return [
        plain,
        Query(index.collection, where, index.order, descending=index.descending, since="2"),
        Query(index.collection, where, index.order, descending=index.descending, after=("2", "id")),
        Query(index.collection, where, index.order, descending=index.descending, since="2", after=("2", "id")),
    ]


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: "-".join((index.collection, *index.equal, index.order)))
async def test_each_declared_query_is_answered_from_its_index(store: SqliteStore, path: Path, index: Index) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for query in queries(index):
            statement, values = statement_of(query)
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
            assert len(plan) == 1, plan
            bounds = re.fullmatch(r"SEARCH documents USING INDEX by_\w+ \((.*)\)", plan[0])
            assert bounds, plan
            bounded = query.since is not None or query.after is not None
            assert bounds[1].count("<expr>") == len(index.equal) + bounded


# Expiry


def test_what_expired_is_found_by_its_time_and_not_by_looking_at_everything(store: SqliteStore, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {PURGE}", ("",))]
    assert "SEARCH documents USING INDEX by_expiry (<expr><?)" in plan
    assert not any(step.startswith("SCAN") for step in plan)


async def test_expired_documents_are_taken_away(store: SqliteStore) -> None:
    now = datetime.now(UTC)
    past, future = now - timedelta(seconds=1), now + timedelta(seconds=1)
    expired = [Key(EXPIRING[number % len(EXPIRING)], f"old{number}") for number in range(1201)]
    kept = [Key(EXPIRING[0], "young"), Key(EXPIRING[0], "eternal"), Key("contacts", "elsewhere")]
    await store.commit([create(key, {TTL_FIELD: past}) for key in expired])
    await store.commit([create(kept[0], {TTL_FIELD: future}), create(kept[1], {}), create(kept[2], {TTL_FIELD: past})])
    assert await store.purge_expired(now) == 1201
    assert await store.purge_expired(now) == 0
    assert [document is None for document in await store.get([*expired[:5], *kept])] == [True] * 5 + [False] * 3


async def test_a_closed_store_is_unavailable(path: Path) -> None:
    store = SqliteStore(path)
    writes = [store.commit([create(Key("messages", f"{number}"), {})]) for number in range(50)]
    done = asyncio.gather(*writes)
    await asyncio.sleep(0)
    await store.close()
    await done
    for call in (store.commit([create(KEY, {})]), store.get([KEY])):
        with pytest.raises(Unavailable):
            await call
    again = SqliteStore(path)
    assert all(await again.get([Key("messages", f"{number}") for number in range(50)]))
    await again.close()


async def test_reading_goes_on_while_a_large_commit_is_written(store: SqliteStore) -> None:
    await store.commit([create(KEY, {"a": 1})])
    large = asyncio.create_task(
        store.commit([create(Key("messages", f"{number}"), {"text": "x" * 50_000}) for number in range(300)])
    )
    await asyncio.sleep(0.005)
    start = time.monotonic()
    assert all(await store.get([KEY]))
    waited = time.monotonic() - start
    await large
    assert waited < 0.5
