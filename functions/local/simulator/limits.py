"""How much a business may send: the 24 h window and Meta's two rates.

Source: Meta, "About the platform" (pair rate), "Throughput" and "Send messages" (customer service window).
"""

from collections.abc import Hashable

WINDOW = 24 * 3600
"""Seconds a customer's message keeps the window open."""

REMEMBERED = 30 * 24 * 3600
"""Seconds for which a message can be reacted to or marked as read."""


class Allowance:
    """A bucket of `burst` messages per key that refills with `per_second`, starting full."""

    def __init__(self, burst: int, per_second: float) -> None:
        self._interval = 1 / per_second
        self._slack = (burst - 1) * self._interval
        self._paid_until: dict[Hashable, float] = {}

    def allows(self, key: Hashable, now: float) -> bool:
        """Say whether one more would pass."""
        # A millisecond of tolerance: at today's epoch seconds, intervals such as 1/80 s don't add up exactly.
        return self._paid_until.get(key, now) - now <= self._slack + 1e-3

    def take(self, key: Hashable, now: float) -> None:
        """Count one message."""
        self._paid_until[key] = max(self._paid_until.get(key, now), now) + self._interval


def pair_allowance() -> Allowance:
    """Return the rate of one line to one customer: 1 per 6 s, 45 of them at once borrowed from the future."""
    return Allowance(burst=45, per_second=1 / 6)


def throughput_allowance() -> Allowance:
    """Return the rate of one line, both directions together: 80 messages per second."""
    return Allowance(burst=80, per_second=80)
