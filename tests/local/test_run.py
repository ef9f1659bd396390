"""What `leadline run` does about an Odoo that ends."""

import asyncio
import re
from pathlib import Path

import pytest

from functions.local import run
from functions.local.failure import SetUpFailed


class Ending:
    """An Odoo that lives for so many seconds, once for each, and then can't be started any more."""

    log_before = Path("odoo.before.log")

    def __init__(self, *lives: int) -> None:
        self.starts = 0
        self._lives = list(lives)
        self._left = self._lives.pop(0)

    @property
    def running(self) -> bool:
        self._left -= 1
        return self._left >= 0

    def start(self) -> None:
        if not self._lives:
            raise SetUpFailed("Port 8069, meant for Odoo, is taken.")
        self._left = self._lives.pop(0)
        self.starts += 1


@pytest.fixture
def pauses(monkeypatch):
    """Let no time pass, and note for how long it should have."""
    noted: list[float] = []

    async def sleep(seconds: float) -> None:
        noted.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return noted


async def kept(odoo):
    said: list[str] = []
    with pytest.raises(SetUpFailed, match="Port 8069"):
        await run.keep_running(odoo, said.append)
    return said


async def test_an_odoo_that_ends_is_started_again_and_one_sentence_says_so(pauses):
    odoo = Ending(5, 3)
    said = await kept(odoo)
    assert odoo.starts == 1
    assert re.fullmatch(r"Odoo ended and starts again in 2 seconds; .+ Why it ended is in odoo\.before\.log\.", said[0])


async def test_one_that_ends_at_once_is_left_longer_and_longer_in_peace(pauses):
    await kept(Ending(*[1] * 12))
    assert [pause for pause in pauses if pause > 1] == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]


async def test_one_that_ran_well_for_long_is_started_at_once(pauses):
    await kept(Ending(1, 1, 301, 1))
    assert [pause for pause in pauses if pause > 1] == [2, 4, 2, 4]
