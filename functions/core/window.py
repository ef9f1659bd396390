"""The customer service window: free text is allowed for 24 hours after the customer's last message or call.

Error 131047 closes it before its time (Meta is right): `closed` is when that was said, until the customer writes again.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from functions.core.store import Maximum

LENGTH = timedelta(hours=24)


def closes_at(last_in: int | None, closed: int | None = None) -> datetime | None:
    """Return when the window closes or closed, from the provider's time of the customer's last message.

    Both in epoch seconds. None while the customer has never written. The provider's time counts, not ours: a webhook
    that comes late does not lengthen the window.
    """
    if last_in is None:
        return None
    end = datetime.fromtimestamp(last_in, UTC) + LENGTH
    return end if closed is None or closed < last_in else min(end, datetime.fromtimestamp(closed, UTC))


def is_open(last_in: int | None, now: datetime, closed: int | None = None) -> bool:
    """Tell whether free text is allowed now."""
    end = closes_at(last_in, closed)
    return end is not None and now < end


def closed_by_meta(at: int) -> dict[str, Any]:
    """Return the changes of a conversation of which Meta said at this time that its window is closed."""
    return {"window_closed": Maximum(at)}
