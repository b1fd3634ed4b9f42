"""The DPO's answer to what reconciliation found."""

from __future__ import annotations

from uuid import UUID

from consigne.acts.catalog import Transaction
from consigne.acts.compare_dates import explain, latest
from consigne.acts.journey import Platform
from consigne.rules.access import Denied, Target, Verb, may
from consigne.rules.clock import iso
from consigne.rules.errors import BadInput
from consigne.rules.findings import Finding, FindingAnswer, answers
from consigne.rules.policy.model import Policy
from consigne.rules.redaction.typed import check_typed
from consigne.rules.values import Actor


def answer_finding(
    platform: Platform, policy: Policy, actor: Actor, id: UUID, answer: str, reason: str
) -> Finding | Denied:
    """Close a finding; `put_back` sets a moved due date back to what explains it. Denied (registered) as access.py
    says; Denied('unknown_finding', 'finding_closed'); BadInput('bad_field', 'answer') or of the reason."""
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        verdict = may(policy, actor, Verb.ANSWER_FINDING, Target(), None, now)
        if isinstance(verdict, Denied):
            entry = {"subject": str(id), "code": verdict.code, "policy": policy.digest}
            platform.catalog.append(tx, actor.user, "reconcile:finding:answer_denied", [entry])
            return verdict
    check_typed(reason, "reason")
    with platform.catalog.begin() as tx:
        finding = platform.catalog.finding(tx, id, lock=True)
        if finding is None:
            return Denied("unknown_finding")
        if finding.state != "open":
            return Denied("finding_closed")
        if answer not in answers(finding.kind):
            raise BadInput("bad_field", "answer")
        chosen = FindingAnswer(answer)
        done = _put_back(platform, tx, finding) if chosen is FindingAnswer.PUT_BACK else {}
        platform.catalog.answer_finding(tx, id, chosen, reason, actor.user, platform.catalog.now(tx))
        entry = {"subject": str(id), "answer": answer, "reason": reason, "policy": policy.digest} | done
        platform.catalog.append(tx, actor.user, "reconcile:finding:answered", [entry])
    return finding


def _put_back(platform: Platform, tx: Transaction, finding: Finding) -> dict[str, str]:
    """The date as it is explained now; the artifact may be gone meanwhile, or its date right again."""
    if finding.artifact is None or platform.catalog.artifact(tx, finding.artifact, lock=True) is None:
        return {"outcome": "gone"}
    dated = platform.catalog.dated(tx, finding.artifact)
    if dated is None:
        return {"outcome": "gone"}
    due_at = min(dated.own_due_at, latest(platform, tx, explain(platform, tx), dated))
    platform.catalog.set_clock(tx, dated.id, due_at)
    return {"artifact": str(dated.id), "was_due_at": iso(dated.own_due_at), "due_at": iso(due_at)}
