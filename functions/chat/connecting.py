"""What a CRM server and its connection say of each other: pairing by code, trying the way, unpairing."""

import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import Field, StringConstraints, field_validator

from functions.chat.callers import Caller, Door
from functions.chat.desk import Desk, only_servers
from functions.chat.problems import Problem, not_found
from functions.chat.shapes import Strict
from functions.core.ids import key_of
from functions.core.lines import Connection, connection_key, connection_of, line_of, lines_of
from functions.core.links import wa_me
from functions.core.pairing import VALID, pairing_key, run_out
from functions.core.reach import reach_key, reach_view
from functions.core.secrets import Seal, new_secret
from functions.core.settings import check_url
from functions.core.store import NOW, Document, NotFound, Stale, delete, update
from functions.core.tasks import QueueUnavailable, Task

Address = Annotated[str, StringConstraints(max_length=500)]
_FIRST_WORDS = "Hello!"
_AGAIN = "Make another one with `leadline connect`."


class Place(Strict):
    """Where the CRM is: an address at which we could reach it, and its database, where a host has several."""

    url: Address | None = None
    database: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,100}$")] | None = None

    @field_validator("url")
    @classmethod
    def _url(cls, url: str | None) -> str | None:
        return check_url(url) if url else None

    def fields(self) -> dict[str, Any]:
        """Return what is kept of it."""
        return {"url": self.url or "", "database": self.database}


class Exchange(Strict):
    """`claim`: random, made by the CRM. The same code and claim are answered again, should the answer get lost."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    claim: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{22,64}$")]
    kind: Literal["odoo"]
    place: Place = Field(default_factory=Place)


async def pair(desk: Desk, seal: Seal, wanted: Exchange) -> dict[str, Any]:
    """Exchange a pairing code for the connection's id and a secret that nobody has seen. Raises `Problem`."""
    store, now = desk.ports.store, desk.ports.now()
    claim = key_of("claim", wanted.claim)
    [pairing] = await store.get([pairing_key(wanted.code)])
    if pairing is None:
        raise Problem(404, "pairing_code_unknown", f"No pairing has this code. Compare it letter by letter. {_AGAIN}")
    if run_out(pairing.fields, now):
        minutes = int(VALID.total_seconds() // 60)
        raise Problem(410, "pairing_code_expired", f"A pairing code is good for {minutes} minutes. {_AGAIN}")
    [found] = await store.get([connection_key(pairing.fields["connection"])])
    if found is None or found.fields["account"] != pairing.fields["account"]:
        raise Problem(404, "pairing_code_unknown", f"The connection of this code was removed. {_AGAIN}")
    if "claim" in pairing.fields:
        connection = connection_of(found)
        # Unpaired since, or paired anew by another code: that secret is somebody else's.
        stands = connection.secrets and pairing.fields.get("paired") == found.fields.get("paired")
        if pairing.fields["claim"] != claim or not stands:
            raise _used()
        return await _paired(desk, connection, seal.open(connection.secrets[0]))
    secret = new_secret()
    fields = {"secrets": [seal.close(secret)], "kind": wanted.kind, "paired": now.timestamp(), **wanted.place.fields()}
    try:
        await store.commit(
            [
                update(pairing.key, {"claim": claim, "paired": now.timestamp()}, version=pairing.version),
                update(found.key, fields),
                delete(reach_key(found.key.id)),
            ]
        )
    except (Stale, NotFound):
        raise _used() from None
    paired = await desk.directory.connection(found.key.id, fresh=True)
    if paired is None:
        raise not_found()
    return await _paired(desk, paired, secret)


def _used() -> Problem:
    return Problem(409, "pairing_code_used", f"This pairing code was used already. {_AGAIN}")


async def _paired(desk: Desk, connection: Connection, secret: str) -> dict[str, Any]:
    return {"connection": connection.id, "secret": secret, "lines": await _lines(desk, connection)}


async def show(desk: Desk, caller: Caller) -> dict[str, Any]:
    """Return the connection with its lines, and how its CRM is reached."""
    connection = await _fresh(desk, caller)
    [known] = await desk.ports.store.get([reach_key(connection.id)])
    return {
        "id": connection.id,
        "kind": connection.kind,
        "url": connection.url or None,
        "database": connection.database,
        "lines": await _lines(desk, connection),
        "reach": reach_view(connection, known.fields if known else {}),
    }


async def check(desk: Desk, caller: Caller, place: Place) -> dict[str, Any]:
    """Say where the CRM is now, and try the way there; `reach.check` of the connection names this check when done."""
    connection = await _fresh(desk, caller)
    if (connection.url, connection.database) != (place.url or "", place.database):
        await desk.ports.store.commit([update(connection_key(connection.id), place.fields())])
    name = uuid.uuid4().hex
    task = Task(f"sync-{connection.id}", "sync", {"kind": "check", "connection": connection.id, "check": name})
    try:
        await desk.ports.tasks.enqueue(task)
    except QueueUnavailable:
        raise Problem(
            503,
            "queue_unavailable",
            "The connection's queue takes no task, so nothing can be pushed. "
            "Run `leadline connect` again for this connection: it makes the queue.",
        ) from None
    return {"check": name}


async def unpair(desk: Desk, caller: Caller) -> dict[str, Any]:
    """Forget the connection's secret and where its CRM is. Its lines go on; their events wait for another pairing."""
    connection = await _fresh(desk, caller)
    await desk.ports.store.commit(
        [
            update(connection_key(connection.id), {"secrets": [], "paired": None, **Place().fields(), "updated": NOW}),
            delete(reach_key(connection.id)),
        ]
    )
    await desk.directory.connection(connection.id, fresh=True)
    return {}


async def _fresh(desk: Desk, caller: Caller) -> Connection:
    only_servers(caller)
    connection = await desk.directory.connection(caller.connection, fresh=True)
    if connection is None:
        raise not_found()
    return connection


async def _lines(desk: Desk, connection: Connection) -> list[dict[str, str]]:
    return [_line(desk, document) for document in await desk.ports.store.query(lines_of(connection.id))]


def _line(desk: Desk, document: Document) -> dict[str, str]:
    line = line_of(document)
    return {**line.view(), "link": wa_me(desk.ports.settings.link_url, line.number, _FIRST_WORDS)}


def routes(desk: Desk, door: Door, seal: Seal) -> APIRouter:
    """Return the routes of pairing, for CRM servers."""
    router = APIRouter(prefix="/v1")
    calling = Annotated[Caller, Depends(door.caller)]

    @router.post("/pairings", status_code=201)
    async def exchange(wanted: Exchange) -> dict[str, Any]:
        """Exchange a pairing code for a connection's id and secret. The code is all that is needed, and good once."""
        return await pair(desk, seal, wanted)

    @router.get("/connection")
    async def show_connection(caller: calling) -> dict[str, Any]:
        """The connection, its lines, and whether its events are pushed or must be pulled (CRM servers only)."""
        return await show(desk, caller)

    @router.post("/connection/check", status_code=202)
    async def check_connection(caller: calling, place: Place) -> dict[str, Any]:
        """Say where the CRM is, and have the way there tried; `GET connection` shows how that went."""
        return await check(desk, caller, place)

    @router.delete("/connection")
    async def unpair_connection(caller: calling) -> dict[str, Any]:
        """Unpair: the service forgets secret and address (CRM servers only)."""
        return await unpair(desk, caller)

    return router
