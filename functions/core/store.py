"""The store port: documents, atomic commits, queries. Its adapters are Firestore and, on one machine, SQLite.

The words are Firestore's, because its prices and limits decide the model; the embedded adapter keeps the same
promises, and `tests/contract/test_store.py` holds both to them.

Fields are what JSON knows (maps with text keys, lists, text, whole numbers, floats, booleans, null) and
`datetime` in UTC. Maps are merged deeply; a list is replaced, and so is everything by an empty map. The order of
fields is not kept. `core.documents` has the limits.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Literal, Protocol

from msgspec import Struct


class Key(Struct, frozen=True):
    """A document's place: its collection and its id (see `core.ids`)."""

    collection: str
    id: str


class Document(Struct, frozen=True):
    """A document as it was read. `version` is the time of its last change in µs and grows with each.

    A write that changes nothing leaves it as it was, so of two updates at one version that write the same, both
    may succeed: what is to be taken once must say who takes it.
    """

    key: Key
    fields: dict[str, Any]
    version: int


# Values that the store works out while it writes, each on the field's value at that moment.


class Increment(Struct, frozen=True):
    """Add to a number; a missing field counts as 0."""

    by: int


class Maximum(Struct, frozen=True):
    """Keep the larger of what is there and this; a missing field takes this."""

    value: int | float


class Minimum(Struct, frozen=True):
    """Keep the smaller of what is there and this; a missing field takes this."""

    value: int | float


class Union(Struct, frozen=True):
    """Add to a list what is not yet in it."""

    items: tuple[Any, ...]


class Special(Enum):
    NOW = "now"
    REMOVE = "remove"


NOW = Special.NOW
"""The store's own clock at the commit, as `datetime`. On Firestore it is set when the request begins."""

REMOVE = Special.REMOVE
"""Take the field away."""


class Write(Struct, frozen=True):
    """One change of one document. Made by `create`, `merge`, `update` and `delete` below."""

    kind: Literal["create", "merge", "update", "delete"]
    key: Key
    fields: Mapping[str, Any]
    version: int | None = None


def create(key: Key, fields: Mapping[str, Any]) -> Write:
    """Write a document that must not exist yet: a second create is refused with `AlreadyExists`."""
    return Write("create", key, fields)


def merge(key: Key, fields: Mapping[str, Any]) -> Write:
    """Merge the fields into the document, making it if there is none."""
    return Write("merge", key, fields)


def update(key: Key, fields: Mapping[str, Any], version: int | None = None) -> Write:
    """Merge the fields into a document that must exist (`NotFound`) or, if given, be at this version (`Stale`).

    A document written at a version is written once in a commit.
    """
    return Write("update", key, fields, version)


def delete(key: Key, version: int | None = None) -> Write:
    """Take the document away; one that is not there is fine unless a version is given (`Stale`)."""
    return Write("delete", key, {}, version)


class Query(Struct, frozen=True):
    """Documents of one collection where fields equal values, in the order of one field (ties: by id).

    `since` bounds the ordering field from its beginning: `>=` when ascending, `<=` when descending.
    `after` is the (value, id) of the last document seen: what stands strictly behind it is returned.
    A document whose ordering field is missing or null is not found; a value of `where` is never null.
    Nested fields are named with dots. Each shape of query has its index in `core.indexes`; one without raises
    LookupError.
    """

    collection: str
    where: Mapping[str, Any]
    order: str
    descending: bool = False
    since: Any = None
    after: tuple[Any, str] | None = None
    limit: int = 100


class Refused(Exception):
    """The commit was refused as a whole and nothing of it was written. Asking again the same way is no use."""


class AlreadyExists(Refused):
    """A `create` met a document of that name."""


class NotFound(Refused):
    """An `update` met no document."""


class Stale(Refused):
    """The document has been written since the version that was named."""


class Unstorable(Refused):
    """A document no store takes: over 1 MiB, nested over 20 deep, text that is not Unicode, a list right in a list,
    a number that is not finite or has over 64 bits, a field's name that is empty, `__reserved__` or over 1,500 bytes.
    """


class Unavailable(Exception):
    """The store did not answer in time or can't be reached. It may or may not have written."""


class Store(Protocol):
    """Where everything is kept. All calls end within a few seconds: with an answer or with `Unavailable`."""

    async def get(self, keys: Sequence[Key]) -> list[Document | None]:
        """Read documents in one round trip; the answer has the order of the keys, None where there is none.

        An id that no document can have (`core.documents.is_name`) is one that there is none of.
        """
        ...

    async def commit(self, writes: Sequence[Write]) -> None:
        """Write all or nothing, in one round trip. Raises a `Refused` or `Unavailable`."""
        ...

    async def query(self, query: Query) -> list[Document]:
        """Return the documents a query finds, at most `limit`."""
        ...

    async def close(self) -> None:
        """Give back connections and threads."""
        ...
