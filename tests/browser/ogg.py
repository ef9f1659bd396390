"""Ogg Opus files, read as far as WhatsApp is particular about them (RFC 3533, RFC 7845)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_RATE = 48000
_POLYNOMIAL = 0x04C11DB7
_FIRST, _LAST = 2, 4


@dataclass(frozen=True)
class Page:
    """One page. `granule`: samples at 48 kHz up to its end."""

    flags: int
    granule: int
    serial: int
    number: int
    body: bytes


@dataclass(frozen=True)
class OpusFile:
    channels: int
    seconds: float


def read_opus(data: bytes) -> OpusFile:
    """Read a whole file. Raises `ValueError` when it is no sound Ogg Opus: a checksum, an order or a head is wrong."""
    pages = list(_pages(data))
    if [page.number for page in pages] != list(range(len(pages))) or len({page.serial for page in pages}) != 1:
        raise ValueError("the pages are not those of one stream in order")
    if not pages[0].flags & _FIRST or not pages[-1].flags & _LAST:
        raise ValueError("the stream does not begin or does not end")
    head, tags = pages[0].body, pages[1].body
    if head[:8] != b"OpusHead" or tags[:8] != b"OpusTags":
        raise ValueError("the stream is not Opus")
    channels, skipped = struct.unpack_from("<xBH", head, 8)
    return OpusFile(channels, (pages[-1].granule - skipped) / _RATE)


def _pages(data: bytes) -> Iterator[Page]:
    at = 0
    while at < len(data):
        magic, version, flags, granule, serial, number, checksum, segments = struct.unpack_from("<4sBBqIIIB", data, at)
        if magic != b"OggS" or version:
            raise ValueError(f"no page at byte {at}")
        start = at + 27 + segments
        end = start + sum(data[at + 27 : start])
        if _checksum(data[at : at + 22] + bytes(4) + data[at + 26 : end]) != checksum:
            raise ValueError(f"the page at byte {at} is damaged")
        yield Page(flags, granule, serial, number, data[start:end])
        at = end


def _checksum(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1) ^ _POLYNOMIAL if value & 0x80000000 else value << 1
    return value & 0xFFFFFFFF
