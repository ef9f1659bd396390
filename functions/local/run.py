"""`leadline run`: everything on this machine, from nothing to three addresses, and everything down again."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import httpx
import uvicorn
from starlette.types import ASGIApp
from uvicorn.loops.auto import auto_loop_factory

from functions.core.settings import Settings
from functions.core.store import Unavailable
from functions.local import demo
from functions.local.failure import SetUpFailed, folder_failed
from functions.local.keys import Keys
from functions.local.machine import Machine, one_machine_settings
from functions.local.odoo.demo import DATABASE, LOGIN, PASSWORD, Pairing, odoo_running
from functions.local.odoo.server import OdooServer

Progress = Callable[[str], None]

_ODOO_PORT = 8069
_FIRST_PAUSE, _LONGEST_PAUSE = 2, 300
"""Seconds before Odoo is started again; each time that it ends at once doubles them."""
_HOST = "127.0.0.1"
_ENDING_SECONDS = 2
_IDLE_SECONDS = 150
"""How long a connection is kept that nobody uses. Uvicorn's own 5 s are a tab's pause between two questions, so some
would come while theirs is being closed, and get no answer; a proxy before us would make 502 of that. nginx keeps its
connections for 60 s, cloudflared for 90, Caddy for 120."""


def run(folder: Path, environment: Mapping[str, str], progress: Progress) -> None:
    """Start everything, print where it is, and stay until Ctrl-C.

    Raises `SetUpFailed` or `BadSetting`, each with a sentence for the person at the terminal.
    """
    folder = folder.absolute()
    keys = _keys(folder)
    settings = one_machine_settings(environment, folder, keys)
    _check_port(settings.port)
    with contextlib.ExitStack() as running:
        odoo = None
        if environment.get("ODOO", "1") != "0":
            pairing = Pairing(demo.CONNECTION, settings.public_url, keys.connection_secret)
            odoo = running.enter_context(odoo_running(folder, partial(_odoo_port, progress), pairing, progress))
        try:
            with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
                runner.run(_serve(Machine(settings, keys, folder), odoo, progress))
        except Unavailable as error:
            raise SetUpFailed(str(error)) from None
        progress("Stopping …")


async def _serve(machine: Machine, odoo: OdooServer | None, progress: Progress) -> None:
    """Serve until a signal comes, or something that must run ends. Raises `SetUpFailed`."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = Server(machine.app, machine.settings.port)
    await machine.start(odoo.url if odoo else None, DATABASE)
    try:
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server.serve())
            serving.add_done_callback(lambda _: stopped.set())
            announcing = group.create_task(_announce(machine, odoo, progress))
            await stopped.wait()
            announcing.cancel()
            server.should_exit = True
    except ExceptionGroup as group:
        if failed := group.subgroup(SetUpFailed):
            raise failed.exceptions[0] from None
        raise
    finally:
        await machine.stop()


async def _announce(machine: Machine, odoo: OdooServer | None, progress: Progress) -> None:
    """Say where everything is, once it is there, and when Odoo is not any more."""
    if odoo:
        await _until_ready(odoo)
    await machine.open_for_business()
    progress(_addresses(machine.settings, odoo))
    if odoo:
        await keep_running(odoo, progress)


async def keep_running(odoo: OdooServer, progress: Progress) -> None:
    """Start Odoo again whenever it ends, for ever. Customers' messages are taken meanwhile, and told to it then.

    Raises `SetUpFailed` when its port is somebody else's by then.
    """
    pause, lived = _FIRST_PAUSE // 2, 0
    while True:
        while odoo.running:
            await asyncio.sleep(1)
            lived += 1
        pause = _FIRST_PAUSE if lived > _LONGEST_PAUSE else min(pause * 2, _LONGEST_PAUSE)
        progress(
            f"Odoo ended and starts again in {pause} seconds; messages that come meanwhile are kept. "
            f"Why it ended is in {odoo.log_before}."
        )
        await asyncio.sleep(pause)
        odoo.start()
        lived = 0


async def _until_ready(odoo: OdooServer) -> None:
    async with httpx.AsyncClient(timeout=60) as client:
        while odoo.running:
            with contextlib.suppress(httpx.HTTPError):
                if odoo.listening and (await client.get(f"{odoo.url}/web/login")).status_code == httpx.codes.OK:
                    return
            await asyncio.sleep(0.2)
    raise SetUpFailed(f"Odoo ended while it started. Its log is {odoo.log}.")


def _addresses(settings: Settings, odoo: OdooServer | None) -> str:
    url = settings.public_url
    places = {"The customer's phone": f"{url}/simulator/"}
    if odoo:
        places["Odoo"] = f"{odoo.url}/odoo/crm   (login {LOGIN}, password {PASSWORD})"
    places["The chat API"] = f"{url}/chat/v1/openapi.json"
    places["Another Odoo"] = "leadline connect odoo   (prints a pairing code for it)"
    shown = "\n".join(f"  {name:<22} {place}" for name, place in places.items())
    return f"""
Leadline is running. Write from the phone, and answer from the lead.

{shown}

Ctrl-C stops everything; the data stays for the next start.
"""


def _keys(folder: Path) -> Keys:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Keys.of(folder)
    except OSError as error:
        raise folder_failed(error, folder) from None


def _check_port(port: int) -> None:
    if not _is_free(port):
        raise SetUpFailed(
            f"Port {port} is taken by another program. Stop it, or choose another port: PORT={port + 1} make run"
        )


def _odoo_port(progress: Progress) -> int | None:
    if _is_free(_ODOO_PORT):
        return _ODOO_PORT
    progress(f"Port {_ODOO_PORT} is taken, so Odoo gets another one.")
    return None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


class Server(uvicorn.Server):
    """Uvicorn on this machine's own address, without its signal handlers: Ctrl-C must reach Odoo and PostgreSQL too."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=_HOST,
                port=port,
                log_config=None,
                timeout_keep_alive=_IDLE_SECONDS,
                timeout_graceful_shutdown=_ENDING_SECONDS,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
