"""Every query the code makes and its composite index: the adapters and the Terraform files are held to this table.

The Firestore emulator asks for no index, so a query without one would first fail in the cloud; that is why both
adapters look each query up here before they run it.
"""

from dataclasses import dataclass

from functions.core.store import Query


@dataclass(frozen=True, slots=True)
class Index:
    """Equality fields first, then the ordering field."""

    collection: str
    equal: tuple[str, ...]
    order: str
    descending: bool = False


INDEXES = (
    Index("messages", ("conversation",), "sort", descending=True),
    Index("messages", ("conversation",), "changed"),
    Index("messages", ("conversation", "waiting"), "queued"),
    Index("messages", ("line", "wamid_key"), "sort"),
    Index("messages", ("waiting",), "conversation"),
    Index("messages", ("waiting",), "queued"),
    Index("messages", ("media.state",), "changed"),
    Index("conversations", ("connection",), "updated", descending=True),
    Index("conversations", ("line",), "updated", descending=True),
    Index("conversations", ("contact",), "updated"),
    Index("conversations", ("carrying",), "carry_until"),
    Index("contacts", ("carrying",), "carry_until"),
    Index("erasures", ("begun",), "since"),
    Index("events", ("connection", "pending"), "seq"),
    Index("events", ("connection",), "seq"),
    Index("events", ("pending",), "connection"),
    Index("orphan_statuses", ("wamid_key",), "at"),
    # What waits for its message is found with its person, to be handed out or erased.
    Index("orphan_statuses", ("contact",), "at"),
    Index("messages", ("contact",), "expires_at"),
    Index("orphan_statuses", ("stranger",), "expires_at"),
    Index("messages", ("stranger",), "expires_at"),
    Index("aliases", ("contact",), "created"),
    Index("uploads", ("conversation",), "created"),
    Index("group_messages", ("account",), "changed"),
    Index("imports", ("account", "pending"), "updated"),
    Index("imports", ("pending",), "updated"),
    # Files whose time is over.
    Index("messages", ("media.state",), "media.expires"),
    Index("audit", ("account",), "updated"),
    Index("templates", ("waba",), "place"),
    Index("templates", ("waba", "status"), "place"),
    Index("connections", ("kind",), "account"),
    Index("wabas", ("polled",), "templates_due"),
    Index("accounts", ("listed",), "name"),
    Index("parked", ("part",), "updated"),
    Index("counts", ("account",), "day", descending=True),
    Index("reviews", ("account",), "at", descending=True),
    Index("lines", ("connection",), "phone_number_id"),
    Index("lines", ("account",), "phone_number_id"),
    Index("links", ("connection",), "created", descending=True),
    Index("clicks", ("link",), "day", descending=True),
)
"""A Firestore index serves one direction, the one that it names; SQLite reads its own both ways."""

TTL_FIELD = "expires_at"
"""A document with this field (a `datetime`) goes away by itself some time after it."""

EXPIRING = (
    "events",
    "parked",
    "nonces",
    "orphan_statuses",
    "uploads",
    "messages",
    "imports",
    "group_messages",
    "erasures",
    "audit",
    "pairings",
)
"""The collections whose documents carry `TTL_FIELD`."""


def index_of(query: Query) -> Index:
    """Return the index that serves the query. Raises LookupError where none is declared."""
    shape = (query.collection, frozenset(query.where), query.order, query.descending)
    try:
        return _BY_SHAPE[shape]
    except KeyError:
        raise LookupError(f"core.indexes declares no index for {shape}") from None


_BY_SHAPE = {(index.collection, frozenset(index.equal), index.order, index.descending): index for index in INDEXES}
