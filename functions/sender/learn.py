"""Identities from the answer to a send: the number that Meta uses for the one that was given, and the BSUID."""

import logging

from functions.core.conversation import contact_key
from functions.core.graph import Accepted
from functions.core.identity import Resolution, alias_writes, stated
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
    aliases = stated(account, person)
    if not aliases:
        return
    identities = {
        "aliases": Union(tuple(alias.key.id for alias in aliases)),
        **({"wa_ids": Union((person.wa_id,))} if person.wa_id else {}),
        **({"bsuids": Union((person.bsuid,))} if person.bsuid else {}),
        "updated": NOW,
    }
    bsuid = accepted.bsuid or next(reversed(bsuids), None)
    resolution = Resolution(contact.key.id, bsuid=bsuid, missing=aliases)
    try:
        await desk.ports.store.commit([*alias_writes(resolution), merge(contact_key(contact.key.id), identities)])
    except AlreadyExists:
        log.warning("an answer names an identity that is taken", extra={"contact": contact.key.id})
