from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from functions.core.store import Store
from functions.local.sqlite_store import SqliteStore


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = SqliteStore(tmp_path / "store.db")
    yield store
    await store.close()
