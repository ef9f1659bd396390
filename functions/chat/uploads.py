"""Files on their way out: the browser puts them into the media store itself, and the message names them."""

import uuid
from datetime import timedelta
from typing import Any

from functions.chat.bodies import NewFile
from functions.chat.desk import Desk, Open
from functions.chat.problems import Problem
from functions.core.ids import key_of
from functions.core.limits import fault
from functions.core.media import MediaMissing
from functions.core.store import NOW, Key, create

_KEPT = timedelta(days=1)


def _key(upload: str) -> Key:
    return Key("uploads", upload)


async def prepare(desk: Desk, opened: Open, file: NewFile) -> dict[str, Any]:
    """Return where the browser may put a file, and the id under which a message names it."""
    upload = key_of("upload", str(uuid.uuid4()))
    name = f"{opened.line.account}/{upload}"
    await desk.ports.store.commit(
        [
            create(
                _key(upload),
                {
                    "account": opened.line.account,
                    "conversation": opened.id,
                    "file": name,
                    "mime": file.mime,
                    "name": file.filename,
                    "created": NOW,
                    "expires_at": desk.ports.now() + _KEPT,
                },
            )
        ]
    )
    target = await desk.ports.media.upload_url(name, file.mime, file.size)
    return {
        "id": upload,
        "upload": {"method": target.method, "url": target.url, "headers": dict(target.headers)},
    }


async def uploaded(desk: Desk, opened: Open, type_: str, upload: str) -> dict[str, Any]:
    """Return the `media` of a message from its uploaded file. Raises `Problem` when WhatsApp would not take it."""
    [document] = await desk.ports.store.get([_key(upload)])
    if document is None or document.fields["conversation"] != opened.id:
        raise Problem(422, "media_unknown", "No file of this id was announced for this conversation.")
    fields = document.fields
    try:
        stored = await desk.ports.media.info(fields["file"])
    except MediaMissing:
        raise Problem(422, "media_not_uploaded", "The file has not been uploaded yet.") from None
    if reason := fault(type_, fields["mime"], stored.size):
        raise Problem(422, "media_refused", reason)
    return {
        "file": fields["file"],
        "mime": fields["mime"],
        "name": fields["name"],
        "size": stored.size,
        "state": "stored",
    }
