import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from functions.core.firestore import FirestoreStore
from tests.contract.conftest import firestore_emulator, firestore_store  # noqa: F401
from tests.rig import Rig, rigged

Dump = Callable[[], dict[str, bytes]]
"""Everything that is stored, by place: each collection, the files, the queue."""


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(tmp_path) as rig:
        yield rig


@pytest.fixture(params=["sqlite", "firestore"])
async def either(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Rig, Dump]]:
    """The functions on each of the two stores, and what dumps all that they have stored."""
    store = request.getfixturevalue("firestore_store") if request.param == "firestore" else None
    async with rigged(tmp_path, store=store) as rig:
        yield rig, lambda: {**_documents(tmp_path, store), **_files(tmp_path / "media"), "tasks": _tasks(rig)}


def _documents(folder: Path, store: FirestoreStore | None) -> dict[str, bytes]:
    if store is not None:
        return {name: json.dumps(found).encode() for name, found in _of_emulator(store).items()}
    with closing(sqlite3.connect(folder / "store.db")) as database:
        # What was deleted must not lie about in the file either.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        rows = database.execute(
            "SELECT collection, json_group_array(json(fields)) FROM documents GROUP BY 1"
        ).fetchall()
    raw = b"".join(path.read_bytes() for path in folder.glob("store.db*"))
    return {name: fields.encode() for name, fields in rows} | {"the file itself": raw}


def _of_emulator(store: FirestoreStore) -> dict[str, list[Any]]:
    """Read the emulator's documents over its REST interface, past our own adapter."""
    base = f"http://{store._emulator}/v1/{store._root}"
    with httpx.Client(headers={"Authorization": "Bearer owner"}) as client:
        names = client.post(f"{base}:listCollectionIds", json={}).json().get("collectionIds", [])
        found: dict[str, list[Any]] = {}
        for name in names:
            token = ""
            while True:
                page = client.get(f"{base}/{name}", params={"pageSize": 300, "pageToken": token}).json()
                found.setdefault(name, []).extend(page.get("documents", []))
                if not (token := page.get("nextPageToken", "")):
                    break
        return found


def _files(folder: Path) -> dict[str, bytes]:
    return {f"media {path.name}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _tasks(rig: Rig) -> bytes:
    return json.dumps([dict(task.payload) for task in rig.tasks.waiting]).encode()
