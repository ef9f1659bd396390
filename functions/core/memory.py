"""What an instance remembers for a while, so that it need not ask the store again."""

import time
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Name = TypeVar("Name", bound=Hashable)
Value = TypeVar("Value")


class Memory(Generic[Name, Value]):
    """At most `size` values, each for so many seconds since it was last put in; the first ones go first.

    Every message asks it several times: cachetools' TTLCache takes ten times the CPU for an answer.
    """

    def __init__(self, size: int, seconds: float) -> None:
        self._size = size
        self._seconds = seconds
        self._kept: OrderedDict[Name, tuple[float, Value]] = OrderedDict()

    def get(self, name: Name) -> Value | None:
        """Return the value; None if it was never put in, or is forgotten."""
        kept = self._kept.get(name)
        return kept[1] if kept and kept[0] > time.monotonic() else None

    def put(self, name: Name, value: Value) -> None:
        """Remember a value from now on."""
        self._kept[name] = (time.monotonic() + self._seconds, value)
        self._kept.move_to_end(name)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)
