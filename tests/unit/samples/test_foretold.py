"""The manifest against the rules: what the generator foretells is what the platform's rules decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consigne.doors.samples.delivery import Delivery
from consigne.doors.samples.generate import calls
from consigne.doors.samples.manifest import Foretold, Verdict
from consigne.rules import checks, gate
from consigne.rules.acknowledgements import acknowledged_at, read_acknowledgements
from consigne.rules.errors import BadInput
from consigne.rules.policy.model import Policy
from consigne.rules.recording import IncomingRecording
from consigne.rules.redaction.redact import protect
from consigne.rules.sources import native
from consigne.rules.values import Admitted, MaskedInterval, Private, Quarantined, Refused

CONFIG = Path(__file__).parents[3] / "config"
# A Sunday morning: the periods of working hours lie days back.
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
# What a mask may reach beyond the true span: its padding, and the detector's windows.
REACH_MS = 400


@dataclass(frozen=True)
class Ended:
    """What the rules make of a delivery."""

    state: str
    code: str | None
    verdicts: tuple[Verdict, ...] = ()
    masked: tuple[MaskedInterval, ...] = ()


@dataclass
class Rules:
    """The journey of design.md, section 4, without the platform: enough memory to know a call again."""

    policy: Policy
    acknowledged: Mapping[tuple[str, str], datetime]
    seen: dict[str, tuple[bytes, bytes | None]] = field(default_factory=dict)

    def end(self, delivery: Delivery) -> Ended:
        if delivery.audio is None:
            return Ended("quarantined", "missing_audio")
        try:
            incoming = native.read("folder", delivery.json, 1 << 20)
        except BadInput as fault:
            return Ended("quarantined", fault.code)
        if wrong := checks.verdict(checks.explain(checks.row(incoming, self.policy.recording_cap))):
            return Ended("quarantined", wrong.code)
        content = (delivery.json, delivery.audio)
        if self.seen.get(incoming.id, content) != content:
            return Ended("quarantined", "id_reused")
        verdicts = gate.judge(self.policy, incoming, NOW, NOW, self._facts(incoming))
        overall = gate.overall(verdicts)
        told = tuple(_verdict(purpose, verdict) for purpose, verdict in verdicts.items())
        if isinstance(overall, Refused):
            return Ended("cleared", overall.code, told)
        return self._redact(delivery, incoming, told, content)

    def _facts(self, incoming: IncomingRecording) -> gate.Facts:
        return gate.Facts(
            policy_at_start=self.policy if incoming.started_at >= self.policy.in_force_from else None,
            month_secret=bytes(32),
            acknowledged_at=acknowledged_at(self.acknowledged, incoming.agent, self.policy),
            delivered_before=incoming.id in self.seen,
        )

    def _redact(
        self,
        delivery: Delivery,
        incoming: IncomingRecording,
        told: tuple[Verdict, ...],
        content: tuple[bytes, bytes],
    ) -> Ended:
        masked: tuple[MaskedInterval, ...] = ()
        rules = [self.policy.purposes[verdict.purpose].redaction for verdict in told if verdict.code is None]
        for rule in dict.fromkeys(rules):
            audio, words, cap_ms = Private(content[1]), incoming.transcript, 14_400_000
            done = protect(audio, delivery.suffix, words, rule.profile, rule.requires_transcript, cap_ms)
            if isinstance(done, Quarantined):
                return Ended("quarantined", done.code)
            if wrong := checks.verdict(checks.explain_audio(incoming, done.sound)):
                return Ended("quarantined", wrong.code)
            masked = done.masked
        self.seen[incoming.id] = content
        return Ended("cleared", None, told, masked)


def _verdict(purpose: str, verdict: Admitted | Refused) -> Verdict:
    code = verdict.code if isinstance(verdict, Refused) else None
    return Verdict(purpose, "refused" if code else "admitted", code)


def _unlike(told: Foretold, ended: Ended) -> list[str]:
    wrong = [] if (told.state, told.code) == (ended.state, ended.code) else [f"{ended.state}/{ended.code}"]
    if told.state == "cleared" and told.verdicts != ended.verdicts:
        wrong.append("verdicts")
    spans = told.masked.get("audio", ())
    wrong += [
        f"open {s.kind} {s.start_ms}-{s.end_ms}"
        for s in spans
        if not any(_covers(m, s) for m in ended.masked)
    ]
    wrong += [
        f"over-masked {m.kind} {m.start_ms}-{m.end_ms}" for m in ended.masked if not _is_explained(m, spans)
    ]
    return wrong


def _covers(mask: MaskedInterval, span: MaskedInterval) -> bool:
    return mask.kind == span.kind and mask.start_ms <= span.start_ms and span.end_ms <= mask.end_ms


def _is_explained(mask: MaskedInterval, spans: tuple[MaskedInterval, ...]) -> bool:
    near = [s for s in spans if s.kind == mask.kind and s.end_ms > mask.start_ms and s.start_ms < mask.end_ms]
    return bool(near) and near[0].start_ms - mask.start_ms <= REACH_MS >= mask.end_ms - near[-1].end_ms


def _mismatches(policy: Policy, seed: int, count: int) -> dict[str, list[str]]:
    acknowledged = read_acknowledgements((CONFIG / "agents.csv").read_text("utf-8"), policy.zone)
    rules = Rules(policy, acknowledged)
    found = {
        f"{told.kind} {told.stem}": _unlike(told, rules.end(delivery))
        for delivery, told in calls(count, seed, NOW, policy)
    }
    return {name: wrong for name, wrong in found.items() if wrong}


@pytest.mark.promise("P1", "P2")
@pytest.mark.parametrize(("seed", "count"), [(1, 40), (2, 160)])
def test_the_rules_decide_what_is_foretold(demo: Policy, seed: int, count: int) -> None:
    assert _mismatches(demo, seed, count) == {}


def test_calls_keep_to_what_a_policy_has(shipped: Policy) -> None:
    told = [told for _, told in calls(40, 1, NOW, shipped)]
    assert {verdict.purpose for each in told for verdict in each.verdicts} - {"marketing"} == set(
        shipped.purposes
    )
    assert "past_due" not in {each.code for each in told}
