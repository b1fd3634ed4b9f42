"""The policy is changed by an act: drafted with its impact on what is kept, visaed by the DPO, in force at its date.
Unanswered it lapses; before the visa nothing moves (P5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from consigne.acts.catalog import Transaction
from consigne.acts.journey import Platform
from consigne.acts.locate import in_force, policy_now
from consigne.rules.access import Denied, Target, Verb, designated, may
from consigne.rules.clock import add, iso
from consigne.rules.errors import Misconfigured
from consigne.rules.policy.draft import Draft, DraftAnswer, DraftState, run_of_draft
from consigne.rules.policy.findings import Finding, PolicyInvalid
from consigne.rules.policy.impact import FATES, Impact, assess, takes_force
from consigne.rules.policy.limits import breaches, unfit
from consigne.rules.policy.load import Loaded, load
from consigne.rules.policy.model import Policy
from consigne.rules.redaction.typed import carries_payment, check_typed
from consigne.rules.run import seconds_left, why_made_up
from consigne.rules.values import Actor


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft's text: the policy that it gives (None where it cannot be read), and all that is to be said about it,
    by line."""

    loaded: Loaded | None
    findings: tuple[Finding, ...]

    @property
    def has_errors(self) -> bool:
        """Whether it cannot become a version; warnings stand in demonstrations alone."""
        return any(found.severity == "error" for found in self.findings)


def check_draft(platform: Platform, text: str) -> Checked:
    """The line-by-line check of a draft against the limits and the version in force."""
    numbers = tuple(
        Finding(line, 1, "", "carries_number", "a card, account or identity number may stand nowhere")
        for line, words in enumerate(text.splitlines(), 1)
        if carries_payment(words)
    )
    try:
        loaded = load(text)
    except PolicyInvalid as fault:
        return Checked(None, (*numbers, *fault.findings))
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        before = in_force(platform, tx, now)
    found = [*numbers, *breaches(loaded), *unfit(loaded, before, takes_force(loaded.policy, now))]
    found += _uninformed(platform, loaded)
    return Checked(loaded, tuple(sorted(found, key=lambda each: (each.line, each.column))))


def _uninformed(platform: Platform, loaded: Loaded) -> list[Finding]:
    # A file that is not there would stop all that is delivered, once the version is in force.
    try:
        if loaded.policy.agents is not None:
            platform.acknowledged(loaded.policy, "")
    except Misconfigured as fault:
        message = "the file of acknowledgements is not beside the policy's, or cannot be read"
        return [loaded.finding("agents.acknowledgements", fault.code, message)]
    return []


def assess_draft(platform: Platform, draft: Policy) -> Impact:
    """What a policy would do to what is kept, with a visa given now: exact, artifact by artifact."""
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        before = in_force(platform, tx, now)
        return assess(before, draft, takes_force(draft, now), platform.catalog.stock(tx))


def draft_policy(platform: Platform, actor: Actor, text: str, reason: str) -> Draft | Checked | Denied:
    """File a draft with its impact on what is kept; it waits for the DPO at most for the response time. Filed or
    denied, the register says so. A text that cannot become a version is given back as checked.

    Denied: access.py's codes for `draft_policy`, `known_version`, `already_drafted`, `version_reused`.
    BadInput('bad_field', 'reason').
    """
    if denied := _deny_unless(platform, actor, Verb.DRAFT_POLICY):
        return denied
    check_typed(reason, "reason")
    checked = check_draft(platform, text)
    if checked.loaded is None or checked.has_errors:
        return checked
    policy = checked.loaded.policy
    impact = assess_draft(platform, policy)
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        before = in_force(platform, tx, now)
        code = _why_not_new(platform, tx, policy)
        if code is None and platform.catalog.is_drafted(tx, policy.digest):
            code = "already_drafted"
        if code:
            return _deny(platform, tx, actor, "draft_denied", policy.digest, code)
        draft = Draft(
            id=platform.new_id(), digest=policy.digest, version=policy.version, text=text, author=actor.user,
            reason=reason, in_force_from=policy.in_force_from, filed_at=now,
            lapses_at=add(now, before.response_time, before.zone), policy=before.digest,
        )  # fmt: skip
        platform.catalog.add_draft(tx, draft, impact.to_json())
        platform.catalog.append(tx, actor.user, "configure:policy:drafted", [_told(draft, impact)])
    return draft


def _deny_unless(platform: Platform, actor: Actor, verb: Verb) -> Denied | None:
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        policy = in_force(platform, tx, now)
        verdict = may(policy, actor, verb, Target(), None, now)
        if isinstance(verdict, Denied):
            return _deny(platform, tx, actor, "draft_denied", policy.digest, verdict.code)
    return None


def _why_not_new(platform: Platform, tx: Transaction, policy: Policy) -> str | None:
    if platform.catalog.is_known(tx, policy.digest):
        return "known_version"
    return "version_reused" if platform.catalog.is_named(tx, policy.version) else None


def _told(draft: Draft, impact: Impact) -> dict[str, object]:
    return {
        "subject": str(draft.id),
        "version": draft.version,
        "digest": draft.digest,
        "reason": draft.reason,
        "in_force_from": iso(draft.in_force_from),
        "lapses_at": iso(draft.lapses_at),
        "policy": draft.policy,
        "impact": {fate: impact.count(fate) for fate in FATES},
    }


def decide_draft(
    platform: Platform,
    actor: Actor,
    draft_id: UUID,
    digest: str,
    answer: DraftAnswer,
    reason: str,
    against: str,
) -> Draft | Denied:
    """The DPO's visa or refusal, bound to the digest of the draft that they saw and of the version in force that it
    was compared with (`against`); `actor` with roles read just now. A visa adds the version at once, in force from
    its date, or from now where that has passed. The same answer sent again by the same person changes nothing.

    Denied: access.py's codes for `visa`, `unknown_draft`, `digest_differs`, `base_changed`, `already_decided`,
    `lapsed`, `known_version`, `version_reused`, and `unfit`'s of rules/policy/limits.py. BadInput('bad_field', 'reason').
    """
    check_typed(reason, "reason")
    with platform.catalog.begin() as tx:
        platform.catalog.lock_policies(tx)
        draft = platform.catalog.draft(tx, draft_id, lock=True)
        now = platform.catalog.now(tx)
        policy = in_force(platform, tx, now)
        if code := _why_not_visa(policy, actor, draft, now):
            return _deny(platform, tx, actor, "visa_denied", str(draft_id), code)
        assert draft is not None
        if code := _why_not_this(draft, digest, now):
            if (draft.decided_by, draft.answer, draft.digest) == (actor.user, answer, digest):
                return draft
            return _deny(platform, tx, actor, "visa_denied", str(draft_id), code)
        loaded = load(draft.text)
        following = replace(loaded.policy, in_force_from=takes_force(loaded.policy, now))
        is_visa = answer is DraftAnswer.VISA
        code = "base_changed" if policy.digest != against else None
        code = code or _why_not_new(platform, tx, following) or _why_unfit(loaded, policy, following)
        if is_visa and code:
            return _deny(platform, tx, actor, "visa_denied", str(draft_id), code)
        if not platform.catalog.decide_draft(tx, draft_id, answer, actor.user, reason, now):
            return _deny(platform, tx, actor, "visa_denied", str(draft_id), "lapsed")
        if is_visa:
            platform.catalog.add_policy(tx, following, draft.text, now)
        entry = {
            "subject": str(draft_id), "version": draft.version, "digest": digest, "outcome": str(answer),
            "reason": reason, "policy": policy.digest,
            "in_force_from": iso(following.in_force_from) if is_visa else None,
        }  # fmt: skip
        platform.catalog.append(tx, actor.user, "configure:policy:decided", [entry])
        decided = platform.catalog.draft(tx, draft_id)
        assert decided is not None
    return decided


def deny_visa(platform: Platform, actor: Actor, draft_id: UUID) -> Denied | None:
    """Why the actor may not answer the draft at all, whatever they say; the register has it. None where they may."""
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        draft = platform.catalog.draft(tx, draft_id)
        code = _why_not_visa(in_force(platform, tx, now), actor, draft, now)
        return _deny(platform, tx, actor, "visa_denied", str(draft_id), code) if code else None


def _why_unfit(loaded: Loaded, in_force: Policy, following: Policy) -> str | None:
    # Again: since it was filed days have passed, and another version may have come into force.
    return next((found.code for found in unfit(loaded, in_force, following.in_force_from)), None)


def _why_not_visa(policy: Policy, actor: Actor, draft: Draft | None, now: datetime) -> str | None:
    verdict = may(policy, actor, Verb.VISA, Target(requester=draft.author if draft else None), None, now)
    if isinstance(verdict, Denied):
        return verdict.code
    return None if draft else "unknown_draft"


def _why_not_this(draft: Draft, digest: str, now: datetime) -> str | None:
    # Both: the row may have been altered since it was filed, or the page been made from another.
    if not _digest_of(draft.text) == draft.digest == digest:
        return "digest_differs"
    if draft.state is DraftState.DECIDED:
        return "already_decided"
    return "lapsed" if draft.state is DraftState.LAPSED or draft.lapses_at <= now else None


def _digest_of(text: str) -> str:
    try:
        return load(text).policy.digest
    except PolicyInvalid:
        return ""


def _deny(platform: Platform, tx: Transaction, actor: Actor, kind: str, subject: str, code: str) -> Denied:
    platform.catalog.append(tx, actor.user, f"configure:policy:{kind}", [{"subject": subject, "code": code}])
    return Denied(code)


def lapse_drafts(platform: Platform) -> int:
    """Refuse what nobody answered in the response time. Idempotent; returns how many lapsed now."""
    with platform.catalog.begin() as tx:
        lapsed = platform.catalog.lapse_drafts(tx)
        entries = [{"subject": str(id), "outcome": "lapsed"} for id in lapsed]
        platform.catalog.append(tx, "consigne", "configure:policy:lapsed", entries)
    return len(lapsed)


# What the run of `change_policy` does around the human task: one function a task. As in extend.py, each reads the
# catalog's rows again, and what Airflow says of a task, a run or an XCom is never believed.


def load_draft(platform: Platform, draft_id: str, draft_hash: str, run: str) -> str:
    """Bind the run to its draft; returns the next task. A run that fits no draft, or is not the draft's one run, is
    registered and goes straight to `close_draft`."""
    id = UUID(draft_id)
    with platform.catalog.begin() as tx:
        draft = platform.catalog.draft(tx, id)
        code = why_made_up(draft, "draft", run_of_draft(id), draft_hash, run)
        if code is None:
            platform.catalog.bind_draft_run(tx, id, run)
            return "announce_draft"
        entry = {"subject": draft_id, "run": run, "code": code}
        platform.catalog.append(tx, "airflow", "configure:policy:run_refused", [entry])
    return "close_draft"


def announce_draft(platform: Platform, draft_id: str) -> int:
    """Register whom the draft waits for, the designated of today but its author; returns how many."""
    policy, id = policy_now(platform), UUID(draft_id)
    with platform.catalog.begin() as tx:
        draft, now = platform.catalog.draft(tx, id), platform.catalog.now(tx)
        waits_for = sorted(designated(policy, now) - {draft.author if draft else ""})
        entry = {"subject": draft_id, "waits_for": waits_for, "policy": policy.digest}
        platform.catalog.append(tx, "consigne", "configure:policy:announced", [entry])
    return len(waits_for)


def draft_seconds_left(platform: Platform, draft_id: str) -> int:
    """What remains of the response time, counted from filing; at least 1 (Airflow takes 0 for no limit)."""
    with platform.catalog.begin() as tx:
        draft, now = platform.catalog.draft(tx, UUID(draft_id)), platform.catalog.now(tx)
    return seconds_left(draft, now)


def record_visa(platform: Platform, draft_id: str, run: str) -> str:
    """Read the desk's row, whatever the human task says; returns the next task. No row means refused."""
    lapse_drafts(platform)
    with platform.catalog.begin() as tx:
        draft = platform.catalog.draft(tx, UUID(draft_id))
    visaed = draft is not None and draft.answer is DraftAnswer.VISA and run == run_of_draft(draft.id)
    return "apply_policy" if visaed else "close_draft"


def close_draft(platform: Platform, draft_id: str, run: str) -> str:
    """Register how a run ended that changes nothing: `refuse`, `lapsed`, `pending` (its human task was ended by
    other means than the desk; the draft still waits there), `made_up`."""
    id = UUID(draft_id)
    with platform.catalog.begin() as tx:
        draft = platform.catalog.draft(tx, id)
        outcome = "made_up" if draft is None or run != run_of_draft(id) else str(draft.answer or draft.state)
        entry = {"subject": draft_id, "run": run, "outcome": outcome}
        platform.catalog.append(tx, "airflow", "configure:policy:run_closed", [entry])
    return outcome
