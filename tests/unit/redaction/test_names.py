"""Names that somebody found in the words are masked wherever they are said."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from consigne.rules.audio import codecs
from consigne.rules.errors import Misconfigured
from consigne.rules.redaction import names
from consigne.rules.redaction.redact import Protected, protect
from consigne.rules.redaction.transcript import search
from consigne.rules.values import Private, Quarantined

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("found", "said", "masked"),
    [
        (["Léa Dupont"], "bonjour lea DUPONT merci", {1, 2}),
        (["Léa Dupont"], "bonjour Léa merci Dupont", set()),
        (["Anne-Marie"], "oui Anne-Marie, non", {1}),
        (["Jean d'Arc"], "Jean d'Arc et Jean", {0, 1}),
        (["Rose", "Rose Martin"], "Rose Martin puis Rose", {0, 1, 3}),
        (["Апполинария"], "это Апполинария", {1}),
        (["12", "...", "", "B2"], "le 12 ... B2", set()),
        ([], "bonjour", set()),
    ],
)
def test_a_name_is_found_whole_in_any_case_and_nowhere_else(
    spoken: Make, found: Iterable[str], said: str, masked: set[int]
) -> None:
    hits = search(spoken(said), [names.detector(found)])
    assert {word for hit in hits for word in hit.words} == masked
    assert {hit.kind.value for hit in hits} <= {"name"}


def redact(voice: Make, wav: Make, words: Any, **extra: Any) -> Protected | Quarantined:
    audio = Private(wav(voice(12, 1)))
    return protect(audio, ".wav", Private(words), "payment_and_names", True, 60_000, **extra)


@pytest.mark.promise("P2")
def test_a_name_is_masked_beside_a_card_number(voice: Make, wav: Make, spoken: Make) -> None:
    words = spoken("ici Léa Dupont ma carte 4111 1111 1111 1111 voilà")
    done = redact(voice, wav, words, extra=(names.detector(["Léa Dupont"]),))
    assert isinstance(done, Protected)
    assert done.transcript is not None
    text = done.transcript.reveal().decode()
    assert "upont" not in text and text.count("[name]") == 2 and "[card]" in text
    assert {span.kind for span in done.masked} == {"name", "card"}
    samples = codecs.read(done.audio.reveal(), ".flac", 60_000).samples
    assert not samples[1300 * 8 : 1860 * 8].any()


@pytest.mark.promise("P2")
def test_a_profile_with_names_is_never_without_them(voice: Make, wav: Make, spoken: Make) -> None:
    with pytest.raises(Misconfigured, match="names"):
        redact(voice, wav, spoken("ici Léa Dupont"))
