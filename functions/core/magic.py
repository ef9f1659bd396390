"""What a file's first bytes say it is, for the types that WhatsApp plays or shows.

Meta looks into a file only after it took the message, and answers with error 131053 when its type is another than it
was called. Sources: the formats' own specifications; Meta, "Media" (Opus only and mono in OGG, size of stickers).
"""

import re
from collections.abc import Mapping

from functions.core.limits import STILL_STICKER, Fault, bare, too_large

BEGINNING = 64
"""How many bytes are enough to tell."""

_ISO_MEDIA = re.compile(rb".{4}ftyp", re.DOTALL)
_SIGNATURES: Mapping[str, re.Pattern[bytes]] = {
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/webp": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
    "video/mp4": _ISO_MEDIA,
    "video/3gpp": _ISO_MEDIA,
    "audio/mp4": _ISO_MEDIA,
    "audio/aac": re.compile(rb"\xff[\xf0\xf1\xf8\xf9]|ADIF"),
    "audio/amr": re.compile(rb"#!AMR"),
    "audio/mpeg": re.compile(rb"ID3|\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff]"),
    "audio/ogg": re.compile(rb"OggS.{22}\x01.OpusHead", re.DOTALL),
}
_OPUS_CHANNELS = 37
"""Where in an OGG file of one Opus stream the number of channels stands (RFC 7845, 5.1)."""


def content_fault(type_: str, mime: str, size: int, beginning: bytes) -> Fault | None:
    """Return why WhatsApp would not take a file that begins like this; None when nothing speaks against it."""
    kind = bare(mime)
    signature = _SIGNATURES.get(kind)
    if signature and not signature.match(beginning):
        return _wrong(size, f"The file is not really {kind}, so WhatsApp would refuse it. Please save it anew.")
    if kind == "audio/ogg" and beginning[_OPUS_CHANNELS : _OPUS_CHANNELS + 1] != b"\x01":
        return _wrong(size, "WhatsApp takes OGG sound with one channel only (mono); this file has more.")
    if type_ == "sticker" and not _moves(beginning):
        return too_large(type_, mime, size, STILL_STICKER)
    return None


def _moves(webp: bytes) -> bool:
    """Whether a WebP file is animated: its extended header says so (RFC 9649, 2.7)."""
    return webp[12:16] == b"VP8X" and any(flags & 0x02 for flags in webp[20:21])


def _wrong(size: int, plain: str) -> Fault:
    return Fault("file_type", plain, size, None)
