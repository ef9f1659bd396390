"""What an instance remembers, and when it forgets."""

import pytest

from functions.core import memory
from functions.core.memory import Memory


class Hands:
    """A clock that is moved by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    hands = Hands()
    monkeypatch.setattr(memory, "time", hands)
    return hands


def test_what_was_put_in_is_remembered_for_its_seconds_and_no_longer(clock):
    kept = Memory(10, seconds=60)
    kept.put("ana", 1)
    clock.now += 59.9
    assert kept.get("ana") == 1
    clock.now += 0.1
    assert kept.get("ana") is None


def test_putting_it_in_again_begins_anew(clock):
    kept = Memory(10, seconds=60)
    kept.put("ana", 1)
    clock.now += 50
    kept.put("ana", 2)
    clock.now += 50
    assert kept.get("ana") == 2


def test_the_one_put_in_first_makes_room(clock):
    kept = Memory(2, seconds=60)
    kept.put("ana", 1)
    kept.put("lucia", 2)
    kept.put("ana", 3)
    kept.put("mia", 4)
    assert [kept.get(name) for name in ("ana", "lucia", "mia")] == [3, None, 4]


def test_a_memory_without_room_remembers_nothing(clock):
    kept = Memory(0, seconds=60)
    kept.put("ana", 1)
    assert kept.get("ana") is None
