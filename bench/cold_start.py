"""Cold starts: each function from the deploy archive, from the start of its process to its first useful 200.

`python -m bench.cold_start` builds the archive, installs it into an environment of its own in `.leadline/bench`, and
starts each function in the Functions Framework, on the Firestore emulator and a stand-in for Cloud Tasks, with and
without compiled modules. The first call is a real one, which reads or writes the store.
"""

import asyncio
import contextlib
import json
import os
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import jwt
from cryptography.fernet import Fernet
from google.cloud import tasks_v2

from bench.peers.home import FOLDER
from functions.core.firestore import FirestoreStore
from functions.core.lines import Connection, Line, connection_writes, line_writes
from functions.core.secrets import Seal, derive, new_secret
from functions.core.signature import sign_meta
from functions.core.store import Query
from tests.deploy.deployment import Deployed, deploy
from tests.google.cloud_tasks import CloudTasks
from tests.google.firestore_emulator import FirestoreEmulator, warmed_up
from tests.google.framework import Function
from tests.payloads import ANA, NUMBER, WABA, inbound_text, webhook

ROUNDS = 3
_FUNCTIONS = ("webhook", "sender", "sync", "chat")
_PROJECT, _DATABASE, _LOCATION = "demo-cold-start", "leadline", "europe-west1"
_LINE, _CONNECTION, _APP_SECRET = "line", "crm", "app-secret"
_IDLE = "import functions_framework.aio\n\n\n@functions_framework.aio.http\nasync def idle(request):\n    return 'OK'\n"
"""The floor: a function that does nothing."""

_LONGEST = 60


@dataclass(frozen=True)
class Call:
    """The first call of a function."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Start:
    """Seconds from the start of the process to its first answer, those of CPU in them, and the MiB that it holds."""

    seconds: float
    cpu: float
    memory: int


async def measured() -> dict[str, tuple[Start, Start]]:
    """Return, by function, the start of the least CPU with and without compiled modules."""
    deployed = deploy(FOLDER / "deployed")
    secret, key = new_secret(), Fernet.generate_key().decode()
    async with contextlib.AsyncExitStack() as stack:
        emulator = stack.enter_context(FirestoreEmulator())
        tasks = await stack.enter_async_context(CloudTasks())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ |= emulator.environment
        await _make_queues(tasks)
        environment = _environment(emulator, tasks, key)
        calls = await _calls(deployed, environment, folder, Seal([key]), secret)
        calls["idle"] = lambda: Call("GET", "/", {})
        idle = Deployed(folder / "idle" / "main.py", deployed.python)
        idle.source.parent.mkdir()
        idle.source.write_text(_IDLE)
        found = {}
        for name in ("idle", *_FUNCTIONS):
            starts: dict[bool, list[Start]] = {True: [], False: []}
            for turn in range(ROUNDS):
                for compiled in (True, False):
                    extra = {} if compiled else _uncompiled(folder / f"none-{name}-{turn}")
                    source = idle if name == "idle" else deployed
                    start = await _first_answer(source, name, environment | extra, folder, calls[name]())
                    starts[compiled].append(start)
            with_them, without = (min(starts[compiled], key=lambda start: start.cpu) for compiled in (True, False))
            found[name] = (with_them, without)
        return found


def _environment(emulator: FirestoreEmulator, tasks: CloudTasks, key: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        **emulator.environment,
        "CLOUD_TASKS_EMULATOR_HOST": tasks.host,
        "LEADLINE_STORE": f"firestore://{_PROJECT}/{_DATABASE}",
        "LEADLINE_TASKS": f"cloud-tasks://{_PROJECT}/{_LOCATION}",
        "LEADLINE_MEDIA": "gs://media",
        "LEADLINE_TOKEN_KEYS": key,
        "LEADLINE_CONNECTION_KEYS": key,
        "LEADLINE_SENDER_URL": "http://127.0.0.1:9",
        "LEADLINE_SYNC_URL": "http://127.0.0.1:9",
        "WHATSAPP_APP_SECRET": _APP_SECRET,
    }


def _uncompiled(nowhere: Path) -> dict[str, str]:
    """Let Python find no compiled module, and write none."""
    return {"PYTHONPYCACHEPREFIX": str(nowhere), "PYTHONDONTWRITEBYTECODE": "1"}


async def _make_queues(tasks: CloudTasks) -> None:
    parent = f"projects/{_PROJECT}/locations/{_LOCATION}"
    client = tasks.client()
    for queue in (f"send-{_LINE}", f"sync-{_CONNECTION}", "media", "housekeeping"):
        await client.create_queue(parent=parent, queue=tasks_v2.Queue(name=f"{parent}/queues/{queue}"))


async def _calls(
    deployed: Deployed, environment: Mapping[str, str], folder: Path, seal: Seal, secret: str
) -> dict[str, Callable[[], Call]]:
    """Let a customer write through the webhook, and return what makes the call that each function is first asked."""
    store = FirestoreStore(_PROJECT, _DATABASE)
    line = Line(_LINE, "shop", _CONNECTION, NUMBER, "+1 555 010 0001", "Shop", WABA, seal.close("token"))
    connection = Connection(_CONNECTION, "shop", "odoo", "http://127.0.0.1:9", (seal.close(secret),))
    await warmed_up(store)
    await store.commit([*line_writes(line), *connection_writes(connection)])
    body = webhook(inbound_text(ANA))
    written = Call("POST", "/webhook", {"X-Hub-Signature-256": sign_meta(body, _APP_SECRET)}, body)
    await _first_answer(deployed, "webhook", environment, folder, written)
    [conversation] = await store.query(Query("conversations", {"line": _LINE}, order="updated", descending=True))
    await store.close()
    as_json = {"Content-Type": "application/json"}
    send = {"kind": "send", "line": _LINE, "conversation": conversation.key.id}
    sweep = json.dumps({"kind": "sweep"}).encode()
    return {
        "webhook": lambda: written,
        "sender": lambda: Call("POST", "/", as_json, json.dumps(send).encode()),
        "sync": lambda: Call("POST", "/", as_json, sweep),
        "chat": lambda: _read(conversation.key.id, secret),
    }


def _read(conversation: str, secret: str) -> Call:
    """Return the call that reads a conversation, with a fresh grant."""
    now = int(time.time())
    claims = {
        "aud": "leadline",
        "sub": "2",
        "name": "Maria",
        "conversation": conversation,
        "can": ["read"],
        "iat": now,
        "exp": now + 300,
    }
    grant = jwt.encode(claims, derive(secret, "grants"), headers={"kid": _CONNECTION})
    return Call("GET", f"/chat/v1/conversations/{conversation}/messages", {"Authorization": f"Bearer {grant}"})


async def _first_answer(
    deployed: Deployed, name: str, environment: Mapping[str, str], folder: Path, call: Call
) -> Start:
    """Start a function and return how its first answer came about."""
    function = Function(
        name, source=deployed.source, environment=environment, log=folder / f"{name}.log", python=deployed.python
    )
    began = time.monotonic()
    function.start()
    try:
        await _listening(function)
        async with httpx.AsyncClient(trust_env=False, timeout=_LONGEST) as client:
            answer = await client.request(
                call.method, function.url + call.path, headers=call.headers, content=call.body
            )
        seconds = time.monotonic() - began
        if answer.status_code != httpx.codes.OK:
            raise RuntimeError(f"{name} answered {answer.status_code}: {answer.text[:200]}")
        return Start(seconds, function.cpu(), function.memory())
    finally:
        function.kill()


async def _listening(function: Function) -> None:
    address = urlsplit(function.url)
    async with asyncio.timeout(_LONGEST):
        while True:
            with socket.socket() as probe:
                if probe.connect_ex((address.hostname or "", address.port or 0)) == 0:
                    return
            await asyncio.sleep(0.005)


def rows() -> list[tuple[str, str]]:
    """Return a row for each function, against one that does nothing."""
    found = asyncio.run(measured())
    floor, _ = found.pop("idle")
    shown = [("cold start of a function that does nothing", _figures(floor))]
    for name, (compiled, bare) in found.items():
        figure = (
            f"{compiled.cpu / floor.cpu:.1f} × that ({_figures(compiled)}), with a call that reads or writes the "
            f"store; {bare.cpu / compiled.cpu:.1f} × as much without compiled modules ({_figures(bare)})"
        )
        shown.append((f"cold start of {name}", figure))
    return shown


def _figures(start: Start) -> str:
    return f"{start.cpu * 1e3:.0f} ms of CPU, {start.seconds * 1e3:.0f} ms to the first 200, {start.memory} MiB"


if __name__ == "__main__":
    for title, figure in rows():
        print(f"  {title:<44} {figure}", flush=True)
