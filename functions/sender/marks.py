"""Blue ticks and the typing indicator: nothing of it is owed, so that what Meta refuses is let be."""

import logging
from datetime import timedelta

from functions.core.graph import NotSent, Refused, Uncertain
from functions.core.marks import read_task
from functions.core.message import message_key
from functions.core.meta_errors import Decision, meaning
from functions.core.secrets import SealBroken
from functions.core.store import Document, Query
from functions.core.work import Hopeless
from functions.sender.desk import Desk, check_line

log = logging.getLogger(__name__)

_MOST_TRIES = 8
_LOOKED_AT = 20
"""How many messages back the customer's last one is looked for."""


async def mark_read(desk: Desk, line_id: str, message_id: str, tries: int = 0) -> None:
    """Show the customer that this message and those before it were read; later, if Meta can't be reached now.

    Repeating it is harmless.
    """
    [message] = await desk.ports.store.get([message_key(message_id)])
    if message is None:
        return  # It was erased, or its time was over, while this was on its way.
    if "wamid" not in message.fields:
        raise Hopeless("the message has no wamid")
    check_line(message, line_id)
    if not await _marked(desk, line_id, message, typing=False) and tries < _MOST_TRIES:
        at = desk.ports.now() + timedelta(seconds=5 * 2**tries)
        await desk.ports.tasks.enqueue(read_task(line_id, message_id, tries=tries + 1, at=at))


async def show_typing(desk: Desk, line_id: str, conversation: str) -> None:
    """Show the customer that somebody writes, which also marks the last message as read. It is now or never."""
    latest = await desk.ports.store.query(
        Query("messages", {"conversation": conversation}, order="sort", descending=True, limit=_LOOKED_AT)
    )
    received = next((one for one in latest if one.fields["direction"] == "in" and "wamid" in one.fields), None)
    if received is not None:
        check_line(received, line_id)
        await _marked(desk, line_id, received, typing=True)


async def _marked(desk: Desk, line_id: str, message: Document, *, typing: bool) -> bool:
    """Tell Meta; return whether that is done with, one way or the other."""
    line = await desk.existing(line_id)
    try:
        await desk.graph.mark_read(line.phone_number_id, desk.token(line), message.fields["wamid"], typing=typing)
    except Refused as refusal:
        # Over 30 days old, deleted by the customer, or a line that may do nothing at all.
        log.info("Meta did not mark it read", extra={"code": refusal.code, "message_id": message.key.id})
        return meaning(refusal.code, refusal.transient).decision is not Decision.RETRY
    except SealBroken:
        return True
    except (NotSent, Uncertain):
        return False
    return True
