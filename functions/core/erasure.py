"""Erasing a person: everything that the store, the files and the queues know of them, and the CRM's mirror.

It begins with one commit: the tombstones, and the ways to the person (aliases, conversations) gone. From then on nobody
is led to them, and what still knows an old id is refused. The rest follows piece by piece and may be interrupted: the
contact's own document goes last, and says until then how far it is. Some minutes later it is done once more, for what
was on its way meanwhile.
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
from functions.core.store import NOW, Document, Key, Stale, Write, delete, merge
from functions.core.tasks import Task
from functions.core.whatsapp import Import

log = logging.getLogger(__name__)

_AGAIN = timedelta(minutes=2)
"""Longer than any call takes that was under way when it began."""

_CLOCKS_DIFFER = 5
"""Seconds by which the clocks of two instances may."""

_WRITES = 400
"""How many stand in one commit."""


async def begin(ports: Ports, contact: str, by: Actor) -> str | None:
    """Cut a person off: nobody is led to them any more. Returns the contact to `finish`; None where there is none.

    Raises `Unavailable`. Doing it again is harmless.
    """
    person = await person_of(ports.store, contact)
    if person is None:
        return None
    if "erasing" not in person.contact.fields:
        writes = await _beginning(ports, person, by)
        for start in range(0, len(writes), _WRITES):
            await ports.store.commit(writes[start : start + _WRITES])
    await ports.tasks.enqueue(erase_task(person.contact.key.id, "begun"))
    log.info("erasure begun", extra={"contact": person.contact.key.id, "account": person.account})
    return person.contact.key.id


async def finish(ports: Ports, contact: str) -> Counter[str]:
    """Erase what is left of a person whose erasure has begun; returns how many of each kind went.

    Raises `Unavailable` and `MediaUnavailable`; then it is to be done again.
    """
    person, gone = await person_of(ports.store, contact), Counter[str]()
    if person is None or "erasing" not in person.contact.fields:
        await _once_more(ports, contact, gone)
        return gone
    erasing = person.contact.fields["erasing"]
    identities = [*erasing["identities"]]
    # What was said goes first: looking through all that was put aside may take more than one attempt.
    for conversation in (*erasing["conversations"], *(one.key.id for one in person.conversations)):
        await _conversation(ports, conversation, gone)
    await _scattered(ports, person, identities, gone)
    # Somebody whom an instance remembered may have been led here until the beginning was committed.
    left = [*await belongings.aliases_of(ports.store, person), *person.conversations, *person.contacts[::-1]]
    await _delete(ports, [one.key for one in left])
    await _tell(ports, contact, person.account, erasing, "erased")
    await ports.tasks.enqueue(erase_task(contact, "again", ports.now() + _AGAIN))
    gone["conversations"] = len(erasing["conversations"])
    log.info("erased", extra={"contact": contact, "account": person.account, "count": gone.total()})
    return gone


async def _once_more(ports: Ports, contact: str, gone: Counter[str]) -> None:
    """Erase what was on its way to a person who is erased already, and tell the CRM again."""
    known = await erased_contact(ports.store, contact)
    if known is None or "conversations" not in known:
        return
    for conversation in known["conversations"]:
        await _conversation(ports, conversation, gone)
    for one in known["contacts"]:
        waiting = _until(known["at"], await belongings.waiting_under(ports.store, one))
        late = [*waiting, *await belongings.aliases_to(ports.store, one)]
        await _delete(ports, [document.key for document in late])
    await _delete(
        ports, [*(Key("conversations", one) for one in known["conversations"]), *map(contact_key, known["contacts"])]
    )
    await _tell(ports, contact, known["account"], known, "erased again")


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
    store, now, account, contact = ports.store, ports.now(), person.account, person.contact.key
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
        merge(contact_tombstone_key(contact.id), known),
        merge(
            contact,
            {
                "erasing": {
                    **known,
                    "identities": [alias.key.id for alias in aliases],
                    "begun": True,
                    "since": now.timestamp(),
                },
                "updated": NOW,
            },
        ),
        happened("erased", by, account=account, contact=contact.id, now=now, policy=policy),
        *(delete(one.key) for one in (*found, *person.conversations)),
    ]


async def _connections(ports: Ports, person: Person) -> dict[str, list[str]]:
    """Return the person's conversations by the CRM connection that knows them."""
    directory, found = Directory(ports.store), dict[str, list[str]]()
    for conversation in person.conversations:
        line = await directory.line(conversation.fields["line"])
        connection = line.connection if line else str(conversation.fields["connection"])
        found.setdefault(connection, []).append(conversation.key.id)
    return found


async def _scattered(ports: Ports, person: Person, identities: Sequence[str], gone: Counter[str]) -> None:
    """Erase what lies elsewhere than in the person's conversations."""
    store = ports.store
    since = person.contact.fields["erasing"]["since"]
    erased = int(since)
    for name, documents in (
        ("waiting", _until(erased, await belongings.waiting_for(store, person, identities))),
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


async def _tell(ports: Ports, contact: str, account: str, erased: Mapping[str, Any], cause: str) -> None:
    now = ports.now()
    for connection, conversations in erased["connections"].items():
        told = erased_event(contact, erased["contacts"], conversations, account=account, connection=connection, now=now)
        await ports.store.commit([told])
        await ports.tasks.enqueue(deliver_task(connection, key_of(contact, cause)))
