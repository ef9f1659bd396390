"""One machine: the four functions in one process, on the embedded adapters, beside the simulated WhatsApp."""

import asyncio
import contextlib
import hmac
import logging
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from functions.chat.app import create as create_chat
from functions.core.gathered import GatheredTasks
from functions.core.http import Guard, Handler, problem
from functions.core.ids import key_of
from functions.core.ports import Ports, utc_now
from functions.core.settings import BadSetting, Settings, from_environment
from functions.core.tasks import Task
from functions.local import demo
from functions.local.file_media import FileMedia
from functions.local.gate import gated
from functions.local.keys import Keys
from functions.local.simulator.customers import Line as SimulatedLine
from functions.local.simulator.simulator import Simulator
from functions.local.sqlite_store import SqliteStore
from functions.local.sqlite_tasks import SqliteTasks
from functions.sender.app import create as create_sender
from functions.sync.app import create as create_sync
from functions.webhook.app import create as create_webhook

log = logging.getLogger(__name__)

_SWEEP_SECONDS = 60
_HEALTH_SECONDS = 900

_METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]

_FIRST_WORDS = "Hello! Is the blue bicycle in the window still for sale?"


def one_machine_settings(environment: Mapping[str, str], folder: Path, keys: Keys) -> Settings:
    """Return the settings of one machine: what the environment does not say is set for loopback and the demo.

    Raises `BadSetting`.
    """
    port = environment.get("PORT") or "8080"
    defaults = {
        "PORT": port,
        "LEADLINE_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "LEADLINE_STORE": f"sqlite:///{folder / 'store.db'}",
        "LEADLINE_MEDIA": f"file:///{folder / 'media'}",
        "LEADLINE_TOKEN_KEYS": keys.token,
        "LEADLINE_CONNECTION_KEYS": keys.connection,
        "LEADLINE_ALLOW_PRIVATE_CRM": "1",
        "WHATSAPP_APP_SECRET": demo.APP_SECRET,
        "WHATSAPP_VERIFY_TOKEN": demo.VERIFY_TOKEN,
        "WHATSAPP_GRAPH_URL": f"http://127.0.0.1:{port}/graph",
        "WHATSAPP_LINK_URL": f"http://127.0.0.1:{port}/simulator/wa.me",
    }
    settings = from_environment(defaults | {name: value for name, value in environment.items() if value})
    for name, text, scheme in (
        ("LEADLINE_STORE", settings.store, "sqlite"),
        ("LEADLINE_TASKS", settings.tasks, "local"),
        ("LEADLINE_MEDIA", settings.media, "file"),
    ):
        if not text.startswith(scheme):
            raise BadSetting(f"{name} is wrong: one machine needs {scheme}, not {text}.")
    return settings


class Machine:
    """Everything of ours in one process. `app` is served on one port; `ready` turns `/healthz` green."""

    def __init__(self, settings: Settings, keys: Keys, folder: Path) -> None:
        self.settings = settings
        self.ready = False
        self._keys = keys
        self._store = SqliteStore(Path(settings.store.removeprefix("sqlite:///")))
        self._media = FileMedia(
            Path(settings.media.removeprefix("file:///")), f"{settings.public_url}/media", keys.media.encode()
        )
        # Tasks go to the app itself, without a socket in between.
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self._serve),
            base_url=settings.public_url,
            headers={"Authorization": f"Bearer {keys.worker}"},
            timeout=600,
        )
        self.tasks = SqliteTasks(folder / "tasks.db", self._client)
        self.ports = Ports(settings, self._store, GatheredTasks(self.tasks, utc_now), self._media, utc_now)
        self.simulator = Simulator(
            path=folder / "simulator.db",
            webhook=f"{settings.public_url}/webhook",
            app_secret=settings.app_secrets[0],
            verify_token=settings.verify_token,
            public_url=settings.public_url,
            lines=[SimulatedLine(demo.PHONE_NUMBER_ID, demo.WABA, demo.NUMBER, demo.NAME, demo.TOKEN)],
        )
        self._outward = httpx.AsyncClient()
        self.app = self._mounted()
        self._sweeper: asyncio.Task[None] | None = None

    async def _serve(self, *arguments: object) -> None:
        await self.app(*arguments)  # type: ignore[arg-type]

    def _mounted(self) -> Starlette:
        workers = {
            "sender": create_sender(self.ports, self._outward),
            "sync": create_sync(self.ports, self._outward),
        }
        return Starlette(
            routes=[
                Route("/healthz", self._healthz),
                Route("/webhook", gated(create_webhook(self.ports)), methods=_METHODS),
                *(Route(f"/{name}", self._only_queue(worker), methods=_METHODS) for name, worker in workers.items()),
                Route("/chat/{path:path}", create_chat(self.ports, one_machine=True), methods=_METHODS),
                Mount("/media", self._media.app),
                Mount("/", self.simulator.app),
            ],
            # What the functions say to browsers, the simulator and the files say too.
            middleware=[Middleware(Guard)],
        )

    def _only_queue(self, worker: Handler) -> Handler:
        """Let only this machine's own queue reach a worker, as the cloud's does with an OIDC token."""
        expected = f"Bearer {self._keys.worker}"

        async def checked(request: Request) -> Response:
            given = request.headers.get("authorization", "")
            if not hmac.compare_digest(given.encode(), expected.encode()):
                return problem(403, "forbidden", "Only this machine's task queue may call here.")
            return await worker(request)  # type: ignore[return-value]

        return checked

    async def _healthz(self, request: Request) -> Response:
        return JSONResponse({"status": "ok" if self.ready else "starting"}, 200 if self.ready else 503)

    async def start(self, crm_url: str | None, crm_database: str) -> None:
        """Write the demo line and begin to work; the app must be served soon after."""
        assert self.settings.token_keys  # noqa: S101 - for the type checker
        assert self.settings.connection_keys  # noqa: S101 - for the type checker
        await demo.seed(
            self._store,
            crm_url=crm_url,
            crm_database=crm_database,
            connection_secret=self._keys.connection_secret,
            tokens=self.settings.token_keys,
            connections=self.settings.connection_keys,
        )
        await self.tasks.start()
        await self.simulator.start()
        self._sweeper = asyncio.create_task(self._sweep_for_ever())

    async def open_for_business(self) -> None:
        """Turn `/healthz` green; at the very first start a customer writes, so that there is a chat to look at."""
        self.ready = True
        if not any(self.simulator.customers.messages(customer.wa_id) for customer in self.simulator.customers.all()):
            self.simulator.write(self.simulator.customers.all()[0].wa_id, _FIRST_WORDS)

    async def stop(self) -> None:
        """End all work; what waits goes on at the next start."""
        if self._sweeper:
            self._sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeper
        await self.simulator.stop()
        await self.tasks.close()
        for client in (self._client, self._outward):
            await client.aclose()
        await self.ports.media.close()
        await self._store.close()

    async def _sweep_for_ever(self) -> None:
        """Do what Cloud Scheduler does in the cloud, and what Firestore and the bucket do with what has expired."""
        while True:
            now = utc_now()
            await self._store.purge_expired(now)
            await asyncio.to_thread(self._media.clear_abandoned)
            minute = str(int(now.timestamp()) // _SWEEP_SECONDS)
            await self.tasks.enqueue(
                Task("housekeeping", "sync", {"kind": "sweep"}, key_of("sweep", minute), now + timedelta(seconds=1))
            )
            turn = str(int(now.timestamp()) // _HEALTH_SECONDS)
            await self.tasks.enqueue(Task("housekeeping", "sync", {"kind": "health"}, key_of("health", turn)))
            await asyncio.sleep(_SWEEP_SECONDS)
