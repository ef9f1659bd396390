"""Fetch a received file from Meta into the media store, soon after its message: Meta keeps it for 7 days."""

import base64
import hashlib
import logging
from collections.abc import AsyncIterator

from functions.core.events import deliver_task, event
from functions.core.graph import NotSent, Refused, Uncertain
from functions.core.ids import key_of
from functions.core.media import StoredFile
from functions.core.message import message_key
from functions.core.meta_errors import Decision, error_view, meaning
from functions.core.store import NOW, Document, Unavailable, update
from functions.core.work import Hopeless
from functions.sender.desk import Access, Desk

log = logging.getLogger(__name__)

MAX_SIZE = 100 * 1024 * 1024
"""Bytes of the largest file that a customer can send (Meta, "Media")."""

_LATER = (Decision.RETRY, Decision.ACCOUNT)
"""Nothing is wrong with the file itself, which Meta keeps for 7 days."""


class FileRefused(Exception):
    """The file is not what was announced, or too large; trying again is no use."""


async def fetch_media(desk: Desk, line_id: str, message_id: str) -> None:
    """Store the file of a message and tell the open tabs. Raises `Unavailable` when it should be tried again."""
    access = await desk.access(line_id)
    [message] = await desk.ports.store.get([message_key(message_id)])
    if message is None:
        raise Hopeless("the message is gone")
    media = message.fields["media"]
    if media["state"] == "stored":
        return
    name = f"{access.line.account}/{message_id}"
    try:
        stored, mime = await _fetch(desk, access, media["id"] or "", media.get("sha256"), name)
    except (NotSent, Uncertain):
        raise Unavailable("the file can't be fetched just now") from None
    except Refused as refusal:
        if meaning(refusal.code, refusal.transient).decision in _LATER:
            raise Unavailable("the file can't be fetched just now") from None
        await _tell(desk, access, message, {"state": "failed", "reason": error_view(refusal.error)["plain"]})
    except FileRefused as refusal:
        await _tell(desk, access, message, {"state": "failed", "reason": str(refusal)})
    else:
        await _tell(
            desk,
            access,
            message,
            {"state": "stored", "file": name, "size": stored.size, "mime": media.get("mime") or mime},
        )


async def _fetch(desk: Desk, access: Access, media_id: str, sha256: str | None, name: str) -> tuple[StoredFile, str]:
    facts = await desk.graph.media(access.token, media_id)
    async with desk.graph.download(facts.url, access.token) as chunks:
        stored = await desk.ports.media.save(name, _checked(chunks, sha256 or facts.sha256), facts.mime)
    return stored, facts.mime


async def _checked(chunks: AsyncIterator[bytes], sha256: str) -> AsyncIterator[bytes]:
    """Pass the chunks on; at their end the size and the hash must be right, or nothing is kept."""
    size, hasher = 0, hashlib.sha256()
    async for chunk in chunks:
        size += len(chunk)
        if size > MAX_SIZE:
            raise FileRefused("The file is over 100 MB.")
        hasher.update(chunk)
        yield chunk
    # Live webhooks carry base64, older examples hexadecimal.
    if sha256 and sha256.rstrip("=") not in (
        hasher.hexdigest(),
        base64.b64encode(hasher.digest()).decode().rstrip("="),
    ):
        raise FileRefused("The file arrived damaged.")


async def _tell(desk: Desk, access: Access, message: Document, media: dict[str, object]) -> None:
    line = access.line
    told = event(
        "message.changed",
        account=line.account,
        connection=line.connection,
        conversation=message.fields["conversation"],
        message=message.key.id,
        detail="media",
        now=desk.ports.now(),
    )
    await desk.ports.store.commit([update(message.key, {"media": media, "changed": NOW}), told])
    await desk.ports.tasks.enqueue(deliver_task(line.connection, key_of(message.key.id, "media")))
    log.info("media settled", extra={"message_id": message.key.id, "status": media["state"]})
