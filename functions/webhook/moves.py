"""A customer changed number or user id, by WhatsApp's own word: the conversation stays, under more identities."""

from collections.abc import Mapping
from datetime import datetime

from functions.core.conversation import contact_key
from functions.core.erased import erased_at
from functions.core.identity import Alias, Known, Resolution, alias_writes, candidates, resolve, stated
from functions.core.ids import key_of
from functions.core.joining import doubt, elder_first, join_writes
from functions.core.lines import Line
from functions.core.phone import variants
from functions.core.step import Step
from functions.core.store import NOW, Document, Maximum, Store, Union, Write, merge, update
from functions.core.tasks import Task
from functions.core.telling import contact_told
from functions.core.whatsapp import Message, Person


async def move_step(message: Message, line: Line, store: Store, now: datetime) -> Step:
    """Return what a notice of new identities asks for, once the notice itself is stored. Raises `Nameless`.

    Its commit is refused if somebody of whom it speaks is erased meanwhile; looked at again, it asks for nothing.
    """
    after = message.becomes or Person()
    aliases = [*dict.fromkeys([*candidates(line.account, message.person), *candidates(line.account, after)])]
    documents = dict(zip(aliases, await store.get([alias.key for alias in aliases]), strict=True))
    found = {alias: document for alias, document in documents.items() if document is not None}
    if message.at <= await erased_at(store, line.account, message.person):
        return Step()
    known = {alias: Known.of(one) for alias, one in found.items()}
    contact = resolve(line.account, message.person, known).contact
    writes: list[Write] = []
    tasks: list[Task] = []
    stays, theirs = contact, [update(alias.key, {"account": line.account}) for alias in found]
    others = {
        known[alias].contact: _is_meant(alias, document, after, message.at)
        for alias, document in found.items()
        if alias in candidates(line.account, after) and known[alias].contact != contact
    }
    for other, meant in others.items():
        if meant and len(others) == 1:
            stays, writes, tasks = await _joined(contact, other, store, now)
        else:
            writes.append(doubt(line.account, (contact, other), "a changed number was known before", now))
    told, asked = await contact_told(store, stays, key_of("moved", message.wamid), now)
    numbers = _numbers_changed(line.account, message.person, after, known, message.at)
    learnt = _learnt(stays, line.account, after, known, message.at)
    return Step([*theirs, *writes, *numbers, *learnt, *told], [*tasks, *asked])


def _numbers_changed(account: str, before: Person, after: Person, known: Mapping[Alias, Known], at: int) -> list[Write]:
    """Return what says whose the numbers are from now on: who writes from the old one later is somebody else."""
    if not before.wa_id or not after.wa_id or after.wa_id in variants(before.wa_id):
        return []
    old, new = Alias(account, "wa_id", before.wa_id), Alias(account, "wa_id", after.wa_id)
    writes = [update(old.key, {"left": Maximum(at)})] if old in known else []
    return [*writes, update(new.key, {"back": Maximum(at)})] if new in known else writes


def _learnt(contact: str, account: str, after: Person, known: Mapping[Alias, Known], at: int) -> list[Write]:
    own = stated(account, after)
    missing = tuple(alias for alias in own if alias not in known)
    change = {"at": at, "wa_id": after.wa_id, "bsuid": after.bsuid}
    identities: dict[str, object] = {"account": account, "moves": Union((change,)), "updated": NOW}
    if missing:
        identities["aliases"] = Union(tuple(alias.key.id for alias in missing))
    if after.wa_id:
        identities["wa_ids"] = Union((after.wa_id,))
    if after.bsuid:
        identities["bsuids"] = Union((after.bsuid,))
    # A new number brings a new BSUID: the old one does not speak for it.
    # What is older than an erasure stays out under the new identities too.
    gone = max((one.erased for one in known.values() if one.contact == contact), default=0)
    learnt = Resolution(contact, after.bsuid, missing, erased=gone)
    return [*alias_writes(learnt), merge(contact_key(contact), identities)]


def _is_meant(alias: Alias, document: Document, after: Person, at: int) -> bool:
    """Tell whether whom an identity led to so far is the same person, who was met under it before the notice came.

    A number may have been somebody else's: then it was seen with another BSUID, before the customer moved to it.
    """
    seen_with = document.fields.get("bsuid")
    if alias.kind != "wa_id" or seen_with is None or seen_with == after.bsuid:
        return True
    return after.bsuid is None and int(document.fields["created"].timestamp()) >= at


async def _joined(one: str, other: str, store: Store, now: datetime) -> tuple[str, list[Write], list[Task]]:
    """Return who stays, and what joins the other to them."""
    documents = await store.get([contact_key(one), contact_key(other)])
    contacts = [document for document in documents if document is not None]
    if len(contacts) < 2:
        return one, [], []
    elder, younger = await elder_first(store, contacts)
    return elder.key.id, *await join_writes(store, elder, younger, now)
