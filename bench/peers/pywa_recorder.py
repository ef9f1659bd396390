"""pywa's async server on FastAPI as its documentation shows it, with handlers that keep what they are called with.

`HANDLED` names the file that they write to, a line for each call. `POST /handler` says how they fare: `down`, as when
the database behind them is; `seconds`, which their work takes. Run by pywa's own interpreter.
"""

import asyncio
import json
import os
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from fastapi import FastAPI
from pywa_async import WhatsApp
from pywa_async.types import Message, MessageStatus

app = FastAPI()
client = WhatsApp(
    token="-",
    server=app,
    webhook_endpoint="/webhook",
    verify_token="-",
    app_secret=os.environ["WHATSAPP_APP_SECRET"],
)
_state: dict[str, Any] = {"down": False, "seconds": 0.0}


@app.post("/handler")
async def handler(state: dict[str, Any]) -> None:
    """Set how the handlers fare."""
    _state.update(state)


@client.on_message
async def message(_: WhatsApp, message: Message) -> None:
    """Keep a message, with its file if it has one."""
    await asyncio.sleep(_state["seconds"])
    if _state["down"]:
        raise ConnectionError("the database is down")
    _keep({"message": message.id, "type": message.type, "text": message.text})
    if message.has_media:
        await message.download_media(filepath=gettempdir())


@client.on_message_status
async def status(_: WhatsApp, status: MessageStatus) -> None:
    """Keep a status."""
    _keep({"status": status.status, "of": status.id})


def _keep(call: dict[str, Any]) -> None:
    with Path(os.environ["HANDLED"]).open("a") as file:
        file.write(f"{json.dumps(call)}\n")
