"""Findings across speakers and segments, their places, and the words left."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from consigne.rules.errors import BadInput
from consigne.rules.recording import Transcript, Word
from consigne.rules.redaction import cards, codes
from consigne.rules.redaction.spans import Kind, Span
from consigne.rules.redaction.transcript import blank, decode, encode, place, search

DETECTORS = (cards.find, codes.find)
Spoken = Callable[[str], Transcript]


def left(transcript: Transcript) -> str:
    return " ".join(w.text for w in blank(transcript, search(transcript, DETECTORS)).words)


@pytest.mark.promise("P2")
def test_a_number_passes_between_speakers(spoken: Spoken) -> None:
    said = spoken("caller: 4111 1111 agent: 4111 1111 oui caller: 1111 1111")
    assert left(said) == "[card] [card] [card] [card] [card] [card] [card]"
    apart = spoken("caller: 4111 1111 agent: 1111 d'accord caller: 1111 merci")
    assert left(apart) == "[card] [card] [card] [card] [card] merci"


@pytest.mark.promise("P2")
def test_another_may_speak_between_its_parts(spoken: Spoken) -> None:
    said = spoken("caller: 4111 1111 agent: je note votre adresse caller: 1111 1111")
    assert left(said) == "[card] [card] je note votre adresse [card] [card]"


@pytest.mark.promise("P2")
def test_a_segment_is_masked_whole() -> None:
    said = Transcript(
        (
            Word("bonjour", 0, 900, "agent"),
            Word("voici ma carte 4111 1111", 1000, 4000, "caller"),
            Word("1111 1111 et voilà", 4200, 8000, "caller"),
        ),
        by_word=False,
    )
    found = search(said, DETECTORS)
    assert [w.text for w in blank(said, found).words] == ["bonjour", "[card]", "[card]"]
    assert [(s.start_ms, s.end_ms, s.kind) for s in place(said, found, 9000)] == [(1000, 8000, Kind.CARD)]


def test_pauses_belong_to_a_finding_but_long_gaps_do_not(spoken: Spoken) -> None:
    words = [
        Word(part, at, at + 300, "caller")
        for part, at in zip(["4111 1111", "1111", "1111"], [0, 1200, 9000], strict=True)
    ]
    said = Transcript(tuple(words))
    spans = place(said, search(said, DETECTORS), 10_000)
    assert [(s.start_ms, s.end_ms) for s in spans] == [(0, 1500), (9000, 9300)]


@pytest.mark.parametrize(
    ("start_ms", "end_ms"), [(-1, 100), (200, 100), (1000, 1100)], ids=["before", "reversed", "after"]
)
def test_a_finding_without_a_place_is_a_fault(start_ms: int, end_ms: int) -> None:
    said = Transcript((Word("4111111111111111", start_ms, end_ms, "caller"),))
    with pytest.raises(BadInput) as caught:
        place(said, search(said, DETECTORS), 1000)
    assert (caught.value.code, caught.value.where) == ("not_proven", "word_times")


def test_a_place_ends_with_the_recording() -> None:
    said = Transcript((Word("4111111111111111", 900, 5000, "caller"),))
    assert place(said, search(said, DETECTORS), 1000) == (Span(900, 1000, Kind.CARD, "cards", 0.95),)


def test_encoding_is_canonical_and_reads_back(spoken: Spoken) -> None:
    said = spoken("agent: été caller: 12")
    data = encode(said)
    assert (
        data
        == (
            '{"by_word":true,"words":['
            '{"end_ms":1260,"speaker":"agent","start_ms":1000,"text":"été"},'
            '{"end_ms":1560,"speaker":"caller","start_ms":1300,"text":"12"}]}'
        ).encode()
    )
    assert decode(data) == said
    assert b"?" in encode(Transcript((Word("\ud800", 0, 1, "a"),)))
