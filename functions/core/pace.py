"""How fast Meta answers, as far as this instance sees: nothing is written for an answer in time."""

import time
from collections.abc import Callable
from typing import Literal

LONGEST_ANSWER = 1.5
"""Seconds after which an answer of the Graph API is slow."""

IN_A_ROW = 3
"""So many slow answers running are a fact of a line's health."""

_SAID_AGAIN = 900
"""Seconds after which one that is still slow is said again: another instance may have found it fast meanwhile."""


class Pace:
    """Counts each number's slow answers in a row. One per instance."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self.timer = timer
        self._slow: dict[str, int] = {}
        self._said: dict[str, float] = {}

    def took(self, number: str, seconds: float) -> None:
        """Note how long an answer for a number took."""
        self._slow[number] = self._slow.get(number, 0) + 1 if seconds > LONGEST_ANSWER else 0

    def news(self, number: str) -> Literal["slow", "ok"] | None:
        """Return what a number's pace has become, once."""
        now = self.timer()
        if self._slow.get(number, 0) >= IN_A_ROW:
            if now - self._said.get(number, float("-inf")) < _SAID_AGAIN:
                return None
            self._said[number] = now
            return "slow"
        if number in self._said and not self._slow.get(number):
            del self._said[number]
            return "ok"
        return None
