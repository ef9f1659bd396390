"""What `leadline run` does about an Odoo that ends, and about a connection that nobody uses for a while."""

import asyncio
import re
from pathlib import Path

import pytest
from starlette.responses import Response

from functions.local import run
from functions.local.failure import SetUpFailed
from tests.google.process import free_port


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


async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Ask over an open connection, and tell whether there came an answer."""
    writer.write(b"GET / HTTP/1.1\r\nHost: leadline\r\n\r\n")
    return (await reader.read(1000)).startswith(b"HTTP/1.1 204")


async def test_a_connection_that_a_tab_or_a_proxy_keeps_for_two_minutes_is_still_answered(monkeypatch):
    port, loop = free_port(), asyncio.get_running_loop()
    server = run.Server(Response(status_code=204), port)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await answered(reader, writer)
    now = loop.time
    monkeypatch.setattr(loop, "time", lambda: now() + 120)
    await asyncio.sleep(0)
    assert await answered(reader, writer)
    server.should_exit = True
    await serving
    assert await reader.read() == b""
