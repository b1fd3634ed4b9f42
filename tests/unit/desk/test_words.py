"""The desk's texts and the reader's words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter

import pytest

from consigne.doors.desk import text
from consigne.doors.desk.words import Wording, choose
from consigne.rules.policy.model import Policy

DESK = Path(text.__file__).parent
FRENCH, ENGLISH = (Wording(language, "Europe/Paris") for language in ("fr", "en"))


def _names(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


@pytest.mark.parametrize("key", text.TEXTS)
def test_each_text_says_the_same_in_both_languages(key: str) -> None:
    french, english = text.TEXTS[key]
    assert french.strip() and english.strip()
    assert _names(french) == _names(english)


def test_every_key_that_a_template_or_page_asks_for_exists() -> None:
    sources = [*DESK.glob("templates/*.html"), *DESK.glob("pages/*.py")]
    asked = {
        key for file in sources for key in re.findall(r'(?:say|fact)\("([a-z_.]+)"[,)]', file.read_text())
    }
    assert len(asked) > 50
    assert asked <= text.TEXTS.keys()


def test_the_shipped_policies_grounds_and_reasons_have_words(shipped: Policy, demo: Policy) -> None:
    purposes = [*shipped.purposes.values(), *demo.purposes.values()]
    codes = {f"ground.{ground}" for purpose in purposes for ground in purpose.grounds}
    codes |= {f"reason.{code}" for one in purposes for codes in one.listeners.values() for code in codes}
    assert codes <= text.TEXTS.keys()


# Kinds that are about no call, and steps, which the register names by what came of them.
_OF_NO_CALL = re.compile(
    r"configure:.*|draw:month:.*|expire:(epoch|manifest):.*|inform:acknowledgement:.*|remind:.*|repair:.*"
    r"|ingest:batch:.*|ingest:(artifact|delivery):(confirm|clear|judge|protect|transcribe|validate)"
)


def test_every_kind_of_entry_on_a_call_has_words() -> None:
    sources = [file.read_text() for file in DESK.parents[1].rglob("*.py")]
    kinds = {kind for source in sources for kind in re.findall(r'"([a-z]+:[a-z]+:[a-z_-]+)"', source)}
    told = {kind for kind in kinds if not _OF_NO_CALL.fullmatch(kind)}
    assert len(told) > 30
    assert {f"act.{kind}" for kind in told} <= text.TEXTS.keys()


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("en", "fr", "en"),
        ("xx", "en-GB,fr;q=0.5", "en"),
        (None, "de, en;q=0.4, fr-CA;q=0.8", "fr"),
        (None, "de", "fr"),
        (None, "", "fr"),
        (None, "en;q=0", "fr"),
        (None, "en;q=nonsense, fr;q=nan", "fr"),
        (None, "fr;q=0, en", "en"),
    ],
)
def test_the_readers_choice_comes_before_the_browsers(
    chosen: str | None, accepted: str, language: str
) -> None:
    assert choose(chosen, accepted) == language


def test_instants_are_told_in_the_policys_zone() -> None:
    midnight = datetime(2027, 5, 19, 22, 0, tzinfo=UTC)
    assert FRENCH.moment(midnight) == "20 mai 2027"
    assert ENGLISH.moment(midnight) == "20 May 2027"
    assert FRENCH.moment(datetime(2026, 12, 1, 8, 5, tzinfo=UTC)) == "1er décembre 2026 à 09:05"
    assert ENGLISH.moment(datetime(2026, 12, 1, 8, 5, tzinfo=UTC)) == "1 December 2026, 09:05"


@pytest.mark.parametrize(
    ("length", "french", "english"),
    [
        (timedelta(days=4, hours=23), "4 jours", "4 days"),
        (timedelta(days=1), "1 jour", "1 day"),
        (timedelta(hours=23, minutes=59), "23 heures", "23 hours"),
        (timedelta(seconds=59), "0 minute", "0 minutes"),
        (timedelta(days=-2), "0 minute", "0 minutes"),
    ],
)
def test_time_left_is_never_rounded_up(length: timedelta, french: str, english: str) -> None:
    assert (FRENCH.span(length), ENGLISH.span(length)) == (french, english)
