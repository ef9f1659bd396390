"""pywa's async server on FastAPI, with a handler that does nothing; run by pywa's own interpreter."""

import os

from fastapi import FastAPI
from pywa_async import WhatsApp
from pywa_async.types import Message

app = FastAPI()
# It would skip a body that it saw before, and the load is one body.
client = WhatsApp(
    token="-",
    server=app,
    webhook_endpoint="/webhook",
    verify_token="-",
    app_secret=os.environ["WHATSAPP_APP_SECRET"],
    skip_duplicate_updates=False,
)


@client.on_message
async def nothing(_: WhatsApp, message: Message) -> None:
    """Take the message as it was parsed."""
    assert message.text
