"""The ports that the settings name, for a command: this machine's folder, or the cloud from an admin's machine."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from functions.core.ports import Ports, google_ports
from functions.core.settings import from_environment
from functions.local.failure import SetUpFailed
from functions.local.file_media import FileMedia
from functions.local.keys import Keys
from functions.local.machine import one_machine_settings
from functions.local.secret_text import resolved
from functions.local.sqlite_store import SqliteStore
from functions.local.sqlite_tasks import SqliteTasks


@asynccontextmanager
async def opened(environment: Mapping[str, str], folder: Path) -> AsyncIterator[Ports]:
    """Open the ports and give them back at the end. Tasks are queued here; `leadline run` or the cloud does them.

    Raises `BadSetting`, and `SetUpFailed` where nothing has run yet.
    """
    if environment.get("LEADLINE_STORE", "").startswith("firestore:"):
        ports = google_ports(from_environment(resolved(environment)))
    else:
        ports = _one_machine(environment, folder)
    try:
        yield ports
    finally:
        for port in (ports.store, ports.tasks, ports.media):
            await port.close()


def _one_machine(environment: Mapping[str, str], folder: Path) -> Ports:
    folder = folder.absolute()
    if not (folder / "keys.json").exists():
        raise SetUpFailed(
            f"There is no data in {folder}. Start once with `make run`, or name the cloud with LEADLINE_STORE."
        )
    keys = Keys.of(folder)
    settings = one_machine_settings(environment, folder, keys)
    return Ports(
        settings,
        SqliteStore(Path(settings.store.removeprefix("sqlite:///"))),
        SqliteTasks(folder / "tasks.db", httpx.AsyncClient()),
        FileMedia(Path(settings.media.removeprefix("file:///")), f"{settings.public_url}/media", keys.media.encode()),
    )
