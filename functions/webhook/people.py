"""Who the customers of a webhook are: one batched look-up for strangers, none for those seen in the last minute."""

from collections.abc import Iterable, Mapping

from cachetools import TTLCache

from functions.core.conversation import contact_key
from functions.core.identity import Alias, Known, alias_writes, candidates, resolve, stated
from functions.core.store import NOW, Store, Union, Write, merge
from functions.core.whatsapp import Person

_REMEMBERED = 60
_PROFILE_REMEMBERED = 3600
_PEOPLE = 20_000


class People:
    """An instance's memory of people. What it forgets or never knew is in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._aliases: TTLCache[Alias, Known] = TTLCache(_PEOPLE, _REMEMBERED)
        self._profiles: TTLCache[str, Person] = TTLCache(_PEOPLE, _PROFILE_REMEMBERED)

    async def crowd(self, members: Iterable[tuple[str, Person]], *, certain: bool = False) -> "Crowd":
        """Return what is known of these (account, person) pairs; `certain`: by the store alone."""
        wanted: dict[Alias, None] = {}
        known: dict[Alias, Known] = {}
        for account, person in members:
            aliases = candidates(account, person)
            remembered = {alias: self._aliases[alias] for alias in aliases if alias in self._aliases}
            # What was stated must all be remembered: one unknown identity may be the news of this update.
            if certain or not all(alias in remembered for alias in stated(account, person)):
                wanted.update(dict.fromkeys(aliases))
            else:
                known.update(remembered)
        documents = await self._store.get([alias.key for alias in wanted]) if wanted else []
        for alias, document in zip(wanted, documents, strict=True):
            if document is not None:
                known[alias] = Known(document.fields["contact"], document.fields.get("bsuid"))
        return Crowd(known, {} if certain else self._profiles)

    def remember(self, crowd: "Crowd") -> None:
        """Remember what a crowd showed, once its writes are committed."""
        self._aliases.update(crowd.known)
        self._profiles.update(crowd.seen)


class Crowd:
    """The people of one commit. Those that it makes are known to the updates behind."""

    def __init__(self, known: dict[Alias, Known], profiles: Mapping[str, Person]) -> None:
        self.known = known
        self.seen: dict[str, Person] = {}
        self._profiles = profiles

    def contact_of(self, account: str, person: Person) -> tuple[str, list[Write]]:
        """Return whose update this is, and the writes that make or complete the contact.

        Raises `Nameless`.
        """
        resolution = resolve(account, person, self.known)
        writes = alias_writes(resolution)
        for alias in (*resolution.missing, *resolution.learnt):
            self.known[alias] = Known(resolution.contact, resolution.bsuid)
        if (self.seen.get(resolution.contact) or self._profiles.get(resolution.contact)) != person:
            own = [alias for alias in stated(account, person) if self.known[alias].contact == resolution.contact]
            writes.append(_profile_write(account, resolution.contact, person, own))
            self.seen[resolution.contact] = person
        return resolution.contact, writes


def _profile_write(account: str, contact: str, person: Person, aliases: Iterable[Alias]) -> Write:
    """Return the write of what a customer shows of himself. Identities are added, never rewritten.

    `aliases`: those that lead to this contact; a number that was somebody else's before still leads there.
    """
    fields: dict[str, object] = {
        "account": account,
        "aliases": Union(tuple(alias.key.id for alias in aliases)),
        "updated": NOW,
    }
    if person.wa_id:
        fields["wa_ids"] = Union((person.wa_id,))
    if person.bsuid:
        fields["bsuids"] = Union((person.bsuid,))
    fields.update({name: value for name in ("name", "username") if (value := getattr(person, name))})
    return merge(contact_key(contact), fields)
