"""What a version does to what is kept: shortening applies, lengthening never (P5); told exactly, field by field."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consigne.rules.clock import Duration, add, parse_instant
from consigne.rules.policy.changes import Change, changes
from consigne.rules.policy.impact import FATES, Apart, Clock, Clocks, Kept, Listening, assess
from consigne.rules.policy.limits import unfit
from consigne.rules.policy.load import Loaded, load
from consigne.rules.policy.model import PartRule, Policy
from consigne.rules.policy.tree import read_tree
from consigne.rules.retention import falls_due
from consigne.rules.values import Part

NOW = parse_instant("2026-11-22T12:00:00Z")
DAY = timedelta(days=1)
PURPOSES = ("training", "quality", "trial")


def under(policy: Policy, days: int, cap_days: int, purpose: str = "training") -> Policy:
    """Another retention and cap for a purpose's audio."""
    rule = PartRule(Duration(days=days), Duration(days=max(days, cap_days)))
    found = replace(policy.purposes[purpose], parts={Part.AUDIO: rule})
    return replace(policy, purposes={**policy.purposes, purpose: found}, in_force_from=NOW)


def kept(
    policy: Policy, start: datetime, purpose: str = "training", more: int = 0, apart: Apart = ""
) -> Kept:
    """An artifact as the policy keeps it, `more` days longer by a decision."""
    due = falls_due(policy, policy, "2026-01", purpose, Part.AUDIO, start, start)
    due_at = min(due.due_at + more * DAY, due.cap_at)
    return Kept(
        uuid.uuid4(),
        "call",
        purpose,
        Part.AUDIO,
        start,
        due_at,
        due.cap_at,
        apart == "extended",
        apart == "held",
    )


STARTS = st.datetimes(datetime(2026, 1, 2), datetime(2026, 11, 21), timezones=st.just(UTC))
APARTS: st.SearchStrategy[Apart] = st.sampled_from(["", "extended", "held"])


@pytest.mark.promise("P5")
@settings(deadline=None)
@given(STARTS, APARTS, st.integers(0, 90), st.integers(1, 400), st.integers(1, 800))
def test_no_version_lengthens_a_life_or_ends_one_before_it_takes_force(
    demo: Policy, start: datetime, apart: Apart, more: int, days: int, cap: int
) -> None:
    artifact, draft = kept(demo, start, more=more, apart=apart), under(demo, days, cap)
    clock = Clocks(draft).under(artifact)
    assert clock.due_at <= artifact.due_at and clock.cap_at <= artifact.cap_at
    assert clock.due_at <= clock.cap_at
    assert clock.due_at == artifact.due_at or clock.due_at >= draft.in_force_from
    if apart != "extended":  # the new retention, from its first second on
        end = add(start, Duration(days=days), demo.zone)
        assert clock.due_at <= max(end, draft.in_force_from)
    again = replace(artifact, due_at=clock.due_at, cap_at=clock.cap_at)
    assert Clocks(draft).under(again) == clock  # idempotent


@settings(deadline=None)
@given(st.lists(STARTS, min_size=1, max_size=20), st.integers(1, 400))
def test_what_is_computed_for_a_day_is_what_each_instant_gives(
    demo: Policy, starts: list[datetime], days: int
) -> None:
    draft = under(demo, days, 2 * days)
    shared = Clocks(draft)
    for start in starts:
        artifact = kept(demo, start)
        assert shared.under(artifact) == Clocks(draft).under(artifact)


@pytest.mark.promise("P5")
@settings(deadline=None)
@given(st.lists(st.tuples(STARTS, APARTS, st.sampled_from(PURPOSES)), max_size=30), st.integers(1, 400))
def test_each_artifact_is_told_once_and_as_the_rule_moves_it(
    demo: Policy, stock: list[tuple[datetime, Apart, str]], days: int
) -> None:
    draft, artifacts = under(demo, days, 500), [kept(demo, start, name, apart=a) for start, a, name in stock]
    impact = assess(demo, draft, NOW, artifacts)
    assert sum(impact.count(fate) for fate in FATES) == len(artifacts)
    moved = {one.id: Clocks(draft).under(one).due_at for one in artifacts}
    earlier = [one for one in artifacts if moved[one.id] < one.due_at and one.due_at > NOW]
    assert impact.count("at_once") == sum(moved[one.id] <= NOW for one in earlier)
    assert impact.count("earlier") == sum(moved[one.id] > NOW for one in earlier)
    for example in impact.examples:
        assert moved[example.artifact] == example.new < example.old


@pytest.mark.promise("P5")
def test_a_removed_purpose_ends_when_the_version_takes_force(demo: Policy) -> None:
    rest = {name: rule for name, rule in demo.purposes.items() if name != "training"}
    draft = replace(demo, purposes=rest, in_force_from=NOW)
    plain, extended = kept(demo, NOW - 9 * DAY), kept(demo, NOW - 9 * DAY, more=20, apart="extended")
    assert Clocks(draft).under(plain) == Clock(NOW, plain.cap_at)
    assert Clocks(draft).under(extended) == Clock(extended.due_at, extended.cap_at)
    impact = assess(demo, draft, NOW + DAY, [plain, extended, kept(demo, NOW - 9 * DAY, "quality")])
    assert (impact.removed, impact.added) == (["training"], [])
    assert [(line.purpose, line.apart, line.at_once) for line in impact.lines if line.at_once] == [
        ("training", "", 1)
    ]
    assert Listening("training", "trainer", (), ("appraisal", "coaching")) in impact.listening


def test_longer_is_told_only_where_the_version_is_longer(demo: Policy) -> None:
    artifact = kept(demo, NOW - 30 * DAY)
    longer, same = under(demo, 300, 600), replace(demo, in_force_from=NOW)
    assert assess(demo, longer, NOW, [artifact]).count("longer_stays") == 1
    assert assess(demo, same, NOW, [artifact]).count("unchanged") == 1
    told = assess(
        demo, same, NOW, [replace(artifact, due_at=artifact.due_at - 5 * DAY)]
    )  # its notice was shorter
    assert told.count("unchanged") == 1


def test_an_impact_is_plain_json(demo: Policy) -> None:
    document = assess(demo, under(demo, 5, 9), NOW, [kept(demo, NOW - 9 * DAY)]).to_json()
    [example] = document["examples"]
    assert document["as_of"] == example["new"] == "2026-11-22T12:00:00.000Z"
    assert set(document["lines"][0]) == {"purpose", "part", "apart", *FATES}


@pytest.fixture(scope="session")
def loaded(shipped_text: str) -> Callable[..., Loaded]:
    def with_change(old: str = "", new: str = "") -> Loaded:
        assert old in shipped_text
        return load(shipped_text.replace(old, new))

    return with_change


def test_a_draft_leaves_somebody_to_decide_and_is_no_way_out_of_the_limits(
    loaded: Callable[..., Loaded], shipped: Policy, demo: Policy
) -> None:
    def codes(old: str, new: str, before: Policy = shipped, at: datetime = NOW) -> list[str]:
        return [found.code for found in unfit(loaded(old, new), before, at)]

    named = "designated: [{user: dpo, from: 2026-01-01}]"
    assert codes("", "") == []
    assert codes(named, "designated: []") == ["no_dpo"]
    assert codes(named, named.replace("01}", "01, until: 2026-11-30}")) == []
    assert codes(named, named.replace("01}", "01, until: 2026-11-30}"), at=NOW + 9 * DAY) == ["no_dpo"]
    version = 'version: "2026-01"\n'
    assert codes(version, version + "demo: true\n") == ["becomes_a_demonstration"]
    assert codes(version, version + "demo: true\n", demo) == []


def test_changes_are_told_field_by_field(shipped_text: str) -> None:
    old = read_tree(shipped_text).value
    text = shipped_text.replace("audio: {retention: P6M, cap: P12M}", "audio: {retention: P1M, cap: P12M}", 1)
    text = text.replace("listeners: {trainer: [coaching, appraisal]}", "listeners: {trainer: [coaching]}")
    text = text.replace("    needs: {trigger: agent}\n", "", 1)
    found = changes(old, read_tree(text).value)
    assert found == [
        Change(("purposes", "training", "parts", "audio", "retention"), "P6M", "P1M"),
        Change(("purposes", "training", "listeners", "trainer"), "coaching · appraisal", "coaching"),
        Change(("purposes", "complaint", "needs", "trigger"), "agent", None),
    ]
    assert changes(old, old) == []
    assert changes({}, {"demo": True}) == [Change(("demo",), None, "true")]
