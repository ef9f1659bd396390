"""Two contacts that turn out to be one: the younger becomes a redirect, and what it has goes to the older.

Only WhatsApp's own word joins (a changed number or user id). Instances remember people for a minute, so messages may
still reach the younger conversation after it was joined: what is carried over is carried again later, and counts once.
"""

import contextlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from functions.core.conversation import contact_key, conversation_key, grown
from functions.core.events import deliver_task, event
from functions.core.ids import key_of
from functions.core.outbox import is_bulk, outbox_key, outbox_of, send_task, waiting
from functions.core.ports import Ports
from functions.core.store import (
    NOW,
    REMOVE,
    Document,
    Increment,
    Key,
    Maximum,
    NotFound,
    Query,
    Stale,
    Store,
    Union,
    Write,
    merge,
    update,
)
from functions.core.tasks import Task

REMEMBERED = timedelta(minutes=2)
"""Longer than an instance remembers whose an identity is, and its last commit takes."""

_AT_ONCE = 200
_REDIRECTS = 10
_COUNTERS = ("received", "read")
_IDENTITIES = ("aliases", "wa_ids", "bsuids", "moves")
_TIMES = ("consent", "seen")
_SHOWN = ("name", "username", "book", "notice", "goodbye")
_LATEST = ("last_in", "last_out", "last_activity")


def doubt(account: str, contacts: Sequence[str], reason: str, now: datetime) -> Write:
    """Return the write by which a person is asked to look whether two contacts are one: nobody is joined by a guess."""
    pair = sorted(contacts)
    fields = {"account": account, "contacts": pair, "reason": reason, "at": int(now.timestamp()), "updated": NOW}
    return merge(Key("reviews", key_of("review", account, *pair)), fields)


async def elder_first(store: Store, contacts: Sequence[Document]) -> list[Document]:
    """Return contacts in the order in which they were met."""
    return [found for _, _, found in sorted([(await _met(store, one), one.key.id, one) for one in contacts])]


async def _met(store: Store, contact: Document) -> str:
    aliases = await store.get([Key("aliases", alias) for alias in contact.fields.get("aliases", ())])
    return min((alias.fields["created"].isoformat() for alias in aliases if alias is not None), default="")


async def join_writes(
    store: Store, elder: Document, younger: Document, now: datetime
) -> tuple[list[Write], list[Task]]:
    """Return what joins two contacts: aliases lead to the elder, conversations of the younger become redirects.

    The commit raises `Stale` if the younger has changed since it was read.
    """
    handed = {name: younger.fields[name] for name in _SHOWN if name in younger.fields}
    missing = {name: shown for name, shown in handed.items() if not elder.fields.get(name)}
    if "goodbye" in handed and handed["goodbye"]["at"] > elder.fields.get("goodbye", handed["goodbye"])["at"]:
        missing["goodbye"] = handed["goodbye"]  # The answer to a later STOP is not given again.
    writes = [
        *_person_writes(younger, elder.key, missing),
        # Two changes at once may join it to two others, who would not be joined to each other.
        update(
            younger.key,
            {"merged_into": elder.key.id, "handed": handed, **_carrying(now), "updated": NOW},
            version=younger.version,
        ),
    ]
    more, tasks = await _redirected(store, younger, elder.key, now)
    return [*writes, *more], [person_task(younger.key.id, now + REMEMBERED), *tasks]


async def _redirected(store: Store, younger: Document, elder: Key, now: datetime) -> tuple[list[Write], list[Task]]:
    """Return what makes the younger contact's conversations redirects to the elder's."""
    account = younger.fields["account"]
    writes: list[Write] = []
    tasks: list[Task] = []
    for conversation in await _conversations(store, younger.key.id):
        line, connection = conversation.fields["line"], conversation.fields["connection"]
        into = conversation_key(line, elder.id)
        told = event(
            "conversation.merged",
            account=account,
            connection=connection,
            conversation=conversation.key.id,
            now=now,
        )
        writes += [
            grown(
                into,
                account=account,
                line=line,
                connection=connection,
                contact=elder.id,
                # A request that is repeated finds what it wrote before.
                joined=Union((conversation.key.id, *conversation.fields.get("joined", ()))),
            ),
            update(conversation.key, {"merged_into": into.id, **_carrying(now), "updated": NOW}),
            told,
        ]
        tasks += [
            carry_task(conversation.key.id, "joined"),
            carry_task(conversation.key.id, "joined and forgotten", now + REMEMBERED),
            deliver_task(connection, key_of("merged", conversation.key.id)),
        ]
    return writes, tasks


def _carrying(now: datetime) -> dict[str, Any]:
    return {"merged": NOW, "carrying": True, "carry_until": (now + REMEMBERED).timestamp()}


def _person_writes(younger: Document, elder: Key, shown: Mapping[str, Any]) -> list[Write]:
    """Return what gives the elder contact all that is known of the younger, and what it shows."""
    fields = younger.fields
    known: dict[str, Any] = {name: Union(tuple(fields[name])) for name in _IDENTITIES if fields.get(name)}
    known |= {name: _as_maxima(fields[name]) for name in _TIMES if fields.get(name)}
    # Whoever erases or hands out the elder finds the younger by it.
    known["absorbed"] = Union((younger.key.id, *fields.get("absorbed", ())))
    return [
        *(update(Key("aliases", alias), {"contact": elder.id}) for alias in fields.get("aliases", ())),
        # Who was erased meanwhile is not made again.
        update(elder, {**known, **shown, "updated": NOW}),
    ]


def person_task(contact: str, at: datetime | None = None, cause: str = "") -> Task:
    """Return the task that carries over what was learnt of the younger contact after it was joined."""
    return Task(
        queue="housekeeping",
        function="sync",
        payload={"kind": "carry_person", "contact": contact},
        name=key_of("carry_person", contact, cause),
        at=at,
    )


async def carry_person(ports: Ports, contact: str) -> None:
    """Give the elder what an instance that did not know of the joining yet wrote to the younger contact.

    That may be the contact's first conversation.
    """
    [younger] = await ports.store.get([contact_key(contact)])
    if younger is None or "merged_into" not in younger.fields:
        return
    handed = younger.fields.get("handed", {})
    shown = {
        name: younger.fields[name]
        for name in _SHOWN
        if name in younger.fields and younger.fields[name] != handed.get(name)
    }
    elder = await _last(ports.store, contact_key(younger.fields["merged_into"]))
    writes = _person_writes(younger, elder, shown)
    redirects, tasks = await _redirected(ports.store, younger, elder, ports.now())
    try:
        await ports.store.commit([*writes, *redirects, *_carried_all(ports, younger)])
    except NotFound:
        return  # Erased meanwhile; of anybody else the sweep comes again.
    for task in tasks:
        await ports.tasks.enqueue(task)


async def _last(store: Store, key: Key) -> Key:
    """Return where something that was joined leads by now: its elder may have been joined to another one since."""
    for _ in range(_REDIRECTS):
        [found] = await store.get([key])
        if found is None or "merged_into" not in found.fields:
            break
        key = Key(key.collection, found.fields["merged_into"])
    return key


def _carried_all(ports: Ports, younger: Document) -> list[Write]:
    """Return what ends the carrying once nobody adds anything any more: its task may be lost before, and is swept."""
    if not younger.fields.get("carrying") or ports.now().timestamp() < younger.fields["carry_until"]:
        return []
    return [update(younger.key, {"carrying": REMOVE}, version=younger.version)]


def _as_maxima(times: Mapping[str, Any]) -> dict[str, Any]:
    """Return a map of times as one that keeps the later ones where it is merged."""
    return {name: _as_maxima(at) if isinstance(at, dict) else Maximum(at) for name, at in times.items()}


def carry_task(conversation: str, cause: str, at: datetime | None = None) -> Task:
    """Return the task that carries over what a redirected conversation still has."""
    return Task(
        queue="housekeeping",
        function="sync",
        payload={"kind": "carry", "conversation": conversation, "cause": cause},
        name=key_of("carry", conversation, cause),
        at=at,
    )


async def carry(ports: Ports, conversation: str) -> None:
    """Carry a redirected conversation's messages and counters over to the one it was joined to."""
    [younger] = await ports.store.get([Key("conversations", conversation)])
    if younger is None or "merged_into" not in younger.fields:
        return
    into = await _last(ports.store, Key("conversations", younger.fields["merged_into"]))
    await _carry_counters(ports, younger, into)
    if not await _carry_outbox(ports, younger, into):
        return  # The sweep comes again.
    while found := await ports.store.query(
        Query("messages", {"conversation": conversation}, order="sort", descending=True, limit=_AT_ONCE)
    ):
        await ports.store.commit([update(one.key, _carried(one, younger, into.id)) for one in found])
    [younger] = await ports.store.get([younger.key])
    if younger and (end := _carried_all(ports, younger)):
        with contextlib.suppress(Stale):  # Somebody has just added something: the sweep comes again.
            await ports.store.commit(end)


async def _carry_outbox(ports: Ports, younger: Document, into: Key) -> bool:
    """Carry what waits to be sent, and return whether all of it is carried.

    While one of it is being sent, or its sender has died, all of it stays until that one's end is known: in another
    outbox it would be sent once more.
    """
    while found := await ports.store.query(waiting(younger.key.id, _AT_ONCE)):
        # Read after the messages, which are carried as they were then: who takes one meanwhile is seen here or there.
        [lease] = await ports.store.get([outbox_key(younger.key.id)])
        if outbox_of(younger.key.id, lease).holds:
            return False
        try:
            await ports.store.commit(
                [update(one.key, _carried(one, younger, into.id), version=one.version) for one in found]
            )
        except (Stale, NotFound):
            return False
        line, bulk = younger.fields["line"], all(is_bulk(one.fields) for one in found)
        await ports.tasks.enqueue(send_task(line, into.id, f"carried {found[0].key.id}", bulk=bulk))
    return True


async def older_waits(store: Store, conversation: Document, message: Document) -> bool:
    """Tell whether something accepted before a message still waits in a conversation that was joined to its own."""
    joined = [Key("conversations", one) for one in conversation.fields.get("joined", ())]
    carrying = [one for one in await store.get(joined) if one and one.fields.get("carrying")] if joined else []
    for younger in carrying:
        for older in await store.query(waiting(younger.key.id)):
            if older.fields["queued"] < message.fields["queued"]:
                return True
    return False


def _carried(message: Document, younger: Document, into: str) -> dict[str, Any]:
    """Return what changes in a message that is carried over. Its own name, in the callback too, was made before."""
    then = {"contact_then": message.fields.get("contact_then") or younger.fields["contact"]}
    ours = then if "client_id" in message.fields else {}
    return {"conversation": into, **ours, "changed": NOW}


async def _carry_counters(ports: Ports, younger: Document, into: Key) -> None:
    """Add what came since the last time; the younger's version lets only one of two carry it."""
    store, fields = ports.store, younger.fields
    carried: dict[str, int] = fields.get("carried", {})
    counters = {name: fields.get(name, 0) for name in _COUNTERS}
    more: dict[str, Any] = {
        name: Increment(count - carried.get(name, 0))
        for name, count in counters.items()
        if count != carried.get(name, 0)
    }
    more |= {name: Maximum(fields[name]) for name in _LATEST if name in fields}
    more |= {name: Union(tuple(fields[name])) for name in ("records", "referrals", "touches") if fields.get(name)}
    [elder] = await store.get([into])
    if elder is not None and not elder.fields.get("owner") and fields.get("owner"):
        more["owner"] = fields["owner"]
    cause = f"carried {counters} from {younger.key.id}"
    told = event(
        "conversation.updated",
        account=fields["account"],
        connection=fields["connection"],
        conversation=into.id,
        detail=cause,
        now=ports.now(),
    )
    try:
        await store.commit(
            [
                update(younger.key, {"carried": counters}, version=younger.version),
                update(into, {**more, "updated": NOW}),
                # The CRM may have heard of the joining before there was anything of the younger's in the elder.
                *([told] if counters != carried else []),
            ]
        )
    except Stale:
        [again] = await store.get([younger.key])
        if again is not None:
            await _carry_counters(ports, again, into)
    else:
        await ports.tasks.enqueue(deliver_task(fields["connection"], key_of(into.id, cause)))


async def _conversations(store: Store, contact: str) -> list[Document]:
    found = await store.query(Query("conversations", {"contact": contact}, order="updated", limit=100))
    return [conversation for conversation in found if "merged_into" not in conversation.fields]
