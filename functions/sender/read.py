"""Blue ticks: tell Meta that the business has read up to a customer's message."""

import logging

from functions.core.graph import NotSent, Refused, Uncertain
from functions.core.message import message_key
from functions.core.store import Unavailable
from functions.core.work import Hopeless
from functions.sender.desk import Desk

log = logging.getLogger(__name__)


async def mark_read(desk: Desk, line_id: str, message_id: str) -> None:
    """Show the customer that this message and those before it were read. Repeating it is harmless."""
    access = await desk.access(line_id)
    [message] = await desk.ports.store.get([message_key(message_id)])
    if message is None or "wamid" not in message.fields:
        raise Hopeless("the message is gone")
    try:
        await desk.graph.mark_read(access.line.phone_number_id, access.token, message.fields["wamid"])
    except Refused as refusal:
        # Over 30 days old, or deleted by the customer: nothing is owed.
        log.info("Meta did not mark it read", extra={"code": refusal.code, "message_id": message_id})
    except (NotSent, Uncertain):
        raise Unavailable("Meta can't be reached") from None
