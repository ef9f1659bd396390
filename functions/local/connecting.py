"""What `leadline connect` does: a connection with its queue and lines, and a code to pair a CRM with it.

Each step finds what an earlier run has done, so that a run that was stopped is simply repeated. No secret passes
through here: `chat` makes it when the code is exchanged.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.core.lines import (
    Connection,
    Line,
    connection_key,
    connection_of,
    connection_writes,
    line_key,
    line_of,
    lines_of,
    number_key,
)
from functions.core.pairing import VALID, new_code, pairing_write
from functions.core.ports import Ports
from functions.core.reach import reach_key, reach_view
from functions.core.store import NOW, Key, Query, Store, delete, merge, update
from functions.core.tasks import QueueUnavailable
from functions.local.failure import SetUpFailed

KIND = "odoo"

_FIRST = "default"
"""The first connection of a deployment: its queue is there already (see infra/queues.tf)."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asked for; what is left out is found. `url` and `database` are usually told by the CRM itself."""

    account: str | None = None
    connection: str | None = None
    url: str | None = None
    database: str | None = None
    lines: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Invitation:
    """A connection that a CRM may be paired with, until the code runs out. `paired`: one was before."""

    connection: Connection
    lines: Sequence[Line]
    code: str
    until: datetime
    paired: bool


async def connect(ports: Ports, wanted: Wanted) -> Invitation:
    """Make or take a connection and return a code for it. Raises `SetUpFailed`."""
    store = ports.store
    named = [await _line(store, name) for name in wanted.lines]
    account = await _account(store, wanted, named)
    if strangers := [line.id for line in named if line.account != account]:
        raise SetUpFailed(f"The account {account} has no line {strangers[0]}.")
    connection = await _known(store, wanted.connection or await usual_connection(store, account), account)
    # First the queue: from the moment that a line leads to the connection, its events are queued there.
    try:
        await ports.tasks.make_queue(f"sync-{connection.id}")
    except QueueUnavailable as error:
        raise SetUpFailed(f"{str(error).capitalize()}. Name another connection with --connection.") from None
    # What is left out stays: a CRM may be pairing at this very moment.
    place = {"url": wanted.url, "database": wanted.database}
    told = {name: value for name, value in place.items() if value is not None}
    [there] = await store.get([connection_key(connection.id)])
    fresh = [] if there else connection_writes(connection)
    await store.commit([*fresh, merge(connection_key(connection.id), told)])
    for line in named or await _homeless(store, account):
        await store.commit([update(line_key(line.id), {"connection": connection.id, "updated": NOW})])
    now = ports.now()
    code = new_code()
    await store.commit([pairing_write(code, account=account, connection=connection.id, now=now)])
    lines = [line_of(document) for document in await store.query(lines_of(connection.id))]
    return Invitation(connection, lines, code, now + VALID, paired=bool(connection.secrets))


async def chosen(store: Store, wanted: Wanted) -> str:
    """Return the name of the connection that `connect` would take or make. Raises `SetUpFailed`."""
    return wanted.connection or await usual_connection(store, await _account(store, wanted, ()))


@dataclass(frozen=True, slots=True)
class Removed:
    """What became of a connection: it is gone, unless it still has `lines`, whose messages then wait in its queue."""

    connection: str
    lines: Sequence[Line]


async def remove(ports: Ports, connection_id: str) -> Removed:
    """Take a connection back: its CRM is shut out at once, and what was made for it goes away. Raises `SetUpFailed`.

    A line keeps its connection and its queue until it has another one: without a queue its messages would be refused.
    """
    store = ports.store
    [found] = await store.get([connection_key(connection_id)])
    if found is None:
        raise SetUpFailed(f"There is no connection {connection_id}. `leadline connect list` shows them.")
    lines = [line_of(document) for document in await store.query(lines_of(connection_id))]
    if lines:
        nothing: dict[str, Any] = {"secrets": [], "url": "", "database": None, "paired": None, "updated": NOW}
        await store.commit([update(found.key, nothing), delete(reach_key(connection_id))])
        return Removed(connection_id, lines)
    await _forget_events(store, connection_id)
    await store.commit([delete(found.key), delete(reach_key(connection_id))])
    if connection_id != _FIRST:
        await ports.tasks.remove_queue(f"sync-{connection_id}")
    return Removed(connection_id, ())


@dataclass(frozen=True, slots=True)
class Standing:
    """A connection as `leadline connect list` shows it; `way`: pushed, pulled, or not paired."""

    connection: Connection
    lines: Sequence[Line]
    way: str
    reason: str | None


async def listed(ports: Ports) -> list[Standing]:
    """Return every connection, those of an account together."""
    store = ports.store
    found = []
    for connection in await _all(store):
        [known] = await store.get([reach_key(connection.id)])
        reach = reach_view(connection, known.fields if known else {})
        paired = bool(connection.secrets)
        lines = [line_of(document) for document in await store.query(lines_of(connection.id))]
        found.append(
            Standing(connection, lines, reach["way"] if paired else "not paired", reach["reason"] if paired else None)
        )
    return found


async def _all(store: Store) -> list[Connection]:
    return [
        connection_of(document)
        for document in await store.query(Query("connections", {"kind": KIND}, order="account", limit=1000))
    ]


async def _line(store: Store, name: str) -> Line:
    """Return a line by its id or Meta's number id."""
    line, number = await store.get([line_key(name), number_key(name)])
    if line is None and number:
        [line] = await store.get([line_key(number.fields["line"])])
    if line is None:
        raise SetUpFailed(f"There is no line {name}. Add it first with `leadline line add`.")
    return line_of(line)


async def _account(store: Store, wanted: Wanted, lines: Sequence[Line]) -> str:
    """Return the account that was meant: as it was named, or the only one that it can be."""
    if wanted.account:
        return wanted.account
    known = {line.account for line in lines}
    if wanted.connection:
        [found] = await store.get([connection_key(wanted.connection)])
        known |= {found.fields["account"]} if found else set()
    known = known or {connection.account for connection in await _all(store)}
    if len(known) != 1:
        raise SetUpFailed("Say for which account the connection is: --account NAME.")
    return known.pop()


async def usual_connection(store: Store, account: str) -> str:
    """Return the name of an account's connection, if nobody named one."""
    everyone = await _all(store)
    own = [connection.id for connection in everyone if connection.account == account]
    if len(own) > 1:
        names = ", ".join(sorted(own))
        raise SetUpFailed(f"The account {account} has several connections: name one with --connection ({names}).")
    if own:
        return own[0]
    return f"{account}-{KIND}" if any(connection.id == _FIRST for connection in everyone) else _FIRST


async def _known(store: Store, name: str, account: str) -> Connection:
    """Return the connection of that name, or what a fresh one begins with. Raises `SetUpFailed`."""
    if not _NAME.fullmatch(name):
        raise SetUpFailed(f"{name} can't be a connection's name: small letters, digits and dashes, up to 40.")
    [found] = await store.get([connection_key(name)])
    if found is None:
        return Connection(name, account, KIND, "", ())
    if found.fields["account"] != account:
        raise SetUpFailed(f"The connection {name} belongs to another account. Choose another name.")
    return connection_of(found)


async def _homeless(store: Store, account: str) -> list[Line]:
    """Return the account's lines whose connection does not exist."""
    lines = [
        line_of(document)
        for document in await store.query(Query("lines", {"account": account}, order="phone_number_id", limit=1000))
    ]
    known = {connection.id for connection in await _all(store)}
    return [line for line in lines if line.connection not in known]


async def _forget_events(store: Store, connection: str) -> None:
    """Take away what nobody will pull any more."""
    while waiting := await store.query(Query("events", {"connection": connection}, order="seq", limit=200)):
        await store.commit([delete(Key("events", event.key.id)) for event in waiting])
