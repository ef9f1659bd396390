"""What WhatsApp takes: types, lengths and sizes. Source: Meta, "Message types" and "Media" (2025-12)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

TEXT = 4096
CAPTION = 1024
KB, MB = 1024, 1024 * 1024

RECEIVED = 100 * MB
"""Bytes of the largest file that a customer can send."""


@dataclass(frozen=True, slots=True)
class FileLimit:
    """The MIME types, in words too, and the bytes of one type of message."""

    mimes: tuple[str, ...]
    named: str
    size: int


_IMAGES, _VIDEOS, _STICKERS = ("image/jpeg", "image/png"), ("video/mp4", "video/3gpp"), ("image/webp",)
_SOUNDS = ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg")
_OFFICE = "application/vnd.openxmlformats-officedocument"
_DOCUMENTS = (
    "application/pdf",
    "application/msword",
    f"{_OFFICE}.wordprocessingml.document",
    "application/vnd.ms-excel",
    f"{_OFFICE}.spreadsheetml.sheet",
    "application/vnd.ms-powerpoint",
    f"{_OFFICE}.presentationml.presentation",
    "text/plain",
)

FILES: Mapping[str, FileLimit] = {
    "image": FileLimit(_IMAGES, "JPEG or PNG", 5 * MB),
    "video": FileLimit(_VIDEOS, "MP4 or 3GP", 16 * MB),
    "audio": FileLimit(_SOUNDS, "AAC, AMR, MP3, M4A or OGG with Opus", 16 * MB),
    # An audio that is played in place; over 512 KB the customer has to download it first.
    "voice": FileLimit(("audio/ogg",), "OGG with Opus", 16 * MB),
    "sticker": FileLimit(_STICKERS, "WebP", 500 * KB),
    # Meta's upload takes nothing but these, whatever the message is to be.
    "document": FileLimit(
        _DOCUMENTS + _IMAGES + _VIDEOS + _SOUNDS + _STICKERS,
        "PDF, Word, Excel, PowerPoint, plain text, or a common picture, sound or video",
        100 * MB,
    ),
}

ENDINGS: Mapping[str, str] = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "mp4": "video/mp4",
    "3gp": "video/3gpp",
    "aac": "audio/aac",
    "amr": "audio/amr",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "ogg": "audio/ogg",
    "webp": "image/webp",
    **dict(zip(("pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "txt"), _DOCUMENTS, strict=True)),
}
"""How names of files end, by type. What Python knows of it depends on the machine: a bare one knows no DOCX."""

STILL_STICKER = 100 * KB
"""Bytes of a sticker that does not move."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why WhatsApp would not take a file, with the limit in bytes, and as what it may go instead."""

    code: Literal["file_type", "file_too_large"]
    plain: str
    limit: int
    offer: Literal["document"] | None


def limits_view() -> dict[str, Any]:
    """Return the limits as the chat API shows them."""
    files = {type_: {"mimes": list(limit.mimes), "size": limit.size} for type_, limit in FILES.items()}
    files["sticker"]["still_size"] = STILL_STICKER
    return {"text": TEXT, "caption": CAPTION, "files": files}


def bare(mime: str) -> str:
    """Return a MIME type without its parameters, in lower case."""
    return mime.partition(";")[0].strip().lower()


def named_type(filename: str) -> str | None:
    """Return the MIME type that a file's name speaks of."""
    return ENDINGS.get(PurePosixPath(filename).suffix.removeprefix(".").lower())


def ending(mime: str) -> str:
    """Return how the name of such a file ends, with its dot; nothing for a type that WhatsApp does not take."""
    return next((f".{ending}" for ending, known in ENDINGS.items() if known == bare(mime)), "")


def exact(mime: str) -> str:
    """Return the MIME type under which Meta takes a file: sound in OGG only with its codec named."""
    return "audio/ogg; codecs=opus" if bare(mime) == "audio/ogg" else mime


def fault(type_: str, mime: str, size: int) -> Fault | None:
    """Return why WhatsApp would not take such a file as this type; None when it does."""
    limit = FILES[type_]
    if bare(mime) not in limit.mimes:
        plain = f"WhatsApp takes {limit.named} as {_ARTICLES[type_]}, not {bare(mime)}."
        return _fault(type_, mime, size, "file_type", plain)
    return too_large(type_, mime, size, limit.size)


def too_large(type_: str, mime: str, size: int, limit: int) -> Fault | None:
    """Return that a file is over a limit of its type; None when it is not."""
    if size <= limit:
        return None
    shown = f"{limit // MB} MB" if limit >= MB else f"{limit // KB} KB"
    had = f"{size / MB:.1f} MB" if size >= MB else f"{size / KB:.1f} KB"
    plain = f"WhatsApp takes {_ARTICLES[type_]} of up to {shown}; this one has {had}."
    return _fault(type_, mime, size, "file_too_large", plain, limit)


_ARTICLES = {
    "image": "an image",
    "video": "a video",
    "audio": "a sound",
    "voice": "a voice note",
    "sticker": "a sticker",
    "document": "a file",
}


def _fault(
    type_: str, mime: str, size: int, code: Literal["file_type", "file_too_large"], plain: str, limit: int | None = None
) -> Fault:
    document = FILES["document"]
    fits = type_ != "document" and bare(mime) in document.mimes and size <= document.size
    offered = " It can be sent as a document." if fits else ""
    return Fault(code, plain + offered, limit or FILES[type_].size, "document" if fits else None)
