"""The phone's address book names the contacts. A name that a customer gives himself stands before it.

Who never wrote becomes a contact too, without a conversation, so that the name is there when they do.
"""

import logging
from collections.abc import Sequence
from typing import Any

from functions.core.conversation import contact_key, contact_view
from functions.core.ids import key_of
from functions.core.imports import put_aside
from functions.core.lines import Line
from functions.core.people import People
from functions.core.ports import Ports
from functions.core.store import NOW, Document, Refused, Unavailable, Unstorable, Write, merge
from functions.core.tasks import Task
from functions.core.telling import contact_told
from functions.core.whatsapp import ADDRESS_BOOK, Entry

log = logging.getLogger(__name__)

_RACES = 5


class AddressBook:
    """Takes entries of the address book of a line's phone."""

    def __init__(self, ports: Ports, line: Line) -> None:
        self._ports = ports
        self._line = line

    async def take(self, entries: Sequence[Entry]) -> None:
        """Give contacts their names; of several entries of one person the newest counts. Raises `Unavailable`."""
        newest = {entry.person: entry for entry in sorted(entries, key=lambda one: one.at)}
        for _ in range(_RACES):
            try:
                writes, tasks = await self._step([*newest.values()])
                await self._ports.store.commit(writes)
            except Unstorable:
                await self._apart([*newest.values()])
                return
            except Refused:
                continue  # One of them just wrote.
            for task in tasks:
                await self._ports.tasks.enqueue(task)
            return
        raise Unavailable("lost every race")

    async def _apart(self, entries: Sequence[Entry]) -> None:
        """Find the one among several that can't be stored, and park it."""
        if len(entries) > 1:
            for one in entries:
                await self.take([one])
            return
        reason = "no store takes it"
        log.warning("update parked", extra={"reason": reason, "line": self._line.id})
        aside = put_aside(reason, ADDRESS_BOOK, entries[0].raw, self._line, self._ports.now())
        await self._ports.store.commit(aside)

    async def _step(self, entries: Sequence[Entry]) -> tuple[list[Write], list[Task]]:
        """Return what is to be written, and the tasks that tell the CRM who shows another name then."""
        account, now, store = self._line.account, self._ports.now(), self._ports.store
        crowd = await People(store).crowd([(account, one.person) for one in entries], now, certain=True)
        entries = [entry for entry in entries if entry.at > crowd.erased_at(account, entry.person)]
        people = [crowd.contact_of(account, entry.person, 0) for entry in entries]
        documents = await store.get([contact_key(contact) for contact, _ in people])
        writes: list[Write] = []
        tasks: list[Task] = []
        for entry, (contact, made), there in zip(entries, people, documents, strict=True):
            if there is None and entry.name is None:
                continue  # Taken out of the book, and nobody here.
            book = {"name": entry.name, "at": entry.at}
            if there is not None and not _is_newer(book, there.fields.get("book")):
                continue
            writes += [*made, merge(contact_key(contact), {"book": book, "updated": NOW})]
            if there is not None and _name(there, {}) != _name(there, {"book": book}):
                told, asked = await contact_told(store, contact, key_of("book", str(entry.at)), now)
                writes, tasks = writes + told, tasks + asked
        return writes, tasks


def _is_newer(book: dict[str, Any], there: dict[str, Any] | None) -> bool:
    return there is None or (book["at"], book["name"] or "") > (there["at"], there["name"] or "")


def _name(contact: Document, changes: dict[str, Any]) -> Any:
    return contact_view(Document(contact.key, contact.fields | changes, contact.version))["name"]
