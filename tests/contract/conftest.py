"""Each port with each of its two adapters: a test that asks for `store` runs on both."""

import asyncio
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount

from functions.core.cloud_storage import UPLOAD_HEADERS, CloudStorage
from functions.core.cloud_tasks import CloudTasks
from functions.core.firestore import FirestoreStore
from functions.core.media import MediaStore
from functions.core.store import Store
from functions.core.tasks import TaskQueue
from functions.local.file_media import FileMedia
from functions.local.sqlite_store import SqliteStore
from functions.local.sqlite_tasks import SqliteTasks
from tests.contract.worker import Worker
from tests.google.clock import ManualClock
from tests.google.cloud_storage import CloudStorage as CloudStorageService
from tests.google.cloud_tasks import CloudTasks as CloudTasksService
from tests.google.firestore_emulator import FirestoreEmulator, warmed_up
from tests.google.firestore_emulator import parts as firestore_parts
from tests.google.parts import require
from tests.google.process import free_port
from tests.google.signed_urls import SignedUrlRefused


@pytest.fixture(scope="session")
def firestore_emulator() -> Iterator[FirestoreEmulator]:
    require(firestore_parts)
    with FirestoreEmulator() as emulator, ThreadPoolExecutor(1) as aside:
        aside.submit(asyncio.run, _warmed_up(emulator.host)).result()
        yield emulator


async def _warmed_up(host: str) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("FIRESTORE_EMULATOR_HOST", host)
        store = FirestoreStore("warm-up")
    await warmed_up(store)
    await store.close()


@pytest.fixture
def firestore_store(firestore_emulator: FirestoreEmulator, monkeypatch: pytest.MonkeyPatch) -> FirestoreStore:
    """An empty database: projects of the emulator do not see each other."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator.host)
    return FirestoreStore(f"contract-{uuid.uuid4().hex[:12]}")


@pytest.fixture(params=["sqlite", "firestore"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    adapter: Store
    if request.param == "sqlite":
        adapter = SqliteStore(tmp_path / "store.db")
    else:
        adapter = request.getfixturevalue("firestore_store")
    yield adapter
    await adapter.close()


@pytest.fixture(params=["sqlite, locked by another program", "firestore, nobody listens", "firestore, silent"])
async def dead_store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Store]:
    """A store that can't write."""
    async with AsyncExitStack() as parts:
        adapter: Store
        if request.param.startswith("sqlite"):
            adapter = SqliteStore(tmp_path / "store.db")
            locker = parts.enter_context(closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)))
            locker.execute("BEGIN IMMEDIATE")
        else:
            answers = request.param.endswith("silent")
            host = await parts.enter_async_context(silent_server()) if answers else f"127.0.0.1:{free_port()}"
            monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", host)
            adapter = FirestoreStore("project")
        yield adapter
        await adapter.close()


@asynccontextmanager
async def silent_server() -> AsyncIterator[str]:
    """Takes connections and says nothing."""
    connections: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: connections.append(writer), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    yield f"{host}:{port}"
    for connection in connections:
        connection.close()
    server.close()


@dataclass
class QueueRig:
    """A task queue, the function at its other end, and a clock that the test moves."""

    tasks: TaskQueue
    worker: Worker
    clock: ManualClock

    def now(self) -> float:
        """Seconds since 1970."""
        return self.clock.now()

    async def advance(self, seconds: float) -> None:
        # What has just been answered is counted before the time moves on.
        await asyncio.sleep(0.02)
        self.clock.advance(seconds)


QUEUES = (
    "send-line",
    "send-other",
    "bulk-line",
    "sync-shop",
    "sync-other",
    "marks",
    "media",
    "history",
    "housekeeping",
)


@pytest.fixture(params=["sqlite", "cloud tasks"])
async def queues(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[QueueRig]:
    worker, clock = Worker(), ManualClock()
    async with AsyncExitStack() as parts:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(worker), base_url="http://worker.test")
        await parts.enter_async_context(client)
        tasks: TaskQueue
        if request.param == "sqlite":
            tasks = SqliteTasks(tmp_path / "tasks.db", client, clock=clock.now)
            clock.subscribe(tasks.wake)
            await tasks.start()
        else:
            service = await parts.enter_async_context(CloudTasksService(clock=clock, tombstone=3600))
            service.http = client
            monkeypatch.setenv("CLOUD_TASKS_EMULATOR_HOST", service.host)
            tasks = CloudTasks(PROJECT, LOCATION, urls=URLS, account="tasks@project.iam.gserviceaccount.com")
            for queue in QUEUES:
                await tasks.make_queue(queue)
        yield QueueRig(tasks, worker, clock)
        await tasks.close()


PROJECT, LOCATION = "project", "europe-west1"
URLS = {"sender": "http://worker.test/sender", "sync": "http://worker.test/sync"}


@pytest.fixture(params=["sqlite, locked by another program", "cloud tasks, nobody listens", "cloud tasks, silent"])
async def dead_queue(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[TaskQueue]:
    """A queue that can take nothing."""
    async with AsyncExitStack() as parts:
        tasks: TaskQueue
        if request.param.startswith("sqlite"):
            client = await parts.enter_async_context(httpx.AsyncClient())
            tasks = SqliteTasks(tmp_path / "tasks.db", client)
            locker = parts.enter_context(closing(sqlite3.connect(tmp_path / "tasks.db", isolation_level=None)))
            locker.execute("BEGIN IMMEDIATE")
        else:
            answers = request.param.endswith("silent")
            host = await parts.enter_async_context(silent_server()) if answers else f"127.0.0.1:{free_port()}"
            monkeypatch.setenv("CLOUD_TASKS_EMULATOR_HOST", host)
            tasks = CloudTasks(PROJECT, LOCATION, urls=URLS)
        yield tasks
        await tasks.close()


@dataclass
class MediaRig:
    """A media store, a browser that reaches it, and the time by which its URLs expire."""

    media: MediaStore
    browser: httpx.AsyncClient
    pass_time: Callable[[float], None]
    """Let so many seconds pass."""


@pytest.fixture(scope="session")
def storage_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator["StrictStorage"]:
    with StrictStorage(tmp_path_factory.mktemp("objects")) as service:
        yield service


@pytest.fixture(params=["folder", "cloud storage"])
async def files(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[MediaRig]:
    passed = [0.0]

    def now() -> float:
        return time.time() + passed[0]

    def pass_time(seconds: float) -> None:
        passed[0] += seconds

    async with AsyncExitStack() as parts:
        media: MediaStore
        if request.param == "folder":
            media = folder = FileMedia(tmp_path / "media", "http://leadline.test/media", b"key", clock=now)
            app = Starlette(routes=[Mount("/media", folder.app)])
            browser = httpx.AsyncClient(transport=httpx.ASGITransport(app))
        else:
            service = request.getfixturevalue("storage_service")
            service.now = now
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", service.url)
            bucket = service.create_bucket(f"media-{uuid.uuid4().hex}", cors=BUCKET_CORS)
            media = CloudStorage(bucket, credentials=service.account.credentials())
            browser = httpx.AsyncClient(trust_env=False)
        await parts.enter_async_context(browser)
        yield MediaRig(media, browser, pass_time)
        await media.close()


class StrictStorage(CloudStorageService):
    """Holds an upload to the size and the generation that its URL signs, as the real service does."""

    async def _signed_upload(self, request: Request) -> Response:
        self._check_signature(request)
        largest = int(request.headers.get("x-goog-content-length-range", "0,0").split(",")[1])
        if int(request.headers["content-length"]) > largest:
            raise SignedUrlRefused(400, "EntityTooLarge", "Your proposed upload is larger than the maximum.")
        generation = request.headers.get("x-goog-if-generation-match")
        if generation == "0" and request.path_params["object"] in self._bucket(request).objects:
            raise SignedUrlRefused(412, "PreconditionFailed", "At least one of the pre-conditions did not hold.")
        return await super()._signed_upload(request)


BUCKET_CORS = {
    "origin": ["*"],
    "method": ["GET", "HEAD", "PUT"],
    "responseHeader": [*UPLOAD_HEADERS, "Range", "Content-Range", "Content-Disposition"],
    "maxAgeSeconds": 3600,
}
