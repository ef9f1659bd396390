"""Files that are small until somebody opens them, or that are not what they say."""

import io
import struct
import zipfile
import zlib

from PIL import Image


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG that says that it is so large, with these chunks before its pixels."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    pixels = _chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(_chunk(*one) for one in chunks) + pixels + _chunk(b"IEND", b"")


def _gif(width: int, height: int, frames: int) -> bytes:
    frame = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6) + frame * frames + b"\x3b"


def _webp(width: int, height: int) -> bytes:
    small = io.BytesIO()
    Image.new("RGB", (1, 1)).save(small, "WEBP", lossless=True)
    said = bytes([0x02, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    frame = bytes(12) + (100).to_bytes(3, "little") + b"\0" + small.getvalue()[12:]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + said + b"ANIM" + struct.pack("<I", 6) + bytes(6)
    body += b"ANMF" + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _jpeg(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    at = file.getvalue().index(b"\xff\xc0") + 5
    return file.getvalue()[:at] + struct.pack(">HH", height, width) + file.getvalue()[at + 4 :]


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", bytes(30_000_000))
    return file.getvalue()


_HTML = b"<html><script>fetch('/ran/file')</script>"
_INFLATED = zlib.compress(bytes(60_000_000), 9)

PICTURES = {
    # Name: file and its announced type. Each says that it holds far more than it has bytes for, or is another thing.
    "PNG of 4 billion pixels": (png(65_000, 65_000), "image/png"),
    "PNG just under the limit without its pixels": (png(8_000, 4_999), "image/png"),
    "PNG whose text unpacks to 60 MB": (png(9, 9, (b"zTXt", b"Comment\0\0" + _INFLATED)), "image/png"),
    "PNG whose profile unpacks to 60 MB": (png(9, 9, (b"iCCP", b"icc\0\0" + _INFLATED)), "image/png"),
    "GIF of 4 billion pixels": (_gif(65_535, 65_535, 1), "image/gif"),
    "GIF of 100,000 frames": (_gif(1, 1, 100_000), "image/gif"),
    "WebP of 268 million pixels": (_webp(16_383, 16_383), "image/webp"),
    "JPEG of 4 billion pixels": (_jpeg(65_500, 65_500), "image/jpeg"),
    "JPEG that is a page": (_jpeg(8, 8)[:-2] + _HTML, "image/jpeg"),
    "page as JPEG": (_HTML, "image/jpeg"),
    "drawing with a script as PNG": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/png"),
    "PDF as JPEG": (b"%PDF-1.7\n" + _HTML, "image/jpeg"),
    "endless EPS as GIF": (b"%!PS-Adobe-3.0 EPSF-3.0\n{ } loop", "image/gif"),
}
OTHERS = {
    # Name: file, announced type, and the type of its message.
    "document that unpacks to 30 MB": (
        _zip(),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "document",
    ),
    "zip in disguise": (_zip(), "application/pdf", "document"),
    "drawing with a script": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", "document"),
    "page": (_HTML, "text/html", "document"),
    "film whose header lies": (b"\xff\xff\xff\xffftypmp42" + b"\xff" * 60, "video/mp4", "video"),
    "film of no length": (b"\0\0\0\0ftypisom" + struct.pack(">I", 1) + b"moov" + b"\xff" * 8, "video/mp4", "video"),
    "sound whose pages lie": (b"OggS\0\x02" + b"\xff" * 20 + b"\xff\x01OpusHead", "audio/ogg; codecs=opus", "audio"),
    "sound as a page": (_HTML, "audio/mpeg", "audio"),
    "type that ends its header": (b"x", "image/png\r\nContent-Type: text/html", "document"),
}
