"""Files on their way out: the browser puts them into the media store itself, and the message names them.

They arrive under a name that lasts a day; a message that takes one gives it a name of its own.
"""

import uuid
from datetime import timedelta
from typing import Any

from functions.chat.bodies import NewFile
from functions.chat.callers import Caller
from functions.chat.desk import Desk, Open, line_of, only_servers
from functions.chat.problems import Problem
from functions.core.ids import key_of
from functions.core.limits import Fault, exact, fault, named_type
from functions.core.magic import BEGINNING, content_fault
from functions.core.media import ARRIVING, ARRIVING_SECONDS, MediaMissing
from functions.core.store import NOW, Document, Key, create

_KEPT = timedelta(seconds=ARRIVING_SECONDS)
_NO_TYPE = "application/octet-stream"
"""What a browser calls a file whose ending it does not know."""


def _key(upload: str) -> Key:
    return Key("uploads", upload)


async def prepare(desk: Desk, caller: Caller, file: NewFile) -> dict[str, Any]:
    """Return where the browser may put a file, and the id under which a message names it.

    Only a CRM server names a line in place of a conversation: it has checked who may begin one. Raises `Problem` when
    WhatsApp would not take the file, before anything is uploaded.
    """
    conversation = None
    if file.conversation is not None:
        opened = await desk.open(caller, file.conversation, "send")
        line, conversation = opened.line, opened.id
    else:
        only_servers(caller)
        line = await line_of(desk, caller, str(file.line))
    mime = exact(file.mime if file.mime != _NO_TYPE else named_type(file.filename) or _NO_TYPE)
    _refuse(fault(file.type, mime, file.size))
    upload = key_of("upload", str(uuid.uuid4()))
    await desk.ports.store.commit(
        [
            create(
                _key(upload),
                {
                    "account": line.account,
                    "line": line.id,
                    "conversation": conversation,
                    "mime": mime,
                    "name": file.filename,
                    "size": file.size,
                    "created": NOW,
                    "expires_at": desk.ports.now() + _KEPT,
                },
            )
        ]
    )
    target = await desk.ports.media.upload_url(f"{ARRIVING}/{upload}", mime, file.size)
    return {
        "id": upload,
        "upload": {"method": target.method, "url": target.url, "headers": dict(target.headers)},
    }


async def uploaded(desk: Desk, opened: Open, type_: str, upload: str) -> dict[str, Any]:
    """Return the `media` of a message from its uploaded file. Raises `Problem` when WhatsApp would not take it.

    `type_` is that of the message, or `voice`.
    """
    [document] = await desk.ports.store.get([_key(upload)])
    if document is None or not _is_for(document, opened):
        raise Problem(422, "media_unknown", "No file of this id was announced for this conversation.")
    mime, size = document.fields["mime"], document.fields["size"]
    _refuse(fault(type_, mime, size))
    arrived, name = f"{ARRIVING}/{upload}", f"{opened.line.account}/{upload}"
    try:
        beginning = await _arrived(desk, arrived, size)
        _refuse(content_fault(type_, mime, size, beginning))
        await desk.ports.media.copy(arrived, name)
    except MediaMissing:
        raise Problem(422, "media_not_uploaded", "The file has not been uploaded yet.") from None
    media = {"file": name, "mime": mime, "name": document.fields["name"], "size": size, "state": "stored"}
    return media | ({"voice": True} if type_ == "voice" else {})


def _is_for(document: Document, opened: Open) -> bool:
    fields = document.fields
    if fields["conversation"] is None:
        return bool(fields["line"] == opened.line.id)
    return fields["conversation"] in opened.ids


async def _arrived(desk: Desk, name: str, size: int) -> bytes:
    """Return the beginning of a file that is there as it was announced. Raises `MediaMissing` and `Problem`."""
    stored = await desk.ports.media.info(name)
    if stored.size != size:
        sentence = f"Only {stored.size} of the file's {size} bytes arrived. Please attach it again."
        raise Problem(422, "media_incomplete", sentence)
    return await desk.ports.media.beginning(name, BEGINNING)


def _refuse(reason: Fault | None) -> None:
    if reason:
        raise Problem(422, reason.code, reason.plain, limit=reason.limit, offer=reason.offer)
