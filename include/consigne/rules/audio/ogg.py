"""Pages of the Ogg container (RFC 3533)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CONTINUED, FIRST, LAST = 1, 2, 4
MAX_SEGMENTS = 255
NO_PACKET_ENDS = -1
_HEADER = struct.Struct("<4sBBqIIIB")
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class Page:
    """`packets` in pieces: the first goes on from the page before where `flags` say so, the last goes on where
    `is_open`."""

    flags: int
    granule: int
    serial: int
    packets: tuple[bytes, ...]
    is_open: bool


def read_pages(data: bytes) -> Iterator[Page]:
    """From the first byte to the last. ValueError: for whatever is not a page with a right checksum."""
    at = 0
    while at < len(data):
        if len(data) < at + _HEADER.size:
            raise ValueError
        magic, version, flags, granule, serial, _, crc, count = _HEADER.unpack_from(data, at)
        lacing = data[at + _HEADER.size : at + _HEADER.size + count]
        body = at + _HEADER.size + count
        end = body + sum(lacing)
        if (magic, version) != (b"OggS", 0) or len(lacing) < count or len(data) < end:
            raise ValueError
        if crc != _checksum(data[at : at + 22] + bytes(4) + data[at + 26 : end]):
            raise ValueError
        yield Page(flags, granule, serial, tuple(_split(data, body, lacing)), lacing[-1:] == b"\xff")
        at = end


def _split(data: bytes, start: int, lacing: bytes) -> Iterator[bytes]:
    length = 0
    for value in lacing:
        length += value
        if value < 255:
            yield data[start : start + length]
            start, length = start + length, 0
    if lacing[-1:] == b"\xff":
        yield data[start : start + length]


def write_page(number: int, flags: int, granule: int, packets: Sequence[bytes]) -> bytes:
    """A page of whole packets, in stream 0. ValueError where they need more than 255 segments."""
    lacing = b"".join(b"\xff" * (len(one) // 255) + bytes((len(one) % 255,)) for one in packets)
    if len(lacing) > MAX_SEGMENTS:
        raise ValueError
    body = lacing + b"".join(packets)
    crc = _checksum(_HEADER.pack(b"OggS", 0, flags, granule, 0, number, 0, len(lacing)) + body)
    return _HEADER.pack(b"OggS", 0, flags, granule, 0, number, crc, len(lacing)) + body


def _checksum(page: bytes) -> int:
    """CRC-32 of Ethernet's polynomial, not mirrored, from 0, not inverted: zlib's over mirrored bytes."""
    mirrored = zlib.crc32(page.translate(_MIRROR), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_MIRROR), "big")
