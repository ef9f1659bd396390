"""Searching for what must not be there: in the open, in base64 or hexadecimal, and in what was compressed."""

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Iterable, Iterator

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){8,}")
_ESCAPED = re.compile(rb"\\u([0-9a-fA-F]{4})")
_DEPTH = 4


def found(data: bytes, needles: Iterable[str]) -> set[str]:
    """Return which of these texts stand in the data, however it is wrapped."""
    wanted = {needle: needle.encode() for needle in needles}
    return {needle for each in readings(data, _DEPTH) for needle, sought in wanted.items() if sought in each}


def readings(data: bytes, depth: int) -> Iterator[bytes]:
    """Yield the data, and what is wrapped in it, so many wrappings deep."""
    yield data
    if rb"\u" in data:
        yield _ESCAPED.sub(lambda match: chr(int(match[1], 16)).encode("utf-8", "replace"), data)
    if depth == 0:
        return
    for unwrapped in _unwrapped(data):
        yield from readings(unwrapped, depth - 1)


def _unwrapped(data: bytes) -> Iterator[bytes]:
    for start in _starts(data, b"\x1f\x8b"):
        try:
            yield zlib.decompressobj(31).decompress(data[start:])
        except zlib.error:
            continue
    for match in _BASE64.finditer(data):
        run = match[0].replace(b"-", b"+").replace(b"_", b"/")
        for shift in range(4):
            part = run[shift:]
            try:
                yield base64.b64decode(part[: len(part) // 4 * 4])
            except binascii.Error:
                continue
    for match in _HEX.finditer(data):
        yield bytes.fromhex(match[0].decode())


def _starts(data: bytes, mark: bytes) -> Iterator[int]:
    at = data.find(mark)
    while at >= 0:
        yield at
        at = data.find(mark, at + 1)


def wrapped(text: str) -> dict[str, bytes]:
    """Return a text in every wrapping that is seen through, to try the search itself."""
    plain = f"before {text} after".encode()
    return {
        "open": plain,
        "base64": b'{"id": "wamid.' + base64.b64encode(b"\x1c\x06\x15" + plain) + b'"}',
        "base64url": base64.urlsafe_b64encode(b"\xff\xfe" + plain),
        "hexadecimal": plain.hex().encode(),
        "gzip": gzip.compress(plain),
        "gzip in base64": base64.b64encode(gzip.compress(plain)),
        "base64 in gzip in base64": base64.b64encode(gzip.compress(base64.b64encode(plain))),
    }
