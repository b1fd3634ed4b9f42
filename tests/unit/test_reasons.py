"""Every code and check has words that an operator acts on, in both languages."""

from __future__ import annotations

import pytest

from consigne.rules.checks import CHECKS
from consigne.rules.gate import RULES
from consigne.rules.reasons import LANGUAGES, SENTENCES, sentence, told
from unit.test_docs import QUARANTINED

REFUSED = ("no_purpose", *(code for code, _ in RULES))


def test_every_code_of_the_contract_and_every_check_has_its_sentence_and_nothing_else_has() -> None:
    assert set(SENTENCES) == {*REFUSED, *QUARANTINED, *(check.id for check in CHECKS)}


@pytest.mark.parametrize("key", SENTENCES)
def test_a_sentence_is_one_in_both_languages_and_names_only_the_field(key: str) -> None:
    french, english = (sentence(key, language, "notice.version") for language in LANGUAGES)
    assert french != english
    assert ("notice.version" in french) == ("notice.version" in english)
    for text in (french, english, *(sentence(key, language) for language in LANGUAGES)):
        assert text[0].isupper() or text[0] in "“«"
        assert text.endswith((".", "?"))
        assert not {"{", "}"} & set(text)


def test_a_check_says_more_than_its_code_and_comes_first() -> None:
    findings = ["sound_is_not_clipped", "channels_are_as_stated"]
    assert told("format_mismatch", "channels", findings, "en") == [
        "The sound does not have as many channels as “channels” names.",
        "The sound is clipped (too loud): lower the recording level.",
    ]


def test_a_code_without_a_check_has_its_own_words() -> None:
    assert told("id_reused", "id", [], "fr") == [
        "Le même identifiant désigne deux contenus : la source doit en donner un à chaque appel."
    ]
    assert "(word_times)" in told("not_proven", "word_times", [], "fr")[0]


def test_a_remark_stands_alone_and_nothing_is_nothing() -> None:
    assert len(told(None, None, ["channels_differ"], "fr")) == 1
    assert told(None, None, [], "en") == []


def test_what_an_older_version_wrote_is_shown_as_it_is() -> None:
    assert sentence("some_older_code", "en") == "some_older_code"
    assert told("some_older_code", None, ["some_older_check"], "en") == ["some_older_code"]


def test_the_field_is_named() -> None:
    path = "transcript.words.3.end_s"
    assert path in told("bad_field", path, ["fields_are_right"], "fr")[0]
