"""Files that went up or came in: what Meta takes, how long it keeps them, and where they can be fetched.

Source: Meta, "Media" (types, sizes, lifetimes).
"""

import asyncio
import hashlib
import hmac
import shutil
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlencode

from functions.local.simulator.database import Database
from functions.local.simulator.errors import GraphError
from functions.local.simulator.identifiers import node_id

MB = 1024 * 1024
DAY = 24 * 3600
URL_LIFE = 300
"""Seconds for which a download URL works."""

UPLOADED_LIFE, RECEIVED_LIFE = 30 * DAY, 7 * DAY
"""Seconds for which a file can be had: sent up by the business, received from a customer."""

MIMES: dict[str, tuple[str, int]] = {
    **dict.fromkeys(("image/jpeg", "image/png"), ("image", 5 * MB)),
    **dict.fromkeys(("video/mp4", "video/3gpp"), ("video", 16 * MB)),
    **dict.fromkeys(
        ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/opus"), ("audio", 16 * MB)
    ),
    **dict.fromkeys(
        (
            "text/plain",
            "application/pdf",
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ),
        ("document", 100 * MB),
    ),
    "image/webp": ("sticker", 500 * 1024),
}
"""What can be uploaded: the kind of message that it is for, and the most bytes in one of that kind."""

UPLOADED_LIMIT = 100 * MB
"""Most bytes of an upload: which message it is for, only the message says."""

STILL_STICKER = 100 * 1024
"""Most bytes of a sticker that does not move."""

RECEIVED_LIMIT = 100 * MB
"""Most bytes of a file from a customer; above, Meta reports 131052 instead."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that Meta holds. `sha256` is the digest's bytes, `expires` epoch seconds."""

    id: str
    line: str
    mime: str
    sha256: bytes
    size: int
    name: str | None
    uploaded: bool
    expires: float
    path: Path

    @property
    def kind(self) -> str:
        """The type of message a phone makes of it."""
        family = self.mime.split("/")[0]
        return family if family in ("image", "video", "audio") else "document"

    @property
    def sha256_text(self) -> str:
        """The digest as webhooks and the API give it."""
        return b64encode(self.sha256).decode()


class Media:
    """The files, beside the database in a folder of their own."""

    def __init__(
        self, database: Database, folder: Path, clock: Callable[[], float], *, public_url: str, secret: str
    ) -> None:
        self._database, self._folder, self._clock = database, folder, clock
        self._public_url, self._secret = public_url, secret
        folder.mkdir(parents=True, exist_ok=True)

    async def upload(self, line: str, source: BinaryIO, mime: str | None, name: str | None) -> File:
        """Keep a file of the business. Raises `GraphError` for a type or size that Meta refuses."""
        base = _base(mime)
        if base not in MIMES:
            listed = ", ".join(MIMES)
            raise GraphError(
                100,
                message=f"(#100) Param file must be a file with one of the following types: {listed}. "
                f"Received file of type '{base or 'application/octet-stream'}'.",
            )
        file = await self._keep(line, source, mime or base, name, uploaded=True)
        if not 0 < file.size <= UPLOADED_LIMIT:
            self.remove(file)
            raise GraphError(131053, f"File size {file.size} is not between 1 and {UPLOADED_LIMIT} bytes.")
        return file

    async def receive(self, line: str, source: BinaryIO, mime: str | None, name: str | None) -> File:
        """Keep a file of a customer, of whatever type."""
        return await self._keep(line, source, mime or "application/octet-stream", name, uploaded=False)

    def get(self, media_id: str) -> File | None:
        """Return a file that still lives."""
        row = self._database.one("SELECT * FROM media WHERE id = ? AND expires > ?", media_id, self._clock())
        if row is None:
            return None
        return File(**{**row, "uploaded": bool(row["uploaded"]), "path": self._path(media_id)})

    def remove(self, file: File) -> None:
        """Forget a file."""
        self._database.run("DELETE FROM media WHERE id = ?", file.id)
        file.path.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Delete the files whose time is over."""
        for row in self._database.all("SELECT id FROM media WHERE expires <= ?", self._clock()):
            self._path(row["id"]).unlink(missing_ok=True)
        self._database.run("DELETE FROM media WHERE expires <= ?", self._clock())

    def url(self, file: File) -> str:
        """Return where the file can be downloaded during the next 5 minutes."""
        until = int(self._clock()) + URL_LIFE
        query = {"mid": file.id, "source": "getMedia", "ext": until, "hash": self._mac(file.id, str(until))}
        return f"{self._public_url}/graph/whatsapp_business/attachments/?{urlencode(query)}"

    def at_url(self, media_id: str, until: str, mac: str) -> File | None:
        """Return the file of a download URL, None when the URL is over, forged, or the file gone."""
        genuine = hmac.compare_digest(self._mac(media_id, until).encode(), mac.encode())
        if not genuine or self._clock() >= int(until):
            return None
        return self.get(media_id)

    async def _keep(self, line: str, source: BinaryIO, mime: str, name: str | None, *, uploaded: bool) -> File:
        media_id = node_id()
        path = self._path(media_id)
        digest, size = await asyncio.to_thread(_copy, source, path)
        expires = self._clock() + (UPLOADED_LIFE if uploaded else RECEIVED_LIFE)
        self._database.run(
            "INSERT INTO media (id, line, mime, sha256, size, name, uploaded, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *(media_id, line, mime, digest, size, name, uploaded, expires),
        )
        return File(media_id, line, mime, digest, size, name, uploaded, expires, path)

    def _path(self, media_id: str) -> Path:
        return self._folder / media_id

    def _mac(self, media_id: str, until: str) -> str:
        return hmac.new(self._secret.encode(), f"{media_id}.{until}".encode(), hashlib.sha256).hexdigest()[:43]


def carries(kind: str, file: File) -> bool:
    """Say whether a message of this type may carry the file. As a document, any type on the list may go."""
    owner, limit = MIMES.get(_base(file.mime), ("", 0))
    if kind == "document":
        return bool(owner)
    if kind == "sticker" and not animated(file.path):
        limit = STILL_STICKER
    return kind == owner and file.size <= limit


def animated(path: Path) -> bool:
    """Say whether a WebP file moves: its extended header has the animation bit."""
    with path.open("rb") as file:
        head = file.read(21)
    return head[12:16] == b"VP8X" and bool(head[20] & 0x02)


def _base(mime: str | None) -> str:
    return (mime or "").split(";")[0].strip().lower()


def _copy(source: BinaryIO, path: Path) -> tuple[bytes, int]:
    source.seek(0)
    with path.open("wb") as target:
        shutil.copyfileobj(source, target, MB)
        size = target.tell()
    with path.open("rb") as written:
        return hashlib.file_digest(written, "sha256").digest(), size
