"""The whole way for a delivery of each container: what was said in a mask is silent in what is stored."""

from __future__ import annotations

import numpy as np
import pytest

from consigne.rules.audio import codecs
from consigne.rules.recording import Transcript, Word
from consigne.rules.redaction.redact import Protected, protect
from consigne.rules.values import Private

from .made import film, sound

CAP_MS = 60_000
BEFORE_MS, AFTER_MS = 150, 200
WORDS = ["ma", "carte", "4111", "1111", "1111", "1111", "merci"]
SAID = Transcript(
    tuple(Word(text, 3_000 + n * 500, 3_400 + n * 500, "caller") for n, text in enumerate(WORDS)),
)
NUMBER_MS = (4_000, 5_900)


def voice(rate_hz: int, channels: int) -> np.ndarray:
    """Ten seconds of noise that comes and goes, not the same on two channels."""
    at = np.arange(10 * rate_hz) / rate_hz
    noise = np.random.default_rng(3).normal(size=(len(at), channels))
    return 0.1 * noise * (np.sin(2 * np.pi * 2 * at)[:, None] ** 2 + 0.1)


@pytest.mark.promise("P2")
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("suffix", "container", "codec", "rate_hz", "stored_as"),
    [
        (".wav", "WAV", "PCM_16", 8_000, b"fLaC"),
        (".wav", "WAV", "ULAW", 8_000, b"fLaC"),
        (".wav", "WAV", "PCM_24", 16_000, b"fLaC"),
        (".aiff", "AIFF", "PCM_16", 8_000, b"fLaC"),
        (".caf", "CAF", "ALAC_16", 44_100, b"fLaC"),
        (".mp3", "MP3", "MPEG_LAYER_III", 16_000, b"fLaC"),
        (".ogg", "OGG", "VORBIS", 16_000, b"fLaC"),
        (".opus", "OGG", "OPUS", 8_000, b"OggS"),
        (".opus", "OGG", "OPUS", 48_000, b"OggS"),
        (".m4a", "ipod", "aac", 16_000, b"fLaC"),
        (".webm", "webm", "libopus", 48_000, b"fLaC"),
    ],
)
def test_a_card_number_is_silent_on_all_channels(
    suffix: str, container: str, codec: str, rate_hz: int, stored_as: bytes, channels: int
) -> None:
    make = film if container.islower() else sound
    data = make(container, codec, voice(rate_hz, channels), rate_hz)
    original = codecs.read(data, suffix, CAP_MS)
    done = protect(Private(data), suffix, Private(SAID), "payment", True, CAP_MS)
    assert isinstance(done, Protected), done
    stored = done.audio.reveal()
    assert stored.startswith(stored_as)
    audio = codecs.read(stored, ".opus" if stored_as == b"OggS" else ".flac", CAP_MS)
    wide_ms = original.smear_ms
    first_ms, last_ms = NUMBER_MS[0] - BEFORE_MS - wide_ms, NUMBER_MS[1] + AFTER_MS + wide_ms
    assert not audio.samples[first_ms * rate_hz // 1000 : last_ms * rate_hz // 1000].any()
    kept = slice(0, (first_ms - 130) * rate_hz // 1000)
    assert np.array_equal(audio.samples[kept], original.samples[kept])
    (masked,) = done.masked
    assert (masked.start_ms, masked.end_ms, masked.kind) == (first_ms, last_ms, "card")
