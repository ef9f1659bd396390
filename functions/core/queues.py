"""The limits of the queues, the same on one machine and in the cloud; `infra/` holds its own to them, by test."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Dispatches per second (and at once after a pause), and how many may be under way."""

    rate: float
    concurrent: int


LIMITS: Mapping[str, Limits] = {
    "send-": Limits(rate=40, concurrent=50),
    "bulk-": Limits(rate=30, concurrent=20),
    "sync-": Limits(rate=500, concurrent=1),
    "marks": Limits(rate=40, concurrent=10),
    "media": Limits(rate=500, concurrent=4),
    "history": Limits(rate=500, concurrent=1),
    "housekeeping": Limits(rate=500, concurrent=1),
}
"""By name, or by the beginning of the name up to its dash.

Sends: Meta takes 80 messages a second of a number by default, in and out together. What goes to many at once (`bulk-`)
has a queue of its own, so that an agent's answer never waits behind a campaign; read marks and typing (`marks`) never
stand in their way either. A CRM gets one batch at a time: a second delivery beside the first would post the same
waiting events again. A rate of 500 is Cloud Tasks' own.
"""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
"""Seconds between two attempts of a task: at first, doubling, and at most."""

DOUBLINGS = 16


def limits_of(queue: str) -> Limits | None:
    """Return the limits of the queue of that name; None where there is no such queue."""
    kind, dash, _ = queue.partition("-")
    return LIMITS.get(kind + dash)


def pause_after(attempts: int) -> float:
    """Return the seconds to wait after so many failed attempts."""
    return min(FIRST_PAUSE * 2.0 ** min(attempts - 1, 32), LONGEST_PAUSE)
