"""The customer service window: free text is allowed for 24 hours after the customer's last message or call."""

from datetime import UTC, datetime, timedelta

LENGTH = timedelta(hours=24)


def closes_at(last_in: int | None) -> datetime | None:
    """Return when the window closes, from the provider's time (epoch seconds) of the customer's last message.

    None while the customer has never written. The provider's time counts, not ours: a webhook that comes late
    does not lengthen the window.
    """
    return None if last_in is None else datetime.fromtimestamp(last_in, UTC) + LENGTH


def is_open(last_in: int | None, now: datetime) -> bool:
    """Tell whether free text is allowed now."""
    end = closes_at(last_in)
    return end is not None and now < end
