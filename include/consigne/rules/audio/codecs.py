"""Bytes to samples and back. Reads WAV (PCM, float, µ-law, A-law, GSM), FLAC and Ogg (Opus, Vorbis); writes
FLAC (docs/adr/0004). libsndfile's words never leave this module, nor as another fault's context."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import soundfile

from consigne.rules.audio.pcm import Audio, Samples
from consigne.rules.errors import BadInput

MAX_CHANNELS = 8
MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 192_000
MAX_SAMPLES = 1 << 29
UNKNOWN_FRAMES = (1 << 63) - 1
BLOCK_FRAMES = 1 << 18
DEEP_SUBTYPES = frozenset({"PCM_24", "PCM_32", "FLOAT", "DOUBLE"})
EXACT_SUBTYPES = frozenset({"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "ULAW", "ALAW"})


@dataclass(frozen=True, slots=True)
class Container:
    """`formats` are libsndfile's names for it; `magic` stands at the offset `at`."""

    formats: frozenset[str]
    suffixes: frozenset[str]
    at: int
    magic: bytes


CONTAINERS = (
    Container(frozenset({"WAV", "WAVEX", "RF64"}), frozenset({".wav", ".wave"}), 8, b"WAVE"),
    Container(frozenset({"FLAC"}), frozenset({".flac"}), 0, b"fLaC"),
    Container(frozenset({"OGG"}), frozenset({".ogg", ".oga", ".opus"}), 0, b"OggS"),
)


def read(data: bytes, suffix: str, cap_ms: int) -> Audio:
    """The samples of a file whose name ends in `suffix` (with its dot), of at most `cap_ms`.

    16 bits, or 24 where the source has more. BadInput: `format_mismatch` (no container that we read, or not
    the suffix's), `too_long` and `too_large` (seen in the header), `unreadable_audio`.
    """
    container = _recognise(data, suffix)
    audio = _decode(data, container, cap_ms)
    if audio is None:
        raise BadInput("unreadable_audio", "audio")
    return audio


def write(audio: Audio) -> bytes:
    """FLAC of the audio's depth: the same bytes for the same samples and the same libsndfile."""
    out = io.BytesIO()
    soundfile.write(out, audio.samples, audio.rate_hz, format="FLAC", subtype=f"PCM_{audio.bits}")
    return out.getvalue()


def _recognise(data: bytes, suffix: str) -> Container:
    for container in CONTAINERS:
        if data.startswith(container.magic, container.at) and suffix.lower() in container.suffixes:
            return container
    raise BadInput("format_mismatch", "audio")


def _decode(data: bytes, container: Container, cap_ms: int) -> Audio | None:
    """None where libsndfile gives up; a fault raised there would carry its text as context."""
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            if file.format not in container.formats:
                raise BadInput("format_mismatch", "audio")
            _check_header(file, cap_ms)
            bits = 24 if file.subtype in DEEP_SUBTYPES else 16
            return Audio(_read_samples(file), file.samplerate, bits)
    except (soundfile.SoundFileError, ValueError, TypeError, MemoryError):
        return None


def _check_header(file: soundfile.SoundFile, cap_ms: int) -> None:
    known_rate = MIN_RATE_HZ <= file.samplerate <= MAX_RATE_HZ
    if not 0 < file.frames < UNKNOWN_FRAMES or not known_rate or not 1 <= file.channels <= MAX_CHANNELS:
        raise BadInput("unreadable_audio", "audio")
    if file.frames * 1000 > cap_ms * file.samplerate:
        raise BadInput("too_long", "audio")
    if file.frames * file.channels > MAX_SAMPLES:
        raise BadInput("too_large", "audio")


def _read_samples(file: soundfile.SoundFile) -> Samples:
    """All frames; blocks, so that a lossy source's floats never stand in memory whole."""
    deep = file.subtype in DEEP_SUBTYPES
    shape = (file.frames, file.channels)
    samples: Samples = np.empty(shape, np.int32) if deep else np.empty(shape, np.int16)
    filled = 0
    while filled < len(samples):
        block = samples[filled : filled + BLOCK_FRAMES]
        got = _read_block(file, block)
        filled += got
        if got < len(block):
            break
    if filled == 0:
        raise BadInput("unreadable_audio", "audio")
    return samples[:filled]


def _read_block(file: soundfile.SoundFile, block: Samples) -> int:
    if file.format == "FLAC" or file.subtype in EXACT_SUBTYPES:
        got = len(file.read(out=block))
    else:
        floats = file.read(len(block), dtype="float64", always_2d=True)
        got = len(floats)
        if not np.isfinite(floats).all():
            raise BadInput("unreadable_audio", "audio")
        scale = 1 << 23 if block.dtype == np.int32 else 1 << 15
        block[:got] = np.clip(np.rint(floats * scale), -scale, scale - 1)
    if block.dtype == np.int32:
        # 24 bits are what FLAC keeps; a 32-bit source loses its last eight here, before any comparison.
        block[:got] = block[:got] << 8 if file.subtype in ("FLOAT", "DOUBLE") else block[:got] & -256
    return got
