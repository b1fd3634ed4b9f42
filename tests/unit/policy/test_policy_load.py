"""A policy file is a policy, or everything that is wrong with it, by line; never a traceback."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consigne.rules.clock import Duration, iso
from consigne.rules.policy.findings import Finding, PolicyInvalid
from consigne.rules.policy.load import load
from consigne.rules.policy.model import NO_BACKUPS, Backups, Policy
from consigne.rules.values import Part

SIX = {"training", "quality", "complaint", "contract_proof", "investment_orders", "emergency"}


def findings(text: str) -> tuple[Finding, ...]:
    with pytest.raises(PolicyInvalid) as caught:
        load(text)
    assert caught.value.code == "policy_invalid"
    return caught.value.findings


def test_what_no_backup_is_said_of_is_not_backed_up(shipped: Policy, shipped_text: str) -> None:
    said = "backups: {database: P7D, keyring: P7D}"
    assert said in shipped_text and shipped.backups == Backups(Duration(days=7), Duration(days=7))
    assert load(shipped_text.replace(said, "")).policy.backups == NO_BACKUPS
    assert load(shipped_text.replace(said, "backups: {keyring: P1D}")).policy.backups == Backups(
        Duration(), Duration(days=1)
    )
    [found] = findings(shipped_text.replace(said, "backups: {keyring: PT0S}"))
    assert (found.field, found.code) == ("backups.keyring", "bad_duration")


def line_of(text: str, start: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if line.strip().startswith(start))


def test_the_shipped_policy_has_the_six_purposes(shipped: Policy) -> None:
    assert set(shipped.purposes) == SIX
    assert iso(shipped.in_force_from) == "2025-12-31T23:00:00.000Z"
    assert shipped.routing["support"] == ("training", "quality")
    training = shipped.purposes["training"]
    assert training.sampling_rate == Decimal("0.05")
    assert training.parts[Part.AUDIO].retention == Duration(months=6)
    assert training.listeners == {"trainer": ("coaching", "appraisal")}
    assert (training.periods[0].hours, training.periods[0].days) == ((time(8), time(20)), frozenset(range(5)))
    assert shipped.purposes["contract_proof"].needs == {"trigger": "agent", "other_proof": "none"}
    assert shipped.purposes["investment_orders"].legal_text
    assert shipped.deputies[0].until == date(2027, 1, 5)
    assert not shipped.demo


def test_the_demo_is_the_shipped_policy_drawn_always_and_a_trial(shipped: Policy, demo: Policy) -> None:
    assert demo.demo
    assert set(demo.purposes) == SIX | {"trial"}
    assert all(purpose.sampling_rate == 1 for purpose in demo.purposes.values())
    for name, purpose in shipped.purposes.items():
        other = demo.purposes[name]
        assert (purpose.parts, purpose.listeners, purpose.needs, purpose.redaction, purpose.approval) == (
            other.parts, other.listeners, other.needs, other.redaction, other.approval
        )  # fmt: skip
    trial = demo.purposes["trial"]
    assert trial.epoch_length == Duration(seconds=60)
    assert trial.parts[Part.AUDIO].retention.is_under_a_day
    assert {each.user for each in demo.designated} == {"dpo"}


def test_the_digest_is_of_the_content(shipped_text: str, shipped: Policy) -> None:
    assert load("# a comment\n" + shipped_text).policy.digest == shipped.digest
    assert (
        load(shipped_text.replace("sampling_rate: 0.05", "sampling_rate: 0.050")).policy.digest
        == shipped.digest
    )
    assert load(shipped_text.replace("P5D", "P6D")).policy.digest != shipped.digest
    assert len(shipped.digest) == 64


CHANGES: list[tuple[str, str, str, str]] = [
    ("response_time: P5D", "response_time: five days", "response_time", "bad_duration"),
    ("response_time: P5D", "response_time: 5", "response_time", "bad_duration"),
    ("response_time: P5D", "response_time: PT0S", "response_time", "bad_duration"),
    ("clock_skew: PT10M", "clock_skew: P1M", "clock_skew", "bad_duration"),
    ("size_cap_bytes: 536870912", "size_cap_bytes: -1", "size_cap_bytes", "greater_than"),
    ("size_cap_bytes: 536870912", "size_cap_bytes: 1.5", "size_cap_bytes", "int_type"),
    ("size_cap_bytes: 536870912", "size_cap_bytes: true", "size_cap_bytes", "int_type"),
    ("zone: Europe/Paris", "zone: Europe/Atlantis", "zone", "unknown_zone"),
    ("zone: Europe/Paris", "zone: ../../etc/passwd", "zone", "unknown_zone"),
    ("zone: Europe/Paris", "colour: red\nzone: Europe/Paris", "colour", "extra_forbidden"),
    ("zone: Europe/Paris", "zone:", "zone", "string_type"),
    (
        "in_force_from: 2026-01-01T00:00:00+01:00",
        "in_force_from: 2026-01-01T00:00:00",
        "in_force_from",
        "bad_instant",
    ),
    ("in_force_from: 2026-01-01T00:00:00+01:00", "in_force_from: 2026-01-01", "in_force_from", "bad_instant"),
    ("sampling_rate: 0.05", "sampling_rate: 1.01", "purposes.training.sampling_rate", "bad_rate"),
    ("sampling_rate: 0.05", "sampling_rate: -0.1", "purposes.training.sampling_rate", "bad_rate"),
    ("sampling_rate: 0.05", "sampling_rate: .nan", "purposes.training.sampling_rate", "bad_rate"),
    ("sampling_rate: 0.05", "sampling_rate: .inf", "purposes.training.sampling_rate", "bad_rate"),
    ("sampling_rate: 0.05", 'sampling_rate: "0.05"', "purposes.training.sampling_rate", "bad_rate"),
    ("sampling_rate: 0.05", "sampling_rate: true", "purposes.training.sampling_rate", "bad_rate"),
    ('hours: "08:00-20:00"', 'hours: "8-20"', "purposes.training.periods.0.hours", "bad_hours"),
    ('hours: "08:00-20:00"', 'hours: "20:00-08:00"', "purposes.training.periods.0.hours", "bad_hours"),
    ('hours: "08:00-20:00"', 'hours: "08:00-25:00"', "purposes.training.periods.0.hours", "bad_hours"),
    (
        "days: [mon, tue, wed, thu, fri]",
        "days: [mon, lun]",
        "purposes.training.periods.0.days.1",
        "literal_error",
    ),
    (
        "{from: 2026-01-01, until: 2026-12-31",
        "{from: 2026-01-01, until: 2026-02-30",
        "purposes.training.periods.0.until",
        "bad_date",
    ),
    (
        "{from: 2026-01-01, until: 2026-12-31",
        "{from: 2026-01-01, until: 2025-12-31",
        "purposes.training.periods.0.until",
        "ends_before_it_begins",
    ),
    (
        "{from: 2026-01-01, until: 2026-12-31, days",
        "{from: 2026-01-01, days",
        "purposes.training.periods.0.until",
        "missing",
    ),
    (
        "audio: {retention: P6M, cap: P12M}",
        "audio: {retention: P13M, cap: P12M}",
        "purposes.training.parts.audio.retention",
        "retention_beyond_cap",
    ),
    (
        "audio: {retention: P6M, cap: P12M}",
        "video: {retention: P6M, cap: P12M}",
        "purposes.training.parts.video",
        "enum",
    ),
    (
        "audio: {retention: P6M, cap: P12M}",
        "audio: {retention: P6M}",
        "purposes.training.parts.audio.cap",
        "missing",
    ),
    ("epoch_length: P1D", "epoch_length: P2D", "purposes.training.epoch_length", "bad_epoch_length"),
    ("epoch_length: P1D", "epoch_length: PT7M", "purposes.training.epoch_length", "bad_epoch_length"),
    ("epoch_length: P1D", "epoch_length: PT30S", "purposes.training.epoch_length", "bad_epoch_length"),
    ("approval: [dpo]", "approval: []", "purposes.training.approval", "too_short"),
    ("approval: [dpo]", "approval: [dpo, dpo]", "purposes.training.approval", "given_twice"),
    ("approval: [dpo]", "approval: [chief]", "purposes.training.approval.0", "literal_error"),
    (
        "legal_basis: legitimate_interest",
        "legal_basis: habit",
        "purposes.training.legal_basis",
        "literal_error",
    ),
    (
        "support: [training, quality]",
        "support: [training, marketing]",
        "routing.support.1",
        "unknown_purpose",
    ),
    (
        "covers: {quality: P6M}",
        "covers: {marketing: P6M}",
        "notices.2026-01-quality.covers.marketing",
        "unknown_purpose",
    ),
    ('agents: {notice: "2026-01"', 'agents: {notice: "2025-01"', "agents.notice", "unknown_notice"),
    (
        "from: 2026-12-20, until: 2027-01-05",
        "from: 2027-12-20, until: 2027-01-05",
        "dpo.deputies.0.until",
        "ends_before_it_begins",
    ),
    ("from: 2026-12-20, until: 2027-01-05", "from: 2026-12-20", "dpo.deputies.0.until", "missing"),
    (
        "needs: {trigger: agent}",
        "needs: {trigger: system}",
        "purposes.complaint.needs.trigger",
        "literal_error",
    ),
    ("  training:\n    title", "  Training:\n    title", "purposes.Training", "string_pattern_mismatch"),
    ("  training:\n    title", "  training/x:\n    title", "purposes.training/x", "string_pattern_mismatch"),
]


@pytest.mark.parametrize(("old", "new", "field", "code"), CHANGES, ids=[f"{c[3]}-{c[2]}" for c in CHANGES])
def test_each_fault_has_its_field_and_line(
    shipped_text: str, old: str, new: str, field: str, code: str
) -> None:
    assert old in shipped_text
    text = shipped_text.replace(old, new, 1)
    found = next(each for each in findings(text) if each.code == code)
    assert found.field == field
    assert found.severity == "error"
    assert found.message
    changed = text[: shipped_text.index(old)].count("\n") + 1
    assert found.line in range(changed, changed + new.count("\n") + 2)


def test_all_faults_are_found_at_once_and_in_order(shipped_text: str) -> None:
    text = shipped_text.replace("zone: Europe/Paris", "zone: Mars").replace("P5D", "5").replace("0.05", "2")
    text += "colour: red\n"
    found = findings(text)
    assert [each.code for each in found] == [
        "unknown_zone",
        "bad_duration",
        "bad_rate",
        "bad_rate",
        "extra_forbidden",
    ]
    assert [each.line for each in found] == sorted(each.line for each in found)
    assert found[0].line == line_of(text, "zone:")
    assert found[-1] == Finding(
        line_of(text, "colour:"), 1, "colour", "extra_forbidden", "Extra inputs are not permitted"
    )


def test_a_key_given_twice_is_found_with_other_faults(shipped_text: str) -> None:
    text = shipped_text + 'zone: Mars\nversion: "2"\n'
    codes = [each.code for each in findings(text)]
    assert codes.count("duplicate_key") == 2
    assert "unknown_zone" in codes
    assert findings(shipped_text + 'version: "2"\n')[0].line == shipped_text.count("\n") + 1


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "empty", 1),
        ("# only a comment\n", "empty", 1),
        ("a: [1\nb: 2\n", "bad_yaml", 2),
        ("a: b: c\n", "bad_yaml", 1),
        ("\ta: 1\n", "bad_yaml", 1),
        ("a: 'x\n", "bad_yaml", 2),
        ("a: 1\nb: \x07\n", "bad_character", 2),
        ("a: &x 1\n", "no_aliases", 1),
        ("a: 1\nb: *x\n", "no_aliases", 2),
        ("&x a: 1\n", "no_aliases", 1),
        ("<<: {a: 1}\n", "extra_forbidden", 1),
        ("a: !!python/object/apply:os.system [ls]\n", "no_tags", 1),
        ("a: !!str 1\n", "no_tags", 1),
        ("!x a: 1\n", "no_tags", 1),
        ("? [a]\n: 1\n", "bad_key", 1),
        ("a: 1\n---\nb: 1\n", "two_documents", 2),
        ("[" * 500 + "]" * 500, "too_deep", 1),
        ("a: " + "{a: " * 100 + "1" + "}" * 100, "too_deep", 1),
        ("a: " + "x" * 300_000, "too_large", 1),
        ("- version\n", "model_type", 1),
        ("just a text\n", "model_type", 1),
        ("7\n", "model_type", 1),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_what_is_no_policy_is_said_by_line(text: str, code: str, line: int) -> None:
    assert (code, line) in {(each.code, each.line) for each in findings(text)}


def test_a_bomb_of_aliases_is_refused_at_its_first_anchor() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
    )
    assert [(each.code, each.line) for each in findings(bomb)] == [("no_aliases", 1)]


def test_an_empty_policy_names_what_is_missing() -> None:
    found = {each.field for each in findings("{}")}
    assert {"version", "purposes", "dpo", "register", "notices"} <= found


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_file_is_a_policy_or_findings(shipped_text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(shipped_text)))
    length = data.draw(st.integers(0, 30))
    inserted = data.draw(st.text(max_size=5))
    text = shipped_text[:start] + inserted + shipped_text[start + length :]
    try:
        assert load(text).policy.digest
    except PolicyInvalid as error:
        assert error.findings
        assert all(1 <= each.line <= text.count("\n") + 2 for each in error.findings)


@given(st.text(max_size=60))
def test_any_text_has_findings(text: str) -> None:
    assert findings(text)


def test_the_hours_of_a_day_may_reach_its_end(shipped_text: str) -> None:
    text = shipped_text.replace('"08:00-20:00"', '"08:00-24:00"', 1)
    assert load(text).policy.purposes["training"].periods[0].hours == (time(8), time.max)


def test_days_and_hours_may_be_left_out(shipped: Policy) -> None:
    period = shipped.purposes["emergency"].periods[0]
    assert (period.days, period.hours) == (frozenset(range(7)), None)


def test_places_fall_back_to_what_holds_them(shipped_text: str) -> None:
    loaded = load(shipped_text)
    training = shipped_text[: shipped_text.index("\n  training:\n")].count("\n") + 2
    for path in ("purposes.training", "purposes.training.needs", "purposes.training.needs.trigger"):
        found = loaded.finding(path, "code", "message")
        assert (found.line, found.column, found.field) == (training, 3, path)
    assert loaded.finding("nowhere", "code", "message").line == 1
