"""What a CRM says of a conversation: who looks after it, which cards show it, and how it is tagged."""

from functions.chat.bodies import Care
from functions.chat.callers import Caller
from functions.chat.desk import Desk, Open, only_servers
from functions.core.store import NOW, update


async def amend(desk: Desk, caller: Caller, conversation: str, care: Care) -> Open:
    """Set what is named and leave the rest; returns the conversation as it is then. CRM servers only."""
    only_servers(caller)
    opened = await desk.open(caller, conversation, "send")
    said = care.model_dump(exclude_unset=True)
    fields = opened.conversation.fields
    changed = {name: value for name, value in said.items() if fields.get(name) != value}
    if changed:
        await desk.ports.store.commit([update(opened.conversation.key, {**changed, "updated": NOW})])
    return await desk.open(caller, conversation, "read")
