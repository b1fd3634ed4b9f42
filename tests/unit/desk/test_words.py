"""The desk's texts and the reader's words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from pydantic import ValidationError

from consigne.doors.desk import text
from consigne.doors.desk.pages.told_policy import findings_told
from consigne.doors.desk.words import Wording, choose
from consigne.rules.policy import schema
from consigne.rules.policy.findings import PolicyInvalid
from consigne.rules.policy.limits import breaches
from consigne.rules.policy.load import load
from consigne.rules.policy.model import Policy
from consigne.rules.policy.tree import read_tree

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


_CHECKED = ("limits.py", "load.py", "tree.py", "schema.py")
_CODE = re.compile(r"[a-z]+(_[a-z]+)*")
_AT = {"finding": 1, "Finding": 3, "PydanticCustomError": 0}  # which argument the code is


def codes_of(source: str) -> set[str]:
    """The codes of findings that a module makes: yielded in (path, code, message), or given to what makes one."""
    found: set[object] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 3:
            found.add(getattr(node.value.elts[1], "value", None))
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            values = [getattr(each, "value", None) for each in node.args]
            if name in _AT:
                found.add(values[_AT[name]] if len(values) > _AT[name] else None)
            elif name == "_refuse":  # line and column, or both at once
                found.add(next((each for each in values if isinstance(each, str)), None))
    return {each for each in found if isinstance(each, str) and _CODE.fullmatch(each)}


def test_every_finding_of_the_rules_has_words() -> None:
    policy = DESK.parents[1] / "rules" / "policy"
    codes = {name: codes_of((policy / name).read_text()) for name in _CHECKED}
    codes["configure.py"] = codes_of((DESK.parents[1] / "acts" / "configure.py").read_text())
    assert codes["limits.py"] > {"staff_not_consulted", "no_dpo", "becomes_a_demonstration", "dpo_last"}
    assert {"unknown_notice", "retention_beyond_cap"} < codes["load.py"]
    assert {"empty", "bad_yaml", "two_documents", "duplicate_key"} < codes["tree.py"]
    assert {"bad_rate", "unknown_zone"} < codes["schema.py"] and "carries_number" in codes["configure.py"]
    # of the file of acknowledgements
    found = set[str]().union(*codes.values()) | {"no_acknowledgements", "bad_acknowledgements"}
    assert {f"finding.{code}" for code in found} <= text.TEXTS.keys()


ODD: list[Any] = [None, 0, -1, 2, True, "", "x" * 3000, "é !", [], {}, [1], ["a", "a"], {"z": 1}, {"É": 1}]


def test_every_finding_of_the_form_has_words(shipped_text: str) -> None:
    """Whatever stands where something else belongs."""
    tree = read_tree(shipped_text).value
    tree |= {"demo": False, "reminders": {"request": "P1D", "recording": "P7D"}}
    tree["backups"] = {"database": "P7D", "keyring": "P7D"}
    tree["agents"]["consulted_on"] = "2025-12-01"
    purposes = tree["purposes"]
    tree["purposes"] = {"training": purposes["training"] | {"legal_text": "x", "needs": {"trigger": "agent"}}}
    codes = set()
    for holder, key in list(places(tree)):
        kept = holder[key]
        for odd in ODD:
            holder[key] = odd
            try:
                schema.PolicyForm.model_validate(tree)
            except ValidationError as fault:
                codes |= {each["type"] for each in fault.errors()}
        holder[key] = kept
    assert len(codes) > 15
    assert {f"finding.{code}" for code in codes} <= text.TEXTS.keys()


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each value's holder and its key, the whole way down."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from places(value[key])


def test_a_finding_names_what_the_form_would_take(shipped_text: str) -> None:
    wrong = shipped_text.replace("legal_basis: legitimate_interest", "legal_basis: whim", 1)
    with pytest.raises(PolicyInvalid) as fault:
        load(wrong)
    for words, start in (
        (FRENCH, "Valeur attendue : consent, contract"),
        (ENGLISH, "Wanted: one of consent"),
    ):
        [told] = findings_told(words, fault.value.findings)
        assert told["why"].startswith(start)


def test_the_missing_consultation_is_told_in_french(shipped_text: str) -> None:
    [told] = findings_told(FRENCH, breaches(load(shipped_text)))
    assert "représentants du personnel" in told["why"] and not told["is_error"]


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
