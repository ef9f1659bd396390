"""The store in Firestore, over the gRPC client of google-cloud-firestore.

It fills that client's own messages (`google.cloud.firestore_v1.types`) and leaves out the document classes above
them, with which a commit of three writes costs twice the CPU (measured: 850 µs against 440) and the webhook does
little else.

**Time and repetition.** Each call ends within `DEADLINE`. The client's own policy would repeat for a minute and
more, in which one outage fills every instance, so it is switched off. A read is repeated until the deadline. A
commit is repeated only where a repetition changes nothing: after a lost answer, a second `create` would meet the
document of the first and report `AlreadyExists` for what it wrote itself, an `Increment` would count twice, and a
version would be stale. Such a commit is sent once, and its caller, who hears `Unavailable`, knows how to ask again.
A commit that Firestore aborted for contention has written nothing and is always repeated.
"""

import asyncio
import os
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1.field_path import FieldPath
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport as Transport

from functions.core import documents
from functions.core.google_calls import DEADLINE, TRANSIENT, channel_of, in_time
from functions.core.indexes import index_of
from functions.core.store import (
    NOW,
    REMOVE,
    AlreadyExists,
    Document,
    Increment,
    Key,
    Maximum,
    Minimum,
    NotFound,
    Query,
    Refused,
    Stale,
    Unavailable,
    Union,
    Unstorable,
    Write,
)

_NOT_WRITTEN = (exceptions.Aborted,)

# The plain messages below the client's wrappers; they are made at run time, so nothing is known of their types.
_BatchGet: Any = types.BatchGetDocumentsRequest.pb()
_Commit: Any = types.CommitRequest.pb()
_RunQuery: Any = types.RunQueryRequest.pb()
_EQUAL = types.StructuredQuery.FieldFilter.Operator.EQUAL
_AT_LEAST = types.StructuredQuery.FieldFilter.Operator.GREATER_THAN_OR_EQUAL
_AT_MOST = types.StructuredQuery.FieldFilter.Operator.LESS_THAN_OR_EQUAL
_ASCENDING = types.StructuredQuery.Direction.ASCENDING
_DESCENDING = types.StructuredQuery.Direction.DESCENDING
_REQUEST_TIME = types.DocumentTransform.FieldTransform.ServerValue.REQUEST_TIME

_Answer = TypeVar("_Answer")


class FirestoreStore:
    """A Firestore database as a `Store`. With FIRESTORE_EMULATOR_HOST set it talks to that emulator."""

    def __init__(self, project: str, database: str = "(default)") -> None:
        self._database = f"projects/{project}/databases/{database}"
        self._root = f"{self._database}/documents"
        self._emulator = os.environ.get("FIRESTORE_EMULATOR_HOST")
        self._metadata = [("google-cloud-resource-prefix", self._database)]
        if self._emulator:
            self._metadata.append(("authorization", "Bearer owner"))
        self._client: FirestoreAsyncClient | None = None
        self._connecting = asyncio.Lock()

    async def get(self, keys: Sequence[Key]) -> list[Document | None]:
        names = {self._name(key) for key in keys if documents.is_name(key.id)}
        if not names:
            return [None] * len(keys)
        request = _BatchGet(database=self._database, documents=names)

        async def found() -> dict[Key, Document]:
            call = (await self._api()).batch_get_documents
            answers = await call(types.BatchGetDocumentsRequest.wrap(request), **self._terms())
            return {document.key: document async for document in _documents(answers, "found")}

        by_key = await _read(found)
        return [by_key.get(key) for key in keys]

    async def query(self, query: Query) -> list[Document]:
        index_of(query)
        request = _RunQuery(parent=self._root)
        self._describe(query, request.structured_query)

        async def found() -> list[Document]:
            call = (await self._api()).run_query
            answers = await call(types.RunQueryRequest.wrap(request), **self._terms())
            return [document async for document in _documents(answers, "document")]

        return await _read(found)

    async def commit(self, writes: Sequence[Write]) -> None:
        documents.check(writes)
        if not writes:
            return
        request = _Commit(database=self._database)
        for write in writes:
            self._fill(request.writes.add(), write)

        async def committed() -> None:
            call = (await self._api()).commit
            await call(types.CommitRequest.wrap(request), **self._terms())

        try:
            await _answered(committed, TRANSIENT if _repeatable(writes) else _NOT_WRITTEN)
        except exceptions.GoogleAPICallError as error:
            raise _refusal(error, writes) from error

    async def close(self) -> None:
        client, self._client = self._client, None
        if client:
            await client.transport.close()  # type: ignore[no-untyped-call]

    async def _api(self) -> FirestoreAsyncClient:
        """The client, made at the first call: gRPC binds it to the event loop that runs then."""
        async with self._connecting:
            if self._client is None:
                channel = await channel_of(Transport, self._emulator)
                self._client = FirestoreAsyncClient(transport=Transport(channel=channel))
            return self._client

    def _terms(self) -> dict[str, Any]:
        return {"retry": None, "timeout": DEADLINE, "metadata": self._metadata}

    def _name(self, key: Key) -> str:
        return f"{self._root}/{key.collection}/{key.id}"

    def _fill(self, message: Any, write: Write) -> None:
        """Fill a Write message. A mask names what is set or removed; transforms follow on what then stands."""
        if write.kind == "delete":
            message.delete = self._name(write.key)
        else:
            message.update.name = self._name(write.key)
        if write.kind == "create":
            message.current_document.exists = False
        elif write.version is not None:
            message.current_document.update_time.FromMicroseconds(write.version)
        elif write.kind == "update":
            message.current_document.exists = True
        if write.kind in ("merge", "update"):
            message.update_mask.SetInParent()
        for path, value in _leaves(write.fields):
            _fill_field(message, path, value, masked=write.kind != "create")

    def _describe(self, query: Query, message: Any) -> None:
        message.from_.add().collection_id = query.collection
        for field, value in query.where.items():
            _add_filter(message, field, _EQUAL, value)
        if query.since is not None:
            _add_filter(message, query.order, _AT_MOST if query.descending else _AT_LEAST, query.since)
        direction = _DESCENDING if query.descending else _ASCENDING
        for field in (query.order, "__name__"):
            message.order_by.add(field={"field_path": field}, direction=direction)
        message.limit.value = query.limit
        self._bound(query, message)

    def _bound(self, query: Query, message: Any) -> None:
        """Begin behind `after`, and leave out the documents whose ordering field is null (they sort first)."""
        if query.after:
            value, last = query.after
            _fill_value(message.start_at.values.add(), value)
            message.start_at.values.add().reference_value = self._name(Key(query.collection, last))
        elif not query.descending:
            message.start_at.values.add().null_value = 0
        if query.descending:
            message.end_at.values.add().null_value = 0
            message.end_at.before = True


def _leaves(fields: Mapping[str, Any], parents: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value with its path. An empty map is a value of its own."""
    for name, value in fields.items():
        path = (*parents, name)
        if isinstance(value, dict) and value:
            yield from _leaves(value, path)
        else:
            yield path, value


def _fill_field(message: Any, path: tuple[str, ...], value: Any, *, masked: bool) -> None:
    if value is NOW or isinstance(value, Increment | Maximum | Minimum | Union):
        _fill_transform(message.update_transforms.add(field_path=_path(path)), value)
        return
    if masked:
        message.update_mask.field_paths.append(_path(path))
    if value is not REMOVE:
        fields = message.update.fields
        for name in path[:-1]:
            fields = fields[name].map_value.fields
        _fill_value(fields[path[-1]], value)


def _path(path: tuple[str, ...]) -> str:
    return str(FieldPath(*path).to_api_repr())


def _fill_transform(message: Any, value: Any) -> None:
    match value:
        case Increment(number):
            _fill_value(message.increment, number)
        case Maximum(number):
            _fill_value(message.maximum, number)
        case Minimum(number):
            _fill_value(message.minimum, number)
        case Union(items):
            message.append_missing_elements.SetInParent()
            for item in items:
                _fill_value(message.append_missing_elements.values.add(), item)
        case _:
            message.set_to_server_value = _REQUEST_TIME


def _fill_value(message: Any, value: Any) -> None:
    if value is None:
        message.null_value = 0
    elif isinstance(value, str):
        message.string_value = value
    elif isinstance(value, bool):
        message.boolean_value = value
    elif isinstance(value, int):
        message.integer_value = value
    elif isinstance(value, float):
        message.double_value = value
    elif isinstance(value, datetime):
        message.timestamp_value.FromDatetime(value)
    elif isinstance(value, dict):
        message.map_value.SetInParent()
        for name, item in value.items():
            _fill_value(message.map_value.fields[name], item)
    else:
        message.array_value.SetInParent()
        for item in value:
            _fill_value(message.array_value.values.add(), item)


def _add_filter(message: Any, field: str, operator: int, value: Any) -> None:
    """Every filter must hold. A value is never null: `core.store.Query`."""
    composite = message.where.composite_filter
    composite.op = types.StructuredQuery.CompositeFilter.Operator.AND
    condition = composite.filters.add().field_filter
    condition.field.field_path = field
    condition.op = operator
    _fill_value(condition.value, value)


async def _documents(answers: AsyncIterable[Any], field: str) -> AsyncIterator[Document]:
    """The documents in a stream of answers; some answers only report progress or a missing document."""
    async for answer in answers:
        message = type(answer).pb(answer)
        if message.HasField(field):
            yield _document(getattr(message, field))


def _document(message: Any) -> Document:
    _, *place = message.name.rsplit("/", 2)
    return Document(Key(*place), _fields(message.fields), message.update_time.ToMicroseconds())


def _fields(messages: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(message) for name, message in messages.items()}


def _value(message: Any) -> Any:
    kind = message.WhichOneof("value_type")
    match kind:
        case "null_value":
            return None
        case "map_value":
            return _fields(message.map_value.fields)
        case "array_value":
            return [_value(item) for item in message.array_value.values]
        case "timestamp_value":
            return message.timestamp_value.ToDatetime(tzinfo=UTC)
    return getattr(message, kind)


def _repeatable(writes: Sequence[Write]) -> bool:
    """Whether the commit, once written, could be written again without a difference."""
    return all(write.kind != "create" and write.version is None and not _counts(write.fields) for write in writes)


def _counts(fields: Mapping[str, Any]) -> bool:
    return any(isinstance(value, Increment) for _, value in _leaves(fields))


async def _answered(call: Callable[[], Awaitable[_Answer]], repeated: tuple[type[Exception], ...]) -> _Answer:
    """Call within the deadline. Firestore's refusals come out as they are; that it can't answer, as `Unavailable`."""
    try:
        return await in_time(call, repeated)
    except TimeoutError as error:
        raise Unavailable(f"Firestore did not answer within {DEADLINE} s") from error
    except exceptions.ServerError as error:
        raise Unavailable(f"Firestore did not answer: {type(error).__name__}") from error
    except GoogleAuthError as error:
        raise Unavailable(f"there are no credentials for Firestore: {error}") from error


async def _read(call: Callable[[], Awaitable[_Answer]]) -> _Answer:
    try:
        return await _answered(call, TRANSIENT)
    except exceptions.GoogleAPICallError as error:
        raise Unavailable(f"Firestore refused to read: {error}") from error


def _refusal(error: exceptions.GoogleAPICallError, writes: Sequence[Write]) -> Refused | Unavailable:
    """What Firestore's refusal of a commit means to the caller."""
    match error:
        case exceptions.AlreadyExists():
            return AlreadyExists("a document of that name exists")
        case exceptions.FailedPrecondition():
            return Stale("the document is not at that version")
        case exceptions.InvalidArgument():
            return Unstorable("Firestore does not take such a document")
        case exceptions.ResourceExhausted() if "size" in error.message:
            return Unstorable("the commit is too large")
        case exceptions.NotFound() if any(write.kind == "update" and not write.version for write in writes):
            return NotFound("there is no document to update")
        case exceptions.NotFound() if any(write.version for write in writes):
            return Stale("the document is not at that version")
    # NotFound can also mean the database itself.
    return Unavailable(f"Firestore refused to write: {error}")
