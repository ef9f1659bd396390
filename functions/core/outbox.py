"""The outbox: a conversation's messages that Meta has not accepted yet, in the order in which the API accepted them.

Its document is the send lease. Whoever sends writes it first, on the condition that it has not changed since it was
read, and names the message: a sender that dies leaves behind which message it held, and that one is `unknown`. The same
document keeps how much of Meta's pair limit is spent, so that no other write is needed for it.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from functions.core.ids import key_of
from functions.core.message import Author, again_fields, message_key, outbound_key, settle_from
from functions.core.retention import Policy, keep
from functions.core.status import reached, shown
from functions.core.store import NOW, REMOVE, Document, Key, Query, Write, create, update
from functions.core.tasks import Task

LEASE = timedelta(seconds=180)
"""Longer than an upload and a send may take together, so that a lease only runs out when its holder is dead."""

AFTER_UNKNOWN = timedelta(seconds=30)
"""What stands behind a message with an unknown end waits this long, then goes on."""

PAIR_INTERVAL = timedelta(seconds=6)
PAIR_BURST = 45
"""Meta, "About the platform": one message to a customer every 6 s, 45 of them at once borrowed from the future."""

_BORROWED = (PAIR_BURST - 1) * PAIR_INTERVAL

_TICKS = 2
"""Tasks that come back do so at whole halves of a second, so that those of a conversation meet in one."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """The send lease of a conversation as it was read. `holds`: the message of the last holder, if it never let go.

    `paid_until`: up to when the pair limit is spent, which may lie in the future. `tries`: how often the message in
    front could not be sent so far.
    """

    key: Key
    version: int | None
    busy_until: datetime
    holds: str | None
    paid_until: datetime
    tries: int

    @property
    def free_at(self) -> datetime:
        """When the next message may go."""
        return max(self.busy_until, self.paid_until - _BORROWED)

    def free_after(self, sent: datetime) -> datetime:
        """Return when the pair limit allows another message after one that goes now."""
        return self.paid_after(sent) - _BORROWED

    def paid_after(self, sent: datetime) -> datetime:
        """Return up to when the pair limit is spent after one more message."""
        return max(self.paid_until, sent) + PAIR_INTERVAL


def outbox_key(conversation: str) -> Key:
    return Key("outboxes", conversation)


def outbox_of(conversation: str, document: Document | None) -> Outbox:
    """Return the outbox from its document, which does not exist before the first send."""
    fields = document.fields if document else {}
    return Outbox(
        outbox_key(conversation),
        document.version if document else None,
        datetime.fromtimestamp(fields.get("busy_until", 0), UTC),
        fields.get("holds"),
        datetime.fromtimestamp(fields.get("paid_until", 0), UTC),
        fields.get("tries", 0),
    )


def waiting(conversation: str, limit: int = 1) -> Query:
    """Return the query for the oldest waiting messages of a conversation."""
    return Query("messages", {"conversation": conversation, "waiting": True}, order="queued", limit=limit)


def take(outbox: Outbox, account: str, message: Document, now: datetime) -> list[Write]:
    """Return the writes that take the lease for one message; the commit is refused if another was quicker.

    It is refused as well if the message has changed since it was read: it may have been carried to another outbox.
    """
    fields = {
        "account": account,
        "busy_until": (now + LEASE).timestamp(),
        "holds": message.key.id,
        # Two takers that wrote the same would both succeed: a write that changes nothing leaves the version as it is.
        "taker": uuid.uuid4().hex,
    }
    lease = create(outbox.key, fields) if outbox.version is None else update(outbox.key, fields, version=outbox.version)
    sending = {**reached("sending", int(now.timestamp())), "changed": NOW}
    return [lease, update(message.key, sending, version=message.version)]


def let_go(outbox: Outbox, until: datetime | None = None, *, sent: datetime | None = None, tries: int = 0) -> Write:
    """Return the write that gives the lease back.

    `until`: what waits may not go before. `sent`: when a message may have left, which the pair limit counts.
    """
    fields = {"busy_until": until.timestamp() if until else 0, "holds": REMOVE, "tries": tries}
    paid = {"paid_until": outbox.paid_after(sent).timestamp()} if sent else {}
    return update(outbox.key, {**fields, **paid})


def settled(message: str, fields: dict[str, Any]) -> Write:
    """Return the write that takes a message out of the outbox, with what became of it."""
    return update(message_key(message), {**fields, "waiting": REMOVE, "changed": NOW})


def is_bulk(fields: Mapping[str, Any]) -> bool:
    """Tell whether a message goes to many at once: a template for which nobody pressed send."""
    return fields["type"] == "template" and bool(fields.get("automatic"))


def send_task(line: str, conversation: str, cause: str, at: datetime | None = None, *, bulk: bool = False) -> Task:
    """Return the task that sends the oldest waiting message of a conversation. `bulk`: not before what agents send."""
    return Task(
        queue=f"{'bulk' if bulk else 'send'}-{line}",
        function="sender",
        payload={"kind": "send", "line": line, "conversation": conversation, **({"bulk": "1"} if bulk else {})},
        name=key_of("send", conversation, cause),
        at=at,
    )


def later_task(line: str, conversation: str, at: datetime, now: datetime, *, bulk: bool = False) -> Task:
    """Return the task that sends later; many who wait for the same moment make one.

    Never in this very moment: it would bear the name of the task that asks, and be let be.
    """
    tick = ceil(max(at.timestamp(), now.timestamp() + 1 / _TICKS) * _TICKS)
    return send_task(line, conversation, f"at {tick}", datetime.fromtimestamp(tick / _TICKS, UTC), bulk=bulk)


class NotToSettle(Exception):
    """The message's end is known, or was settled by an agent before."""


class TooEarly(Exception):
    """The message's status may still come; `since` is when an agent may settle it."""

    def __init__(self, since: datetime) -> None:
        super().__init__(since.isoformat())
        self.since = since


def let_be(message: Document, by: Author, now: datetime) -> list[Write]:
    """Return the writes by which an agent lets an unknown message be.

    Raises `NotToSettle` or `TooEarly`; the commit is refused as `Stale` when its status comes meanwhile.
    """
    _check(message, now, ("unknown",))
    return [_settled_by(message, "let_be", by, now)]


def send_again(message: Document, client_id: str, by: Author, now: datetime, policy: Policy) -> list[Write]:
    """Return the writes by which an agent sends an unknown or failed message once more: a new one that names the old.

    Its file is used again. It waits in the outbox like any other and needs its `send_task`. Raises and is refused as
    `let_be` is, and as `AlreadyExists` when this `client_id` was used before.
    """
    _check(message, now, ("unknown", "failed"))
    key = outbound_key(message.fields["conversation"], client_id)
    return [
        create(key, keep(again_fields(message, client_id=client_id, author=by, now=now), policy)),
        _settled_by(message, "sent_again", by, now, again=key.id),
    ]


def _check(message: Document, now: datetime, allowed: tuple[str, ...]) -> None:
    fields = message.fields
    if fields["direction"] != "out" or fields.get("settled") or shown(fields) not in allowed:
        raise NotToSettle
    since = settle_from(fields)
    if since is not None and now < since:
        raise TooEarly(since)


def _settled_by(message: Document, as_: str, by: Author, now: datetime, **more: str) -> Write:
    settled_ = {"as": as_, "by": {"id": by.id, "name": by.name}, "at": int(now.timestamp())}
    return update(message.key, {"settled": settled_, **more, "changed": NOW}, version=message.version)
