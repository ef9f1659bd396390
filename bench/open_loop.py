"""HTTP calls made when they are due, whatever became of those before: a server that is late is seen to be late.

A generator that waits for an answer before it asks again slows down with the server and hides what its callers would
feel. Here a call's latency counts from the moment at which it was due, so that what queues up before a connection is
free counts too. Small and without options, since it must take little of the CPU that it measures.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import httptools
import msgspec

NO_ANSWER = 0
"""The status of a call that got none: the connection broke, or its time was over."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call; `seconds` since it was due."""

    status: int
    body: bytes
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether it is one of the 2xx."""
        return 200 <= self.status < 300

    def json(self) -> dict[str, object]:
        """Return the body, which is JSON."""
        return msgspec.json.decode(self.body, type=dict[str, object])


class Server:
    """A server on loopback, called over at most so many connections that are kept open."""

    def __init__(self, port: int, *, connections: int, patience: float = 10.0) -> None:
        self._port = port
        self._patience = patience
        self._free: deque[_Connection] = deque()
        self._places = asyncio.Semaphore(connections)

    async def call(self, request: bytes, due: float | None = None) -> Answer:
        """Make a call now that was due at a moment of `time.perf_counter` (default: now)."""
        due = time.perf_counter() if due is None else due
        async with self._places:
            status, body = await self._answered(request)
        return Answer(status, body, time.perf_counter() - due)

    async def _answered(self, request: bytes) -> tuple[int, bytes]:
        connection = None
        try:
            async with asyncio.timeout(self._patience):
                connection = self._kept() or await self._opened()
                answer = await connection.ask(request)
        except (OSError, TimeoutError):
            if connection:
                connection.close()
            return NO_ANSWER, b""
        if not connection.is_over:
            self._free.append(connection)
        return answer

    def _kept(self) -> "_Connection | None":
        """Return a connection that is still open; servers close those that nobody used for some seconds."""
        while self._free:
            if not (connection := self._free.pop()).is_over:
                return connection
        return None

    async def _opened(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, "127.0.0.1", self._port)
        return connection

    def close(self) -> None:
        """Close what is open."""
        while self._free:
            self._free.pop().close()


def request(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Return an HTTP request as it goes over the wire."""
    lines = {"Host": "127.0.0.1", **headers, "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


async def paced(rate: float, seconds: float, do: Callable[[float], object]) -> None:
    """Do something `rate` times a second for so long, each with the moment at which it was due."""
    began, count = time.perf_counter(), 0
    while count < rate * seconds:
        now = time.perf_counter() - began
        while count <= now * rate and count < rate * seconds:
            do(began + count / rate)
            count += 1
        await asyncio.sleep(max(0.001, count / rate - (time.perf_counter() - began)))


class _Connection(asyncio.Protocol):
    """One connection, one call at a time. What httptools finds in the answer, it calls out here."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[tuple[int, bytes]] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self.is_over = False

    def ask(self, request: bytes) -> asyncio.Future[tuple[int, bytes]]:
        self._waiting = asyncio.get_running_loop().create_future()
        self._body.clear()
        if self.is_over or not self._transport:
            self._waiting.set_exception(ConnectionResetError())
        else:
            self._transport.write(request)
        return self._waiting

    def close(self) -> None:
        self.is_over = True
        if self._transport:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        with suppress(httptools.HttpParserError):
            self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_over = True
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError())

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if not self._parser.should_keep_alive():
            self.is_over = True
        if self._waiting and not self._waiting.done():
            self._waiting.set_result((self._parser.get_status_code(), b"".join(self._body)))
