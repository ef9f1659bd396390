"""What is noted of who asks: that an agent saw a conversation, once in an hour and without a read."""

from functions.chat.callers import Caller
from functions.chat.desk import Desk, Open
from functions.core.audit import Actor, Often, did, hour_of
from functions.core.store import Write


def actor(caller: Caller) -> Actor:
    """Return who asks, as the audit trail names them."""
    if caller.conversation is None:
        return Actor("server", caller.agent, caller.name)
    return Actor("agent", caller.agent, caller.name)


async def act(desk: Desk, caller: Caller, opened: Open, what: Often) -> Write:
    """Return the write that says that the caller did this in a conversation."""
    return did(
        what,
        actor(caller),
        account=caller.account,
        connection=caller.connection,
        line=opened.line.id,
        conversation=opened.id,
        now=desk.ports.now(),
        policy=await desk.directory.policy(caller.account),
    )


async def note_seen(desk: Desk, caller: Caller, opened: Open) -> None:
    """Note that the caller was shown a conversation; once for each hour, as far as this instance remembers."""
    name = (caller.agent, opened.id, hour_of(desk.ports.now()))
    if desk.seen.get(name):
        return
    await desk.ports.store.commit([await act(desk, caller, opened, "saw")])
    desk.seen.put(name, True)
