"""Bodies that are larger than a document may be: compressed, and in parts."""

import base64
import gzip
from collections.abc import Iterable

_PART = 700_000
"""Bytes of a part: base64 of it stays below the 1 MiB that a document may have."""


def packed(body: bytes) -> list[str]:
    """Return a body as parts that each fit into a document."""
    small = gzip.compress(body, mtime=0)
    return [base64.b64encode(small[start : start + _PART]).decode() for start in range(0, len(small), _PART)]


def unpacked(parts: Iterable[str]) -> bytes:
    """Return the body whose parts these are, in their order."""
    return gzip.decompress(b"".join(base64.b64decode(part) for part in parts))
