"""Which purposes may take an artifact over (P1), and when it falls due there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.clock import Duration
from consigne.rules.policy.model import PartRule, Policy, RedactionRule
from consigne.rules.redaction.profiles import PROFILES
from consigne.rules.repurpose import (
    Movable,
    due_there,
    is_as_strong,
    targets,
    why_not_move,
    why_not_move_all,
)
from consigne.rules.retention import falls_due
from consigne.rules.values import Part

from .conftest import START

NOW = START + timedelta(days=30)


@pytest.fixture
def movable(demo: Policy) -> Movable:
    rule = demo.purposes["training"].redaction
    ids = UUID(int=1), UUID(int=2)
    return Movable(*ids, "training", Part.AUDIO, START, START, "2026-01", demo, rule)


def test_what_speaks_for_nothing_may_move(demo: Policy, movable: Movable) -> None:
    assert why_not_move(demo, "quality", movable, NOW) is None
    assert due_there(demo, "quality", movable).due_at > NOW


REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("nothing", {}, "unknown_purpose"),
    ("quality", {"purpose": "lost"}, "unknown_purpose"),
    ("training", {}, "same_purpose"),
    ("complaint", {}, "needs_human_trigger"),
    ("contract_proof", {}, "needs_human_trigger"),
    ("emergency", {"part": Part.ANALYSIS_SHEET}, "part_not_kept"),
    ("quality", {"redaction": None}, "redaction_differs"),
    ("quality", {"redaction": RedactionRule("payment", requires_transcript=False)}, "redaction_differs"),
    (
        "quality",
        {"redaction": RedactionRule("payment_when_sure", requires_transcript=True)},
        "redaction_differs",
    ),
    ("quality", {"at_start": None}, "no_policy_at_start"),
    ("quality", {"notice": None}, "notice_does_not_cover"),
    ("quality", {"notice": "none such"}, "notice_does_not_cover"),
    ("emergency", {"notice": "2026-01-quality"}, "notice_does_not_cover"),
    ("quality", {"objected": frozenset({"quality"})}, "objected"),
    ("quality", {"objected": frozenset({""})}, "objected"),
    ("quality", {"there": frozenset({"training", "quality"})}, "already_kept_there"),
    ("quality", {"is_held": True}, "held"),
    ("trial", {}, "past_due"),
    ("quality", {"started_at": START - timedelta(days=365)}, "outside_period"),
]


@pytest.mark.promise("P1", "P5")
@pytest.mark.parametrize(("purpose", "changes", "code"), REFUSALS, ids=[f"{r[2]}-{r[0]}" for r in REFUSALS])
def test_each_refusal(
    demo: Policy, movable: Movable, purpose: str, changes: dict[str, Any], code: str
) -> None:
    assert why_not_move(demo, purpose, replace(movable, **changes), NOW) == code


def test_a_purpose_that_asks_for_no_other_proof_takes_none(
    demo: Policy, movable: Movable, changed: Callable[..., Policy]
) -> None:
    policy = changed(demo, "quality", needs={"other_proof": "none"})
    assert why_not_move(policy, "quality", movable, NOW) == "other_proof_exists"


@pytest.mark.promise("P1")
def test_a_purpose_newer_than_the_call_takes_none(demo: Policy, movable: Movable) -> None:
    before = replace(demo, purposes={name: one for name, one in demo.purposes.items() if name != "quality"})
    assert why_not_move(demo, "quality", replace(movable, at_start=before), NOW) == "no_policy_at_start"


def test_of_a_selection_all_or_none_and_no_two_to_one_place(demo: Policy, movable: Movable) -> None:
    words = replace(movable, artifact=UUID(int=3), part=Part.TRANSCRIPT)
    twin = replace(movable, artifact=UUID(int=4), purpose="trial")
    assert why_not_move_all(demo, "quality", [movable, words], NOW) is None
    assert why_not_move_all(demo, "quality", [movable, twin], NOW) == "already_kept_there"
    assert why_not_move_all(demo, "quality", [movable, replace(words, is_held=True)], NOW) == "held"


def test_the_possible_purposes_and_why_not_the_others(demo: Policy, movable: Movable) -> None:
    late = replace(movable, artifact=UUID(int=3), recording=UUID(int=5), started_at=START - timedelta(days=9))
    ends, codes = targets(demo, [movable, late], NOW)
    assert set(ends) == {"quality", "emergency", "investment_orders"}
    assert ends["quality"] == due_there(demo, "quality", late).due_at
    assert ends.keys() | codes.keys() == demo.purposes.keys()
    assert not ends.keys() & codes.keys()
    assert targets(demo, [], NOW)[0] == {}


DAYS = st.integers(1, 2000)


@pytest.mark.promise("P5")
@given(announced=DAYS, then=DAYS, today=DAYS, elapsed=st.integers(0, 2100))
def test_no_clock_but_the_earliest_counts_and_none_that_has_ended(
    demo: Policy, announced: int, then: int, today: int, elapsed: int
) -> None:
    def keeping(days: int) -> Policy:
        rule = PartRule(Duration(days=days), Duration(days=2001))
        quality = replace(demo.purposes["quality"], parts={Part.AUDIO: rule})
        notice = replace(demo.notices["2026-01"], covers={"quality": Duration(days=announced)})
        return replace(demo, notices={"2026-01": notice}, purposes={**demo.purposes, "quality": quality})

    rule = demo.purposes["training"].redaction
    ids = UUID(int=1), UUID(int=2)
    one = Movable(*ids, "training", Part.AUDIO, START, START, "2026-01", keeping(then), rule)
    now = START + timedelta(days=elapsed)
    due = due_there(keeping(today), "quality", one)
    assert due == falls_due(one.at_start, keeping(today), "2026-01", "quality", Part.AUDIO, START, START)
    assert due.due_at <= START + timedelta(days=min(announced, then, today), hours=1)
    code = why_not_move(keeping(today), "quality", one, now)
    assert code == ("past_due" if due.due_at <= now else None)


RULES = st.builds(RedactionRule, st.sampled_from(sorted(PROFILES)), st.booleans())


@pytest.mark.promise("P2")
@given(RULES, RULES, RULES)
def test_strength_is_an_order(one: RedactionRule, two: RedactionRule, three: RedactionRule) -> None:
    assert is_as_strong(one, one)
    assert not (is_as_strong(one, two) and is_as_strong(two, three)) or is_as_strong(one, three)


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    ("masked", "asked", "is_enough"),
    [
        ("payment_and_contact", "payment", True),
        ("payment", "payment_and_contact", False),
        ("payment", "payment_when_sure", True),
        ("payment_when_sure", "payment", False),
        ("payment_and_names", "payment", True),
        ("payment", "payment_and_names", False),
        ("payment_and_names", "payment_and_contact", False),
        ("unknown", "payment", False),
        ("payment", "unknown", False),
    ],
)
def test_which_profile_leaves_nothing_of_another(masked: str, asked: str, is_enough: bool) -> None:
    assert is_as_strong(RedactionRule(masked, True), RedactionRule(asked, True)) is is_enough
    assert is_as_strong(RedactionRule(masked, True), RedactionRule(asked, False)) is is_enough
    assert not is_as_strong(RedactionRule(masked, False), RedactionRule(asked, True))
