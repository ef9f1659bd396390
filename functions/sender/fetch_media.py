"""Fetch a received file from Meta into the media store, soon after its message: Meta keeps it for 7 days."""

import base64
import hashlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from functions.core.events import deliver_task, event
from functions.core.fetching import next_try
from functions.core.graph import NotSent, Refused, Uncertain
from functions.core.ids import key_of
from functions.core.limits import RECEIVED
from functions.core.media import MediaMissing, MediaUnavailable, StoredFile
from functions.core.message import message_key
from functions.core.meta_errors import Decision, error_view, meaning
from functions.core.store import NOW, Document, NotFound, update
from functions.core.work import Hopeless
from functions.sender.desk import Access, Desk, check_line
from functions.sender.pictures import picture_fields

log = logging.getLogger(__name__)

_LATER = (Decision.RETRY, Decision.ACCOUNT)
"""Nothing is wrong with the file itself, which Meta keeps for 7 days."""

_TRIES = 3
"""How often a file is fetched that arrives damaged."""

_TOO_LONG = "WhatsApp did not give the file for too long. Try again, or ask the customer to send it once more."


class FileRefused(Exception):
    """The file is not what was announced, or too large; trying again is no use. The text is for the agent."""


class Damaged(FileRefused):
    """What arrived is not what was announced. It may have been spoiled on its way."""


class NotNow(Exception):
    """The file can't be had just now."""


async def fetch_media(desk: Desk, task: Mapping[str, str]) -> None:
    """Store the file of a message and tell the open tabs; what must wait comes back as a task of its own."""
    access = await desk.access(task["line"])
    [message] = await desk.ports.store.get([message_key(task["message"])])
    if message is None:
        return  # It was erased, or its time was over, while this was on its way.
    if "media" not in message.fields:
        raise Hopeless("the message has no file")
    check_line(message, access.line.id)
    media = message.fields["media"]
    if media["state"] == "stored":
        return
    try:
        settled = await _stored(desk, access, message)
    except FileRefused as refusal:
        settled = {"state": "failed", "reason": str(refusal)}
    except NotNow:
        later = next_try(task, desk.ports.now())
        if later is not None:
            log.info("a file has to wait", extra={"message_id": message.key.id, "attempt": task["attempt"]})
            await desk.ports.tasks.enqueue(later)
            return
        settled = {"state": "failed", "reason": _TOO_LONG}
    await _settle(desk, access, message, settled)


async def add_thumbnail(desk: Desk, task: Mapping[str, str]) -> None:
    """Give a picture of ours its thumbnail; without one the tab shows the picture itself."""
    [message] = await desk.ports.store.get([message_key(task["message"])])
    if message is None:
        return  # It was erased, or its time was over, while this was on its way.
    if "media" not in message.fields:
        raise Hopeless("the message has no file")
    check_line(message, task["line"])
    media = message.fields["media"]
    try:
        fields = await picture_fields(desk.ports.media, media["file"], media["mime"], media["size"])
    except (MediaMissing, MediaUnavailable) as error:
        log.warning("no thumbnail", extra={"type": type(error).__name__, "message_id": message.key.id})
        return
    if fields:
        await desk.ports.store.commit([update(message.key, {"media": fields, "changed": NOW})])


async def _stored(desk: Desk, access: Access, message: Document) -> dict[str, Any]:
    """Return what a message's `media` gets once its file is stored. Raises `FileRefused` and `NotNow`."""
    media, name = message.fields["media"], f"{access.line.account}/{message.key.id}"
    try:
        stored, mime = await _fetch_whole(desk, access, media["id"] or "", media.get("sha256"), name)
        # What the customer's app called it says more than Meta's own word: the codec of a voice note stands there.
        mime = media.get("mime") or mime
        picture = await picture_fields(desk.ports.media, name, mime, stored.size)
    except (NotSent, Uncertain, MediaUnavailable):
        raise NotNow from None
    except Refused as refusal:
        if meaning(refusal.code, refusal.transient).decision in _LATER:
            raise NotNow from None
        raise FileRefused(error_view(refusal.error)["plain"]) from None
    return {"state": "stored", "file": name, "size": stored.size, "mime": mime, "reason": None, **picture}


async def _fetch_whole(
    desk: Desk, access: Access, media_id: str, sha256: str | None, name: str
) -> tuple[StoredFile, str]:
    for _ in range(_TRIES - 1):
        with suppress(Damaged):
            return await _fetch(desk, access, media_id, sha256, name)
    return await _fetch(desk, access, media_id, sha256, name)


async def _fetch(desk: Desk, access: Access, media_id: str, sha256: str | None, name: str) -> tuple[StoredFile, str]:
    facts = await desk.graph.media(access.token, media_id)
    _check_size(facts.size)
    async with desk.graph.download(facts.url, access.token) as chunks:
        stored = await desk.ports.media.save(name, _checked(chunks, sha256 or facts.sha256), facts.mime)
    return stored, facts.mime


async def _checked(chunks: AsyncIterator[bytes], sha256: str) -> AsyncIterator[bytes]:
    """Pass the chunks on; at their end the size and the hash must be right, or nothing is kept."""
    size, hasher = 0, hashlib.sha256()
    async for chunk in chunks:
        size += len(chunk)
        _check_size(size)
        hasher.update(chunk)
        yield chunk
    if size == 0:
        raise Damaged("The file arrived empty.")
    # Live webhooks carry base64, older examples hexadecimal.
    is_hex = sha256.lower() == hasher.hexdigest()
    if sha256 and not is_hex and sha256.rstrip("=") != base64.b64encode(hasher.digest()).decode().rstrip("="):
        raise Damaged("The file arrived damaged.")


def _check_size(size: int) -> None:
    if size > RECEIVED:
        raise FileRefused("The file is over 100 MB.")


async def _settle(desk: Desk, access: Access, message: Document, media: dict[str, Any]) -> None:
    # A file may fail, be asked for again, and come: each is told, though it happens to the same message.
    line, detail = access.line, f"media {media['state']} {message.version}"
    told = event(
        "message.changed",
        account=line.account,
        connection=line.connection,
        conversation=message.fields["conversation"],
        message=message.key.id,
        detail=detail,
        now=desk.ports.now(),
    )
    try:
        await desk.ports.store.commit([update(message.key, {"media": media, "changed": NOW}), told])
    except NotFound:
        # Erased while its file was fetched.
        for name in filter(None, (media.get("file"), media.get("thumbnail"))):
            await desk.ports.media.delete(name)
        return
    await desk.ports.tasks.enqueue(deliver_task(line.connection, key_of(message.key.id, detail)))
    log.info("media settled", extra={"message_id": message.key.id, "status": media["state"]})
