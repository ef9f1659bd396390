"""Random writes: both stores and a dictionary answer the same and hold the same afterwards."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.core.firestore import FirestoreStore
from functions.core.store import (
    NOW,
    REMOVE,
    Increment,
    Key,
    Maximum,
    Minimum,
    Refused,
    Store,
    Union,
    Write,
    create,
    delete,
    merge,
    update,
)
from functions.local.sqlite_store import SqliteStore
from tests.contract.model import ModelStore

STAND_IN_FOR_NOW = datetime(3000, 1, 1, tzinfo=UTC)

names = st.sampled_from(["a", "b", "a.b", "é`", "'\"\\"])
texts = st.sampled_from(["", "a", "\x00", "\x01", "\x01\x01b", "😀"])
numbers = st.one_of(st.integers(-3, 3), st.sampled_from([-0.5, 0.0, 1.0, 2.5, 1e300]))
moments = st.sampled_from([datetime(1, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 1, 1, 1, 1, tzinfo=UTC)])
scalars = st.one_of(st.none(), st.booleans(), numbers, texts, moments)
items = st.one_of(scalars, st.dictionaries(names, scalars, max_size=2))
values = st.one_of(scalars, st.lists(items, max_size=3))
transforms = st.one_of(
    st.just(NOW),
    st.builds(Increment, st.integers(-3, 3)),
    st.builds(Maximum, numbers),
    st.builds(Minimum, numbers),
    st.builds(Union, st.lists(items, max_size=3).map(tuple)),
)


def maps_of(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    def level(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
        return st.dictionaries(names, inner, max_size=3)

    return level(leaves | level(leaves | level(leaves)))


created = maps_of(values | transforms)
merged = maps_of(values | transforms | st.just(REMOVE))
keys = st.sampled_from(["one", "two"])
# A version is one that the document has at that moment, or none it ever had.
writes = st.one_of(
    st.tuples(st.just("create"), keys, created, st.none()),
    st.tuples(st.just("merge"), keys, merged, st.none()),
    st.tuples(st.just("update"), keys, merged, st.sampled_from([None, "current", "wrong"])),
    st.tuples(st.just("delete"), keys, st.none(), st.sampled_from([None, None, "current", "wrong"])),
)
commits = st.lists(st.lists(writes, min_size=1, max_size=3), min_size=1, max_size=6)


@pytest.fixture
def both(tmp_path: Path, firestore_store: FirestoreStore) -> Iterator[tuple[asyncio.Runner, dict[str, Store]]]:
    with asyncio.Runner() as runner:
        stores: dict[str, Store] = {"sqlite": SqliteStore(tmp_path / "store.db"), "firestore": firestore_store}
        yield runner, stores
        for store in stores.values():
            runner.run(store.close())


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(commits=commits)
def test_any_writes_leave_the_same_in_both_stores(
    both: tuple[asyncio.Runner, dict[str, Store]], commits: list[list[Any]]
) -> None:
    runner, stores = both
    Compared.collections += 1
    model = ModelStore(STAND_IN_FOR_NOW)
    compared = Compared(model, stores)
    for commit in commits:
        runner.run(compared.commit(commit))


class Compared:
    """The model and the stores, doing the same."""

    collections = 0

    def __init__(self, model: ModelStore, stores: dict[str, Store]) -> None:
        self._model = model
        self._stores = stores
        self._keys = {name: Key(f"c{self.collections}", name) for name in ("one", "two")}
        self._versions: dict[str, dict[Key, int]] = {name: {} for name in (*stores, "model")}

    async def commit(self, commit: list[Any]) -> None:
        before = {name: dict(versions) for name, versions in self._versions.items()}
        outcomes = {"model": self._model_outcome(commit)}
        for name, store in self._stores.items():
            outcomes[name] = await self._outcome(store, self._writes(commit, name))
        assert len(set(outcomes.values())) == 1, outcomes
        found = {"model": self._note("model", self._model.documents)}
        for name, store in self._stores.items():
            documents = await store.get(list(self._keys.values()))
            found[name] = self._note(
                name, {document.key: (document.version, document.fields) for document in documents if document}
            )
        for name in self._stores:
            assert repr(found[name]) == repr(found["model"]), name
            self._same_versions_moved(commit, name, before)

    def _writes(self, commit: list[Any], name: str) -> list[Write]:
        return [self._write(write, self._versions[name]) for write in commit]

    def _write(self, write: Any, versions: dict[Key, int]) -> Write:
        kind, name, fields, at = write
        key = self._keys[name]
        version = {None: None, "wrong": 12345, "current": versions.get(key, 12345)}[at]
        match kind:
            case "create":
                return create(key, fields)
            case "merge":
                return merge(key, fields)
            case "update":
                return update(key, fields, version)
        return delete(key, version)

    def _model_outcome(self, commit: list[Any]) -> str:
        try:
            self._model.commit(self._writes(commit, "model"))
        except (Refused, ValueError) as error:
            return type(error).__name__
        return "written"

    async def _outcome(self, store: Store, writes: list[Write]) -> str:
        try:
            await store.commit(writes)
        except (Refused, ValueError) as error:
            return type(error).__name__
        return "written"

    def _note(self, name: str, found: dict[Key, tuple[int, dict[str, Any]]]) -> dict[str, Any]:
        self._versions[name] = {key: version for key, (version, _) in found.items()}
        return {key.id: _comparable(fields) for key, (_, fields) in sorted(found.items(), key=str)}

    def _same_versions_moved(self, commit: list[Any], name: str, before: dict[str, dict[Key, int]]) -> None:
        """A document's version moves with a change. Not promised: there and back in one commit, and how fine NOW is."""
        written = [key_name for _, key_name, _, _ in commit]
        for key in self._keys.values():
            if written.count(key.id) > 1 or "3000" in repr(self._model.documents.get(key)):
                continue
            moved = {one: self._versions[one].get(key) != before[one].get(key) for one in (name, "model")}
            assert len(set(moved.values())) == 1, moved


def _comparable(value: Any) -> Any:
    """A value in one order, with what the store put for NOW replaced."""
    if isinstance(value, dict):
        return {name: _comparable(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    if isinstance(value, datetime) and abs(value - datetime.now(UTC)) < timedelta(hours=1):
        return STAND_IN_FOR_NOW
    return value
