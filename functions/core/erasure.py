"""Erasing a person: everything that the store, the files and the queues know of them, and the CRM's mirror.

It begins with one commit: the tombstones, and the ways to the person (aliases, conversations, contacts) gone. From then
on nobody is led to them, and what still knows an old id is refused. The rest follows piece by piece and may be
interrupted: until it is done the contact's tombstone says by what the person was known. Some minutes later it is done
once more, for what was on its way meanwhile.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from functions.core import belongings, parked
from functions.core.audit import Actor, happened
from functions.core.belongings import Person, Traces, person_of
from functions.core.changes import first_of, is_early
from functions.core.conversation import contact_key
from functions.core.erased import KEPT, contact_tombstone_key, erased_contact, tombstones
from functions.core.events import deliver_task, erased_event
from functions.core.identity import Alias
from functions.core.ids import key_of
from functions.core.imports import Kept, done_writes, import_of, import_task, kept
from functions.core.lines import Directory
from functions.core.media import ARRIVING, thumbnail_name
from functions.core.outbox import outbox_key
from functions.core.ports import Ports
from functions.core.store import REMOVE, Document, Key, Stale, Unavailable, Write, delete, merge, update
from functions.core.tasks import Task
from functions.core.whatsapp import Import

log = logging.getLogger(__name__)

_AGAIN = timedelta(minutes=2)
"""Longer than any call takes that was under way when it began."""

_CLOCKS_DIFFER = 5
"""Seconds by which the clocks of two instances may."""

_RACES = 5

_KNOWN_BY = ("wa_ids", "bsuids", "moves", "invited")
"""What a contact's document says of who it is."""

_UNTIL_THE_END = ("begun", "erased", "since", "known_by", "identities")
"""What a tombstone says while an erasure is under way, and no longer."""

_WRITES = 400
"""How many stand in one commit."""


async def begin(ports: Ports, contact: str, by: Actor) -> str | None:
    """Cut a person off: nobody is led to them any more. Returns the contact to `finish`; None where there is none.

    Raises `Unavailable`. Doing it again is harmless.
    """
    for _ in range(_RACES):
        person = await person_of(ports.store, contact)
        if person is None:
            known = await erased_contact(ports.store, contact)
            if known is None or "begun" not in known:
                return None
            break
        contact, writes = person.contact.key.id, await _beginning(ports, person, by)
        try:
            for start in range(0, len(writes), _WRITES):
                await ports.store.commit(writes[start : start + _WRITES])
        except Stale:
            continue  # Somebody has just learnt something of them, or joined them to another.
        log.info("erasure begun", extra={"contact": contact, "account": person.account})
        break
    else:
        raise Unavailable("lost every race")
    await ports.tasks.enqueue(erase_task(contact, "begun"))
    return contact


async def finish(ports: Ports, contact: str) -> Counter[str]:
    """Erase what is left of a person whose erasure has begun; returns how many of each kind went.

    Raises `Unavailable` and `MediaUnavailable`; then it is to be done again.
    """
    known, gone = await erased_contact(ports.store, contact), Counter[str]()
    if known is None or "begun" not in known:
        await _once_more(ports, contact, known, gone)
        return gone
    person = _cut_off(known)
    # Somebody whom an instance remembered may have been led here until the beginning was committed.
    late = [one.key.id for id_ in person.ids for one in await belongings.conversations_of(ports.store, id_)]
    conversations = [*dict.fromkeys((*known["conversations"], *late))]
    # What was said goes first: looking through all that was put aside may take more than one attempt.
    for conversation in conversations:
        await _conversation(ports, conversation, gone)
    await _scattered(ports, person, known, gone)
    aliases = [one.key for one in await belongings.aliases_of(ports.store, person)]
    await _delete(ports, [*aliases, *(Key("conversations", one) for one in conversations), *_contacts(known)])
    await _tell(ports, contact, known, "erased")
    await ports.tasks.enqueue(erase_task(contact, "again", ports.now() + _AGAIN))
    await ports.store.commit([update(contact_tombstone_key(contact), dict.fromkeys(_UNTIL_THE_END, REMOVE))])
    gone["conversations"] = len(known["conversations"])
    log.info("erased", extra={"contact": contact, "account": person.account, "count": gone.total()})
    return gone


async def _once_more(ports: Ports, contact: str, known: Mapping[str, Any] | None, gone: Counter[str]) -> None:
    """Erase what was on its way to a person who is erased already, and tell the CRM again."""
    if known is None or "conversations" not in known:
        return
    for conversation in known["conversations"]:
        await _conversation(ports, conversation, gone)
    for one in known["contacts"]:
        waiting = _until(known["at"], await belongings.waiting_under(ports.store, one))
        late = [*waiting, *await belongings.aliases_to(ports.store, one)]
        await _delete(ports, [document.key for document in late])
    await _delete(ports, [*(Key("conversations", one) for one in known["conversations"]), *_contacts(known)])
    await _tell(ports, contact, known, "erased again")


def erase_task(contact: str, cause: str, at: datetime | None = None) -> Task:
    """Return the task that finishes an erasure; `cause` tells causes apart."""
    return Task(
        queue="housekeeping",
        function="sync",
        payload={"kind": "erase", "contact": contact},
        name=key_of("erase", contact, cause),
        at=at,
    )


async def _beginning(ports: Ports, person: Person, by: Actor) -> list[Write]:
    store, now, account, contact = ports.store, ports.now(), person.account, person.contact.key.id
    found = await belongings.aliases_of(store, person)
    stated = [Alias(account, one.fields["kind"], one.fields["value"]) for one in found]
    aliases = [*dict.fromkeys((*stated, *person.aliases))]
    known = {
        "conversations": [one.key.id for one in person.conversations],
        "contacts": person.ids,
        "connections": await _connections(ports, person),
    }
    policy = await Directory(store).policy(account)
    tombstone = {"account": account, "at": int(now.timestamp()), "expires_at": now + KEPT}
    return [
        *tombstones(aliases, account, int(now.timestamp()), now),
        *(merge(contact_tombstone_key(one), tombstone) for one in person.ids),
        merge(
            contact_tombstone_key(contact),
            {
                **known,
                "begun": True,
                "erased": contact,
                "since": now.timestamp(),
                "identities": [alias.key.id for alias in aliases],
                "known_by": [_known_by(one) for one in person.contacts],
            },
        ),
        happened("erased", by, account=account, contact=contact, now=now, policy=policy),
        *(delete(one.key) for one in (*found, *person.conversations)),
        # With their documents goes what could lead somebody here by an id that is still remembered.
        *(delete(one.key, version=one.version) for one in person.contacts),
    ]


def _known_by(contact: Document) -> dict[str, Any]:
    return {name: contact.fields[name] for name in _KNOWN_BY if name in contact.fields}


def _cut_off(known: Mapping[str, Any]) -> Person:
    """Return a person whose erasure has begun as they were known, from their contact's tombstone."""
    contacts = [
        Document(contact_key(id_), {"account": known["account"], **known_by}, 0)
        for id_, known_by in zip(known["contacts"], known["known_by"], strict=True)
    ]
    conversations = [Document(Key("conversations", id_), {}, 0) for id_ in known["conversations"]]
    return Person(known["account"], contacts, conversations)


def _contacts(known: Mapping[str, Any]) -> list[Key]:
    return [contact_key(one) for one in known["contacts"]]


async def _connections(ports: Ports, person: Person) -> dict[str, list[str]]:
    """Return the person's conversations by the CRM connection that knows them."""
    directory, found = Directory(ports.store), dict[str, list[str]]()
    for conversation in person.conversations:
        line = await directory.line(conversation.fields["line"])
        connection = line.connection if line else str(conversation.fields["connection"])
        found.setdefault(connection, []).append(conversation.key.id)
    return found


async def _scattered(ports: Ports, person: Person, known: Mapping[str, Any], gone: Counter[str]) -> None:
    """Erase what lies elsewhere than in the person's conversations."""
    store, since = ports.store, known["since"]
    erased = int(since)
    for name, documents in (
        ("waiting", _until(erased, await belongings.waiting_for(store, person, known["identities"]))),
        ("reviews", await belongings.reviews_of(store, person)),
        ("group messages", _until(erased, await belongings.group_messages_of(store, person))),
    ):
        await _delete(ports, [one.key for one in documents])
        gone[name] += len(documents)
    found = [item async for item, _ in belongings.put_aside(store, person)]
    for item in found:
        # What nobody understands has no time of its own: it may be of who has come back.
        if (item.expires_at - parked.KEPT).timestamp() > since + _CLOCKS_DIFFER:
            continue
        # One that was put aside once more meanwhile is erased the next time.
        with suppress(Stale):
            await store.commit(parked.removal(item))
            gone["put aside"] += 1
    for one in await belongings.imports_of(store, person):
        await _reduce(ports, one, Traces.of(person))
        gone["imports"] += 1


def _until(erased: int, documents: Sequence[Document]) -> list[Document]:
    """Return what was said before the erasure: whoever has come back meanwhile says what comes after it."""
    return [one for one in documents if _said(one) <= erased]


def _said(document: Document) -> int:
    return first_of(document.fields) if is_early(document) else int(document.fields["at"])


async def _reduce(ports: Ports, given: Kept, traces: Traces) -> None:
    """Go on with an import that says nothing of the person: another one, since this one's tasks count its places."""
    line = await Directory(ports.store).line(given.line)
    if line is None:
        await ports.store.commit(done_writes(given))
        return
    key, writes = kept(Import(line.phone_number_id, given.kind, _without(given.value, traces)), line, ports.now())
    await ports.store.commit([*writes, *done_writes(given)])
    await ports.tasks.enqueue(import_task(import_of(key)))


def _without(value: Any, traces: Traces) -> Any:
    """Return a JSON value without the list items that name somebody."""
    if isinstance(value, dict):
        return {name: _without(each, traces) for name, each in value.items()}
    if isinstance(value, list):
        return [each for each in (_without(each, traces) for each in value) if not traces.in_json(each)]
    return value


async def _conversation(ports: Ports, conversation: str, gone: Counter[str]) -> None:
    """Erase what a conversation holds: files first, since only its documents name them."""
    for upload in await belongings.uploads_of(ports.store, conversation):
        account = upload.fields["account"]
        await _delete_files(ports, f"{ARRIVING}/{upload.key.id}", f"{account}/{upload.key.id}")
        await _delete(ports, [upload.key])
    while found := await ports.store.query(belongings.messages_of(conversation)):
        for message in found:
            if await _delete_file_of(ports, message):
                gone["files"] += 1
        await _delete(ports, [one.key for one in found])
        gone["messages"] += len(found)
    await _delete(ports, [outbox_key(conversation)])


async def _delete_file_of(ports: Ports, message: Document) -> bool:
    media = message.fields.get("media")
    if not media:
        return False
    # One that is being fetched lies under the message's name before the message says so.
    name = media.get("file") or f"{message.fields['account']}/{message.key.id}"
    await _delete_files(ports, name)
    return "file" in media


async def _delete_files(ports: Ports, *names: str) -> None:
    for name in names:
        await ports.media.delete(name)
        await ports.media.delete(thumbnail_name(name))


async def _delete(ports: Ports, keys: Sequence[Key]) -> None:
    for start in range(0, len(keys), _WRITES):
        await ports.store.commit([delete(key) for key in keys[start : start + _WRITES]])


async def _tell(ports: Ports, contact: str, known: Mapping[str, Any], cause: str) -> None:
    account, contacts, now = known["account"], known["contacts"], ports.now()
    for connection, conversations in known["connections"].items():
        told = erased_event(contact, contacts, conversations, account=account, connection=connection, now=now)
        await ports.store.commit([told])
        await ports.tasks.enqueue(deliver_task(connection, key_of(contact, cause)))
