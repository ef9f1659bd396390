"""Who did what: an agent who saw a conversation, sent or noted in it, an admin who exported, erased or set something.

Ids, names of agents, counts and times; never what was written, nor who the customer is. What an agent does again and
again in one conversation is one document for each hour, written blind.
"""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from functions.core.ids import key_of
from functions.core.retention import Policy
from functions.core.store import NOW, Increment, Key, Maximum, Minimum, Write, merge

Often = Literal["saw", "sent", "noted"]
Once = Literal["exported", "erased", "set"]
Act = Often | Once

HOUR = 3600


class Actor(Struct, frozen=True):
    """Who acts: an agent of the CRM, the CRM's server, or an admin at the command line (`cli`)."""

    kind: Literal["agent", "server", "cli"]
    id: str
    name: str | None = None


def hour_of(now: datetime) -> int:
    """Return the hour in which a time lies, in epoch seconds."""
    return int(now.timestamp()) // HOUR * HOUR


def did(
    act: Often,
    by: Actor,
    *,
    account: str,
    connection: str,
    line: str,
    conversation: str,
    now: datetime,
    policy: Policy,
) -> Write:
    """Return the write that says that somebody did this in a conversation, once more in this hour."""
    at, hour = int(now.timestamp()), hour_of(now)
    key = Key("audit", key_of("audit", act, by.kind, by.id, conversation, str(hour)))
    about = {"account": account, "connection": connection, "line": line, "conversation": conversation}
    return merge(
        key,
        {
            **about,
            **_who(by),
            "act": act,
            "first": Minimum(at),
            "at": Maximum(at),
            "count": Increment(1),
            "updated": NOW,
            "expires_at": now + timedelta(days=policy.audit),
        },
    )


def happened(
    act: Once,
    by: Actor,
    *,
    account: str,
    now: datetime,
    policy: Policy,
    connection: str | None = None,
    contact: str | None = None,
    what: str | None = None,
) -> Write:
    """Return the write that says that somebody did this now.

    `what`: which setting, of what; or how much there was. Never a value that is secret or personal.
    """
    at = int(now.timestamp())
    subject = contact or what or ""
    return merge(
        Key("audit", key_of("audit", act, by.kind, by.id, account, subject, str(now.timestamp()))),
        {
            "account": account,
            "connection": connection,
            "contact": contact,
            "what": what,
            **_who(by),
            "act": act,
            "first": at,
            "at": at,
            "count": 1,
            "updated": NOW,
            "expires_at": now + timedelta(days=policy.audit),
        },
    )


def _who(by: Actor) -> dict[str, str | None]:
    return {"actor": by.kind, "agent": by.id, "name": by.name}
