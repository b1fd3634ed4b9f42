"""Silence in Ogg/Opus (RFC 7845, RFC 6716) by an exchange of packets: what is not masked keeps its bytes."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from consigne.rules.audio import ogg
from consigne.rules.audio.pcm import Audio

RATE_HZ = 48_000
GUARD = 960
"""20 ms before and after: overlap, resampler, and the 5 ms in which a decoder fades from mode to mode."""
MAX_PACKET = 5_760
BEFORE_MS, AFTER_MS = 130, 300
"""How far around a stretch the exchange is heard: a packet and the guard before; after, a packet more and the
time in which the decoder's memory fills again."""
BLOCK_MS, FARTHEST = 100, 10 ** (-50 / 20)
"""Beyond that a block of this length may differ by -50 dB of full scale (RMS). Measured: -53."""
_HEAD = struct.Struct("<8sBBHIhB")
_TAGS = b"OpusTags" + bytes(8)
_SILK, _HYBRID, _CELT = (480, 960, 1_920, 2_880), (480, 960), (120, 240, 480, 960)
_FRAMES = (*_SILK * 3, *_HYBRID * 2, *_CELT * 4)
"""Samples at 48 kHz of a frame, by the configuration in a packet's first five bits."""
_SILENT = (*(16,) * 4, *(20,) * 8, 24, 24, 28, 28, *(16,) * 4, *(20,) * 4, *(24,) * 4, *(28,) * 4)
"""By configuration, the first of CELT's for its band (wide where it is medium, which CELT has not)."""
_SILENT_FRAME = b"\xff\xfe"
"""A CELT frame whose only symbol is the silence flag."""


@dataclass(frozen=True, slots=True)
class Stream:
    """`packets` without padding; `starts` their first samples at 48 kHz as a decoder gives them, `pre_skip`
    included; `ends` per page the number of packets up to its end, and its granule."""

    channels: int
    pre_skip: int
    rate_hz: int
    gain: int
    packets: tuple[bytes, ...]
    starts: tuple[int, ...]
    ends: tuple[tuple[int, int], ...]


def parse(data: bytes) -> Stream:
    """One stream of one or two channels (family 0), from its beginning, without gaps. ValueError else."""
    pages = list(ogg.read_pages(data))
    if len({page.serial for page in pages}) != 1 or any(page.flags & ogg.LAST for page in pages[:-1]):
        raise ValueError
    packets, ends = _join(pages)
    if len(packets) < 3 or len(packets[0]) != _HEAD.size or [end for end, _ in ends[:2]] != [1, 2]:
        raise ValueError
    magic, version, channels, pre_skip, rate_hz, gain, family = _HEAD.unpack(packets[0])
    if (magic, version, family) != (b"OpusHead", 1, 0) or packets[1][:8] != _TAGS[:8]:
        raise ValueError
    packets = [_without_padding(one) for one in packets[2:]]
    starts = [0]
    for one in packets:
        starts.append(starts[-1] + _samples(one))
    ends = [(count - 2, granule) for count, granule in ends[2:]]
    # Only the last page may say less than it holds: the end is cut off there.
    if not ends or any(starts[count] != granule for count, granule in ends[:-1]):
        raise ValueError
    if not starts[ends[-1][0] - 1] <= ends[-1][1] <= starts[-1]:
        raise ValueError
    return Stream(channels, pre_skip, rate_hz, gain, tuple(packets), tuple(starts), tuple(ends))


def _join(pages: Sequence[ogg.Page]) -> tuple[list[bytes], list[tuple[int, int]]]:
    """Whole packets, and where pages end: packets so far, granule."""
    packets: list[bytes] = []
    ends: list[tuple[int, int]] = []
    begun: list[bytes] = []  # joined once: a packet may lie in thousands of pages
    for page in pages:
        if bool(page.flags & ogg.CONTINUED) != bool(begun):
            raise ValueError
        before = len(packets)
        for place, piece in enumerate(page.packets, 1):
            begun.append(piece)
            if place < len(page.packets) or not page.is_open:
                packets.append(b"".join(begun))
                begun = []
        if len(packets) > before:
            ends.append((len(packets), page.granule))
    if begun:
        raise ValueError
    return packets, ends


def write(stream: Stream) -> bytes:
    """Ogg with a head, tags that say nothing, and a page where there was one."""
    head = (b"OpusHead", 1, stream.channels, stream.pre_skip, stream.rate_hz, stream.gain, 0)
    pages = [
        ogg.write_page(0, ogg.FIRST, 0, [_HEAD.pack(*head)]),
        ogg.write_page(1, 0, 0, [_TAGS]),
    ]
    begin = 0
    for end, granule in stream.ends:
        flags = ogg.LAST if end == len(stream.packets) else 0
        pages.append(ogg.write_page(len(pages), flags, granule, stream.packets[begin:end]))
        begin = end
    return b"".join(pages)


def silence(stream: Stream, audio: Audio, stretches: Sequence[tuple[int, int]]) -> Stream:
    """Silent packets of the same length in place of all that carry sound of the stretches (frames of `audio`,
    end excluded), and of the next, in which SILK may repeat the last (LBRR)."""
    packets = list(stream.packets)
    for index in _carriers(stream, audio.rate_hz, stretches):
        packets[index] = _silent(packets[index])
    return replace(stream, packets=tuple(packets))


def judge(stored: bytes, decoded: Audio, original: Audio, stretches: Sequence[tuple[int, int]]) -> str | None:
    """What is wrong with the bytes and the sound outside the stretches, or None: `packets` (one that carries a
    stretch is not silent, or there is more in the file than packets), `unmasked_samples`."""
    try:
        stream = parse(stored)
    except ValueError:
        return "packets"
    if stored != write(silence(stream, original, stretches)):
        return "packets"
    reached = 0
    before, after = (ms * original.rate_hz // 1000 for ms in (BEFORE_MS, AFTER_MS))
    for first, last in [*stretches, (original.frames + before, 0)]:
        for at in range(reached, first - before, BLOCK_MS * original.rate_hz // 1000):
            block = slice(at, min(first - before, at + BLOCK_MS * original.rate_hz // 1000))
            apart = decoded.samples[block].astype(np.float32) - original.samples[block]
            if np.square(apart).mean(axis=0).max() > (FARTHEST * (1 << 15)) ** 2:
                return "unmasked_samples"
        reached = max(reached, last + after)
    return None


def _carriers(stream: Stream, rate_hz: int, stretches: Sequence[tuple[int, int]]) -> list[int]:
    found: list[int] = []
    for first, last in stretches:
        begin_at = first * RATE_HZ // rate_hz + stream.pre_skip
        last_at = -(-last * RATE_HZ // rate_hz) + stream.pre_skip - 1
        begin = bisect_right(stream.starts, max(0, begin_at - GUARD)) - 1
        holding = bisect_right(stream.starts, last_at) - 1
        after = bisect_right(stream.starts, last_at + GUARD) - 1
        found += range(begin, min(max(holding + 1, after) + 1, len(stream.packets)))
    return found


def _samples(packet: bytes) -> int:
    """At 48 kHz. ValueError for a packet that no decoder takes (RFC 6716, 3.4)."""
    if not packet or (packet[0] & 3 == 3 and len(packet) < 2):
        raise ValueError
    count = packet[1] & 63 if packet[0] & 3 == 3 else (1, 2, 2)[packet[0] & 3]
    samples = _FRAMES[packet[0] >> 3] * count
    if not 0 < samples <= MAX_PACKET:
        raise ValueError
    return samples


def _without_padding(packet: bytes) -> bytes:
    """Padding may hold anything, copies of what was said before (DRED) among it (RFC 6716, 3.2.5)."""
    if len(packet) < 2 or packet[0] & 3 != 3 or not packet[1] & 64:
        return packet
    at, padding = 2, 0
    while packet[at : at + 1] == b"\xff":
        at, padding = at + 1, padding + 254
    end = len(packet) - padding - packet[at] if at < len(packet) else 0
    if end < at + 1:
        raise ValueError
    return packet[:1] + bytes((packet[1] & ~64,)) + packet[at + 1 : end]


def _silent(packet: bytes) -> bytes:
    config, samples = packet[0] >> 3, _samples(packet)
    frame = min(_FRAMES[config], _FRAMES[-1])
    toc = (_SILENT[config] + _CELT.index(frame)) << 3 | packet[0] & 4
    count = samples // frame
    return bytes((toc,)) + _SILENT_FRAME if count == 1 else bytes((toc | 3, count)) + _SILENT_FRAME * count
