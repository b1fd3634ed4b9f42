"""The proof is no ornament: whatever is taken from the masks, it sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from consigne.rules.audio import codecs
from consigne.rules.audio.pcm import Audio
from consigne.rules.recording import Transcript, Word
from consigne.rules.redaction import names, prove, redact, tones
from consigne.rules.redaction.numerals import Hit, Token
from consigne.rules.redaction.profiles import PROFILES, WITH_NAMES
from consigne.rules.redaction.redact import Protected, protect
from consigne.rules.redaction.spans import Kind, Span
from consigne.rules.values import Private, Quarantined

pytestmark = pytest.mark.promise("P2")

CAP_MS = 3_600_000
CARD = "4111 1111 1111 1111"
HOLDS = {
    "cards.find": f"bonjour {CARD} merci",
    "codes.find": "bonjour le cryptogramme 123 merci",
    "bank.find_iban": "bonjour DE89 3704 0044 0532 0130 00 merci",
    "bank.find_bic": "bonjour le BIC AGRIFRPP merci",
    "bank.find_rib": "bonjour 30006 00001 12345678901 89 merci",
    "identity.find_nir": "bonjour 2 69 05 49 588 157 80 merci",
    "parts.find": "bonjour ma carte 4111 1111 1111 1112 merci",
    "identity.find_email": "bonjour jean.dupont@example.com merci",
    "identity.find_phone": "bonjour 06 12 34 56 78 merci",
}
"""What only this detector finds. A detector without a line here fails."""
EVERYTHING = (
    f"ma carte {CARD} expire 12/27 et le cryptogramme 123 voilà et pour le virement l'IBAN "
    "DE89 3704 0044 0532 0130 00 et le BIC DEUTDEFF ensuite mon compte 30006 00001 12345678901 89 et mon "
    "numéro de sécurité sociale 2 69 05 49 588 157 80 merci"
)
KEYS_MS = ((24_000, 24_080), (24_300, 24_380), (26_000, 26_200))
CONTAINERS = {
    "WAV mono": (1, "WAV", "PCM_16", ".wav"),
    "WAV stereo": (2, "WAV", "PCM_16", ".wav"),
    "WAV µ-law": (1, "WAV", "ULAW", ".wav"),
    "FLAC": (1, "FLAC", "PCM_24", ".flac"),
    "Opus": (1, "OGG", "OPUS", ".opus"),
    "MP3": (1, "MP3", "MPEG_LAYER_III", ".mp3"),
}

Make = Callable[..., Any]


def named(detector: Any) -> str:
    return f"{detector.__module__.rpartition('.')[2]}.{detector.__name__}"


@pytest.fixture(scope="session")
def call(wav: Make, keyed: Make, spoken: Make) -> Make:
    """(bytes, suffix, transcript) of what was said: a burst of noise for each word, a hiss in between, and keys."""

    def make(said: str, container: str = "WAV mono", keys: Sequence[tuple[int, int]] = ()) -> Any:
        channels, form, subtype, suffix = CONTAINERS[container]
        transcript = spoken(said)
        end_ms = max([word.end_ms for word in transcript.words] + [last for _, last in keys]) + 1500
        rng = np.random.default_rng(1)
        samples = rng.normal(0, 2e-4, (end_ms * 8, channels))
        for word in transcript.words:
            size = (word.end_ms - word.start_ms) * 8
            samples[word.start_ms * 8 : word.end_ms * 8, 0] += rng.normal(0, 0.1, size)
        for key, (start_ms, last_ms) in enumerate(keys):
            samples[start_ms * 8 : last_ms * 8, -1] += keyed(key + 4, last_ms - start_ms)
        return wav(np.clip(samples, -1, 1), 8000, form, subtype), suffix, transcript

    return make


def nobody(tokens: object, hits: object) -> list[Any]:
    """Who finds no names: some profiles want somebody."""
    return []


def run(made: Any, profile: str = "payment", extra: Sequence[Any] = (nobody,)) -> Protected | Quarantined:
    data, suffix, said = made
    extra = extra or ([names.detector(["Dupont"])] if profile in WITH_NAMES else ())
    return protect(Private(data), suffix, Private(said), profile, True, CAP_MS, extra)


@pytest.mark.parametrize(
    ("profile", "detector"),
    [(name, find) for name, profile in PROFILES.items() for find in profile.in_text],
    ids=lambda each: each if isinstance(each, str) else named(each),
)
def test_a_detector_taken_away_is_missed(
    profile: str, detector: Any, call: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = call(HOLDS[named(detector)])
    done = run(made, profile)
    assert isinstance(done, Protected) and done.masked
    fewer = tuple(find for find in PROFILES[profile].in_text if find is not detector)
    mutated = replace(PROFILES[profile], in_text=fewer)
    assert len(fewer) == len(PROFILES[profile].in_text) - 1
    monkeypatch.setattr(redact, "PROFILES", {profile: mutated})
    assert run(made, profile) == Quarantined("not_proven", "masked_energy")


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("profile", PROFILES)
def test_keys_that_nobody_looks_for_are_missed(
    profile: str, container: str, call: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = call("bonjour madame", container, KEYS_MS)
    done = run(made, profile)
    assert isinstance(done, Protected)
    assert {interval.kind for interval in done.masked} == {"tone"}
    for at in range(len(PROFILES[profile].in_sound)):
        fewer = PROFILES[profile].in_sound[:at] + PROFILES[profile].in_sound[at + 1 :]
        monkeypatch.setattr(redact, "PROFILES", {profile: replace(PROFILES[profile], in_sound=fewer)})
        assert run(made, profile) == Quarantined("not_proven", "masked_energy")


def test_the_proof_has_a_list_for_every_profile() -> None:
    assert set(prove.TEXT) == set(PROFILES)
    assert set(prove.SURE_ONLY) == {name for name, each in PROFILES.items() if each.in_doubt == "leave"}


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_mask_too_short_is_seen(container: str, call: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every mask, at its begin and at its end, by its whole padding and 60 ms."""
    made = call(EVERYTHING, container, KEYS_MS)
    original = codecs.read(made[0], made[1], CAP_MS)
    kept = redact._masks
    assert isinstance(run(made), Protected)
    masks: list[Span] = []
    monkeypatch.setattr(redact, "_masks", lambda *given: masks.extend(kept(*given)) or tuple(masks))
    assert isinstance(run(made), Protected)
    assert {mask.kind for mask in masks} == set(Kind) - {Kind.EMAIL, Kind.PHONE, Kind.NAME}
    bare = 0
    for mutated, first, last in _shortened(masks, original.smear_ms):
        covered = [mask for mask in mutated if mask.start_ms <= first and last <= mask.end_ms]
        if covered:
            continue
        bare += 1
        assert original.samples[first * 8 : last * 8].any()
        monkeypatch.setattr(redact, "_masks", lambda *_, mutated=mutated: mutated)
        assert run(made) == Quarantined("not_proven", "masked_energy"), (first, last, mutated)
    assert bare >= len(masks)


def _shortened(masks: Sequence[Span], smear_ms: int) -> Iterator[tuple[tuple[Span, ...], int, int]]:
    """The masks with one of them shorter, and what is bare then beyond its padding."""
    profile = PROFILES["payment"]
    for at, mask in enumerate(masks):
        sound = mask.kind is Kind.TONE
        of_tones_ms = profile.pad_sound_ms + tones.MASKING.margin_ms
        before_ms = of_tones_ms if sound else profile.pad_text_before_ms + smear_ms
        after_ms = of_tones_ms if sound else profile.pad_text_after_ms + smear_ms
        first, last = mask.start_ms + before_ms, mask.end_ms - after_ms
        later = replace(mask, start_ms=min(first + 60, mask.end_ms))
        sooner = replace(mask, end_ms=max(last - 60, mask.start_ms))
        yield (*masks[:at], later, *masks[at + 1 :]), first, later.start_ms
        yield (*masks[:at], sooner, *masks[at + 1 :]), sooner.end_ms, last


@pytest.mark.parametrize("container", CONTAINERS)
def test_sound_left_in_a_mask_is_seen(container: str, call: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = call(EVERYTHING, container, KEYS_MS)
    kept = redact.forms
    monkeypatch.setattr(redact, "forms", lambda data, audio, masks: kept(data, audio, masks[1:]))
    assert run(made) == Quarantined("not_proven", "masked_energy")


def test_sound_is_not_taken_beyond_the_masks(call: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = redact.forms
    more = Span(0, 30, Kind.CARD, "test", 1.0)
    monkeypatch.setattr(redact, "forms", lambda data, audio, masks: kept(data, audio, [more, *masks]))
    assert run(call(EVERYTHING)) == Quarantined("not_proven", "unmasked_samples")


def test_what_a_later_round_found_is_proven_too(call: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words blanked are silent, even where the proof's own search finds nothing."""
    made = call("bonjour lundi merci")
    rounds = iter([[redact.Finding((1,), Kind.CODE, "test", 0.9)], []])
    monkeypatch.setattr(redact, "search", lambda *_: next(rounds))
    assert isinstance(run(made), Protected)
    rounds = iter([[redact.Finding((1,), Kind.CODE, "test", 0.9)], []])
    monkeypatch.setattr(redact, "_masks", lambda *_: ())
    assert run(made) == Quarantined("not_proven", "masked_energy")


def test_words_left_in_the_transcript_are_seen(call: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "blank", lambda words, _found: words)
    assert run(call(EVERYTHING)) == Quarantined("not_proven", "transcript")


def test_a_detector_of_ones_own_masks_and_proves(call: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(tokens: Sequence[Token], _hits: Sequence[Hit]) -> list[Hit]:
        return [Hit(n, n, "card", "test", 0.9) for n, token in enumerate(tokens) if token.text == "dupont"]

    made = call("bonjour madame dupont merci")
    done = run(made, extra=[find])
    assert isinstance(done, Protected) and done.transcript
    assert [interval.kind for interval in done.masked] == ["card"]
    assert b"dupont" not in done.transcript.reveal()
    monkeypatch.setattr(redact, "search", lambda *_: ())
    assert run(made, extra=[find]) == Quarantined("not_proven", "masked_energy")


def test_in_doubt_the_profile_decides(call: Make) -> None:
    def find(tokens: Sequence[Token], _hits: Sequence[Hit]) -> list[Hit]:
        return [Hit(n, n, "card", "test", 0.5) for n, token in enumerate(tokens) if token.text == "lundi"]

    made = call("bonjour lundi merci")
    masked, left = (run(made, name, [find]) for name in ("payment", "payment_when_sure"))
    assert isinstance(masked, Protected) and isinstance(left, Protected)
    assert len(masked.masked) == 1
    assert left.masked == ()


def test_opus_is_stored_as_it_came(call: Make) -> None:
    done = run(call(EVERYTHING, "Opus", KEYS_MS))
    assert isinstance(done, Protected) and done.audio.reveal().startswith(b"OggS")


def test_opus_that_fails_its_proof_is_stored_as_flac(call: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = redact.forms

    def fewer(data: bytes, audio: Audio, masks: Sequence[Span]) -> Iterator[bytes]:
        yield next(kept(data, audio, masks[1:]))
        yield from list(kept(data, audio, masks))[1:]

    monkeypatch.setattr(redact, "forms", fewer)
    done = run(call(EVERYTHING, "Opus", KEYS_MS))
    assert isinstance(done, Protected) and done.audio.reveal().startswith(b"fLaC")


@pytest.fixture
def proved(call: Make) -> tuple[Protected, Audio, Transcript]:
    made = call(EVERYTHING, "WAV stereo", KEYS_MS)
    done = run(made)
    assert isinstance(done, Protected)
    return done, codecs.read(made[0], made[1], CAP_MS), made[2]


def check(
    proved: tuple[Protected, Audio, Transcript], sound: Audio | bytes | None = None, text: bytes | None = None
) -> str | None:
    done, original, said = proved
    assert done.transcript
    masks = [Span(i.start_ms, i.end_ms, Kind(i.kind), "test", 1.0) for i in done.masked]
    stored = codecs.write(sound) if isinstance(sound, Audio) else sound or done.audio.reveal()
    return prove.prove(stored, text or done.transcript.reveal(), original, said, masks)


def test_each_check_of_the_sound(proved: tuple[Protected, Audio, Transcript]) -> None:
    done, *_ = proved
    stored = codecs.read(done.audio.reveal(), ".flac", CAP_MS)
    assert check(proved, stored) is None

    def changed(frame: int, value: int) -> Audio:
        samples = stored.samples.copy()
        samples[frame, 1] = value
        return replace(stored, samples=samples)

    middle = (done.masked[0].start_ms + done.masked[0].end_ms) * 4
    assert check(proved, changed(middle, 1)) == "masked_energy"
    assert check(proved, changed(10, int(stored.samples[10, 1]) + 1)) == "unmasked_samples"
    assert check(proved, replace(stored, samples=stored.samples[:-1])) == "duration"
    assert check(proved, replace(stored, samples=stored.samples[:, :1])) == "duration"
    assert check(proved, b"fLaC") == "decodes"


def test_a_tone_left_is_seen_without_a_transcript(keyed: Make, sound: Make) -> None:
    samples = np.zeros(8000)
    samples[4000:4480] = keyed(3, 60)
    audio, silent = sound(samples), sound(np.zeros(8000))
    assert prove.prove(codecs.write(audio), None, audio, None, []) == "masked_energy"
    assert prove.prove(codecs.write(silent), None, silent, None, []) is None


@pytest.mark.parametrize("container", ["WAV mono", "Opus"])
def test_a_tone_that_masking_made_is_seen(
    container: str, call: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is known: it is heard here where sound ends suddenly."""

    def find(audio: Audio) -> list[Span]:
        ends = (audio.samples[:-400, 0] != 0) & ~audio.samples[400:, 0].astype(bool)
        silent = [at for at in np.flatnonzero(ends).tolist() if not audio.samples[at + 1 : at + 400].any()]
        return [Span(0, 1, Kind.TONE, "test", 1.0)] if silent else []

    made = call(EVERYTHING, container)
    monkeypatch.setattr(prove, "SOUND", (find,))
    assert run(made) == Quarantined("not_proven", "tone")


def test_each_check_of_the_transcript(proved: tuple[Protected, Audio, Transcript]) -> None:
    assert proved[0].transcript
    data = proved[0].transcript.reveal()
    assert check(proved, text=data.replace(b"1000", b"1001", 1)) == "words"
    assert check(proved, text=data.replace(b"[card]", b"4111 1111 1111 1111")) == "transcript"
    assert check(proved, text=data.replace(b"merci", b"[card]")) == "masked_energy"
    done, original, said = proved
    assert prove.prove(done.audio.reveal(), None, original, said, []) == "words"


def test_a_segment_is_masked_as_a_whole(call: Make) -> None:
    data, suffix, words = call(f"bonjour ma carte {CARD} merci beaucoup madame au revoir")
    first, last = words.words[0], words.words[6]
    segment = Word(" ".join(w.text for w in words.words[:7]), first.start_ms, last.end_ms, "caller")
    done = run((data, suffix, Transcript((segment, *words.words[7:]), by_word=False)))
    assert isinstance(done, Protected) and done.transcript
    assert [(i.kind, i.start_ms, i.end_ms) for i in done.masked] == [
        ("card", first.start_ms - 150, last.end_ms + 200)
    ]
    assert b"4111" not in done.transcript.reveal()
