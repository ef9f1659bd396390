"""The one machine in a process of its own, with the simulated WhatsApp and a CRM played beside the benchmark.

    python -m bench.one_machine FOLDER CRM_URL

That is `leadline run` without Odoo and with ten lines. `POST /bench/pause` and `/bench/resume` hold its queues, so that
a backlog can be made that then drains by itself; `GET /bench/cpu` tells the seconds of CPU that it took so far, and
`GET /bench/reads` the documents that its store read.
"""

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import uvloop
from msgspec import json
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bench.peers.home import PROJECT
from functions.core.lines import Line, line_writes
from functions.core.store import Document, Key, Query
from functions.local import demo
from functions.local.grants import mint
from functions.local.keys import Keys
from functions.local.machine import Machine, one_machine_settings
from functions.local.run import Server
from functions.local.simulator import Line as SimulatedLine
from functions.local.simulator import Simulator
from functions.local.sqlite_store import SqliteStore
from tests.google.process import OwnProcess, free_port

HOST = "127.0.0.1"
_START_SECONDS, _STOP_SECONDS = 30, 20
_CALLERS = 32

NUMBERS = [str(int(demo.PHONE_NUMBER_ID) + place) for place in range(10)]
"""The lines' numbers at Meta."""


# What runs in the process of its own.


async def serve(folder: Path, crm: str) -> None:
    """Serve until SIGTERM."""
    keys = Keys.of(folder)
    reads = _counted_reads()
    machine = Machine(one_machine_settings(os.environ, folder, keys), keys, folder)
    tasks = machine.tasks
    app = Starlette(
        routes=[
            Route("/bench/pause", _after(tasks.stop), methods=["POST"]),
            Route("/bench/resume", _after(tasks.start), methods=["POST"]),
            Route("/bench/cpu", lambda _: JSONResponse(time.process_time())),
            Route("/bench/reads", lambda _: JSONResponse(reads["documents"])),
            Mount("/", machine.app),
        ]
    )
    server = Server(app, machine.settings.port)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _end, server)
    await machine.start(crm, "")
    try:
        await _add_lines(machine)
        machine.ready = True
        await server.serve()
    finally:
        await machine.stop()


def _counted_reads() -> Counter[str]:
    """Let the embedded store count the documents that it reads, as Firestore bills them."""
    reads: Counter[str] = Counter()
    get, query = SqliteStore.get, SqliteStore.query

    async def counted_get(self: SqliteStore, keys: Sequence[Key]) -> list[Document | None]:
        reads["documents"] += len(keys)
        return await get(self, keys)

    async def counted_query(self: SqliteStore, asked: Query) -> list[Document]:
        found = await query(self, asked)
        reads["documents"] += max(1, len(found))
        return found

    SqliteStore.get, SqliteStore.query = counted_get, counted_query  # type: ignore[method-assign]
    return reads


def _end(server: Server) -> None:
    server.should_exit = True


def _after(step: Callable[[], Awaitable[None]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        await step()
        return Response(status_code=204)

    return answer


async def _add_lines(machine: Machine) -> None:
    """Write the lines beside the demo's own, which is the first."""
    assert machine.settings.token_keys
    first = Line(
        id=demo.LINE,
        account=demo.ACCOUNT,
        connection=demo.CONNECTION,
        phone_number_id=demo.PHONE_NUMBER_ID,
        number=demo.NUMBER,
        name=demo.NAME,
        waba=demo.WABA,
        token=machine.settings.token_keys.close(demo.TOKEN),
    )
    for number in NUMBERS[1:]:
        line = replace(first, id=f"line-{number}", phone_number_id=number, number=_shown(number))
        await machine.ports.store.commit(line_writes(line))


def _shown(number: str) -> str:
    return demo.NUMBER[:-4] + number[-4:]


# What is played beside it.


class Graph:
    """The simulated WhatsApp. `calls`: when each request for a message arrived, in `time.perf_counter`'s seconds.

    `heard` and `templates` say the same of each text, and of the templates. What is posted to `/floor` is noted in
    `calls` too, and taken without a look.
    """

    def __init__(self, simulator: Simulator) -> None:
        self.calls: list[float] = []
        self.heard: dict[str, float] = {}
        self.templates: list[float] = []
        self.simulator = simulator
        self._app: ASGIApp = simulator.app
        self._called = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        floor = path == "/floor"
        if floor or (path.startswith("/graph/") and path.endswith("/messages")):
            self.calls.append(time.perf_counter())
            self._called.set()
            if not floor:
                receive = self._noting(receive, self.calls[-1])
        await (Response() if floor else self._app)(scope, receive, send)

    def _noting(self, receive: Receive, now: float) -> Receive:
        async def noted() -> Message:
            message = await receive()
            # What we send is small: it comes in one piece.
            match json.decode(message.get("body") or b"null"):
                case {"text": {"body": str(text)}}:
                    self.heard.setdefault(text, now)
                case {"type": "template"}:
                    self.templates.append(now)
            return message

        return noted

    def texts(self) -> Counter[str]:
        """Return how often each text of the business was taken."""
        customers = self.simulator.customers
        said = [one for customer in customers.all() for one in customers.messages(customer.wa_id)]
        return Counter(one.content["text"]["body"] for one in said if one.author == "business" and one.type == "text")

    async def called(self, times: int, *, within: float) -> None:
        """Wait for so many calls in all. Raises TimeoutError after so many seconds."""
        async with asyncio.timeout(within):
            while len(self.calls) < times:
                self._called.clear()
                await self._called.wait()


class OneMachine:
    """The running machine. `conversations` are known after `meet`, by the number of their line; `floor` is a URL."""

    def __init__(self, folder: Path, port: int, client: httpx.AsyncClient, graph: Graph, floor: str) -> None:
        self.folder = folder
        self.port = port
        self.graph = graph
        self.floor = floor
        self.client = client
        self.conversations: dict[str, list[str]] = {}
        self._said = 0

    async def meet(self, customers: int) -> None:
        """Let so many customers write to each line."""
        self.client.headers["Authorization"] = await self.grant()
        for number in NUMBERS:
            for place in range(customers):
                self.graph.simulator.write(f"49155{number[-2:]}{place:05}", "Hello!", number)
        await self.graph.simulator.settled()
        for number in NUMBERS:
            answer = await self.client.get("/chat/v1/conversations", params={"line": number, "limit": 200})
            self.conversations[number] = [item["id"] for item in answer.raise_for_status().json()["items"]]
            if len(self.conversations[number]) != customers:
                raise RuntimeError(f"{len(self.conversations[number])} of {customers} customers were heard")

    async def grant(self) -> str:
        """Return what a caller's `Authorization` says who may use every conversation, for five minutes."""
        return f"Bearer {await asyncio.to_thread(mint, self.folder, None)}"

    async def say(self, conversation: str) -> None:
        """Press send: post a text, which the chat API must take."""
        self._said += 1
        body = {"client_id": f"bench-{self._said:06}", "type": "text", "text": {"body": f"The answer {self._said}"}}
        answer = await self.client.post(f"/chat/v1/conversations/{conversation}/messages", json=body)
        if answer.is_error:
            raise RuntimeError(f"the chat API answers {answer.status_code}: {answer.text}")

    async def pause(self) -> None:
        """Let no task begin any more, and wait for those under way."""
        (await self.client.post("/bench/pause")).raise_for_status()

    async def resume(self) -> None:
        """Let the tasks begin again."""
        (await self.client.post("/bench/resume")).raise_for_status()

    async def reads(self) -> int:
        """Return how many documents its store has read so far, as Firestore counts."""
        count: int = (await self.client.get("/bench/reads")).raise_for_status().json()
        return count

    async def cpu(self) -> float:
        """Return the seconds of CPU that its process took so far."""
        seconds: float = (await self.client.get("/bench/cpu")).raise_for_status().json()
        return seconds


@asynccontextmanager
async def one_machine(folder: Path, take_events: Callable[[Request], Awaitable[Response]]) -> AsyncIterator[OneMachine]:
    """Start everything and take it down again. `take_events` plays the add-on's controller."""
    port, beside = free_port(), free_port()
    url, beside_url = f"http://{HOST}:{port}", f"http://{HOST}:{beside}"
    lines = [SimulatedLine(number, demo.WABA, _shown(number), demo.NAME, demo.TOKEN) for number in NUMBERS]
    crm = Route("/leadline/events", take_events, methods=["POST"])
    async with AsyncExitStack() as parts:
        simulator = Simulator(
            path=folder / "meta.db",
            webhook=f"{url}/webhook",
            app_secret=demo.APP_SECRET,
            verify_token=demo.VERIFY_TOKEN,
            public_url=beside_url,
            lines=lines,
            client=await parts.enter_async_context(httpx.AsyncClient(trust_env=False)),
        )
        graph = Graph(simulator)
        await parts.enter_async_context(_served(Starlette(routes=[crm, Mount("/", graph)]), beside))
        settings = {"PORT": str(port), "WHATSAPP_GRAPH_URL": f"{beside_url}/graph"}
        arguments = ("bench.one_machine", str(folder), beside_url)
        client = await parts.enter_async_context(process(arguments, url, folder, settings))
        # Stopped before the machine: what Meta could not deliver, it would deliver again and again.
        await simulator.start()
        parts.push_async_callback(simulator.stop)
        yield OneMachine(folder, port, client, graph, f"{beside_url}/floor")


@asynccontextmanager
async def process(
    arguments: Sequence[str], url: str, folder: Path, settings: Mapping[str, str]
) -> AsyncIterator[httpx.AsyncClient]:
    """Run a module of ours that serves until SIGTERM; yields a client of it once its `/healthz` answers.

    Raises RuntimeError when it ends at its start, and TimeoutError.
    """
    own = OwnProcess(
        [sys.executable, "-m", *arguments],
        environment={"PATH": os.environ.get("PATH", ""), **settings},
        log=folder / f"{arguments[0]}.log",
        directory=PROJECT,
    )
    try:
        limits = httpx.Limits(max_connections=_CALLERS, max_keepalive_connections=_CALLERS)
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=_START_SECONDS, limits=limits) as client:
            await _answering(own, client)
            yield client
    finally:
        await asyncio.to_thread(own.stop, _STOP_SECONDS)


async def _answering(own: OwnProcess, client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while own.running:
            with suppress(httpx.TransportError):
                if (await client.get("/healthz")).is_success:
                    return
            await asyncio.sleep(0.05)
    raise RuntimeError(f"ended at its start:\n{own.log.read_text()[-2000:]}")


@asynccontextmanager
async def _served(app: ASGIApp, port: int) -> AsyncIterator[None]:
    """Serve an app from this loop."""
    server = Server(app, port)
    serving = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await serving


async def take_events(request: Request) -> Response:
    """Play the add-on: take every event."""
    body: dict[str, Any] = await request.json()
    return JSONResponse({"results": [{"id": event["id"], "ok": True, "records": []} for event in body["events"]]})


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), sys.argv[2]))
