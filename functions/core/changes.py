"""What happens to a message after it was said: reactions, edits, revocations.

They come in any order, more than once, and before the message itself. All of them end in the same document: of
reactions the newest per reactor stands, of contents the newest edit, and what was there before is kept in `before`.
What comes before its message is kept in a document of the message's own name that has no type yet (`is_early`), as
long as Meta may still deliver the message.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from functions.core.conversation import active
from functions.core.erased import Erased
from functions.core.events import deliver_task, event
from functions.core.ids import key_of
from functions.core.lines import Line
from functions.core.message import inbound_key, message_of_wamid, revised_content, wamid_key
from functions.core.people import owner_fields, whose
from functions.core.step import Step
from functions.core.store import NOW, REMOVE, Document, Key, Store, Write, create, update
from functions.core.whatsapp import CUSTOMER, Change, Edit, Reaction, Revocation

WHAT = {Reaction: "reaction", Edit: "edited", Revocation: "revoked"}
"""What the CRM is told has changed."""

AWAITED = timedelta(days=30)
"""As long as Meta may still deliver a message (Meta, "Send messages": time to live)."""


BUSINESS = "business"
"""Who reacted, if it was an agent; the business's phone app has its own name."""


def is_early(document: Document | None) -> bool:
    """Tell whether a document holds only what came before its message."""
    return document is not None and document.key.collection == "messages" and "type" not in document.fields


async def change_step(change: Change, line: Line, store: Store, now: datetime, *, told: bool = True) -> Step:
    """Return what a change asks for: it is written on the message that it names, at that one's version.

    One that comes before its message is kept under the message's own name; whichever is stored second finds the other.
    `told`: the CRM hears of it. Raises `Erased`.
    """
    key = inbound_key(line.id, change.target)
    [there] = await store.get([key])
    message = there if there and not is_early(there) else await message_of_wamid(store, line.id, change.target)
    if message is None:
        contact, erased = await whose(store, line.account, change.person)
        if change.at <= erased:
            raise Erased
        return Step(writes=_kept(change, line, key, there, contact, now), awaited=change.target)
    fields = changed(message.fields, change)
    if fields is None:
        return Step()
    happened = event(
        "message.changed",
        account=line.account,
        connection=line.connection,
        conversation=message.fields["conversation"],
        message=message.key.id,
        detail=WHAT[type(change)],
        what=WHAT[type(change)],
        now=now,
    )
    writes = [update(message.key, fields, version=message.version), *_activity(change, message)]
    if not told:
        return Step(writes)
    return Step([*writes, happened], [deliver_task(line.connection, key_of(message.key.id, change.wamid))])


def _kept(
    change: Change, line: Line, key: Key, early: Document | None, contact: str | None, now: datetime
) -> list[Write]:
    fields = changed(early.fields if early else {}, change)
    if fields is None:
        return []
    fields |= owner_fields(line.account, contact, change.person)
    if early is not None:
        return [update(key, fields, version=early.version)]
    return [create(key, {"account": line.account, "line": line.id, "expires_at": now + AWAITED, **fields})]


def _activity(change: Change, message: Document) -> list[Write]:
    """A customer who reacts is there, though it opens no window."""
    if not isinstance(change, Reaction) or change.by != CUSTOMER:
        return []
    conversation = Key("conversations", message.fields["conversation"])
    return [update(conversation, active(change.at))]


def changed(fields: Mapping[str, Any], change: Change) -> dict[str, Any] | None:
    """Return the fields to merge into a message (or into nothing, before it came); None if nothing changes."""
    match change:
        case Reaction():
            return _reacted(fields, change)
        case Edit():
            return _edited(fields, change)
        case Revocation():
            return _revoked(fields, change)


def first_of(early: Mapping[str, Any]) -> int:
    """Return when the first of the changes was made that wait for their message (epoch seconds)."""
    revoked = [early["revoked"]] if "revoked" in early else []
    others = [one["at"] for one in (*early.get("before", ()), *early.get("reactions", {}).values())]
    return int(min(revoked + others, default=0))


def filled(message: Mapping[str, Any], early: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a message that is written where its early changes are kept."""
    own = {"expires_at": message["expires_at"], "contact": REMOVE, "stranger": REMOVE, "identities": REMOVE}
    return {**message, **_joined(message, early, {}), **own}


def completed(stored: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a message that is told once more adds to the stored one: what it says, where that was not known.

    A chat of the past names a picture before it shows it, and a companion device may withhold what the history has.
    """
    known = stored["type"] != "unsupported" or stored.get("edited") is not None or stored.get("revoked") is not None
    if known or fields["type"] == "unsupported":
        return {}
    shown = {name: fields[name] for name in ("type", "raw", "media") if name in fields}
    content = _in_place_of(stored["content"], fields["content"])
    return {**shown, "content": content, "error": REMOVE, "changed": NOW}


def joined(message: Mapping[str, Any], early: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields to merge into a message that is stored, for changes that were kept elsewhere."""
    return {**_joined(message, early, message["content"]), "changed": NOW}


def is_past(document: Document | None) -> bool:
    """Tell whether a document holds a message that only the history told of so far."""
    return document is not None and bool(document.fields.get("history"))


def _joined(message: Mapping[str, Any], early: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    reactions = dict(message.get("reactions", {}))
    for by, reaction in early.get("reactions", {}).items():
        reactions[by] = max(reaction, reactions.get(by, reaction), key=_age)
    revoked = min((at for at in (message.get("revoked"), early.get("revoked")) if at is not None), default=None)
    revisions = {one["id"]: one for one in (*_revisions(message), *early.get("before", ()))}
    return {
        **_standing([*revisions.values()], revoked, shown),
        **({"reactions": reactions} if reactions else {}),
        **({"revoked": revoked} if revoked is not None else {}),
    }


def _age(reaction: Mapping[str, Any]) -> tuple[int, str]:
    return reaction["at"], reaction["id"]


def last_reaction(fields: Mapping[str, Any]) -> int:
    """Return when the customer last reacted to a message (epoch seconds, 0 for never)."""
    return int(fields.get("reactions", {}).get(CUSTOMER, {}).get("at", 0))


def _reacted(fields: Mapping[str, Any], reaction: Reaction) -> dict[str, Any] | None:
    before = fields.get("reactions", {}).get(reaction.by)
    one = {
        "emoji": reaction.emoji,
        "name": reaction.person.name if reaction.by == CUSTOMER else None,
        "at": reaction.at,
        "id": wamid_key(reaction.wamid),
    }
    if before and _age(before) >= _age(one):
        return None
    return {"reactions": {reaction.by: one}, "changed": NOW}


def reaction_ended(
    reaction: Document, target: Document | None, status: str, error: Mapping[str, Any] | None
) -> list[Write]:
    """Return the writes by which the end of a reaction of ours shows on its message.

    None if that is gone, or shows a later reaction.
    """
    if reaction.fields["type"] != "reaction" or target is None:
        return []
    standing = target.fields.get("reactions", {}).get(BUSINESS, {})
    if standing.get("id") != reaction.key.id:
        return []
    ended: dict[str, Any] = {"status": status, "error": None if error is None else dict(error)}
    if status == "failed" and standing.get("stood"):
        ended["emoji"] = standing["stood"]
    return [update(target.key, {"reactions": {BUSINESS: ended}, "changed": NOW})]


def _edited(fields: Mapping[str, Any], edit: Edit) -> dict[str, Any] | None:
    revision = {"id": wamid_key(edit.wamid), "at": edit.at, "content": revised_content(edit.type, edit.content)}
    revisions = _revisions(fields)
    if any(known["id"] == revision["id"] for known in revisions):
        return None
    if "type" not in fields:
        return {"before": sorted([*revisions, revision], key=_place), "changed": NOW}
    return _standing([*revisions, revision], fields.get("revoked"), fields["content"]) | {"changed": NOW}


def _revoked(fields: Mapping[str, Any], revocation: Revocation) -> dict[str, Any] | None:
    if fields.get("revoked") is not None and fields["revoked"] <= revocation.at:
        return None
    shown = _standing(_revisions(fields), revocation.at, fields["content"]) if "type" in fields else {}
    return {**shown, "revoked": revocation.at, "changed": NOW}


def _revisions(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return all contents that a message has had, as far as they are known."""
    before = list(fields.get("before", ()))
    if "type" not in fields or fields.get("revoked") is not None:
        return before
    return [*before, _first(fields)]


def _first(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content that a message shows; one that was never edited shows its first, which has no id."""
    edited = fields.get("edited")
    return {"id": fields.get("edit") or "", "at": edited or fields["at"], "content": fields["content"]}


def _standing(revisions: list[dict[str, Any]], revoked: int | None, shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields by which a message shows the last of its contents, or none after it was revoked."""
    *before, last = sorted(revisions, key=_place)
    edited = {"edited": last["at"], "edit": last["id"]} if last["id"] else {}
    if revoked is not None:
        return {"content": {}, "before": [*before, last], **edited}
    content = _in_place_of(shown, last["content"])
    return {"content": content, **({"before": before} if before else {}), **edited}


def _place(revision: Mapping[str, Any]) -> tuple[bool, int, str]:
    return bool(revision["id"]), revision["at"], revision["id"]


def _in_place_of(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return a map that, merged into the old one, leaves the new one."""
    gone: dict[str, Any] = dict.fromkeys(old.keys() - new.keys(), REMOVE)
    both = {
        name: _in_place_of(old[name], value) if isinstance(value, dict) and isinstance(old.get(name), dict) else value
        for name, value in new.items()
    }
    return gone | both
