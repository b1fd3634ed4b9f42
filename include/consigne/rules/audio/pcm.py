"""Decoded sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consigne.rules.errors import BadInput

Samples = NDArray[np.int16] | NDArray[np.int32]

KEPT_BITS = -256
"""24 bits are what FLAC keeps; a 32-bit source loses its last eight before any comparison."""

SMEAR_FRAMES = {"MPEG_LAYER_I": 2_257, "MPEG_LAYER_II": 2_257, "MPEG_LAYER_III": 2_257, "AAC": 3_136}
"""Delay of encoder and decoder, which not every decoder takes off (MP3 528 + 1 + 576, AAC 2112), and the
block in which quantisation noise comes before its cause (1152, 1024)."""
SMEAR_MS = {"OPUS": 30, "VORBIS": 50, "GSM610": 20}
"""Opus: pre-skip and a frame; Vorbis: a long block; GSM 06.10: a frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """`samples` has shape (frames, channels): int16 where `bits` is 16; int32 where it is 24, the sample in
    the upper 24 bits. Full scale is the type's. `smear_ms`: how far from its place the source's codec, or
    another decoder of it, may put a sound; masks whose times come from elsewhere are widened by it."""

    samples: Samples
    rate_hz: int
    bits: int
    smear_ms: int = 0

    @property
    def frames(self) -> int:
        """Samples per channel."""
        return int(self.samples.shape[0])

    @property
    def channels(self) -> int:
        """1 is mono."""
        return int(self.samples.shape[1])

    @property
    def duration_ms(self) -> int:
        """Rounded up: a span that reaches it covers the last sample."""
        return -(-self.frames * 1000 // self.rate_hz)


def smear_ms(codec: str, rate_hz: int) -> int:
    """Of a codec by libsndfile's or ffmpeg's name; 0 where every sample has its own place."""
    name = codec.upper()
    return SMEAR_MS.get(name, -(-SMEAR_FRAMES.get(name, 0) * 1000 // rate_hz))


def quantise(floats: NDArray[np.floating[Any]], out: Samples) -> None:
    """Full scale 1 into `out`'s: rounded, clipped. BadInput: `unreadable_audio` for NaN and infinities."""
    if not np.isfinite(floats).all():
        raise BadInput("unreadable_audio", "audio")
    scale = 1 << 23 if out.dtype == np.int32 else 1 << 15
    out[:] = np.minimum(np.rint(np.clip(floats, -1, 1) * scale), scale - 1)
    if out.dtype == np.int32:
        out <<= 8
