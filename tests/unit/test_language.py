"""A transcript's language by its small words: sure, or silent."""

from __future__ import annotations

import pytest

from consigne.doors.samples.script import AGENT, CALLER
from consigne.rules.language import LEAST_VOTES, STOP_WORDS, contradicts, spoken


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_conversation_is_recognised(language: str) -> None:
    lines = [*AGENT[language].values(), *CALLER[language].values()]
    assert spoken(lines) == language
    other = {"fr": "en", "en": "fr"}[language]
    assert contradicts(other, lines) and contradicts(f"{other}-BE", lines)
    assert not contradicts(language, lines) and not contradicts("es", lines)


def test_too_few_words_say_nothing() -> None:
    assert spoken(["the"] * (LEAST_VOTES - 1)) is None
    assert spoken(["the"] * LEAST_VOTES) == "en"
    assert spoken([]) is None


def test_a_mixed_call_says_nothing() -> None:
    assert spoken(["the"] * 30 + ["vous"] * 10) is None


def test_a_segment_counts_as_its_words_and_punctuation_does_not() -> None:
    assert spoken(["Yes, THE bill: you and I… please! That is what they said; thank you."]) == "en"


def test_no_word_votes_twice() -> None:
    assert not STOP_WORDS["fr"] & STOP_WORDS["en"]
