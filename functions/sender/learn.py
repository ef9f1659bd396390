"""Identities from the answer to a send: the number that Meta uses for the one that was given, and the BSUID."""

import logging

from functions.core.conversation import contact_key
from functions.core.graph import Accepted
from functions.core.identity import Alias, Resolution, alias_writes, stated
from functions.core.store import NOW, AlreadyExists, Document, Union, merge
from functions.core.whatsapp import Person
from functions.sender.desk import Desk

log = logging.getLogger(__name__)


async def learn(desk: Desk, account: str, accepted: Accepted, contact: Document) -> None:
    """Add what an answer shows to the contact. An identity that already leads to somebody is let be."""
    wa_ids, bsuids = contact.fields.get("wa_ids", []), contact.fields.get("bsuids", [])
    person = Person(
        wa_id=accepted.wa_id if accepted.wa_id not in wa_ids else None,
        bsuid=accepted.bsuid if accepted.bsuid not in bsuids else None,
    )
    bsuid = accepted.bsuid or next(reversed(bsuids), None)
    for alias in stated(account, person):
        # Each by itself: what leads to somebody else costs the others nothing.
        await _add(desk, alias, contact.key.id, bsuid)


async def _add(desk: Desk, alias: Alias, contact: str, bsuid: str | None) -> None:
    known = {"aliases": Union((alias.key.id,)), f"{alias.kind}s": Union((alias.value,)), "updated": NOW}
    writes = alias_writes(Resolution(contact, bsuid=bsuid, missing=(alias,)))
    try:
        await desk.ports.store.commit([*writes, merge(contact_key(contact), known)])
    except AlreadyExists:
        log.warning("an answer names an identity that is taken", extra={"contact": contact})
