"""The file of one message: a fresh address for it, and another try to fetch it."""

from contextlib import suppress
from typing import Any

from functions.chat.callers import Caller
from functions.chat.desk import Desk, Open
from functions.chat.problems import Problem, not_found
from functions.chat.reading import file_urls, one
from functions.core.fetching import ASKED_AGAIN, fetch_task
from functions.core.message import message_key
from functions.core.store import NOW, Document, NotFound, Stale, update


async def addresses(desk: Desk, caller: Caller, message_id: str) -> dict[str, Any]:
    """Return where a message's file and its thumbnail can be had for the next minutes. Raises `Problem`."""
    [message] = await desk.ports.store.get([message_key(message_id)])
    # What came before its message is in no conversation yet.
    if message is None or "conversation" not in message.fields:
        raise not_found()
    opened = await desk.open(caller, caller.conversation or message.fields["conversation"], "read")
    media, urls = _media(opened, message), await file_urls(desk, message)
    if urls["url"] is None:
        raise Problem(409, "file_not_stored", media.get("reason") or "The file is not here, or not yet.")
    return urls


async def fetch_again(desk: Desk, opened: Open, message_id: str) -> dict[str, Any]:
    """Ask WhatsApp for a received file that could not be fetched; returns the message. Raises `Problem`."""
    [message] = await desk.ports.store.get([message_key(message_id)])
    media = _media(opened, message)
    if message is None or message.fields.get("wamid") is None or "id" not in media:
        raise Problem(409, "not_received", "Only a file that came through WhatsApp can be fetched from there.")
    if media["state"] != "stored":
        # The task first: it fetches whatever the message says meanwhile. Wished for twice, it has one name.
        until = desk.ports.now() + ASKED_AGAIN
        await desk.ports.tasks.enqueue(fetch_task(opened.line.id, message_id, until, cause=str(message.version)))
        message = await _waiting(desk, message)
    return await one(desk, opened, message)


async def _waiting(desk: Desk, message: Document) -> Document:
    """Return the message whose file is shown as on its way; of two people who ask at once, one makes it so."""
    if message.fields["media"]["state"] == "waiting":
        return message
    fields = {"media": {"state": "waiting", "reason": None}, "changed": NOW}
    with suppress(Stale, NotFound):
        await desk.ports.store.commit([update(message.key, fields, version=message.version)])
    [shown] = await desk.ports.store.get([message.key])
    if shown is None:
        raise not_found()
    return shown


def _media(opened: Open, message: Document | None) -> dict[str, Any]:
    if message is None or message.fields.get("conversation") != opened.id or not message.fields.get("media"):
        raise not_found()
    media: dict[str, Any] = message.fields["media"]
    return media
