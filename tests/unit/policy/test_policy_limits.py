"""The law's and the CNIL's limits, each breach at its line (P1)."""

from __future__ import annotations

import pytest

from consigne.rules.policy.limits import breaches
from consigne.rules.policy.load import load

pytestmark = pytest.mark.promise("P1")


AGENTS = 'agents: {notice: "2026-01", acknowledgements: agents.csv}'
ADVICE = ("agents", "staff_not_consulted", "warning")


def consulted(text: str) -> str:
    """The same policy, saying when staff representatives were consulted."""
    assert AGENTS in text
    return text.replace(AGENTS, f"{AGENTS[:-1]}, consulted_on: 2025-12-01}}")


def test_the_shipped_policy_breaks_no_limit(shipped_text: str) -> None:
    assert breaches(load(consulted(shipped_text))) == []


def test_a_missing_consultation_of_staff_is_a_warning_and_never_an_error(shipped_text: str) -> None:
    assert [(each.field, each.code, each.severity) for each in breaches(load(shipped_text))] == [ADVICE]
    without = shipped_text.replace(AGENTS + "\n", "", 1)
    assert [each.code for each in breaches(load(without))] == ["agents_not_informed"]


def test_the_demo_breaks_some_and_says_so(demo_text: str) -> None:
    demo_text = consulted(demo_text)
    found = breaches(load(demo_text))
    assert {(each.field, each.code, each.severity) for each in found} == {
        (f"purposes.{name}.sampling_rate", "systematic", "warning")
        for name in ("training", "quality", "trial")
    }
    real = breaches(load(demo_text.replace("demo: true", "demo: false")))
    assert {each.severity for each in real} == {"error"}
    assert len(real) == len(found)


LONG = "audio: {retention: P6M, cap: P12M}"
PROOF = "needs: {trigger: agent, other_proof: none}"
BREACHES: list[tuple[str, str, str, str]] = [
    (
        LONG,
        "audio: {retention: P7M, cap: P12M}",
        "purposes.training.parts.audio.retention",
        "retention_too_long",
    ),
    (
        LONG,
        "audio: {retention: P182D, cap: P12M}",
        "purposes.training.parts.audio.retention",
        "retention_too_long",
    ),
    (LONG, "audio: {retention: P6M, cap: P6Y}", "purposes.training.parts.audio.cap", "cap_too_long"),
    (
        "transcript: {retention: P6M, cap: P12M}",
        "transcript: {retention: P1Y, cap: P1Y}",
        "purposes.training.parts.transcript.retention",
        "retention_too_long",
    ),
    (
        "analysis_sheet: {retention: P1Y, cap: P1Y}",
        "analysis_sheet: {retention: P13M, cap: P13M}",
        "purposes.training.parts.analysis_sheet.retention",
        "retention_too_long",
    ),
    (
        "audio: {retention: P5Y, cap: P5Y}",
        "audio: {retention: P7Y, cap: P7Y}",
        "purposes.contract_proof.parts.audio.retention",
        "retention_too_long",
    ),
    ("sampling_rate: 0.05", "sampling_rate: 1", "purposes.training.sampling_rate", "systematic"),
    ("sampling_rate: 0.05", "sampling_rate: 1.0", "purposes.training.sampling_rate", "systematic"),
    ("    needs: {trigger: agent}\n", "", "purposes.complaint.sampling_rate", "systematic"),
    (PROOF, "needs: {trigger: agent}", "purposes.contract_proof.needs", "proof_unneeded"),
    (PROOF, "needs: {trigger: agent}", "purposes.contract_proof.parts.audio.retention", "retention_too_long"),
    (
        "{from: 2026-01-01, until: 2026-12-31",
        "{from: 2026-01-01, until: 2027-01-01",
        "purposes.training.periods.0.until",
        "period_too_long",
    ),
    ("      emergency: P6M\n", "", "purposes.emergency", "no_notice"),
    ("approval: [dpo]", "approval: [owner]", "purposes.training.approval", "dpo_not_asked"),
    ("names_kept: P12M", "names_kept: P13M", "register.names_kept", "names_kept"),
    ("names_kept: P12M", "names_kept: P5M", "register.names_kept", "names_kept"),
    ("keyring: P7D}", "keyring: P91D}", "backups.keyring", "backups_too_long"),
    ("backups: {database: P7D", "backups: {database: P4M", "backups.database", "backups_too_long"),
    ("designated: [{user: dpo, from: 2026-01-01}]", "designated: []", "dpo.designated", "no_dpo"),
    ('agents: {notice: "2026-01", acknowledgements: agents.csv}\n', "", "agents", "agents_not_informed"),
    (
        "listeners: {trainer: [coaching, appraisal]}",
        "listeners: {trainer: []}",
        "purposes.training.listeners.trainer",
        "no_reasons",
    ),
    ("profile: payment", "profile: none_such", "purposes.training.redaction.profile", "unknown_profile"),
    (
        "listeners: {trainer: [coaching, appraisal]}",
        "listeners: {}",
        "purposes.training.listeners",
        "no_listeners",
    ),
]


@pytest.mark.parametrize(("old", "new", "field", "code"), BREACHES, ids=[f"{b[3]}-{b[2]}" for b in BREACHES])
def test_each_limit_names_its_line(shipped_text: str, old: str, new: str, field: str, code: str) -> None:
    assert old in shipped_text
    loaded = load(shipped_text.replace(old, new, 1))
    found = [each for each in breaches(loaded) if (each.field, each.code) == (field, code)]
    assert [each.severity for each in found] == ["error"]
    assert (found[0].line, found[0].column) == loaded.lines.place(field)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (LONG, "audio: {retention: P181D, cap: P12M}"),
        ("analysis_sheet: {retention: P1Y, cap: P1Y}", "analysis_sheet: {retention: P365D, cap: P1Y}"),
        ("audio: {retention: P5Y, cap: P5Y}", "audio: {retention: P60M, cap: P5Y}"),
        ("sampling_rate: 0.05", "sampling_rate: 0.5"),
        ("names_kept: P12M", "names_kept: P6M"),
        ("backups: {database: P7D, keyring: P7D}", "backups: {database: P90D}"),
        ("approval: [dpo]", "approval: [owner, dpo]"),
        ("{from: 2027-01-01, until: 2027-12-31", "{from: 2028-01-01, until: 2028-12-31"),
    ],
)
def test_what_keeps_a_limit_exactly_is_no_breach(shipped_text: str, old: str, new: str) -> None:
    assert breaches(load(consulted(shipped_text).replace(old, new, 1))) == []


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("profile: payment", "profile: none_such", "unknown_profile"),
        ("approval: [dpo]", "approval: [dpo, owner]", "dpo_last"),
    ],
)
def test_what_this_version_cannot_do_is_an_error_in_a_demo_too(
    demo_text: str, old: str, new: str, code: str
) -> None:
    found = breaches(load(demo_text.replace(old, new, 1)))
    assert [each.severity for each in found if each.code == code] == ["error"]


def test_a_legal_text_alone_allows_every_call(shipped_text: str) -> None:
    owner = "    legal_basis: legitimate_interest\n    owner: trainer\n"
    text = consulted(shipped_text).replace("sampling_rate: 0.05", "sampling_rate: 1", 1)
    text = text.replace(owner, owner + '    legal_text: "Un texte"\n', 1)
    assert breaches(load(text)) == []
