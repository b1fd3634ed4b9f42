"""Silence over spans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from consigne.rules.audio.pcm import Audio
from consigne.rules.redaction.spans import Span


def silence(audio: Audio, spans: Iterable[Span]) -> Audio:
    """A copy with zeros on all channels wherever a span lies; the rest is the original's."""
    samples = audio.samples.copy()
    for first, last in stretches(audio, spans):
        samples[first:last] = 0
    return replace(audio, samples=samples)


def stretches(audio: Audio, spans: Iterable[Span]) -> Iterator[tuple[int, int]]:
    """Frames (end excluded) that spans cover, rounded outwards, in order and without overlap."""
    reached = 0
    for span in sorted(spans, key=lambda s: s.start_ms):
        first = max(reached, span.start_ms * audio.rate_hz // 1000)
        last = min(audio.frames, -(-span.end_ms * audio.rate_hz // 1000))
        if first < last:
            yield first, last
            reached = last
