"""Silence over spans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from consigne.rules.audio import codecs, opus
from consigne.rules.audio.pcm import Audio
from consigne.rules.redaction.spans import Span


def forms(delivered: bytes, audio: Audio, spans: Iterable[Span]) -> Iterator[bytes]:
    """What may be stored, if it stands the proof, the smallest first: the packets of an Ogg/Opus delivery
    with silent ones in the spans (docs/adr/0008), and always FLAC. `audio` is the delivery decoded."""
    spans = tuple(spans)
    try:
        stream = opus.parse(delivered)
        yield opus.write(opus.silence(stream, audio, tuple(stretches(audio, spans))))
    except ValueError:
        pass
    yield codecs.write(silence(audio, spans))


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
