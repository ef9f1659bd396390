"""How often something came that this version does not know, by account and day. A normal message counts nothing."""

from datetime import datetime

from functions.core.ids import key_of
from functions.core.store import NOW, Increment, Key, Write, merge


def counted(account: str, what: str, now: datetime) -> Write:
    """Return the write that counts one more. It stands in the commit that creates what is counted."""
    day = now.date().isoformat()
    fields = {"account": account, "what": what, "day": day, "count": Increment(1), "updated": NOW}
    return merge(Key("counts", key_of("count", account, what, day)), fields)
