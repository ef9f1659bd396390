"""Lines and connections as the functions read them, kept for a minute because every message asks for them."""

from dataclasses import dataclass
from typing import Any

from functions.core.accounts import account_key
from functions.core.ids import key_of
from functions.core.memory import Memory
from functions.core.phone import digits
from functions.core.retention import Policy, policy_of
from functions.core.rules import USUAL, Rules, rules_of
from functions.core.store import Document, Key, Query, Store, Write, merge, update

CACHED = 60
"""Seconds that a function works with what it read; a changed setting takes that long to reach every instance."""


@dataclass(frozen=True, slots=True)
class Line:
    """One WhatsApp business number. `token` lies sealed; only the sender can open it."""

    # `rules` are the CRM's to state and have their own write (`rules_write`).

    id: str
    account: str
    connection: str
    phone_number_id: str
    number: str
    name: str
    waba: str
    token: str
    rules: Rules = USUAL

    def view(self) -> dict[str, str]:
        """Return the line as the chat API and the CRM see it."""
        return {
            "id": self.id,
            "phone_number_id": self.phone_number_id,
            "number": self.number,
            "name": self.name,
        }


_STATED = tuple(name for name in Line.__slots__ if name not in ("id", "rules"))


@dataclass(frozen=True, slots=True)
class Connection:
    """One link to one CRM. `secrets` lie sealed, the newest first, so that two can be valid while they rotate.

    Until it is paired it has no secret; a CRM that can't be reached has no `url`.
    """

    id: str
    account: str
    kind: str
    url: str
    secrets: tuple[str, ...]
    database: str | None = None


def line_key(line: str) -> Key:
    return Key("lines", line)


def number_key(phone_number_id: str) -> Key:
    """Return the key of the document that points from Meta's number id to our line, the only way to route."""
    return Key("numbers", key_of("number", phone_number_id))


def waba_key(waba: str) -> Key:
    """Return the key of the document that says whose a WhatsApp Business Account is, and which lines it has."""
    return Key("wabas", key_of("waba", waba))


def connection_key(connection: str) -> Key:
    return Key("connections", connection)


def line_writes(line: Line) -> list[Write]:
    """Return the writes that make or change a line, and let Meta's number id and its account point at it.

    The account's templates are due at once.
    """
    fields = {name: getattr(line, name) for name in _STATED}
    pointer = {"account": line.account, "line": line.id}
    numbers = {digits(line.number): line.id} if digits(line.number) else {}
    return [
        merge(line_key(line.id), fields),
        merge(number_key(line.phone_number_id), pointer),
        merge(
            waba_key(line.waba),
            {
                "account": line.account,
                "waba": line.waba,
                "line": line.id,
                "polled": True,
                "templates_due": 0,
                **({"lines": numbers} if numbers else {}),
            },
        ),
    ]


def connection_writes(connection: Connection) -> list[Write]:
    """Return the writes that make or change a connection."""
    fields = {
        "account": connection.account,
        "kind": connection.kind,
        "url": connection.url,
        "secrets": list(connection.secrets),
        "database": connection.database,
    }
    return [merge(connection_key(connection.id), fields)]


def rules_write(line: str, rules: Rules) -> Write:
    """Return the write that states a line's rules anew."""
    return update(line_key(line), {"rules": rules.fields()})


def lines_of(connection: str) -> Query:
    """Return the query for a connection's lines."""
    return Query("lines", {"connection": connection}, order="phone_number_id", limit=200)


def line_of(document: Document) -> Line:
    """Return the line that a document holds."""
    stated = {name: document.fields[name] for name in _STATED}
    return Line(id=document.key.id, rules=rules_of(document.fields), **stated)


def connection_of(document: Document) -> Connection:
    """Return the connection that a document holds."""
    fields: dict[str, Any] = document.fields
    return Connection(
        id=document.key.id,
        account=fields["account"],
        kind=fields["kind"],
        url=fields["url"],
        secrets=tuple(fields["secrets"]),
        database=fields.get("database"),
    )


async def every_line(store: Store) -> list[Line]:
    """Return every line that is connected, by way of the business accounts at Meta."""
    ids, after = dict[str, None](), None
    while accounts := await store.query(Query("wabas", {"polled": True}, order="templates_due", after=after)):
        for account in accounts:
            ids.update(dict.fromkeys([*account.fields.get("lines", {}).values(), account.fields["line"]]))
        after = (accounts[-1].fields["templates_due"], accounts[-1].key.id)
    documents = await store.get([line_key(line) for line in sorted(ids)]) if ids else []
    return [line_of(document) for document in documents if document is not None]


async def every_connection(store: Store) -> list[Connection]:
    """Return every connection."""
    found, after = list[Connection](), None
    while documents := await store.query(Query("connections", {"kind": "odoo"}, order="account", after=after)):
        found += map(connection_of, documents)
        after = (documents[-1].fields["account"], documents[-1].key.id)
    return found


class Directory:
    """Looks lines and connections up. What is not there is asked for again each time, so that it can appear."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lines: Memory[str, Line] = Memory(1000, CACHED)
        self._numbers: Memory[str, str] = Memory(1000, CACHED)
        self._connections: Memory[str, Connection] = Memory(1000, CACHED)
        self._policies: Memory[str, Policy] = Memory(1000, CACHED)

    async def line(self, line_id: str) -> Line | None:
        """Return a line by our own id."""
        found = self._lines.get(line_id)
        if found is None and (document := await self._read(line_key(line_id))):
            found = line_of(document)
            self._lines.put(line_id, found)
        return found

    async def line_of_number(self, phone_number_id: str) -> Line | None:
        """Return the line that points at this number of Meta's."""
        line_id = self._numbers.get(phone_number_id)
        if line_id is None:
            pointer = await self._read(number_key(phone_number_id))
            if pointer is None:
                return None
            line_id = str(pointer.fields["line"])
            self._numbers.put(phone_number_id, line_id)
        return await self.line(line_id)

    async def connection(self, connection_id: str, *, fresh: bool = False) -> Connection | None:
        """Return a connection by its id; `fresh`: as it is now, whatever is remembered."""
        found = None if fresh else self._connections.get(connection_id)
        if found is None and (document := await self._read(connection_key(connection_id))):
            found = connection_of(document)
            self._connections.put(connection_id, found)
        return found

    async def policy(self, account: str) -> Policy:
        """Return how long an account keeps what."""
        found = self._policies.get(account)
        if found is None:
            found = policy_of(await self._read(account_key(account)))
            self._policies.put(account, found)
        return found

    async def _read(self, key: Key) -> Document | None:
        return (await self._store.get([key]))[0]
