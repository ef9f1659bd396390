"""One PostgreSQL, and in it two Odoos that are set up alike: one with Leadline's module, one with OCA's gateway.

Each has two workers and CRM installed, and both are up at the same time; who has no turn is idle. Leadline's service is
the one machine of `leadline run`: all four functions in one process, on the embedded store. PostgreSQL notes when each
transaction was committed, so that it is known of every message, to the microsecond and without asking meanwhile, when
it came to be seen in Odoo.
"""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple, Protocol

import httpx
import psutil

from bench.beside import oca
from bench.one_machine import HOST
from bench.peers.home import FOLDER, PROJECT
from bench.texts import texts, wamid
from functions.core.message import inbound_key
from functions.local import demo
from functions.local.failure import SetUpFailed
from functions.local.grants import mint
from functions.local.keys import Keys
from functions.local.odoo.database import ADDONS, Databases
from functions.local.odoo.install import OdooHome, ensure_odoo
from functions.local.odoo.server import OdooServer
from functions.local.postgres import Postgres
from tests.google.process import OwnProcess, free_port
from tests.payloads import Customer, customers

WORKERS = 2
_BASE = ("crm", "phone_validation", "rating", "resource")
"""What Leadline's module needs, in both databases."""

_PAIR = """
env.company.country_id = env.ref("base.us")
env["leadline.connection"].create({{"identifier": {identifier!r}, "url": {url!r}, "secret": {secret!r}}})
"""


class Post(NamedTuple):
    """A POST with one message. `key` is what the message is called where it is seen."""

    body: bytes
    value: str
    key: str


@dataclass(slots=True)
class Work:
    """What something took: seconds of CPU, and statements that Odoo sent to PostgreSQL."""

    odoo: float
    postgres: float
    service: float
    queries: int

    def since(self, before: "Work", messages: int) -> "Work":
        """Return what was taken for each of so many messages."""
        return Work(
            (self.odoo - before.odoo) / messages,
            (self.postgres - before.postgres) / messages,
            (self.service - before.service) / messages,
            round((self.queries - before.queries) / messages),
        )


class WatchedOdoo:
    """A running Odoo and what it takes."""

    _REQUEST = re.compile(r'HTTP/1\.1" \d+ - (\d+) ')

    def __init__(self, databases: Databases, name: str) -> None:
        self.server = OdooServer(databases, name, cron_threads=0, workers=WORKERS)
        self._databases, self._name = databases, name

    def sql(self, query: str) -> list[str]:
        """Ask its database."""
        return self._databases.postgres.sql(query, self._name)

    def work(self) -> Work:
        """Return what it took so far, its backends in PostgreSQL included."""
        backend = f"postgres: odoo {self._name} "
        backends = [one for one in psutil.process_iter() if " ".join(_cmdline(one)).startswith(backend)]
        queries = sum(map(int, self._REQUEST.findall(self.server.log.read_text(errors="replace"))))
        return Work(_cpu(self._processes()), _cpu(backends), 0, queries)

    @contextmanager
    def threaded(self) -> Iterator[None]:
        """Run its server as one threaded process meanwhile, which serves the bus on the same port."""
        self.server.stop()
        with OdooServer(self._databases, self._name, port=self.server.port, cron_threads=0):
            yield

    def kill(self) -> None:
        """End its server as a crash would."""
        # One that is left for a moment may have started another.
        while left := self._processes():
            for one in left:
                with suppress(psutil.NoSuchProcess):
                    one.kill()
            psutil.wait_procs(left, timeout=5)
        self.server.stop()

    def _processes(self) -> list[psutil.Process]:
        port = f"--http-port={self.server.port}"
        return [one for one in psutil.process_iter() if port in _cmdline(one)]


def _cmdline(one: psutil.Process) -> list[str]:
    try:
        return one.cmdline()
    except psutil.Error:
        return []


def _cpu(processes: Sequence[psutil.Process]) -> float:
    seconds = 0.0
    for one in processes:
        try:
            times = one.cpu_times()
        except psutil.Error:
            continue
        seconds += times.user + times.system
    return seconds


class Side(Protocol):
    """One of those that bring messages to Odoo. `post` at `url` with `header` hands one over."""

    odoo: WatchedOdoo
    name: str
    header: str

    @property
    def url(self) -> str:
        """Where it takes messages."""

    def known(self) -> Iterator[Post]:
        """Yield messages of customers who take turns, without end."""

    def strangers(self, count: int) -> list[Post]:
        """Return first messages, each of somebody new."""

    def shown(self) -> dict[str, float]:
        """Return when each message came to be seen in Odoo, by its key."""

    async def work(self) -> Work:
        """Return what was taken so far."""


class Service:
    """Leadline's service as a process: `bench.one_machine`."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.folder = folder
        self._process: OwnProcess | None = None

    def pairing(self) -> dict[str, str]:
        """Return what its CRM must know."""
        return {"identifier": demo.CONNECTION, "secret": Keys.of(self.folder).connection_secret}

    def start(self, crm: str) -> None:
        """Start it, and wait until it is there."""
        self._process = OwnProcess(
            [sys.executable, "-m", "bench.one_machine", str(self.folder), crm],
            environment={"PATH": os.environ.get("PATH", ""), "PORT": str(self.port)},
            log=self.folder / "service.log",
            directory=PROJECT,
        )
        self._process.wait_until(self._answers, timeout=30)

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process
        self._process.kill()

    def stop(self) -> None:
        """End it in good order."""
        if self._process:
            self._process.stop(20)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False).is_success
        except httpx.TransportError:
            return False


@dataclass
class Leadline:
    """The service with its webhook, and the Odoo that it tells."""

    odoo: WatchedOdoo
    service: Service
    client: httpx.AsyncClient
    name: str = "Leadline"
    header: str = "X-Hub-Signature-256"
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _met: "count[int]" = field(default_factory=lambda: count(10_000))

    @property
    def url(self) -> str:
        return f"{self.service.url}/webhook"

    def known(self) -> Iterator[Post]:
        return self._posts(customers(PEOPLE))

    def strangers(self, count: int) -> list[Post]:
        people = [Customer(f"4915551{n:06}", f"DE.1{n:019}", f"Stranger {n}") for n in islice(self._met, count)]
        return list(islice(self._posts(people), count))

    def _posts(self, people: Sequence[Customer]) -> Iterator[Post]:
        while True:
            number = next(self._numbers)
            body, signature = next(texts(demo.APP_SECRET, people, first=number))
            yield Post(body, signature, inbound_key(demo.LINE, wamid(number)).id)

    def shown(self) -> dict[str, float]:
        # In the transaction that moves the conversation's row in the inbox and tells the open tabs.
        return _times(self.odoo, "message", "leadline_session_message")

    async def let_in(self) -> None:
        """Let the client ask the chat API of every conversation, for some minutes."""
        self.client.headers["Authorization"] = f"Bearer {await asyncio.to_thread(mint, self.service.folder, None)}"

    async def work(self) -> Work:
        work = self.odoo.work()
        work.service = (await self.client.get("/bench/cpu")).raise_for_status().json()
        return work


@dataclass
class Oca:
    """The gateway's controller in its own Odoo."""

    odoo: WatchedOdoo
    name: str = "OCA mail_gateway"
    header: str = oca.HEADER
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _met: "count[int]" = field(default_factory=lambda: count(100_000))

    @property
    def url(self) -> str:
        return f"{self.odoo.server.url}{oca.PATH}"

    def known(self) -> Iterator[Post]:
        return self._posts(oca.writers(PEOPLE))

    def strangers(self, count: int) -> list[Post]:
        return list(islice(self._posts([oca.Writer(n, f"Stranger {n}") for n in islice(self._met, count)]), count))

    def _posts(self, people: Sequence[oca.Writer]) -> Iterator[Post]:
        while True:
            number = next(self._numbers)
            yield Post(oca.text(people[number % len(people)], number), oca.SECRET, str(number))

    def shown(self) -> dict[str, float]:
        return _times(self.odoo, r"substring(body from ' (\d+)<')", "mail_message WHERE body LIKE '%Friday?%'")

    async def work(self) -> Work:
        return self.odoo.work()


PEOPLE = 50
"""How many customers take turns."""


def _times(odoo: WatchedOdoo, key: str, rows: str) -> dict[str, float]:
    found = odoo.sql(f"SELECT {key}, extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM {rows}")
    return {key: float(at) for key, at in (row.split("|") for row in found)}


@dataclass
class World:
    """Everything that runs. `whatsapp` tells what came of installing OCA's WhatsApp channel."""

    odoo: OdooHome
    folder: Path
    leadline: Leadline
    oca: Oca
    whatsapp: str

    @property
    def sides(self) -> tuple[Side, ...]:
        return (self.leadline, self.oca)


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """Set everything up and start it; `folder` is for what is not needed again. Raises MissingPart and SetUpFailed."""
    home = oca.oca_home(ensure_odoo(None, print))
    kept = FOLDER / f"beside-{home.version}"
    service = Service(folder)
    with _postgres(kept / "postgres") as postgres, ExitStack() as running:
        databases = Databases(home, postgres, kept / "odoo", (ADDONS, oca.ADDONS))
        _make(databases)
        databases.run_script("leadline", _PAIR.format(url=service.url, **service.pairing()))
        databases.run_script("oca", oca.PREPARE)
        whatsapp = _tried(Databases(oca.oca_home(home, lenient=True), postgres, kept / "odoo", (ADDONS, oca.ADDONS)))
        own, other = WatchedOdoo(databases, "leadline"), WatchedOdoo(databases, "oca")
        for odoo in (own, other):
            running.enter_context(odoo.server)
        service.start(own.server.url)
        running.callback(service.stop)
        async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=30) as client:
            yield World(home, folder, Leadline(own, service, client), Oca(other), whatsapp)


def _make(databases: Databases) -> None:
    """Make both databases anew from what an earlier run left."""
    if not databases.exists("base"):
        databases.create("base", _BASE)
    if not databases.exists("base_oca"):
        databases.create("base_oca", list(oca.MODULES), template="base")
    for name, template, modules in (("leadline", "base", ["leadline"]), ("oca", "base_oca", [])):
        databases.drop(name)
        databases.create(name, modules, template=template)


def _tried(databases: Databases) -> str:
    """Install the WhatsApp channel of Odoo 18 as it is, with its version accepted; return what came of it."""
    databases.drop("whatsapp")
    try:
        databases.create("whatsapp", list(oca.WHATSAPP), template="base_oca")
    except SetUpFailed as failed:
        found = re.search(r"\((.*)\)", str(failed))
        return found[1] if found else str(failed)
    return ""


@contextmanager
def _postgres(data: Path) -> Iterator[Postgres]:
    with Postgres(data) as postgres:
        postgres.sql("ALTER SYSTEM SET track_commit_timestamp = on")
    # It is a setting of the server's start.
    with Postgres(data) as postgres:
        yield postgres
