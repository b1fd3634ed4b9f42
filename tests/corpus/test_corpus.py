"""The corpus itself: numbers are read as people read them, labels lie where they are heard, and the judge sees
what a product that does nothing, or too much, would do."""

from __future__ import annotations

import io
from random import Random

import numpy as np
import pytest
import soundfile

from consigne.rules.audio import codecs
from consigne.rules.audio.pcm import Audio
from consigne.rules.redaction.redact import Protected, protect
from consigne.rules.redaction.transcript import encode
from consigne.rules.values import MaskedInterval, Private
from corpus import values
from corpus.build import LabelledCall, build, call
from corpus.judge import CAP_MS, judged
from corpus.numbers import as_number, one_by_one, say, written
from corpus.score import over_masking, scores
from corpus.sound import CONTAINERS


@pytest.mark.parametrize(
    ("number", "language", "said"),
    [
        (0, "fr-FR", "zéro"), (16, "fr-FR", "seize"), (17, "fr-FR", "dix-sept"), (21, "fr-FR", "vingt et un"),
        (70, "fr-FR", "soixante-dix"), (71, "fr-FR", "soixante et onze"), (77, "fr-FR", "soixante-dix-sept"),
        (80, "fr-FR", "quatre-vingts"), (81, "fr-FR", "quatre-vingt-un"), (91, "fr-FR", "quatre-vingt-onze"),
        (99, "fr-FR", "quatre-vingt-dix-neuf"), (71, "fr-BE", "septante et un"), (85, "fr-BE", "quatre-vingt-cinq"),
        (98, "fr-BE", "nonante-huit"), (80, "fr-CH", "huitante"), (95, "fr-CH", "nonante-cinq"),
        (100, "fr-FR", "cent"), (200, "fr-FR", "deux cents"), (201, "fr-FR", "deux cent un"),
        (1000, "fr-FR", "mille"), (4970, "fr-FR", "quatre mille neuf cent soixante-dix"),
        (4970, "fr-CH", "quatre mille neuf cent septante"), (45, "en", "forty-five"), (12, "en", "twelve"),
    ],
)  # fmt: skip
def test_numbers_are_said_as_people_say_them(number: int, language: str, said: str) -> None:
    assert say(number, language, Random(1)) == said


def test_groups_keep_their_zeros_and_doubles_are_doubled() -> None:
    draw = Random(1)
    assert as_number("07", "fr-FR", draw) == "zéro sept"
    assert as_number("0050", "fr-FR", draw) == "zéro zéro cinquante"
    assert one_by_one("44111", "en", draw, twice=True) == "double four triple one"
    assert written("quarante et un", "joined") == ["quarante-et-un"]
    assert written("quatre-vingt-deux", "spaced") == ["quatre", "vingt", "deux"]


def test_known_numbers_hold_their_checks() -> None:
    assert values.luhn("4111111111111111")
    assert not values.luhn("4111111111111112")
    draw = Random(3)
    assert all(values.luhn(values.card(draw)) for _ in range(200))
    assert not any(values.luhn(values.mangled(draw, values.card(draw))) for _ in range(200))


@pytest.fixture(scope="module")
def calls() -> list[LabelledCall]:
    return list(build(7, 40))


@pytest.mark.voices
def test_a_seed_makes_the_same_calls(calls: list[LabelledCall]) -> None:
    again = call(7, 5)
    assert (again.transcript, again.labels) == (calls[5].transcript, calls[5].labels)
    assert np.array_equal(_samples(again.audio), _samples(calls[5].audio))


def _samples(audio: bytes) -> np.ndarray:
    return soundfile.read(io.BytesIO(audio))[0]


@pytest.mark.voices
def test_labels_lie_where_something_sounds(calls: list[LabelledCall]) -> None:
    for one in calls:
        sound, rate_hz = soundfile.read(io.BytesIO(one.audio), always_2d=True)
        assert abs(len(sound) * 1000 / rate_hz - one.duration_ms) < 100
        for label in one.labels:
            assert label.kind == "tone" or label.words
            for start_ms, end_ms in label.spoken:
                heard = sound[start_ms * rate_hz // 1000 : end_ms * rate_hz // 1000]
                assert np.abs(heard).max() > 0.005, (one.index, label.kind)


def _result(one: LabelledCall, masks: list[tuple[int, int]], blanked: bool) -> Protected:
    """What a product would store that masks just this."""
    audio = codecs.read(one.audio, CONTAINERS[one.container].suffix, CAP_MS)
    samples = audio.samples.copy()
    for start_ms, end_ms in masks:
        samples[start_ms * audio.rate_hz // 1000 : end_ms * audio.rate_hz // 1000] = 0
    text = encode(one.transcript)
    if blanked:
        words = [type(word)("[card]", word.start_ms, word.end_ms, "") for word in one.transcript.words]
        text = encode(type(one.transcript)(tuple(words), one.transcript.by_word))
    real = protect(Private(one.audio), CONTAINERS[one.container].suffix, None, "payment", False, CAP_MS)
    assert isinstance(real, Protected)
    intervals = tuple(MaskedInterval(start, end, "card") for start, end in masks)
    stored = Private(codecs.write(Audio(samples, audio.rate_hz, audio.bits)))
    return type(real)(**_fields(real) | {"audio": stored, "transcript": Private(text), "masked": intervals})


def _fields(value: Protected) -> dict[str, object]:
    return {name: getattr(value, name) for name in type(value).__slots__}


@pytest.mark.voices
def test_what_is_not_masked_in_sound_or_in_words_is_a_leak(calls: list[LabelledCall]) -> None:
    whole = {one.index: [(0, one.duration_ms + 100)] for one in calls}
    said = [one for one in calls if not one.is_clean and all(label.kind != "tone" for label in one.labels)][
        :4
    ]
    for masks, blanked, end in (([], True, "leaked"), (whole, False, "leaked"), (whole, True, "found")):
        for one in said:
            mine = masks[one.index] if isinstance(masks, dict) else masks
            ends = {fate.end for fate in judged(one, _result(one, mine, blanked)).fates}
            assert ends == {end}


@pytest.mark.voices
def test_masking_everything_is_seen_as_too_much(calls: list[LabelledCall]) -> None:
    clean = next(one for one in calls if one.is_clean)
    outcome = judged(clean, _result(clean, [(0, clean.duration_ms)], blanked=True))
    assert over_masking([outcome]) == 1.0
    assert scores([outcome])["card", ""].precision == 0.0
    assert {fate.end for fate in outcome.decoys} == {"masked"}
