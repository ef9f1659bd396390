"""200,000 messages through each function in a process of its own: what it holds after the first quarter and the last.

    python -m bench.memory [--messages 200000] [--write]

Each process has the real function and the embedded store, and is called as its server calls it, without a socket in
between. More customers and conversations take turns than an instance remembers, so that its memory is full early.
"""

import argparse
import asyncio
import itertools
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jwt
import uvloop
from msgspec import json
from starlette.types import ASGIApp

from bench.idle.ports import IdleTasks
from bench.peers.home import FOLDER, PROJECT
from bench.table import Progress, aloud, run
from bench.texts import SENTENCE
from functions.chat.app import create as create_chat
from functions.core.events import event
from functions.core.http import asgi
from functions.core.message import Author, outbound_fields, outbound_key
from functions.core.ports import Ports, utc_now
from functions.core.secrets import derive
from functions.core.signature import sign_meta
from functions.core.store import Query, create
from functions.local.file_media import FileMedia
from functions.local.sqlite_store import SqliteStore
from functions.sender.app import create as create_sender
from functions.sync.app import create as create_sync
from functions.webhook.app import create as create_webhook
from tests.payloads import Customer, inbound_text, webhook
from tests.rig import ACCOUNT, APP_SECRET, CONNECTION, LINE, Rig

_PEOPLE = 25_000
"""Customers of the webhook: an instance remembers 20,000."""

_CHATS = 12_000
"""Conversations of the others: an instance remembers who saw 10,000 lately."""

_AT_ONCE = 32
_QUARTERS = 4
_ALLOWED = 0.05


class Process:
    """What runs in a process of its own: a function, and its callers."""

    def __init__(self, folder: Path) -> None:
        # Only for its settings, its keys and the documents of a line.
        self.rig = Rig(folder)
        self.store = SqliteStore(folder / "store.db")
        media = FileMedia(folder / "media", "http://leadline.test/media", b"media-key")
        self.ports = Ports(self.rig.settings, self.store, IdleTasks(), media, utc_now)
        self.webhook = asgi(create_webhook(self.ports))
        self._wamids = itertools.count(1)

    async def receive(self, number: int, people: int) -> None:
        """Let a customer write."""
        person = Customer(f"4915{number % people:09}", f"DE.{number % people:020}", "A customer")
        body = webhook(inbound_text(person, SENTENCE, wamid=f"wamid.HBgN{next(self._wamids):020}"))
        await called(self.webhook, "POST", "/", {"x-hub-signature-256": sign_meta(body, APP_SECRET)}, body)

    async def chats(self) -> list[str]:
        """Let conversations be there; returns their ids."""
        await _all(_CHATS, lambda number: self.receive(number, _CHATS))
        ids, after = list[str](), None
        while found := await self.store.query(
            Query("conversations", {"line": LINE}, order="updated", descending=True, after=after, limit=500)
        ):
            ids += [one.key.id for one in found]
            after = (found[-1].fields["updated"], found[-1].key.id)
        return ids


Step = Callable[[int], Coroutine[Any, Any, None]]


async def through_webhook(process: Process) -> Step:
    """Return what takes one message in."""
    return lambda number: process.receive(number, _PEOPLE)


async def through_chat(process: Process) -> Step:
    """Return what lets an agent send one message, and now and then read the newest page."""
    chats, app = await process.chats(), asgi(create_chat(process.ports))
    key = derive(process.rig.secret, "grants")

    async def step(number: int) -> None:
        conversation = chats[number % len(chats)]
        headers = {"authorization": f"Bearer {_grant(key, conversation)}", "content-type": "application/json"}
        text = {"client_id": f"client-{number:08}", "type": "text", "text": {"body": SENTENCE}}
        path = f"/v1/conversations/{conversation}/messages"
        await called(app, "POST", path, headers, json.encode(text))
        if number % 10 == 0:
            await called(app, "GET", path, headers)

    return step


async def through_sender(process: Process) -> Step:
    """Return what sends one message that waits."""
    chats = await process.chats()
    graph = httpx.AsyncClient(transport=httpx.MockTransport(_accept))
    app = asgi(create_sender(process.ports, graph))

    async def step(number: int) -> None:
        conversation = chats[number % len(chats)]
        key = outbound_key(conversation, f"client-{number:08}")
        await process.store.commit([create(key, _waiting(conversation, number))])
        payload = {"kind": "send", "line": LINE, "conversation": conversation}
        await called(app, "POST", "/", {}, json.encode(payload))

    return step


async def through_sync(process: Process) -> Step:
    """Return what tells a CRM of one message, a hundred at a time."""
    chats = await process.chats()
    crm = httpx.AsyncClient(transport=httpx.MockTransport(_take))
    app = asgi(create_sync(process.ports, crm))

    async def step(number: int) -> None:
        about = {"account": ACCOUNT, "connection": CONNECTION, "conversation": chats[number % len(chats)]}
        told = event("conversation.updated", **about, detail=str(number), now=utc_now())
        await process.store.commit([told])
        if number % 100 == 99:
            await called(app, "POST", "/", {}, json.encode({"kind": "events", "connection": CONNECTION}))

    return step


_FUNCTIONS: Mapping[str, Callable[[Process], Coroutine[Any, Any, Step]]] = {
    "webhook": through_webhook,
    "chat": through_chat,
    "sender": through_sender,
    "sync": through_sync,
}


async def called(app: ASGIApp, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> None:
    """Call a function as its server does, again after a 503. Raises RuntimeError for any other answer but 2xx."""
    while (status := await _answered(app, method, path, headers, body)) == 503:
        await asyncio.sleep(1)
    if status >= 300:
        raise RuntimeError(f"{method} {path} is answered {status}")


async def _answered(app: ASGIApp, method: str, path: str, headers: Mapping[str, str], body: bytes) -> int:
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 50000),
    }
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    return statuses[0]


def _grant(key: bytes, conversation: str) -> str:
    now = int(time.time())
    claims = {"aud": "leadline", "sub": "2", "name": "Marc", "conversation": conversation, "can": ["read", "send"]}
    return jwt.encode({**claims, "iat": now, "exp": now + 300}, key, algorithm="HS256", headers={"kid": CONNECTION})


def _waiting(conversation: str, number: int) -> dict[str, Any]:
    return outbound_fields(
        account=ACCOUNT,
        line=LINE,
        conversation=conversation,
        author=Author("agent", "2", "Marc"),
        client_id=f"client-{number:08}",
        body={"type": "text", "text": {"body": SENTENCE}},
        now=datetime.now(UTC),
    )


_sent = itertools.count(1)


def _accept(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"contacts": [{"input": "x"}], "messages": [{"id": f"wamid.out.{next(_sent)}"}]})


def _take(request: httpx.Request) -> httpx.Response:
    events = json.decode(request.content)["events"]
    return httpx.Response(200, json={"results": [{"id": one["id"], "ok": True, "records": []} for one in events]})


async def _all(count: int, step: Step, start: int = 0) -> None:
    """Do a step so many times, some at once."""
    numbers = iter(range(start, start + count))

    async def some() -> None:
        for number in numbers:
            await step(number)

    await asyncio.gather(*(some() for _ in range(_AT_ONCE)))


async def _run(name: str, folder: Path, messages: int) -> None:
    """Print the MiB that this process holds after each quarter."""
    process = Process(folder)
    await process.rig.set_up()
    step = await _FUNCTIONS[name](process)
    quarter = messages // _QUARTERS
    for number in range(_QUARTERS):
        await _all(quarter, step, number * quarter)
        print(_held(), flush=True)
    await process.store.close()


def _held() -> float:
    """Return the MiB that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1024 / 1024


# The parent.


async def held(folder: Path, messages: int, progress: Progress) -> dict[str, list[float]]:
    """Return the MiB that each function's process holds after each quarter; two run at a time."""
    places = asyncio.Semaphore(2)

    async def one(name: str) -> list[float]:
        async with places:
            own = folder / name
            own.mkdir()
            found: list[float] = []
            async for figure in _lines(name, own, messages):
                found.append(figure)
                progress(f"{name}: {figure:.1f} MiB after {messages * len(found) // _QUARTERS:,}")
            return found

    return dict(zip(_FUNCTIONS, await asyncio.gather(*map(one, _FUNCTIONS)), strict=True))


async def _lines(name: str, folder: Path, messages: int) -> AsyncIterator[float]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.memory", "--process", name, "--folder", str(folder)),
        *("--messages", str(messages)),
        cwd=PROJECT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout
    try:
        async for line in child.stdout:
            yield float(line)
        if await child.wait():
            raise RuntimeError(f"the process of {name} ended with an error")
    finally:
        if child.returncode is None:
            child.kill()


def rows(messages: int = 200_000, progress: Progress = aloud) -> list[tuple[str, str]]:
    """Return the rows of the table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        found = uvloop.run(held(Path(folder), messages, progress))
    return [(f"{name}, {messages:,} messages", _shown(figures, messages)) for name, figures in found.items()]


def _shown(figures: Sequence[float], messages: int) -> str:
    grown = figures[-1] / figures[0] - 1
    said = "within" if grown <= _ALLOWED else "not within"
    return (
        f"{figures[-1] / figures[0]:.3f} × after the first {messages // _QUARTERS:,}, {said} {_ALLOWED:.0%} "
        f"({', '.join(f'{figure:.1f}' for figure in figures)} MiB)"
    )


def main() -> None:
    """Print the table; with `--process` be one of the processes."""
    parser = argparse.ArgumentParser(description="Let many messages pass through each function and look at its memory.")
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--process", choices=_FUNCTIONS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    known, _ = parser.parse_known_args()
    if known.process:
        uvloop.run(_run(known.process, known.folder, known.messages))
    else:
        run(parser, "memory", lambda given: rows(given.messages))


if __name__ == "__main__":
    main()
