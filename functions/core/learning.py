"""Identities of somebody to whom a message went: the number that Meta uses for the one that was given, and the BSUID.

Meta's answer to the send names them; where that was lost, the message's statuses do.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.core.identity import Alias, Resolution, alias_writes, stated
from functions.core.joining import doubt
from functions.core.store import NOW, AlreadyExists, Document, Key, NotFound, Store, Union, Write, update
from functions.core.whatsapp import Person

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What Meta shows of a contact that was not known. `bsuid`: the one that is kept with a number."""

    contact: Key
    bsuid: str | None
    aliases: tuple[Alias, ...]

    def writes(self) -> list[Write]:
        """Return the writes that keep all of it; refused where an identity leads to somebody already."""
        return self._writes(self.aliases)

    async def keep_what_is_free(self, store: Store, now: datetime) -> None:
        """Keep each identity by itself: one that leads to somebody else costs the others nothing.

        Whether the two are one, a person is asked.
        """
        for alias in self.aliases:
            try:
                await store.commit(self._writes([alias]))
            except (AlreadyExists, NotFound):
                log.warning("a sent message names an identity that is taken", extra={"contact": self.contact.id})
                await self._ask(store, alias, now)

    async def _ask(self, store: Store, alias: Alias, now: datetime) -> None:
        taken, own = await store.get([alias.key, self.contact])
        # Of who was erased meanwhile nobody is asked.
        if taken is not None and own is not None and taken.fields["contact"] != self.contact.id:
            pair = (self.contact.id, taken.fields["contact"])
            reason = "a sent message names another contact"
            await store.commit([doubt(alias.account, pair, reason, now)])

    def _writes(self, aliases: Sequence[Alias]) -> list[Write]:
        if not aliases:
            return []
        known = {f"{alias.kind}s": Union((alias.value,)) for alias in aliases}
        ids = Union(tuple(alias.key.id for alias in aliases))
        resolution = Resolution(self.contact.id, bsuid=self.bsuid, missing=tuple(aliases))
        return [*alias_writes(resolution), update(self.contact, {**known, "aliases": ids, "updated": NOW})]


def lesson(account: str, recipient: Person, contact: Document) -> Lesson:
    """Return what Meta teaches about the contact to whom a message went."""
    wa_ids, bsuids = contact.fields.get("wa_ids", []), contact.fields.get("bsuids", [])
    person = Person(
        wa_id=recipient.wa_id if recipient.wa_id not in wa_ids else None,
        bsuid=recipient.bsuid if recipient.bsuid not in bsuids else None,
    )
    return Lesson(contact.key, recipient.bsuid or next(reversed(bsuids), None), stated(account, person))
