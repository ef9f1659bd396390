"""What the cloud gets: the archive installs into a clean environment from its own requirements, and each of the four
functions starts from it in the real Functions Framework and does its part, on the Firestore emulator."""

import asyncio
import contextlib
import json
import os
import subprocess
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from cryptography.fernet import Fernet
from google.cloud import tasks_v2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from functions.core.firestore import FirestoreStore
from functions.core.lines import Connection, Line, connection_writes, line_writes
from functions.core.secrets import Seal, new_secret
from functions.core.signature import verify_call
from functions.local.archive import functions_archive
from functions.local.demo import NAME, NUMBER, PHONE_NUMBER_ID, TOKEN, WABA
from functions.local.simulator.customers import Line as SimulatedLine
from functions.local.simulator.simulator import Simulator
from tests.deploy.deployment import Deployed, deploy
from tests.google import firestore_emulator
from tests.google.cloud_storage import CloudStorage
from tests.google.cloud_tasks import CloudTasks
from tests.google.firestore_emulator import FirestoreEmulator, warmed_up
from tests.google.framework import Function
from tests.google.parts import require
from tests.google.process import free_port

pytestmark = pytest.mark.timeout(600)

FUNCTIONS = ("webhook", "sender", "sync", "chat")
PROJECT, DATABASE, LOCATION, BUCKET = "demo-deploy", "leadline", "europe-west1", "media"
SECRET = "an app secret"
CONNECTION = "crm"


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    return deploy(tmp_path_factory.mktemp("deployed"))


def test_the_archive_comes_out_the_same_each_time(tmp_path: Path) -> None:
    assert functions_archive(tmp_path / "a.zip").read_bytes() == functions_archive(tmp_path / "b.zip").read_bytes()


def test_the_archive_holds_nothing_of_one_machine(tmp_path: Path) -> None:
    with zipfile.ZipFile(functions_archive(tmp_path / "a.zip")) as archive:
        assert not [name for name in archive.namelist() if "local" in name or "tests" in name or name.endswith(".pyc")]


@pytest.mark.parametrize("target", FUNCTIONS)
def test_a_bad_setting_stops_the_start_with_one_line_that_names_it(deployed: Deployed, target: str) -> None:
    ended = subprocess.run(
        [deployed.python, "-m", "functions_framework", "--asgi", "--target", target, "--source", str(deployed.source)],
        env={"PATH": os.environ["PATH"], "PORT": str(free_port()), "LEADLINE_STORE": "mysql://here"},
        cwd=deployed.source.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert "LEADLINE_STORE is wrong" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


class Crm:
    """An Odoo that only writes down what it is told, after checking who tells it."""

    def __init__(self, secret: str) -> None:
        self.events: list[dict[str, object]] = []
        self._secret = secret

    async def take(self, request: Request) -> Response:
        from time import time

        from functions.core.secrets import derive

        body = await request.body()
        verify_call([derive(self._secret, "events")], request.headers, "POST", request.url.path, body, time())
        events = json.loads(body)["events"]
        self.events += events
        lead = {"model": "crm.lead", "id": 7, "name": "WhatsApp: Ana"}
        results = [{"id": event["id"], "ok": True, "records": [lead], "owner": None} for event in events]
        return JSONResponse({"results": results})


@contextlib.asynccontextmanager
async def served(app: Starlette, port: int) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=1))
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await serving


@contextlib.contextmanager
def started(functions: dict[str, Function]) -> Iterator[None]:
    try:
        for function in functions.values():
            function.start()
        for function in functions.values():
            function.ready()
        yield
    finally:
        for function in functions.values():
            function.stop()


async def until(ready: object) -> None:
    async with asyncio.timeout(30):
        while not await ready():  # type: ignore[operator]
            await asyncio.sleep(0.05)


async def test_the_path_runs_through_four_deployed_functions(deployed: Deployed, tmp_path: Path) -> None:
    require(firestore_emulator.parts)
    secret, key = new_secret(), Fernet.generate_key().decode()
    port = free_port()
    loopback = f"http://127.0.0.1:{port}"
    async with contextlib.AsyncExitStack() as stack:
        emulator = stack.enter_context(FirestoreEmulator())
        storage = stack.enter_context(CloudStorage(tmp_path / "storage"))
        storage.create_bucket(BUCKET)
        tasks = await stack.enter_async_context(CloudTasks())
        os.environ |= emulator.environment  # for the store that the test itself opens
        environment = {
            "PATH": os.environ["PATH"],
            **emulator.environment,
            **storage.environment,
            "CLOUD_TASKS_EMULATOR_HOST": tasks.host,
            "LEADLINE_STORE": f"firestore://{PROJECT}/{DATABASE}",
            "LEADLINE_TASKS": f"cloud-tasks://{PROJECT}/{LOCATION}",
            "LEADLINE_MEDIA": f"gs://{BUCKET}",
            "LEADLINE_TASKS_ACCOUNT": f"tasks@{PROJECT}.iam.gserviceaccount.com",
            "LEADLINE_TOKEN_KEYS": key,
            "LEADLINE_CONNECTION_KEYS": key,
            "LEADLINE_ALLOW_PRIVATE_CRM": "1",
            "WHATSAPP_APP_SECRET": SECRET,
            "WHATSAPP_VERIFY_TOKEN": "verify",
            "WHATSAPP_GRAPH_URL": f"{loopback}/graph",
        }
        functions = {
            name: Function(
                name,
                source=deployed.source,
                environment=environment,
                log=tmp_path / f"{name}.log",
                python=deployed.python,
            )
            for name in FUNCTIONS
        }
        environment |= {
            "LEADLINE_PUBLIC_URL": functions["chat"].url,
            "LEADLINE_SENDER_URL": functions["sender"].url,
            "LEADLINE_SYNC_URL": functions["sync"].url,
        }
        parent = f"projects/{PROJECT}/locations/{LOCATION}"
        client = tasks.client()
        for queue in ("send-line", f"sync-{CONNECTION}", "media", "housekeeping"):
            await client.create_queue(parent=parent, queue=tasks_v2.Queue(name=f"{parent}/queues/{queue}"))

        store = FirestoreStore(PROJECT, DATABASE)
        stack.push_async_callback(store.close)
        seal = Seal([key])
        line = Line("line", "shop", CONNECTION, PHONE_NUMBER_ID, NUMBER, NAME, WABA, seal.close(TOKEN))
        connection = Connection(CONNECTION, "shop", "odoo", loopback, (seal.close(secret),))
        await warmed_up(store)
        await store.commit([*line_writes(line), *connection_writes(connection)])

        crm = Crm(secret)
        simulator = Simulator(
            path=tmp_path / "simulator.db",
            webhook=f"{functions['webhook'].url}/webhook",
            app_secret=SECRET,
            verify_token="verify",
            public_url=loopback,
            lines=[SimulatedLine(PHONE_NUMBER_ID, WABA, NUMBER, NAME, TOKEN)],
            auto_read=True,
        )
        app = Starlette(routes=[Route("/leadline/events", crm.take, methods=["POST"]), Mount("/", simulator.app)])
        await stack.enter_async_context(served(app, port))
        await asyncio.to_thread(stack.enter_context, started(functions))
        await simulator.start()
        stack.push_async_callback(simulator.stop)
        assert await simulator.verify_webhook()

        simulator.write("5511912345678", "Oi!")
        async with asyncio.timeout(30):
            while not crm.events:
                await asyncio.sleep(0.05)
        [event] = crm.events
        conversation = event["conversation"]["id"]  # type: ignore[index]

        chat = httpx.AsyncClient(
            base_url=f"{functions['chat'].url}/chat/v1/conversations/{conversation}",
            headers={"Authorization": f"Bearer {grant(secret, conversation)}"},
        )
        stack.push_async_callback(chat.aclose)
        [received] = (await chat.get("/messages")).raise_for_status().json()["items"]
        assert received["text"] == {"body": "Oi!"}
        sent = await chat.post(
            "/messages", json={"client_id": "a-client-id", "type": "text", "text": {"body": "Olá, Ana!"}}
        )
        assert sent.status_code == 202

        async with asyncio.timeout(30):
            while True:
                items = (await chat.get("/messages")).raise_for_status().json()["items"]
                if items[-1]["status"] == "read":
                    break
                await asyncio.sleep(0.1)
        shown = [message.content["text"]["body"] for message in simulator.customers.messages("5511912345678")]
        assert shown == ["Oi!", "Olá, Ana!"]


def grant(secret: str, conversation: str) -> str:
    """Return a grant as the add-on mints it."""
    import time

    import jwt

    from functions.core.secrets import derive

    now = int(time.time())
    claims = {
        "aud": "leadline",
        "sub": "2",
        "name": "Maria",
        "conversation": conversation,
        "can": ["read", "send"],
        "iat": now,
        "exp": now + 300,
    }
    return jwt.encode(claims, derive(secret, "grants"), headers={"kid": CONNECTION})
