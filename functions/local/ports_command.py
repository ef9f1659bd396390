"""What the commands share that work on the ports of the settings, on this machine or in the cloud."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from functions.core.media import MediaUnavailable
from functions.core.store import Unavailable
from functions.core.tasks import QueueUnavailable
from functions.local.failure import SetUpFailed

if TYPE_CHECKING:
    from functions.core.ports import Ports

folder_option = click.option(
    "--folder", type=click.Path(path_type=Path), default=Path(".leadline"), help="Where the data lies (one machine)."
)


def run(command: Coroutine[Any, Any, int | None]) -> int:
    """Run a command on the ports to its end and return its exit code. Raises `SetUpFailed` for ports out of reach."""
    # What the functions log is for an operator of the cloud; the command says by itself what it did.
    logging.getLogger("functions").addHandler(logging.NullHandler())
    try:
        return asyncio.run(command) or 0
    except (Unavailable, QueueUnavailable, MediaUnavailable) as error:
        raise SetUpFailed(f"Out of reach: {error}") from None


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator["Ports"]:
    """Open the ports of the environment. Raises `BadSetting` and `SetUpFailed`."""
    # Imported here: the command line itself starts at once.
    from functions.local import wiring

    async with wiring.opened(os.environ, folder) as ports:
        yield ports
