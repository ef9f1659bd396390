"""How fast a webhook is answered: the same signed bodies at several concurrencies, everybody in turns.

What is under way behind the answers goes on: Leadline tells Odoo meanwhile, and it is waited for before the next one's
turn. pywa answers before its handler begins, and its handler does nothing.
"""

import asyncio
import statistics
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from bench.beside.visible import until_shown
from bench.beside.world import Side, World
from bench.idle.ports import SECRET
from bench.load import Load, load, posts
from bench.peers.home import PROJECT, pywa_python
from bench.texts import texts
from bench.webhook_load import uvicorn
from tests.google.framework import Function

CONCURRENCIES = (1, 8, 32)
_ROUNDS = 3
_SECONDS = 2
_POOL = 16_000
"""More than a side that knows a message again takes in its time."""


@dataclass(frozen=True)
class Server:
    """Who answers. `file` holds what is posted; without one a page is asked for."""

    name: str
    url: str
    file: Path | None = None
    header: str = "X-Hub-Signature-256"
    side: Side | None = None


Answers = dict[str, dict[int, Load]]
"""By server and concurrency: the medians of the rounds."""


async def measure(world: World) -> Answers:
    """Return what was measured."""
    async with _servers(world) as servers:
        for server in servers:
            await _loaded(world, server, 2)
        loads: dict[str, dict[int, list[Load]]] = {
            server.name: {each: [] for each in CONCURRENCIES} for server in servers
        }
        for turn in range(_ROUNDS):
            for connections in CONCURRENCIES:
                for server in servers[:: -1 if turn % 2 else 1]:
                    loads[server.name][connections].append(await _loaded(world, server, connections))
    return {
        name: {connections: _median(rounds) for connections, rounds in by_connections.items()}
        for name, by_connections in loads.items()
    }


async def _loaded(world: World, server: Server, connections: int) -> Load:
    """Put a load on a server, and wait until it has nothing left to do."""
    file, before = server.file, {}
    if server.side:
        pool = islice(server.side.known(), _POOL)
        file, before = posts(world.folder / "side.txt", ((post.body, post.value) for post in pool)), server.side.shown()
    came = await asyncio.to_thread(
        load, server.url, seconds=_SECONDS, connections=connections, file=file, header=server.header
    )
    if server.side:
        await until_shown(server.side, before, came.requests)
    return came


def _median(rounds: Sequence[Load]) -> Load:
    return Load(
        sum(one.requests for one in rounds),
        *(statistics.median(getattr(one, figure) for one in rounds) for figure in ("rate", "p50", "p99")),
    )


@asynccontextmanager
async def _servers(world: World) -> AsyncIterator[list[Server]]:
    """Run everybody. Raises MissingPart."""
    folder = world.folder
    file = posts(folder / "whatsapp.txt", islice(texts(SECRET), _POOL))
    async with AsyncExitStack() as stack:

        def served(python: Path, app: str, log: str, **settings: str) -> str:
            return stack.enter_context(uvicorn(python, app, folder / log, **settings))

        own = Path(sys.executable)
        bare = served(own, "bench.peers.bare_server:app", "bare.log")
        durable = served(own, "bench.peers.bare_server:app", "durable.log", BARE_STORE=str(folder / "bare.db"))
        pywa = served(pywa_python(), "bench.peers.pywa_server:app", "pywa.log")
        idle = Function(
            "webhook",
            source=PROJECT / "bench" / "idle" / "main.py",
            environment={"PYTHONPATH": str(PROJECT), "WHATSAPP_APP_SECRET": SECRET},
            log=folder / "idle.log",
        )
        stack.enter_context(idle)
        yield [
            *(Server(side.name, side.url, None, side.header, side) for side in world.sides),
            Server("Leadline's webhook function, nothing stored", f"{idle.url}/webhook", file),
            Server("pywa", pywa, file),
            Server("floor: bare ASGI app", bare, file),
            Server("floor: bare ASGI app, one SQLite commit", durable, file),
            Server("floor: Odoo's GET /web/health", f"{world.oca.odoo.server.url}/web/health"),
        ]
