"""HTTP load from a process of its own: signed POSTs, or a page, over so many connections as fast as they are answered.

    python -m bench.load URL SECONDS CONNECTIONS [FILE HEADER]

It writes ready bytes and looks for no more than the end of each answer, which costs a tenth of what an HTTP client's
request does. What is under way at the end is waited for and counts.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import cycle, repeat
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop

_LONGEST = 60.0


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a load: answers per second, and median and 99th percentile of their latency in seconds."""

    requests: int
    rate: float
    p50: float
    p99: float
    bad: int = 0


def load(url: str, *, seconds: float, connections: int, file: Path | None = None, header: str = "") -> Load:
    """POST what stands in a file of `posts`, from the start again when it is through; without one, GET the page.

    Raises RuntimeError when an answer was not 2xx or 3xx, or did not come.
    """
    rest = [str(file), header] if file else []
    command = [sys.executable, "-m", "bench.load", url, str(seconds), str(connections), *rest]
    directory = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=seconds + 2 * _LONGEST)
    if done.returncode:
        raise RuntimeError(f"the load on {url} ended: {done.stderr.strip().splitlines()[-1:]}")
    came = Load(**json.loads(done.stdout))
    if came.bad:
        raise RuntimeError(f"{came.bad} of {came.requests} requests to {url} failed")
    return came


def posts(file: Path, signed: Iterable[tuple[bytes, str]]) -> Path:
    """Write down bodies, each with the value of its header. Returns the file."""
    file.write_text("".join(f"{value}\n{body.decode()}\n" for body, value in signed))
    return file


# What runs in the process of its own.


class _Loader:
    def __init__(self, host: str, port: int, requests: Iterator[bytes], until: float) -> None:
        self.host, self.port, self.requests, self.until = host, port, requests, until
        self.latencies: list[float] = []
        self.bad = 0
        self.ended = 0.0

    async def connection(self) -> None:
        """Use one connection after the other until the time is over."""
        loop = asyncio.get_running_loop()
        while time.perf_counter() < self.until:
            _, one = await loop.create_connection(lambda: _Connection(self), self.host, self.port)
            await one.lost

    def answered(self, started: float, good: bool) -> bool:
        """Note an answer; says whether to go on."""
        self.ended = time.perf_counter()
        self.latencies.append(self.ended - started)
        self.bad += not good
        return self.ended < self.until


class _Connection(asyncio.Protocol):
    def __init__(self, loader: _Loader) -> None:
        self._loader = loader
        self._buffer = b""
        self._started: float | None = None
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        lower = head.lower()
        found = lower.find(b"content-length:")
        if found < 0 or len(body) < int(lower[found + 15 :].partition(b"\r\n")[0]):
            return
        self._answered(head)
        if self._started is None or lower.startswith(b"http/1.0") or b"\r\nconnection: close" in lower:
            self._started = None
            self._transport.close()
        else:
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if self._started is not None:
            # Either the end of the connection is that of the answer, or none came.
            self._answered(self._buffer.partition(b"\r\n\r\n")[0])
        self.lost.set_result(None)

    def _ask(self) -> None:
        self._buffer = b""
        self._started = time.perf_counter()
        self._transport.write(next(self._loader.requests))

    def _answered(self, head: bytes) -> None:
        assert self._started is not None
        if not self._loader.answered(self._started, head[9:10] in (b"2", b"3")):
            self._started = None


async def _run(url: str, seconds: float, connections: int, file: str = "", header: str = "") -> Load:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    requests = cycle(_posts(parts.path, parts.netloc, Path(file), header)) if file else repeat(_page(url))
    started = time.perf_counter()
    loader = _Loader(parts.hostname, parts.port, requests, started + seconds)
    async with asyncio.timeout(seconds + _LONGEST):
        await asyncio.gather(*(loader.connection() for _ in range(connections)))
    percentiles = statistics.quantiles(loader.latencies, n=100, method="inclusive")
    count = len(loader.latencies)
    return Load(count, count / (loader.ended - started), percentiles[49], percentiles[98], loader.bad)


def _page(url: str) -> bytes:
    parts = urlsplit(url)
    return f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()


def _posts(path: str, host: str, file: Path, header: str) -> list[bytes]:
    lines = iter(file.read_text().splitlines())
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    return [
        f"{head}{header}: {value}\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}".encode()
        for value, body in zip(lines, lines, strict=True)
    ]


if __name__ == "__main__":
    _url, _seconds, _connections, *_rest = sys.argv[1:]
    print(json.dumps(asdict(uvloop.run(_run(_url, float(_seconds), int(_connections), *_rest)))))
