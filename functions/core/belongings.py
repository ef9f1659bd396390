"""All that the store holds of a person: found here for whoever hands it out or erases it."""

import base64
import binascii
import json
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from functions.core.conversation import contact_key
from functions.core.erased import erased_at
from functions.core.identity import Alias, erased_suffix
from functions.core.ids import key_of
from functions.core.imports import Kept, import_of, waiting_import
from functions.core.lines import every_line
from functions.core.parked import Incomplete, Item, body_of, items
from functions.core.phone import digits, variants
from functions.core.store import Document, Query, Store
from functions.core.whatsapp import Person as WhatsAppPerson

AT_ONCE = 100
"""How many documents are read, or written, at a time: a message may have a raw item of some size."""

_OF_OURS = ("task", "event")
"""States of what was put aside that hold our own ids, which are an account's."""

_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{16,}")


@dataclass(frozen=True, slots=True)
class Person:
    """A person's contact documents, the elder first, and their conversations."""

    account: str
    contacts: list[Document]
    conversations: list[Document] = field(default_factory=list)

    @property
    def contact(self) -> Document:
        return self.contacts[0]

    @property
    def ids(self) -> list[str]:
        return [contact.key.id for contact in self.contacts]

    @property
    def numbers(self) -> list[str]:
        """Every form of every number under which the person was known, also an invited one."""
        stated = [number for name in ("wa_ids", "invited") for number in self._stated(name, "wa_id")]
        moved = [str(move["wa_id"]) for move in self._all("moves") if move.get("wa_id")]
        return [*dict.fromkeys(form for number in (*stated, *moved) for form in variants(number))]

    @property
    def bsuids(self) -> list[str]:
        stated = [bsuid for name in ("bsuids", "invited") for bsuid in self._stated(name, "bsuid")]
        moved = [str(move["bsuid"]) for move in self._all("moves") if move.get("bsuid")]
        return [*dict.fromkeys((*stated, *moved))]

    @property
    def aliases(self) -> list[Alias]:
        """Every alias by which the person can be found, whether its document exists or not."""
        numbers = [Alias(self.account, "wa_id", number) for number in self.numbers]
        return [*numbers, *(Alias(self.account, "bsuid", bsuid) for bsuid in self.bsuids)]

    def _all(self, name: str) -> Iterable[Any]:
        return (one for contact in self.contacts for one in contact.fields.get(name, ()))

    def _stated(self, name: str, kind: str) -> list[str]:
        if name == "invited":
            found = [contact.fields.get("invited", {}).get(kind) for contact in self.contacts]
        else:
            found = [*self._all(name)]
        return [str(one) for one in found if one]


async def person_of(store: Store, contact: str) -> Person | None:
    """Return a person by any of their contact's ids; None where nobody is known by it."""
    [found] = await store.get([contact_key(contact)])
    for _ in range(5):
        if found is None or not (elder := found.fields.get("merged_into")):
            break
        [found] = await store.get([contact_key(elder)])
    if found is None:
        return None
    younger = await store.get([contact_key(one) for one in found.fields.get("absorbed", ())])
    contacts = [found, *(one for one in younger if one is not None)]
    conversations = [one for each in contacts for one in await conversations_of(store, each.key.id)]
    return Person(str(found.fields["account"]), contacts, conversations)


async def contact_by(store: Store, account: str, identity: str) -> str | None:
    """Return the contact of a number in whichever form, a WhatsApp user id, or a contact's own id."""
    number = digits(identity)
    aliases = [Alias(account, "bsuid", identity), *(Alias(account, "wa_id", form) for form in variants(number))]
    [own, *found] = await store.get([contact_key(identity), *(alias.key for alias in aliases)])
    if own is not None and own.fields["account"] == account:
        return own.key.id
    known = next((str(alias.fields["contact"]) for alias in found if alias is not None), None)
    if known or not number:
        return known
    # Written to by an agent, and WhatsApp has not answered yet.
    gone = await erased_at(store, account, WhatsAppPerson(wa_id=number))
    invited = contact_key(key_of("contact", account, "invited", min(variants(number)), *erased_suffix(gone)))
    [waiting] = await store.get([invited])
    return invited.id if waiting else None


async def conversations_of(store: Store, contact: str) -> list[Document]:
    """Return a contact's conversations."""
    return await _all(store, Query("conversations", {"contact": contact}, order="updated"))


def messages_of(conversation: str, after: tuple[datetime, str] | None = None) -> Query:
    """Return the query for all messages of a conversation, reactions that wait among them."""
    return Query("messages", {"conversation": conversation}, order="changed", after=after, limit=AT_ONCE)


async def aliases_of(store: Store, person: Person) -> list[Document]:
    """Return the documents of a person's identities."""
    return [one for contact in person.ids for one in await aliases_to(store, contact)]


async def aliases_to(store: Store, contact: str) -> list[Document]:
    """Return the documents of the identities that lead to a contact."""
    return await _all(store, Query("aliases", {"contact": contact}, order="created"))


async def waiting_for(store: Store, person: Person, identities: Iterable[str]) -> list[Document]:
    """Return what came before its message: statuses and changes. `identities`: ids of the person's aliases."""
    own = set(identities)
    found = [one for contact in person.ids for one in await waiting_under(store, contact)]
    strangers = [
        *await _all(store, Query("orphan_statuses", {"stranger": person.account}, order="expires_at")),
        *await _all(store, Query("messages", {"stranger": person.account}, order="expires_at")),
    ]
    return found + [one for one in strangers if own.intersection(one.fields["identities"])]


async def waiting_under(store: Store, contact: str) -> list[Document]:
    """Return what came before its message and lies under a contact."""
    statuses = await _all(store, Query("orphan_statuses", {"contact": contact}, order="at"))
    return statuses + await _all(store, Query("messages", {"contact": contact}, order="expires_at"))


async def uploads_of(store: Store, conversation: str) -> list[Document]:
    """Return the files that agents announced for a conversation within the last day."""
    return await _all(store, Query("uploads", {"conversation": conversation}, order="created"))


async def reviews_of(store: Store, person: Person) -> list[Document]:
    """Return the questions whether the person is another one."""
    query = Query("reviews", {"account": person.account}, order="at", descending=True)
    return [one for one in await _all(store, query) if set(person.ids) & set(one.fields["contacts"])]


async def group_messages_of(store: Store, person: Person) -> list[Document]:
    """Return what groups heard of the person, or said of their number."""
    traces = Traces.of(person)
    query = Query("group_messages", {"account": person.account}, order="changed")
    return [one for one in await _all(store, query) if traces.in_text(one.fields["raw"])]


async def put_aside(store: Store, person: Person, *, certainly: bool = False) -> AsyncIterator[tuple[Item, bytes]]:
    """Yield what could not be handled and speaks of the person, with its body, unless it is another account's.

    `certainly`: nor what may be another's, since no line is known for it. A person may write to several accounts.
    """
    owners = {line.id: line.account for line in await every_line(store)}
    shared = set(owners.values()) - {person.account}
    traces = Traces.of(person)
    async for item in items(store):
        owner = owners.get(item.line or "")
        named = owner is not None or item.state in _OF_OURS
        if owner not in (None, person.account) or (certainly and shared and not named):
            continue
        try:
            body = await body_of(store, item)
        except Incomplete:
            continue
        if traces.in_text(body.decode(errors="replace")):
            yield item, body


async def imports_of(store: Store, person: Person) -> list[Kept]:
    """Return what phone apps handed over, speaks of the person, and is not worked off yet."""
    traces = Traces.of(person)
    heads = await _all(store, Query("imports", {"account": person.account, "pending": True}, order="updated"))
    kept = [await waiting_import(store, import_of(head.key)) for head in heads]
    return [one for one in kept if one is not None and traces.in_text(json.dumps(one.value))]


@dataclass(frozen=True, slots=True)
class Traces:
    """What gives a person away in a text that nobody understands: numbers, WhatsApp's user ids, our own ids."""

    needles: frozenset[str]

    @classmethod
    def of(cls, person: Person) -> "Traces":
        ours = (*person.ids, *(one.key.id for one in person.conversations))
        return cls(frozenset((*person.numbers, *person.bsuids, *ours)))

    def in_text(self, text: str) -> bool:
        """Tell whether a text names the person, also within a wamid, which holds the number in base64."""
        return self._named(text) or any(
            self._named(decoded) for run in _ENCODED.findall(text) for decoded in _read(run)
        )

    def in_json(self, value: Any) -> bool:
        """Tell whether a JSON value names the person anywhere."""
        return self.in_text(json.dumps(value))

    def _named(self, text: str) -> bool:
        return any(needle in text for needle in self.needles)


def _read(run: str) -> Iterable[str]:
    """Yield what a run of letters may spell in base64, wherever its first letter stands."""
    plain = run.replace("-", "+").replace("_", "/")
    for start in range(4):
        part = plain[start:]
        with_padding = part[: len(part) // 4 * 4]
        try:
            yield base64.b64decode(with_padding).decode("latin-1")
        except binascii.Error:
            continue


async def everything(store: Store, query: Query) -> AsyncIterator[Document]:
    """Yield everything that a query finds, page by page."""
    while page := await store.query(query):
        for document in page:
            yield document
        if len(page) < query.limit:
            return
        query = replace(query, after=(page[-1].fields[query.order], page[-1].key.id))


async def _all(store: Store, query: Query) -> list[Document]:
    return [document async for document in everything(store, query)]
