"""The floor of a send: a bare ASGI app that answers a POST and then makes one, in which nothing is checked or stored.

    python -m bench.peers.relay PORT FOLDER URL

`/bare` hops to the second POST in memory; `/queued` through the embedded queue, so that it would survive a crash.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from functions.core.tasks import Task
from functions.local.sqlite_tasks import SqliteTasks


class Relay:
    """The app. `url`: where the second POST goes."""

    def __init__(self, folder: Path, url: str) -> None:
        self._url = url
        self._outward = httpx.AsyncClient(trust_env=False)
        inward = httpx.AsyncClient(transport=httpx.ASGITransport(self), base_url="http://relay")
        self._tasks = SqliteTasks(folder / "relay.db", inward)
        self._hops: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request: of the client's, or of the queue's own."""
        assert scope["type"] == "http"
        match scope["path"]:
            case "/bare":
                hop = asyncio.create_task(self._call(await _body(receive)))
                self._hops.add(hop)
                hop.add_done_callback(self._hops.discard)
            case "/queued":
                await self._tasks.enqueue(Task("send-line", "sender", {"body": (await _body(receive)).decode()}))
            case "/sender":
                await self._call(await _body(receive))
            case _:
                assert scope["method"] == "GET"
        await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def serve(self, port: int) -> None:
        """Serve until SIGTERM."""
        await self._tasks.start()
        options: dict[str, Any] = {"log_config": None, "lifespan": "off", "loop": "asyncio"}
        await uvicorn.Server(uvicorn.Config(self, host="127.0.0.1", port=port, **options)).serve()

    async def _call(self, body: bytes) -> None:
        (await self._outward.post(self._url, content=body)).raise_for_status()


async def _body(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        part = await receive()
        body += part.get("body", b"")
        more = part.get("more_body", False)
    return body


if __name__ == "__main__":
    asyncio.run(Relay(Path(sys.argv[2]), sys.argv[3]).serve(int(sys.argv[1])))
