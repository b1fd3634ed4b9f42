"""Decoded sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16] | NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """`samples` has shape (frames, channels): int16 where `bits` is 16; int32 where it is 24, the sample in
    the upper 24 bits. Full scale is the type's."""

    samples: Samples
    rate_hz: int
    bits: int

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
