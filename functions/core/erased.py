"""Who was erased, and when: what Meta stamped before that is dropped when it comes again.

A tombstone stands under a hash of each identity and says the time, nothing else of the person. It is read together
with the aliases of somebody who is not known; the alias that a person gets who writes anew keeps the time on, so that a
known customer still costs no read. Whoever begins anew is another contact: nothing that still knows the old one's id
(an instance's memory, a grant, a task) reaches the new one, or brings the old one back.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from functions.core.identity import Alias, candidates
from functions.core.ids import key_of
from functions.core.store import Document, Key, Maximum, Store, Write, merge
from functions.core.whatsapp import Person

KEPT = timedelta(days=200)
"""Longer than the chats reach back that a phone app hands over when it is connected anew (Meta: 180 days)."""


class Erased(Exception):
    """Meta stamped the update before its person was erased, and delivers it again: it is acknowledged and dropped."""


def tombstone_key(alias: Alias) -> Key:
    return Key("erasures", key_of("erased", alias.key.id))


def contact_tombstone_key(contact: str) -> Key:
    """Return the key of what is known of an erased contact: when, and which conversations it had."""
    return Key("erasures", key_of("erased contact", contact))


def tombstones(aliases: Iterable[Alias], account: str, at: int, now: datetime) -> list[Write]:
    """Return the writes that remember of these identities that they were erased at that time (epoch seconds)."""
    fields = {"account": account, "at": Maximum(at), "expires_at": now + KEPT}
    return [merge(tombstone_key(alias), fields) for alias in aliases]


def times(aliases: Sequence[Alias], documents: Sequence[Document | None]) -> dict[Alias, int]:
    """Return when identities were erased, from the documents under their tombstones' keys."""
    return {
        alias: int(found.fields["at"]) for alias, found in zip(aliases, documents, strict=True) if found is not None
    }


async def erased_at(store: Store, account: str, person: Person) -> int:
    """Return when a person was erased last (epoch seconds); 0 for never."""
    aliases = candidates(account, person)
    documents = await store.get([tombstone_key(alias) for alias in aliases])
    return max(times(aliases, documents).values(), default=0)


async def erased_contact(store: Store, contact: str) -> Mapping[str, Any] | None:
    """Return what is known of a contact that was erased; None for one that was not."""
    [found] = await store.get([contact_tombstone_key(contact)])
    return found.fields if found else None
