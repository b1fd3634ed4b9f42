"""The whole way: nothing found is left, everything else is the original's, or nothing is kept."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consigne.rules.audio import codecs
from consigne.rules.audio.pcm import Audio
from consigne.rules.errors import Misconfigured
from consigne.rules.recording import Transcript, Word
from consigne.rules.redaction import redact
from consigne.rules.redaction.redact import Protected, protect
from consigne.rules.values import MaskedInterval, Private, Quarantined

CAP_MS = 3_600_000
CARD = "4111 1111 1111 1111"
SAID = f"ma carte {CARD} expire 12/27 et le cryptogramme 123 merci"
KEYS_MS = ((8000, 8090), (8400, 8490))

Make = Callable[..., Any]


def run(
    audio: bytes, transcript: Transcript | None, suffix: str = ".wav", required: bool = True
) -> Protected | Quarantined:
    return protect(
        Private(audio), suffix, Private(transcript) if transcript else None, "payment", required, CAP_MS
    )


@pytest.fixture(scope="session")
def call_samples(voice: Make, keyed: Make) -> np.ndarray:
    """Twelve seconds on two channels, with two keys on the second one."""
    samples = np.column_stack([voice(12, 1), voice(12, 2) * 0.3])
    for number, (start_ms, end_ms) in enumerate(KEYS_MS):
        samples[start_ms * 8 : end_ms * 8, 1] = keyed(number + 4, end_ms - start_ms)
    return samples


@pytest.fixture(scope="session")
def call_wav(call_samples: np.ndarray, wav: Make) -> bytes:
    return wav(call_samples)  # type: ignore[no-any-return]


def decoded(done: Protected) -> Audio:
    data = done.audio.reveal()
    return codecs.read(data, ".opus" if data.startswith(b"OggS") else ".flac", CAP_MS)


@pytest.mark.promise("P2")
def test_silent_exactly_there_and_unchanged_elsewhere(call_wav: bytes, spoken: Make) -> None:
    done = run(call_wav, spoken(SAID))
    assert isinstance(done, Protected)
    original, stored = codecs.read(call_wav, ".wav", CAP_MS), decoded(done)
    inside = np.zeros(original.frames, bool)
    for interval in done.masked:
        inside[interval.start_ms * 8 : interval.end_ms * 8] = True
    assert not stored.samples[inside].any()
    assert np.array_equal(stored.samples[~inside], original.samples[~inside])
    assert original.samples[inside].any()
    assert (done.duration_ms, done.channels, done.rate_hz) == (12_000, 2, 8000)
    kinds = [interval.kind for interval in done.masked]
    assert kinds == ["card", "expiry", "code", "tone"]
    card, tone = done.masked[0], done.masked[-1]
    assert card.start_ms <= 1600 and card.end_ms >= 2760
    assert tone.start_ms <= KEYS_MS[0][0] and tone.end_ms >= KEYS_MS[1][1]
    assert tone.start_ms > 7800 and tone.end_ms < 8700


@pytest.mark.promise("P2")
def test_the_transcript_keeps_times_and_loses_text(call_wav: bytes, spoken: Make) -> None:
    said = spoken(SAID)
    done = run(call_wav, said)
    assert isinstance(done, Protected) and done.transcript
    document = json.loads(done.transcript.reveal())
    left = " ".join(w["text"] for w in document["words"])
    assert left == "ma carte [card] [card] [card] [card] expire [expiry] et le cryptogramme [code] merci"
    assert [(w["start_ms"], w["end_ms"]) for w in document["words"]] == [
        (w.start_ms, w.end_ms) for w in said.words
    ]
    assert document["by_word"] is True


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    ("container", "subtype", "suffix"),
    [
        ("WAV", "ULAW", ".wav"),
        ("WAV", "PCM_24", ".wav"),
        ("FLAC", "PCM_16", ".flac"),
        ("OGG", "OPUS", ".opus"),
    ],
)
def test_every_container(
    container: str, subtype: str, suffix: str, call_samples: np.ndarray, wav: Make, spoken: Make
) -> None:
    done = run(wav(call_samples, 8000, container, subtype), spoken(SAID), suffix)
    assert isinstance(done, Protected)
    assert {interval.kind for interval in done.masked} == {"card", "expiry", "code", "tone"}
    assert not decoded(done).samples[8 * KEYS_MS[0][0] : 8 * KEYS_MS[1][1]].any()


def test_the_same_call_gives_the_same_bytes(call_wav: bytes, spoken: Make) -> None:
    first, second = run(call_wav, spoken(SAID)), run(call_wav, spoken(SAID))
    assert first == second


def test_without_a_transcript(call_wav: bytes) -> None:
    assert run(call_wav, None) == Quarantined("needs_transcript", "transcript")
    assert run(call_wav, Transcript(())) == Quarantined("needs_transcript", "transcript")
    done = run(call_wav, None, required=False)
    assert isinstance(done, Protected)
    assert done.transcript is None
    assert {interval.kind for interval in done.masked} == {"tone"}


def test_nothing_to_mask(voice: Make, wav: Make, spoken: Make) -> None:
    data = wav(voice(3, 4))
    done = run(data, spoken("bonjour le 06 12 34 56 78"))
    assert isinstance(done, Protected)
    assert done.masked == ()
    assert np.array_equal(decoded(done).samples, codecs.read(data, ".wav", CAP_MS).samples)


@pytest.mark.parametrize(
    ("data", "suffix", "code"),
    [(b"nothing", ".wav", "format_mismatch"), (b"RIFF0000WAVE", ".wav", "unreadable_audio")],
)
def test_broken_audio_is_a_value(data: bytes, suffix: str, code: str, spoken: Make) -> None:
    assert run(data, spoken("bonjour"), suffix) == Quarantined(code, "audio")


def test_the_cap(call_wav: bytes, spoken: Make) -> None:
    said = Private(spoken("bonjour"))
    assert protect(Private(call_wav), ".wav", said, "payment", True, 11_999) == Quarantined(
        "too_long", "audio"
    )


def test_an_unknown_profile_is_a_fault(call_wav: bytes) -> None:
    with pytest.raises(Misconfigured):
        protect(Private(call_wav), ".wav", None, "paiement", False, CAP_MS)


@pytest.mark.promise("P2")
def test_a_number_beyond_the_sound_is_not_kept(call_wav: bytes) -> None:
    said = Transcript((Word("4111111111111111", 13_000, 14_000, "caller"),))
    assert run(call_wav, said) == Quarantined("not_proven", "word_times")
    harmless = Transcript((Word("bonjour", 13_000, 12_000, "caller"),))
    assert isinstance(run(call_wav, harmless), Protected)


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    "times",
    [
        lambda at: (0, 0),
        lambda at: (2_000 + 300 * at, 2_000 + 300 * at),
        lambda at: (2_000 + 300 * at, 2_001 + 300 * at),
        lambda at: (2_000, 2_050),
        lambda at: (2 + at, 3 + at),
    ],
    ids=["all at zero", "starts only", "a millisecond each", "all at once", "seconds for milliseconds"],
)
def test_times_in_which_nobody_could_speak_are_none(
    call_wav: bytes, times: Callable[[int], tuple[int, int]]
) -> None:
    """The number would be masked where it was not said."""
    texts = ["ma", "carte", "c'est", *CARD.split()]
    said = Transcript(tuple(Word(text, *times(at), "caller") for at, text in enumerate(texts)))
    assert run(call_wav, said) == Quarantined("not_proven", "word_times")


@pytest.mark.promise("P2")
def test_a_segment_too_short_for_its_words_is_none(call_wav: bytes) -> None:
    said = Transcript((Word(f"ma carte c'est le {CARD}", 3_000, 3_100, "caller"),), by_word=False)
    assert run(call_wav, said) == Quarantined("not_proven", "word_times")


@pytest.mark.promise("P2")
def test_a_number_for_a_speaker_is_not_kept(call_wav: bytes) -> None:
    said = Transcript((Word("bonjour", 1000, 1500, "4111 1111 1111 1111"),))
    assert run(call_wav, said) == Quarantined("not_proven", "speaker")


@pytest.fixture(scope="session")
def short_wav(voice: Make, wav: Make) -> bytes:
    return wav(voice(2, 3))  # type: ignore[no-any-return]


KEPT_BACK = {
    "no transcript": (".wav", None),
    "another container": (".flac", SAID),
    "words beyond the sound": (".wav", f"{'bonjour ' * 50} {CARD}"),
    "masks that are missing": (".wav", SAID),
}


@pytest.mark.promise("P2")
@pytest.mark.parametrize("reason", KEPT_BACK)
def test_what_is_not_kept_leaves_nothing(
    reason: str,
    call_wav: bytes,
    spoken: Make,
    opened: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No file is opened, nothing is printed, and what comes back is a code and a name."""
    suffix, said = KEPT_BACK[reason]
    if reason == "masks that are missing":
        monkeypatch.setattr(redact, "_masks", lambda *_: ())
    done = run(call_wav, spoken(said) if said else None, suffix)
    assert isinstance(done, Quarantined)
    assert re.fullmatch("[a-z_]+", done.code) and re.fullmatch("[a-z_]+", done.detail)
    assert opened == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.promise("P2")
@pytest.mark.parametrize("suffix", [".wav", ".opus", ".mp3"])
def test_what_is_kept_goes_through_no_file(
    suffix: str, call_samples: np.ndarray, wav: Make, spoken: Make, opened: list[str]
) -> None:
    form, subtype = {".wav": ("WAV", "PCM_16"), ".opus": ("OGG", "OPUS"), ".mp3": ("MP3", "MPEG_LAYER_III")}[
        suffix
    ]
    assert isinstance(run(wav(call_samples, 8000, form, subtype), spoken(SAID), suffix), Protected)
    assert opened == []


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Files opened in this process while the test runs, Python's own modules and the null device left out."""
    files: list[str] = []
    watching = True

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event == "open" and not str(arguments[0]).endswith((".py", ".pyc", os.devnull)):
            files.append(str(arguments[0]))

    sys.addaudithook(watch)
    yield files
    watching = False


TEXTS = st.lists(
    st.one_of(
        st.sampled_from(
            ["bonjour", "cryptogramme", "expire", "4111", "1111", "12/27", "123", "euh", "[code]", "deux"]
        ),
        st.text(max_size=6),
        st.text("0123456789", min_size=1, max_size=20),
    ),
    max_size=25,
)


@pytest.mark.promise("P2")
@settings(max_examples=60, deadline=None)
@given(texts=TEXTS, by_word=st.booleans(), jitter=st.integers(-100, 200))
def test_whatever_is_said_is_judged_or_kept_back(
    texts: list[str], by_word: bool, jitter: int, short_wav: bytes
) -> None:
    words = tuple(Word(t, n * 80 + jitter, n * 80 + 70, "ab"[n % 2]) for n, t in enumerate(texts))
    done = run(short_wav, Transcript(words, by_word), required=False)
    if isinstance(done, Protected):
        assert all(0 <= i.start_ms < i.end_ms <= done.duration_ms for i in done.masked)
        assert list(done.masked) == sorted(done.masked, key=lambda i: (i.start_ms, i.end_ms))
        assert all(isinstance(i, MaskedInterval) for i in done.masked)
    else:
        assert done.code == "suspected_missed" or (done.code, done.detail) == ("not_proven", "word_times")
