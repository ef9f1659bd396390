"""What a message needs from elsewhere to be sent: its contact, and the message that it names."""

from dataclasses import dataclass

from functions.core.conversation import contact_key
from functions.core.message import message_key
from functions.core.store import Document, Store


@dataclass(frozen=True, slots=True)
class Around:
    """`contact`: None when it was erased; `named`: the message that is quoted, or reacted to."""

    contact: Document | None
    named: Document | None


async def around(store: Store, message: Document, conversation: Document | None) -> Around:
    """Read what a message of this conversation needs."""
    if conversation is None:
        return Around(None, None)
    fields = message.fields
    named_id = fields.get("target") or (fields.get("context") or {}).get("message_id")
    keys = [contact_key(conversation.fields["contact"]), *([message_key(named_id)] if named_id else [])]
    contact, *named = await store.get(keys)
    # A wamid of somebody else's conversation, which holds their number, must not leave through this one.
    own = (one for one in named if one and one.fields.get("conversation") == conversation.key.id)
    return Around(contact, next(own, None))
