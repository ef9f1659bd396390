"""The media port: files of messages. Its adapters are a Cloud Storage bucket and, on one machine, a folder.

Names are `<account>/<id>` with ids of `core.ids`; a stored file never changes. Bytes do not pass through a function
when a browser uploads or downloads: it gets a URL that is valid for that file and a few minutes.
"""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote

UPLOAD_SECONDS = 3600
"""How long an upload URL is good for."""

ARRIVING = "_arriving"
"""Stands in the place of the account in the name of a file that a browser uploads, until a message takes it under a
name of its own. What is left there a day later belongs to nobody and is removed: by the bucket itself in the cloud."""

ARRIVING_SECONDS = 86400

_MIME = re.compile(r"[\w.+-]+/[\w.+-]+(; ?[\w-]+=[\w.,+-]+)*", re.ASCII)
# A picture that may carry a script is not shown in place.
_SHOWN = re.compile(r"(image/(?!svg)|audio/|video/)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Upload:
    """Where and how a browser puts the bytes of a file."""

    url: str
    method: str = "PUT"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What is known of a stored file: its size in bytes and its MIME type."""

    size: int
    mime: str


class MediaMissing(Exception):
    """There is no file of that name."""


class MediaUnavailable(Exception):
    """The media store can't be reached, refused, or is full; the text says which."""


class MediaStore(Protocol):
    """Where files are kept."""

    async def save(self, name: str, chunks: AsyncIterator[bytes], mime: str) -> StoredFile:
        """Store a file from its chunks; if `chunks` raises, nothing is kept and the error goes on."""
        ...

    async def info(self, name: str) -> StoredFile:
        """Return size and type. Raises `MediaMissing`."""
        ...

    def read(self, name: str) -> AsyncIterator[bytes]:
        """Stream a file in chunks. Raises `MediaMissing` at the first one."""
        ...

    async def beginning(self, name: str, count: int) -> bytes:
        """Return the first bytes of a file, at most `count`. Raises `MediaMissing`."""
        ...

    async def copy(self, source: str, name: str) -> None:
        """Give a file another name too, without moving its bytes. Raises `MediaMissing`.

        Doing it again is harmless.
        """
        ...

    async def upload_url(self, name: str, mime: str, size: int) -> Upload:
        """Return where a browser may put this file: of that type, up to that size, within the next hour."""
        ...

    async def download_url(self, name: str, mime: str, *, filename: str | None = None, seconds: int = 300) -> str:
        """Return a URL that answers the file for so many seconds, one range of it allowed.

        One that was given out before may be given out again while it lasts for at least half of that.

        The type and the disposition are fixed by the URL: `inline` for pictures, sound and video, otherwise
        `attachment` with the file name. Never served as active content.
        """
        ...

    async def delete(self, name: str) -> None:
        """Take the file away; one that is not there is fine."""
        ...

    async def close(self) -> None:
        """Give back connections and threads."""
        ...


def thumbnail_name(name: str) -> str:
    """Return the name of the small picture beside a large one."""
    return f"{name}-thumbnail"


def served_type(mime: str) -> str:
    """Return the MIME type under which a file is served: the given one, or a neutral one if that is no MIME type."""
    return mime if _MIME.fullmatch(mime) else "application/octet-stream"


def disposition(mime: str, filename: str | None) -> str:
    """Return the Content-Disposition of a download; whatever the file name holds, it stays one plain header."""
    kind = "inline" if _SHOWN.match(served_type(mime)) else "attachment"
    last = re.split(r"[/\\]", filename or "")[-1]
    plain = "".join(character for character in last if character.isprintable()).strip()
    return f"{kind}; filename*=UTF-8''{quote(plain, safe='')}" if plain else kind
