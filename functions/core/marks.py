"""Read marks and the typing indicator: what a customer sees of the business without a message.

They have a queue of their own, so that they never stand before a message.
"""

from datetime import datetime

from functions.core.ids import key_of
from functions.core.tasks import Task

TYPING_SECONDS = 20
"""WhatsApp shows the indicator for 25 s at most; asking more often than this is no use."""


def read_task(line: str, message: str, *, tries: int = 0, at: datetime | None = None) -> Task:
    """Return the task that shows the customer blue ticks up to this message. `tries`: how often it was in vain."""
    return Task(
        queue="marks",
        function="sender",
        payload={"kind": "read", "line": line, "message": message, "tries": str(tries)},
        name=key_of("read", message, str(tries)),
        at=at,
    )


def typing_task(line: str, conversation: str, now: datetime) -> Task:
    """Return the task that shows the customer that somebody writes, at most one in each stretch of 20 s."""
    return Task(
        queue="marks",
        function="sender",
        payload={"kind": "typing", "line": line, "conversation": conversation},
        name=key_of("typing", conversation, str(int(now.timestamp()) // TYPING_SECONDS)),
    )
