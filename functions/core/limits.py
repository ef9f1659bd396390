"""What WhatsApp takes: types, lengths and sizes. Source: Meta, "Message types" and "Media" (2025-12)."""

from collections.abc import Mapping
from dataclasses import dataclass

TEXT = 4096
CAPTION = 1024
KB, MB = 1024, 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileLimit:
    """The MIME types and the bytes of one type of message. No types: any may be sent."""

    mimes: frozenset[str]
    size: int


FILES: Mapping[str, FileLimit] = {
    "image": FileLimit(frozenset({"image/jpeg", "image/png"}), 5 * MB),
    "video": FileLimit(frozenset({"video/mp4", "video/3gpp"}), 16 * MB),
    "audio": FileLimit(frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}), 16 * MB),
    "sticker": FileLimit(frozenset({"image/webp"}), 500 * KB),
    "document": FileLimit(frozenset(), 100 * MB),
}


def bare(mime: str) -> str:
    """Return a MIME type without its parameters, in lower case."""
    return mime.partition(";")[0].strip().lower()


def fault(type_: str, mime: str, size: int) -> str | None:
    """Return why WhatsApp would not take such a file as this type, with the limit named; None when it does."""
    limit = FILES[type_]
    if limit.mimes and bare(mime) not in limit.mimes:
        allowed = ", ".join(sorted(limit.mimes))
        return f"WhatsApp takes {allowed} as {type_}, not {bare(mime)}. It can be sent as a document."
    if size > limit.size:
        shown = f"{limit.size // MB} MB" if limit.size >= MB else f"{limit.size // KB} KB"
        return f"WhatsApp takes a {type_} of up to {shown}; this one has {size / MB:.1f} MB."
    return None
