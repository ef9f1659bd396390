"""Begin a conversation with a template: to a number, a user id, or the person of a conversation on another line.

A number that an agent typed is no identity: only WhatsApp's answer says whose it is. Until then the contact is an
invitation, which the answer completes, so that the customer's reply lands in the same conversation.
"""

from dataclasses import dataclass, field
from typing import Any

from functions.chat.bodies import Start
from functions.chat.callers import Caller
from functions.chat.consent import consent_write
from functions.chat.desk import Desk, Open, line_of, only_servers
from functions.chat.writing import send
from functions.core.conversation import contact_key, conversation_key, grown
from functions.core.erased import erased_at
from functions.core.identity import candidates, erased_suffix
from functions.core.ids import key_of
from functions.core.lines import Line
from functions.core.message import outbound_key
from functions.core.phone import digits, variants
from functions.core.store import NOW, Document, Key, Write, merge
from functions.core.whatsapp import Person


@dataclass(frozen=True, slots=True)
class _Party:
    """With whom a conversation is begun: the contact, and what makes it where there was none."""

    contact: str
    writes: list[Write] = field(default_factory=list)


async def start(desk: Desk, caller: Caller, body: Start) -> tuple[Open, Document, bool]:
    """Begin a conversation, or go on with the one that is there; returns it with its message, and whether that is new.

    A repeated request meets the first one's message. Raises `Problem` as `writing.send` does.
    """
    only_servers(caller)
    line = await line_of(desk, caller, body.line)
    party = await _party(desk, caller, line, body)
    key = conversation_key(line.id, party.contact)
    [there] = await desk.ports.store.get([key])
    begun = [*party.writes]
    if there is None:
        fields: dict[str, Any] = {
            "account": line.account,
            "line": line.id,
            "connection": line.connection,
            "contact": party.contact,
        }
        there = Document(key, fields, 0)
        begun.append(grown(key, **fields))
    if body.consent is not None:
        # On its own: it is true whether or not the template can go.
        said = consent_write(desk, party.contact, line.account, body.consent)
        await desk.ports.store.commit([*party.writes, said])
    message = body.message.model_copy(update={"author": body.author or body.message.author})
    stored, fresh = await send(desk, caller, Open(there, line), message, begun)
    return await desk.open(caller, key.id, "send"), stored, fresh


async def _party(desk: Desk, caller: Caller, line: Line, body: Start) -> _Party:
    to = body.to
    if to.conversation is not None:
        opened = await desk.open(caller, to.conversation, "send")
        return _Party(opened.conversation.fields["contact"])
    person = Person(wa_id=digits(to.phone) if to.phone else None, bsuid=to.bsuid)
    erased = await erased_at(desk.ports.store, line.account, person)
    invited = await _invitation(desk, line, person, erased)
    known = await _known(desk, line, person)
    if invited is not None and known != invited.key.id and await _was_sent(desk, line, invited, body.message.client_id):
        # The first request went to the invitation; the customer wrote before WhatsApp's answer named them.
        return _Party(invited.key.id)
    if known is not None:
        return _Party(known)
    if invited is not None:
        return _Party(invited.key.id)
    return _invited(line, person, body.name, erased)


async def _known(desk: Desk, line: Line, person: Person) -> str | None:
    """Return the contact to whom an identity leads: the number as it was typed first, then its other forms."""
    aliases = await desk.ports.store.get([alias.key for alias in candidates(line.account, person)])
    return next((alias.fields["contact"] for alias in aliases if alias is not None), None)


async def _invitation(desk: Desk, line: Line, person: Person, erased: int) -> Document | None:
    """Return the contact that was made when this person was first written to."""
    [found] = await desk.ports.store.get([_invitation_key(line, person, erased)])
    if found is not None and (older := found.fields.get("merged_into")):
        [found] = await desk.ports.store.get([contact_key(older)])
    return found


async def _was_sent(desk: Desk, line: Line, contact: Document, client_id: str) -> bool:
    conversation = conversation_key(line.id, contact.key.id).id
    [message] = await desk.ports.store.get([outbound_key(conversation, client_id)])
    return message is not None


def _invited(line: Line, person: Person, name: str | None, erased: int) -> _Party:
    key = _invitation_key(line, person, erased)
    fields: dict[str, Any] = {
        "account": line.account,
        "invited": {"wa_id": person.wa_id, "bsuid": person.bsuid},
        "updated": NOW,
        **({"name": name} if name else {}),
    }
    # Merged, not created: of two who invite the same person at once, both are right.
    return _Party(key.id, [merge(key, fields)])


def _invitation_key(line: Line, person: Person, erased: int) -> Key:
    """Return the key under which someone is invited: the same for every living form of a number.

    Whoever was erased (epoch seconds) is another person from then on.
    """
    named = min(variants(person.wa_id)) if person.wa_id else str(person.bsuid)
    return contact_key(key_of("contact", line.account, "invited", named, *erased_suffix(erased)))
