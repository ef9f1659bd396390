"""How long an account keeps messages, their files, and who did what. The times stand in the documents themselves.

A message's `expires_at` lets the store take it away by itself; `media.expires` (epoch seconds) tells the sweep when its
file goes, a day before the message could, since nobody would know of the file afterwards.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from functions.core.accounts import account_key
from functions.core.ids import key_of
from functions.core.store import NOW, Document, Write, merge
from functions.core.tasks import Task

LEAST, MOST = 30, 3650
"""Days that an admin may choose. What comes late may come 30 days after its message."""

_DAY = 86400


class Policy(Struct, frozen=True):
    """Days for which each is kept. Files go with their message unless `media` is shorter."""

    messages: int = 730
    media: int | None = None
    audit: int = 730

    @property
    def files(self) -> int:
        """Days for which a message's file is kept."""
        return min(self.media or self.messages, self.messages)


def policy_of(account: Document | None) -> Policy:
    """Return what an account's document says; the defaults where it says nothing."""
    stated = account.fields.get("retention", {}) if account else {}
    return Policy(**{name: days for name, days in stated.items() if name in Policy.__struct_fields__})


def policy_write(account: str, policy: Policy) -> Write:
    """Return the write that states an account's policy."""
    stated = {name: getattr(policy, name) for name in Policy.__struct_fields__}
    return merge(account_key(account), {"retention": stated, "updated": NOW})


def keep(fields: dict[str, Any], policy: Policy) -> dict[str, Any]:
    """Say in a message's fields until when it, and its file, are kept; returns them."""
    fields["expires_at"] = expiry(fields["at"], policy.messages)
    if fields.get("media"):
        fields["media"] = {**fields["media"], "expires": file_expiry(fields["at"], policy)}
    return fields


def expiry(at: float, days: int) -> datetime:
    """Return when something of that time (epoch seconds) is over."""
    return datetime.fromtimestamp(at, UTC) + timedelta(days=days)


def file_expiry(at: float, policy: Policy) -> int:
    """Return when a message's file goes, in epoch seconds."""
    return int(at) + (policy.files - 1) * _DAY


def retention_task(account: str, behind: str, cause: str, at: datetime | None = None) -> Task:
    """Return the task that brings the messages of a line up to its account's policy, some at a time."""
    return Task(
        queue="housekeeping",
        function="sync",
        payload={"kind": "retention", "account": account, "behind": behind},
        name=key_of("retention", account, behind, cause),
        at=at,
    )
