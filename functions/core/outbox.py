"""The outbox: a conversation's messages that Meta has not accepted yet, in the order in which the API accepted them.

Its document is the send lease. Whoever sends writes it first, on the condition that it has not changed since it was
read, and names the message: a sender that dies leaves behind which message it held, and that one is `unknown`.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.core.ids import key_of
from functions.core.message import message_key
from functions.core.status import reached
from functions.core.store import NOW, REMOVE, Document, Key, Query, Write, create, update
from functions.core.tasks import Task

LEASE = timedelta(seconds=180)
"""Longer than an upload and a send may take together, so that a lease only runs out when its holder is dead."""

AFTER_UNKNOWN = timedelta(seconds=30)
"""What stands behind a message with an unknown end waits this long, then goes on."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """The send lease of a conversation as it was read. `holds`: the message of the last holder, if it never let go."""

    key: Key
    version: int | None
    busy_until: datetime
    holds: str | None


def outbox_key(conversation: str) -> Key:
    return Key("outboxes", conversation)


def outbox_of(conversation: str, document: Document | None) -> Outbox:
    """Return the outbox from its document, which does not exist before the first send."""
    fields = document.fields if document else {}
    busy_until = fields.get("busy_until", 0)
    return Outbox(
        outbox_key(conversation),
        document.version if document else None,
        datetime.fromtimestamp(busy_until, UTC),
        fields.get("holds"),
    )


def waiting(conversation: str, limit: int = 1) -> Query:
    """Return the query for the oldest waiting messages of a conversation."""
    return Query("messages", {"conversation": conversation, "waiting": True}, order="queued", limit=limit)


def take(outbox: Outbox, account: str, message: str, now: datetime) -> list[Write]:
    """Return the writes that take the lease for one message; the commit is refused if another was quicker."""
    fields = {
        "account": account,
        "busy_until": (now + LEASE).timestamp(),
        "holds": message,
        # Two takers that wrote the same would both succeed: a write that changes nothing leaves the version as it is.
        "taker": uuid.uuid4().hex,
    }
    lease = create(outbox.key, fields) if outbox.version is None else update(outbox.key, fields, version=outbox.version)
    return [lease, update(message_key(message), {**reached("sending", int(now.timestamp())), "changed": NOW})]


def let_go(outbox_key_: Key, until: datetime | None = None) -> Write:
    """Return the write that gives the lease back; `until`: what waits may not go before."""
    return update(outbox_key_, {"busy_until": until.timestamp() if until else 0, "holds": REMOVE})


def settled(message: str, fields: dict[str, Any]) -> Write:
    """Return the write that takes a message out of the outbox, with what became of it."""
    return update(message_key(message), {**fields, "waiting": REMOVE, "changed": NOW})


def send_task(line: str, conversation: str, cause: str, at: datetime | None = None) -> Task:
    """Return the task that sends the oldest waiting message of a conversation."""
    return Task(
        queue=f"send-{line}",
        function="sender",
        payload={"kind": "send", "line": line, "conversation": conversation},
        name=key_of("send", conversation, cause),
        at=at,
    )
