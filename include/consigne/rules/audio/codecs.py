"""Bytes to samples and back. Reads what `containers` lists, through libsndfile or, as an extra, PyAV; writes
FLAC (docs/adr/0004). libsndfile's words never leave this module, nor as another fault's context."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import soundfile

from consigne.rules.audio import pyav
from consigne.rules.audio.containers import Container, check_size, recognise
from consigne.rules.audio.pcm import KEPT_BITS, Audio, Samples, quantise, smear_ms
from consigne.rules.errors import BadInput

BLOCK_FRAMES = 1 << 18
DEEP_SUBTYPES = frozenset({"PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAC_20", "ALAC_24", "ALAC_32", "DWVW_24"})
EXACT_SUBTYPES = frozenset(
    {"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "ULAW", "ALAW"}
    | {"ALAC_16", "ALAC_20", "ALAC_24", "ALAC_32"}
)


def read(data: bytes, suffix: str, cap_ms: int) -> Audio:
    """The samples of a file whose name ends in `suffix` (with its dot), of at most `cap_ms`.

    16 bits, or 24 where the source has more. BadInput: `format_mismatch` (no container that we read, or not
    the suffix's; with `audio.pyav` where the extra is missing), `too_long` and `too_large` (seen in the
    header), `unreadable_audio`.
    """
    container = recognise(data, suffix)
    if container.demuxer:
        audio = pyav.decode(data, container.demuxer, cap_ms)
    else:
        audio = _decode(data, container, cap_ms)
    if audio is None:
        raise BadInput("unreadable_audio", "audio")
    return audio


def write(audio: Audio) -> bytes:
    """FLAC of the audio's depth: the same bytes for the same samples and the same libsndfile."""
    out = io.BytesIO()
    soundfile.write(out, audio.samples, audio.rate_hz, format="FLAC", subtype=f"PCM_{audio.bits}")
    return out.getvalue()


class _Forward(soundfile.SoundFile):  # type: ignore[misc]
    """Read once from the beginning: soundfile seeks after each block of what is seekable, to where it is; MP3
    is then decoded from the middle, and mpg123 complains on standard error."""

    def seekable(self) -> bool:
        return False


@contextmanager
def _hushed() -> Iterator[None]:
    """Nothing on standard error: mpg123 shows bytes of a broken file there, which a task's log would keep."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _decode(data: bytes, container: Container, cap_ms: int) -> Audio | None:
    """None where libsndfile gives up; a fault raised there would carry its text as context."""
    try:
        with _hushed(), _Forward(io.BytesIO(data)) as file:
            if file.format not in container.formats:
                raise BadInput("format_mismatch", "audio")
            bits = 24 if file.subtype in DEEP_SUBTYPES else 16
            check_size(file.frames, file.samplerate, file.channels, 4 if bits == 24 else 2, cap_ms)
            samples = _read_samples(file, bits)
            return Audio(samples, file.samplerate, bits, smear_ms(file.subtype, file.samplerate))
    except (soundfile.SoundFileError, ValueError, TypeError, MemoryError):
        return None


def _read_samples(file: soundfile.SoundFile, bits: int) -> Samples:
    """All frames; blocks, so that a lossy source's floats never stand in memory whole."""
    shape = (file.frames, file.channels)
    samples: Samples = np.empty(shape, np.int32) if bits == 24 else np.empty(shape, np.int16)
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
        if block.dtype == np.int32:
            block[:got] &= KEPT_BITS
        return got
    floats = file.read(len(block), dtype="float64", always_2d=True)
    quantise(floats, block[: len(floats)])
    return len(floats)
