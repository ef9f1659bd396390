"""How the Firestore adapter calls: how often, how long, and what it makes of Firestore's answers."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from google.cloud.firestore_v1 import types

from functions.core.firestore import FirestoreStore
from functions.core.store import (
    AlreadyExists,
    Increment,
    Key,
    Maximum,
    NotFound,
    Query,
    Stale,
    Store,
    Unavailable,
    Unstorable,
    Write,
    create,
    delete,
    merge,
    update,
)

KEY = Key("messages", "one")
QUERY = Query("messages", {"conversation": "c"}, "changed")
READS: list[Callable[[Store], Any]] = [lambda store: store.get([KEY, KEY]), lambda store: store.query(QUERY)]
COMMITS = [[create(KEY, {})], [merge(KEY, {"rank": Maximum(3)})]]


class FakeFirestore:
    """Answers every call with the next of `statuses`, then with success; notes the names of the calls."""

    def __init__(self) -> None:
        self.statuses: list[tuple[grpc.StatusCode, str]] = []
        self.calls: list[str] = []
        self.port = 0

    async def start(self, port: int = 0) -> None:
        self._server = grpc.aio.server()
        handlers = {
            "Commit": grpc.unary_unary_rpc_method_handler(
                self._commit, types.CommitRequest.deserialize, types.CommitResponse.serialize
            ),
            "BatchGetDocuments": grpc.unary_stream_rpc_method_handler(
                self._batch_get, types.BatchGetDocumentsRequest.deserialize, types.BatchGetDocumentsResponse.serialize
            ),
            "RunQuery": grpc.unary_stream_rpc_method_handler(
                self._run_query, types.RunQueryRequest.deserialize, types.RunQueryResponse.serialize
            ),
        }
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("google.firestore.v1.Firestore", handlers),)
        )
        self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop(grace=None)

    async def _answer(self, name: str, context: Any) -> None:
        self.calls.append(name)
        if self.statuses:
            await context.abort(*self.statuses.pop(0))

    async def _commit(self, request: Any, context: Any) -> types.CommitResponse:
        await self._answer("Commit", context)
        return types.CommitResponse()

    async def _batch_get(self, request: Any, context: Any) -> AsyncIterator[types.BatchGetDocumentsResponse]:
        await self._answer("BatchGetDocuments", context)
        for name in request.documents:
            yield types.BatchGetDocumentsResponse(missing=name)

    async def _run_query(self, request: Any, context: Any) -> AsyncIterator[types.RunQueryResponse]:
        await self._answer("RunQuery", context)
        yield types.RunQueryResponse(skipped_results=1)


@pytest.fixture
async def server() -> AsyncIterator[FakeFirestore]:
    fake = FakeFirestore()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def store(server: FakeFirestore, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FirestoreStore]:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{server.port}")
    adapter = FirestoreStore("project")
    yield adapter
    await adapter.close()


async def test_a_get_of_many_documents_is_one_call(store: FirestoreStore, server: FakeFirestore) -> None:
    assert await store.get([Key("messages", str(number)) for number in range(30)]) == [None] * 30
    assert server.calls == ["BatchGetDocuments"]


async def test_a_commit_of_many_writes_is_one_call(store: FirestoreStore, server: FakeFirestore) -> None:
    await store.commit([create(Key("messages", str(number)), {"a": number}) for number in range(30)])
    assert server.calls == ["Commit"]


@pytest.mark.parametrize("read", READS)
async def test_a_read_is_repeated_after_a_passing_failure(
    store: FirestoreStore, server: FakeFirestore, read: Callable[[Store], Any]
) -> None:
    server.statuses = [(grpc.StatusCode.UNAVAILABLE, "gone"), (grpc.StatusCode.INTERNAL, "oops")]
    await read(store)
    assert len(server.calls) == 3


REPEATABLE: dict[str, Write] = {
    "merge": merge(KEY, {"a": 1, "m": {"rank": Maximum(3)}}),
    "update": update(KEY, {"a": 1}),
    "delete": delete(KEY),
}
UNREPEATABLE: dict[str, Write] = {
    "create": create(KEY, {"a": 1}),
    "increment": merge(KEY, {"m": {"count": Increment(1)}}),
    "version": update(KEY, {"a": 1}, 1_700_000_000_000_000),
    "delete at a version": delete(KEY, 1_700_000_000_000_000),
}


@pytest.mark.parametrize("write", REPEATABLE.values(), ids=REPEATABLE.keys())
async def test_a_commit_that_may_be_written_twice_is_repeated(
    store: FirestoreStore, server: FakeFirestore, write: Write
) -> None:
    server.statuses = [(grpc.StatusCode.UNAVAILABLE, "gone")]
    await store.commit([write])
    assert len(server.calls) == 2


@pytest.mark.parametrize("write", UNREPEATABLE.values(), ids=UNREPEATABLE.keys())
async def test_a_commit_whose_second_attempt_would_meet_its_first_is_sent_once(
    store: FirestoreStore, server: FakeFirestore, write: Write
) -> None:
    server.statuses = [(grpc.StatusCode.UNAVAILABLE, "the answer was lost")]
    with pytest.raises(Unavailable):
        await store.commit([merge(Key("lines", "x"), {"a": 1}), write])
    assert len(server.calls) == 1


@pytest.mark.parametrize("write", [*REPEATABLE.values(), *UNREPEATABLE.values()])
async def test_a_commit_that_firestore_aborted_is_repeated(
    store: FirestoreStore, server: FakeFirestore, write: Write
) -> None:
    server.statuses = [(grpc.StatusCode.ABORTED, "too much contention on these documents")] * 3
    await store.commit([write])
    assert len(server.calls) == 4


ANSWERS: list[tuple[grpc.StatusCode, Write, type[Exception]]] = [
    (grpc.StatusCode.ALREADY_EXISTS, create(KEY, {}), AlreadyExists),
    (grpc.StatusCode.NOT_FOUND, update(KEY, {}), NotFound),
    (grpc.StatusCode.NOT_FOUND, update(KEY, {}, 1), Stale),
    (grpc.StatusCode.NOT_FOUND, delete(KEY, 1), Stale),
    (grpc.StatusCode.NOT_FOUND, create(KEY, {}), Unavailable),  # the database is missing
    (grpc.StatusCode.FAILED_PRECONDITION, update(KEY, {}, 1), Stale),
    (grpc.StatusCode.INVALID_ARGUMENT, create(KEY, {}), Unstorable),
    (grpc.StatusCode.PERMISSION_DENIED, create(KEY, {}), Unavailable),
    (grpc.StatusCode.UNAUTHENTICATED, create(KEY, {}), Unavailable),
    (grpc.StatusCode.INTERNAL, create(KEY, {}), Unavailable),
]


@pytest.mark.parametrize(("status", "write", "outcome"), ANSWERS)
async def test_each_answer_means_one_thing(
    store: FirestoreStore,
    server: FakeFirestore,
    status: grpc.StatusCode,
    write: Write,
    outcome: type[Exception],
) -> None:
    server.statuses = [(status, "no")]
    with pytest.raises(outcome) as raised:
        await store.commit([write])
    assert raised.type is outcome


async def test_a_commit_that_is_too_large_for_the_server_is_unstorable(
    store: FirestoreStore, server: FakeFirestore
) -> None:
    server.statuses = [(grpc.StatusCode.RESOURCE_EXHAUSTED, "gRPC message exceeds maximum size 4194304: 5000000")]
    with pytest.raises(Unstorable):
        await store.commit([create(KEY, {})])


async def test_a_missing_index_is_named(store: FirestoreStore, server: FakeFirestore) -> None:
    server.statuses = [(grpc.StatusCode.FAILED_PRECONDITION, "The query requires an index. Create it here: …")]
    with pytest.raises(Unavailable, match="requires an index"):
        await store.query(QUERY)


@pytest.mark.parametrize("read", READS)
async def test_a_silent_firestore_is_given_up_within_three_seconds(
    read: Callable[[Store], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = []
    silent = await asyncio.start_server(lambda *streams: connections.append(streams), "127.0.0.1", 0)
    host, port = silent.sockets[0].getsockname()
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"{host}:{port}")
    store = FirestoreStore("project")
    start = time.monotonic()
    with pytest.raises(Unavailable):
        await read(store)
    assert time.monotonic() - start < 3
    await store.close()
    for _, writer in connections:
        writer.close()
    silent.close()


async def test_a_firestore_that_comes_back_is_found_within_two_seconds(
    store: FirestoreStore, server: FakeFirestore
) -> None:
    await store.get([KEY])
    await server.stop()
    for _ in range(3):
        with pytest.raises(Unavailable):
            await store.commit([create(KEY, {})])
        await asyncio.sleep(0.3)
    await server.start(server.port)
    start = time.monotonic()
    await store.get([KEY])
    assert time.monotonic() - start < 2
