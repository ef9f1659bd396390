"""Small files of the types that WhatsApp shows or plays, real enough for whoever looks into them."""

import io
import struct
import zlib
from typing import Any

from PIL import Image

ORIENTATION, PLACE = 0x0112, 0x8825
"""EXIF tags: how the camera was held, and where."""


def picture(format_: str = "PNG", size: tuple[int, int] = (8, 6), mode: str = "RGB", **saved: Any) -> bytes:
    """Return a picture whose upper left quarter is red."""
    image = Image.new(mode, size, "white")
    image.paste("red", (0, 0, size[0] // 2, size[1] // 2))
    return encoded(image, format_, **saved)


def encoded(image: Image.Image, format_: str, **saved: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format_, **saved)
    return file.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def photograph(size: tuple[int, int] = (80, 60), orientation: int = 1) -> bytes:
    """Return a JPEG that says how the camera was held, and where it was."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif.get_ifd(PLACE)[1] = "N"
    exif[0x010F] = "A camera maker"
    return picture("JPEG", size, exif=exif, quality=95)


def moving(format_: str = "WEBP", size: tuple[int, int] = (64, 64)) -> bytes:
    """Return an animation of a red frame and a blue one."""
    frames = [Image.new("RGB", size, colour) for colour in ("red", "blue")]
    return encoded(frames[0], format_, save_all=True, append_images=frames[1:], duration=100)


def voice_note(channels: int = 1) -> bytes:
    """Return the beginning of an OGG file with one Opus stream."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, channels, 312, 48000, 0, 0)
    page = b"OggS" + struct.pack("<BBqIIIB", 0, 2, 0, 1, 0, 0, 1) + bytes([len(head)])
    return page + head + b"OggS" + bytes(60)


def bomb(side: int = 50_000) -> bytes:
    """Return a PNG that announces so many pixels a side, and of which a few kilobytes would unfold to all of them."""
    header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    rows = zlib.compress(bytes(1 << 20), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


PNG = picture()
JPEG = picture("JPEG")
MP4 = b"\0\0\0\x18ftypisom" + bytes(52)
