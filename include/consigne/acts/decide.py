"""Keeping longer, only because a person decided so: asking, answering, and what silence does (P5).

Whoever asks, answers or extends locks the artifact rows first, as erasing does: one of them comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from consigne.acts.catalog import Transaction
from consigne.acts.journey import Platform
from consigne.acts.ports import Artifact
from consigne.rules.access import Denied, Target, Verb, may
from consigne.rules.clock import add, iso, midnight_of
from consigne.rules.errors import BadInput
from consigne.rules.policy.model import Policy
from consigne.rules.redaction.typed import carries_number
from consigne.rules.request import (
    REASON_CHARS,
    Answer,
    Decision,
    ExceptionRequest,
    RequestItem,
    RequestState,
)
from consigne.rules.retention import Beyond, Due, extended_due
from consigne.rules.values import Actor, ArtifactState, Part


def file_request(
    platform: Platform,
    policy: Policy,
    actor: Actor,
    artifacts: Sequence[UUID],
    until: date | datetime,
    ground: str,
    reason: str,
) -> ExceptionRequest | Denied:
    """Ask to keep artifacts until a local day (its beginning) or an instant; filed or denied, the register says so.

    Denied: access.py's codes for `ask`, `unknown_artifact`, `ground_not_listed`, `already_asked`, and
    retention's `not_later`, `step_too_long`, `past_cap`. BadInput('bad_field') names `artifacts` or `reason`.
    """
    wanted = sorted(set(artifacts))
    if not wanted:
        raise BadInput("bad_field", "artifacts")
    _check_reason(reason)
    end = _instant(until, policy)
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        found = [platform.catalog.artifact(tx, id, lock=True) for id in wanted]
        known = [artifact for artifact in found if artifact is not None]
        code = "unknown_artifact" if len(known) < len(wanted) else None
        code = code or _first(_why_not_ask(policy, actor, artifact, end, ground, now) for artifact in known)
        if code is None and platform.catalog.awaited(tx, wanted):
            code = "already_asked"
        if code:
            entry = {"subjects": [str(id) for id in wanted], "code": code, "policy": policy.digest}
            platform.catalog.append(tx, actor.user, "decide:request:denied", [entry])
            return Denied(code)
        items = tuple(RequestItem(artifact.id, artifact.due_at) for artifact in known)
        lapses_at = add(now, policy.response_time, policy.zone)
        request = ExceptionRequest(
            platform.new_id(), actor.user, ground, reason, end, now, lapses_at, policy.digest, items
        )
        platform.catalog.add_request(tx, request)
        platform.catalog.append(tx, actor.user, "decide:request:filed", [_told(request)])
    return request


def _why_not_ask(
    policy: Policy, actor: Actor, artifact: Artifact, end: datetime, ground: str, now: datetime
) -> str | None:
    target = Target(
        purpose=artifact.purpose,
        part=Part(artifact.part),
        restricted=artifact.restricted,
        due_at=artifact.due_at,
        state=ArtifactState(artifact.state),
    )
    verdict = may(policy, actor, Verb.ASK, target, None, now)
    if isinstance(verdict, Denied):
        return verdict.code
    if ground not in policy.purposes[artifact.purpose].grounds:
        return "ground_not_listed"
    return _why_not_until(policy, artifact, end)


def _why_not_until(policy: Policy, artifact: Artifact, end: datetime) -> str | None:
    purpose = policy.purposes[artifact.purpose]
    due = Due(artifact.due_at, artifact.cap_at, artifact.due_at.date())
    new = extended_due(end, due, purpose.longest_step, policy.zone, purpose.epoch_length)
    return new.code if isinstance(new, Beyond) else None


def _told(request: ExceptionRequest) -> dict[str, object]:
    return {
        "subject": str(request.id),
        "artifacts": [str(item.artifact) for item in request.items],
        "ground": request.ground,
        "reason": request.reason,
        "until": iso(request.until),
        "lapses_at": iso(request.lapses_at),
        "digest": request.digest,
        "policy": request.policy,
    }


def answer_request(
    platform: Platform,
    policy: Policy,
    actor: Actor,
    request_id: UUID,
    digest: str,
    answer: Answer,
    until: date | datetime | None,
    reason: str,
) -> Decision | Denied:
    """The person's decision, bound to the digest of what they saw; `actor` with roles read just now. `until`
    counts for an extension (None: as asked). Decision and register commit together; the same answer sent
    again by the same person gives the first decision.

    Denied: access.py's codes for `decide`, `unknown_request`, `digest_differs`, `already_decided`, `lapsed`,
    `beyond_request`, `not_kept`, and retention's. BadInput('bad_field', 'reason').
    """
    _check_reason(reason)
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        request, artifacts = _locked(platform, tx, request_id)
        if request is None:
            return _deny(platform, tx, policy, actor, request_id, "unknown_request")
        if code := _why_not_decide(policy, actor, request, artifacts, now):
            return _deny(platform, tx, policy, actor, request_id, code)
        if code := _why_not_this(platform, tx, request, digest, now):
            made = platform.catalog.decision(tx, request_id)
            if made and (made.decided_by, made.answer, made.request_digest) == (actor.user, answer, digest):
                return made
            return _deny(platform, tx, policy, actor, request_id, code)
        end = None if answer is Answer.REFUSE else request.until if until is None else _instant(until, policy)
        if end and (code := _why_not_extend(policy, request, artifacts, end)):
            return _deny(platform, tx, policy, actor, request_id, code)
        decision = Decision(
            platform.new_id(), request_id, digest, answer, end, actor.user, reason, now, policy.digest
        )
        if not platform.catalog.add_decision(tx, decision):
            return _deny(platform, tx, policy, actor, request_id, "lapsed")
        platform.catalog.append(tx, actor.user, "decide:request:decided", [_said(request, decision)])
    return decision


def _locked(
    platform: Platform, tx: Transaction, request_id: UUID
) -> tuple[ExceptionRequest | None, list[Artifact]]:
    asked = platform.catalog.request(tx, request_id)
    if asked is None:
        return None, []
    found = [platform.catalog.artifact(tx, item.artifact, lock=True) for item in asked.items]
    return platform.catalog.request(tx, request_id, lock=True), [artifact for artifact in found if artifact]


def _why_not_decide(
    policy: Policy, actor: Actor, request: ExceptionRequest, artifacts: Sequence[Artifact], now: datetime
) -> str | None:
    targets = (Target(purpose=artifact.purpose, requester=request.requester) for artifact in artifacts)
    verdicts = (may(policy, actor, Verb.DECIDE, target, None, now) for target in targets)
    return _first(verdict.code if isinstance(verdict, Denied) else None for verdict in verdicts)


def _why_not_this(
    platform: Platform, tx: Transaction, request: ExceptionRequest, digest: str, now: datetime
) -> str | None:
    # Both: the row may have been altered since it was filed, or the page been made from another.
    if not request.digest == platform.catalog.request_digest(tx, request.id) == digest:
        return "digest_differs"
    if request.state is RequestState.DECIDED:
        return "already_decided"
    return "lapsed" if request.state is RequestState.LAPSED or request.lapses_at <= now else None


def _why_not_extend(
    policy: Policy, request: ExceptionRequest, artifacts: Sequence[Artifact], end: datetime
) -> str | None:
    if end > request.until:
        return "beyond_request"
    kept = [artifact for artifact in artifacts if artifact.state == ArtifactState.KEPT]
    if not kept:
        return "not_kept"
    return _first(
        _why_not_until(policy, artifact, end) if artifact.purpose in policy.purposes else "unknown_purpose"
        for artifact in kept
    )


def _deny(
    platform: Platform, tx: Transaction, policy: Policy, actor: Actor, request_id: UUID, code: str
) -> Denied:
    entry = {"subject": str(request_id), "code": code, "policy": policy.digest}
    platform.catalog.append(tx, actor.user, "decide:request:answer_denied", [entry])
    return Denied(code)


def _said(request: ExceptionRequest, decision: Decision) -> dict[str, object]:
    return {
        "subject": str(request.id),
        "artifacts": [str(item.artifact) for item in request.items],
        "decision": str(decision.id),
        "outcome": str(decision.answer),
        "until": iso(decision.until) if decision.until else None,
        "reason": decision.reason,
        "digest": decision.request_digest,
        "policy": decision.policy,
    }


def lapse_requests(platform: Platform) -> list[UUID]:
    """Refuse what nobody answered in the response time. Idempotent; returns what lapsed now."""
    with platform.catalog.begin() as tx:
        lapsed = platform.catalog.lapse_requests(tx)
        entries = [{"subject": str(id), "outcome": "lapsed"} for id in lapsed]
        platform.catalog.append(tx, "consigne", "decide:request:lapsed", entries)
    return lapsed


def _check_reason(reason: str) -> None:
    # It rests in the catalog and the register: P2 holds for what people type too.
    if not reason.strip() or len(reason) > REASON_CHARS or not _is_plain(reason) or carries_number(reason):
        raise BadInput("bad_field", "reason")


def _is_plain(text: str) -> bool:
    """What PostgreSQL and UTF-8 can hold: no NUL, no lone surrogate, no control characters."""
    return all(letter.isprintable() or letter.isspace() for letter in text)


def _instant(until: date | datetime, policy: Policy) -> datetime:
    return until if isinstance(until, datetime) else midnight_of(until, policy.zone)


def _first(codes: Iterable[str | None]) -> str | None:
    return next((code for code in codes if code), None)
