"""Small pictures beside large ones, so that a page of messages loads fast.

A picture comes from a stranger: its decoder sees nothing but four formats, of a size that was checked before, one
picture at a time. Whatever goes wrong costs the small picture and never the message.
"""

import asyncio
import io
import logging
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.limits import MB, bare
from functions.core.media import MediaStore, thumbnail_name

if TYPE_CHECKING:
    from PIL.Image import Image

log = logging.getLogger(__name__)

SIDE = 480
"""Pixels of the longer side of a thumbnail: sharp at the size of a bubble, also on a dense screen."""

MAX_BYTES = 16 * MB
MAX_PIXELS = 40_000_000
"""What is larger is shown without a thumbnail. Decoded, so many pixels take 160 MB."""

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}
_MIME = "image/webp"
_ORIENTATION = 0x0112
_LYING = range(5, 9)
"""The EXIF orientations in which height and width are swapped."""

_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's size in pixels as it is seen, and its thumbnail."""

    width: int
    height: int
    thumbnail: bytes


async def picture_fields(media: MediaStore, name: str, mime: str, size: int) -> dict[str, Any]:
    """Store a thumbnail beside a picture; returns what its message's `media` gets, nothing if there can be none."""
    if bare(mime) not in _FORMATS or size > MAX_BYTES:
        return {}
    content = b"".join([chunk async for chunk in media.read(name)])
    picture = await asyncio.to_thread(_look, content)
    if picture is None:
        return {}
    beside = thumbnail_name(name)
    await media.save(beside, _once(picture.thumbnail), _MIME)
    return {"thumbnail": beside, "width": picture.width, "height": picture.height}


def _look(content: bytes) -> Picture | None:
    try:
        with _one_at_a_time:
            return picture_of(content)
    except Exception as error:  # Decoders fail in ways that Pillow does not name.
        log.info("no thumbnail", extra={"type": type(error).__name__})
        return None


def picture_of(content: bytes) -> Picture | None:
    """Return a picture with its thumbnail: upright, the first frame, without anything that the file says of itself.

    None for one of too many pixels. Raises what Pillow raises for a file that is no picture, or a broken one.
    """
    # Imported here, so that only who makes a thumbnail waits for it.
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    with Image.open(io.BytesIO(content), formats=tuple(_FORMATS.values())) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            return None
        if image.getexif().get(_ORIENTATION) in _LYING:
            width, height = height, width
        # A JPEG is decoded at a fraction of its size, right for what it is shrunk to.
        image.thumbnail((SIDE, SIDE))
        return Picture(width, height, _encoded(ImageOps.exif_transpose(image)))


def _encoded(image: "Image") -> bytes:
    """Return a picture as WebP. Pillow writes along what `info` holds: where it was taken, and with what."""
    plain = image.convert("RGBA" if image.has_transparency_data else "RGB")
    plain.info = {}
    file = io.BytesIO()
    plain.save(file, "WEBP", quality=75)
    return file.getvalue()


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
