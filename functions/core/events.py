"""What a CRM is told: events wait in the store until its add-on has taken them.

An event carries ids; what it says of its subjects is read when it is sent, so that it is never older than the store.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from functions.core.ids import key_of
from functions.core.lines import Line
from functions.core.store import NOW, Key, Query, Write, merge
from functions.core.tasks import Task

Type = Literal[
    "message.received",
    "message.sent",
    "message.changed",
    "message.status",
    "conversation.updated",
    "conversation.merged",
    "template.updated",
    "line.health",
    "contact.updated",
    "contact.erased",
]

KEPT = timedelta(days=8)
"""How long an event waits for a CRM that is down; also how far back a pull can reach."""


def event_key(type_: Type, subject: str, detail: str = "") -> Key:
    """Return the key of an event: the same happening gives the same event however often it is told."""
    return Key("events", key_of("event", type_, subject, detail))


def event(
    type_: Type,
    *,
    account: str,
    connection: str,
    conversation: str,
    now: datetime,
    message: str | None = None,
    detail: str = "",
    what: str | None = None,
) -> Write:
    """Return the write that tells the connection's CRM of a happening.

    `detail` tells happenings of one subject apart, such as a message's statuses; `what` says what of a message changed.
    """
    fields: dict[str, Any] = {
        "account": account,
        "connection": connection,
        "type": type_,
        "conversation": conversation,
        "message": message,
        **({"what": what} if what else {}),
        "pending": True,
        "seq": NOW,
        "expires_at": now + KEPT,
    }
    return merge(event_key(type_, message or conversation, detail), fields)


def status_event(line: Line, conversation: str, message: str, detail: str, now: datetime) -> Write:
    """Return the write that tells a line's CRM what became of a message."""
    return event(
        "message.status",
        account=line.account,
        connection=line.connection,
        conversation=conversation,
        message=message,
        detail=detail,
        now=now,
    )


def template_event(line: str, template: str, *, account: str, connection: str, now: datetime) -> Write:
    """Return the write that tells a line's CRM that an agent sees a template differently now; `template`: our id."""
    about = {"account": account, "connection": connection, "line": line, "template": template}
    return _of_line("template.updated", template, line, about, now)


def health_event(line: Line, detail: str, now: datetime) -> Write:
    """Return the write that tells a line's CRM that it stopped sending, or began again; `detail` tells times apart."""
    about = {"account": line.account, "connection": line.connection, "line": line.id}
    return _of_line("line.health", line.id, detail, about, now)


def erased_event(
    contact: str, contacts: Sequence[str], conversations: Sequence[str], *, account: str, connection: str, now: datetime
) -> Write:
    """Return the write that tells a CRM that a person was erased, and under which ids it knew them."""
    about: dict[str, Any] = {"account": account, "connection": connection}
    about |= {"contacts": list(contacts), "conversations": list(conversations)}
    return _of_line("contact.erased", contact, connection, about, now)


def _of_line(type_: Type, subject: str, detail: str, about: Mapping[str, Any], now: datetime) -> Write:
    """Return the write of an event that has no conversation."""
    fields = {
        **about,
        "type": type_,
        "conversation": None,
        "message": None,
        "pending": True,
        "seq": NOW,
        "expires_at": now + KEPT,
    }
    return merge(event_key(type_, subject, detail), fields)


def told_again(event: str, fields: Mapping[str, Any], cause: str, now: datetime) -> tuple[Write, Task]:
    """Return the write that puts an event back that was taken away, and the task that delivers it."""
    again = {**fields, "pending": True, "seq": NOW, "expires_at": now + KEPT}
    return merge(Key("events", event), again), deliver_task(fields["connection"], f"{cause} {now.timestamp()}")


def deliver_task(connection: str, cause: str) -> Task:
    """Return the task that posts a connection's waiting events. One task takes all that wait, up to a batch.

    `cause` names what made it needed, so that the same cause asks once.
    """
    return Task(
        queue=f"sync-{connection}",
        function="sync",
        payload={"kind": "events", "connection": connection},
        name=key_of("deliver", connection, cause),
    )


def retry_task(connection: str, at: datetime) -> Task:
    """Return the task that asks a CRM again after a pause; all who failed in the same second share it."""
    return Task(
        queue=f"sync-{connection}",
        function="sync",
        payload={"kind": "events", "connection": connection, "retry": "1"},
        name=key_of("retry", connection, str(int(at.timestamp()))),
        at=at,
    )


def waiting(connection: str, limit: int) -> Query:
    """Return the query for a connection's events that its CRM has not taken, oldest first."""
    return Query("events", {"connection": connection, "pending": True}, order="seq", limit=limit)
