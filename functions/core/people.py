"""Who the customers of a webhook are: one batched look-up for strangers, none for those seen in the last minute."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from functions.core.conversation import contact_key
from functions.core.erased import Erased, times, tombstone_key
from functions.core.identity import Alias, Known, alias_writes, candidates, erased_last, resolve, seen, stated
from functions.core.joining import doubt
from functions.core.memory import Memory
from functions.core.store import NOW, Store, Union, Write, merge, update
from functions.core.whatsapp import Person

_REMEMBERED = 60
_PROFILE_REMEMBERED = 3600
_PEOPLE = 20_000

_Named = tuple[str, str | None, str | None, str | None]
"""An account, and every identity by which an update names a person. One more identity would be news."""


async def whose(store: Store, account: str, person: Person) -> tuple[str | None, int]:
    """Return the contact of someone who is known already (None for a stranger, or for nobody), and when they were
    erased before (epoch seconds; 0 for never)."""
    aliases = candidates(account, person)
    known, gone = await _known(store, aliases)
    erased = erased_last(account, person, known, gone)
    if not any(alias in known for alias in aliases):
        return None, erased
    contact = resolve(account, person, known).contact
    return contact if any(hit.contact == contact for hit in known.values()) else None, erased


def owner_fields(account: str, contact: str | None, person: Person) -> dict[str, Any]:
    """Return what is kept with something that waits, so that it can be handed out and erased with its person.

    Of somebody who is no contact yet, hashes of the identities.
    """
    if contact:
        return {"contact": contact}
    return {"stranger": account, "identities": [alias.key.id for alias in candidates(account, person)]}


async def _known(store: Store, aliases: Sequence[Alias]) -> tuple[dict[Alias, Known], dict[Alias, int]]:
    """Return whom aliases lead to, and when people were erased who were known under them: one look."""
    documents = await store.get([*(alias.key for alias in aliases), *(tombstone_key(alias) for alias in aliases)])
    there, gone = documents[: len(aliases)], documents[len(aliases) :]
    known = {alias: Known.of(document) for alias, document in zip(aliases, there, strict=True) if document is not None}
    return known, times(aliases, gone)


class Met(Struct, frozen=True):
    """Someone who was recognized. `erased`: when they were erased before; what is older is dropped."""

    contact: str
    erased: int = 0


class People:
    """An instance's memory of people. What it forgets or never knew is in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._contacts: Memory[_Named, Met] = Memory(_PEOPLE, _REMEMBERED)
        self._profiles: Memory[str, Person] = Memory(_PEOPLE, _PROFILE_REMEMBERED)

    async def crowd(self, members: Iterable[tuple[str, Person]], now: datetime, *, certain: bool = False) -> "Crowd":
        """Return what is known of these (account, person) pairs; `certain`: by the store alone."""
        contacts: dict[_Named, Met] = {}
        wanted: dict[Alias, None] = {}
        for account, person in members:
            named = _named(account, person)
            if not certain and (contact := self._contacts.get(named)):
                contacts[named] = contact
            else:
                wanted.update(dict.fromkeys(candidates(account, person)))
        known, erased = await _known(self._store, [*wanted]) if wanted else ({}, {})
        return Crowd(contacts, known, erased, Memory(0, 0) if certain else self._profiles, now, certain=certain)

    def forget(self) -> None:
        """Forget everyone: identities may lead to somebody else now."""
        self._contacts = Memory(_PEOPLE, _REMEMBERED)

    def remember(self, crowd: "Crowd") -> None:
        """Remember what a crowd showed, once its writes are committed."""
        for named, met in crowd.contacts.items():
            self._contacts.put(named, met)
        for contact, person in crowd.seen.items():
            self._profiles.put(contact, person)


class Crowd:
    """The people of one commit. Those that it makes are known to the updates behind.

    `contacts` holds who was recognized, `known` the aliases that were looked up for the others. Whoever was recognized
    may be erased before the commit, which must not make them again: it updates what they have or, where that was
    refused before (`certain`), an alias that is theirs.
    """

    def __init__(
        self,
        contacts: dict[_Named, Met],
        known: dict[Alias, Known],
        erased: dict[Alias, int],
        profiles: Memory[str, Person],
        now: datetime,
        *,
        certain: bool,
    ) -> None:
        self._now = now
        self._certain = certain
        self._led_to = {alias: one.contact for alias, one in known.items()}
        self._met = frozenset(self._led_to.values())
        self.contacts = contacts
        self.seen: dict[str, Person] = {}
        self._remembered = frozenset(contacts)
        self._known = known
        self._erased = erased
        self._profiles = profiles

    def contact_of(self, account: str, person: Person, at: int) -> tuple[str, list[Write]]:
        """Return whose update of that time this is, and the writes that make or complete the contact.

        Raises `Nameless`, and `Erased` for what was said before the person was erased.
        """
        if at and at <= self.erased_at(account, person):
            raise Erased
        named = _named(account, person)
        met, writes = self.contacts.get(named), list[Write]()
        if met is None:
            met, writes = self._resolved(account, person, at)
            self.contacts[named] = met
        contact = met.contact
        if (self.seen.get(contact) or self._profiles.get(contact)) != person:
            aliases = self._aliases_of(contact, account, person)
            writes.append(_profile_write(account, contact, person, at, aliases))
            self.seen[contact] = person
        return contact, writes

    def erased_at(self, account: str, person: Person) -> int:
        """Return when a person was erased before (epoch seconds); 0 for never."""
        met = self.contacts.get(_named(account, person))
        return met.erased if met else erased_last(account, person, self._known, self._erased)

    def is_there(self, account: str, person: Person) -> bool:
        """Tell whether what somebody has is only to be updated."""
        named = _named(account, person)
        if self._certain:
            return False
        return named in self._remembered or self.contacts[named].contact in self._met

    def _resolved(self, account: str, person: Person, at: int) -> tuple[Met, list[Write]]:
        resolution = resolve(account, person, self._known, at, self._erased)
        for alias in (*resolution.missing, *resolution.learnt):
            self._known[alias] = Known(resolution.contact, resolution.bsuid, erased=resolution.erased)
        doubts = [
            doubt(account, (resolution.contact, other), "an identity was seen with another BSUID", self._now)
            for other in resolution.doubts
        ]
        writes = self._theirs(resolution.contact, account, person) + alias_writes(resolution) + doubts
        return Met(resolution.contact, resolution.erased), writes

    def _theirs(self, contact: str, account: str, person: Person) -> list[Write]:
        """Return what lets a commit be refused if somebody who was met before is erased meanwhile."""
        theirs = [one for one in candidates(account, person) if self._led_to.get(one) == contact]
        return [update(alias.key, {"account": account}) for alias in theirs] if self._certain else []

    def _aliases_of(self, contact: str, account: str, person: Person) -> list[Alias]:
        """The stated aliases that lead to this contact, as far as they were looked up."""
        return [
            alias for alias in stated(account, person) if (known := self._known.get(alias)) and known.contact == contact
        ]


def _named(account: str, person: Person) -> _Named:
    return account, person.bsuid, person.parent_bsuid, person.wa_id


def _profile_write(account: str, contact: str, person: Person, at: int, aliases: Sequence[Alias]) -> Write:
    """Return the write of what a customer shows of himself at that time. Identities are added, never rewritten.

    `aliases`: those that lead to this contact; a number that was somebody else's before still leads there.
    """
    fields: dict[str, object] = {"account": account, "seen": seen(account, person, at), "updated": NOW}
    if aliases:
        fields["aliases"] = Union(tuple(alias.key.id for alias in aliases))
    if person.wa_id:
        fields["wa_ids"] = Union((person.wa_id,))
    if person.bsuid:
        fields["bsuids"] = Union((person.bsuid,))
    fields.update({name: value for name in ("name", "username") if (value := getattr(person, name))})
    return merge(contact_key(contact), fields)
