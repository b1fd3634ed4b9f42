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
from consigne.acts.repurpose import movables
from consigne.acts.said import locked, record_decision, record_opinion, why_not_this
from consigne.rules.access import Denied, Target, Verb, may
from consigne.rules.clock import add, iso, midnight_of
from consigne.rules.errors import BadInput
from consigne.rules.policy.model import Policy
from consigne.rules.redaction.typed import check_typed
from consigne.rules.repurpose import due_there, why_not_move_all
from consigne.rules.request import (
    Answer,
    Decision,
    ExceptionRequest,
    Opinion,
    RequestItem,
    owners_asked,
    owners_awaited,
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
    why_not_less: str = "",
) -> ExceptionRequest | Denied:
    """Ask to keep artifacts until a local day (its beginning) or an instant; filed or denied, the register says so.
    An owner who asks has stated necessity by asking.

    Denied: access.py's codes for `ask`, `unknown_artifact`, `ground_not_listed`, `already_asked`, and
    retention's `not_later`, `step_too_long`, `past_cap`. BadInput('bad_field') names `artifacts`, `reason` or
    `why_not_less`.
    """
    wanted = sorted(set(artifacts))
    if not wanted:
        raise BadInput("bad_field", "artifacts")
    check_typed(reason, "reason")
    check_typed(why_not_less, "why_not_less", is_needed=False)
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
        items = tuple(RequestItem(artifact.id, artifact.own_due_at) for artifact in known)
        lapses_at = add(now, policy.response_time, policy.zone)
        id, said = platform.new_id(), why_not_less.strip() and why_not_less
        request = ExceptionRequest(
            id, actor.user, ground, reason, end, now, lapses_at, policy.digest, items, why_not_less=said
        )
        platform.catalog.add_request(tx, request)
        platform.catalog.append(tx, actor.user, "decide:request:filed", [_told(request)])
        if actor.user in owners_asked(policy, (artifact.purpose for artifact in known)):
            record_opinion(platform, tx, Opinion(id, actor.user, request.digest, reason, now, policy.digest))
    return request


def _why_not_ask(
    policy: Policy, actor: Actor, artifact: Artifact, end: datetime, ground: str, now: datetime
) -> str | None:
    target = Target(
        purpose=artifact.purpose,
        part=Part(artifact.part),
        restricted=artifact.restricted,
        due_at=artifact.own_due_at,
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
    due = Due(artifact.own_due_at, artifact.cap_at, artifact.own_due_at.date())
    new = extended_due(end, due, purpose.longest_step, policy.zone, purpose.epoch_length)
    return new.code if isinstance(new, Beyond) else None


def _told(request: ExceptionRequest) -> dict[str, object]:
    return {
        "subject": str(request.id),
        "artifacts": [str(item.artifact) for item in request.items],
        "ground": request.ground,
        "reason": request.reason,
        "why_not_less": request.why_not_less,
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
    purpose: str | None = None,
) -> Decision | Denied:
    """The person's decision, bound to the digest of what they saw; `actor` with roles read just now. `until`
    counts for an extension (None: as asked), `purpose` for keeping under another one, whose clock says until
    when. Decision and register commit together; the same answer sent again by the same person gives the first
    decision.

    Denied: access.py's codes for `decide`, `unknown_request`, `digest_differs`, `already_decided`, `lapsed`,
    `stated_necessity` (two different people), `owner_first`, `beyond_request`, `not_kept`, and retention's and
    repurpose's. BadInput('bad_field') names `reason` or `purpose`.
    """
    check_typed(reason, "reason")
    purpose = purpose if answer is Answer.KEEP_UNDER_ANOTHER_PURPOSE else None
    if answer is Answer.KEEP_UNDER_ANOTHER_PURPOSE and not purpose:
        raise BadInput("bad_field", "purpose")
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        request, artifacts = locked(platform, tx, request_id)
        if request is None:
            return _deny(platform, tx, policy, actor, request_id, "unknown_request")
        spoken = {opinion.owner for opinion in platform.catalog.opinions(tx, request_id)}
        if code := _why_not_decide(policy, actor, request, artifacts, purpose, spoken, now):
            return _deny(platform, tx, policy, actor, request_id, code)
        if code := why_not_this(platform, tx, request, digest, now):
            made = platform.catalog.decision(tx, request_id)
            said = (actor.user, answer, purpose, digest)
            if made and (made.decided_by, made.answer, made.purpose, made.request_digest) == said:
                return made
            return _deny(platform, tx, policy, actor, request_id, code)
        end: datetime | Denied | None = None
        if owners_awaited(policy, {artifact.purpose for artifact in artifacts}, spoken):
            end = Denied("owner_first")
        elif purpose:
            end = _moved_until(platform, tx, policy, request, purpose, now)
        elif answer is not Answer.REFUSE:
            end = _extended_until(policy, request, artifacts, until)
        if isinstance(end, Denied):
            return _deny(platform, tx, policy, actor, request_id, end.code)
        decision = Decision(
            platform.new_id(),
            request_id,
            digest,
            answer,
            end,
            actor.user,
            reason,
            now,
            policy.digest,
            None,
            purpose,
        )
        if not record_decision(platform, tx, request, decision):
            return _deny(platform, tx, policy, actor, request_id, "lapsed")
    return decision


def _why_not_decide(
    policy: Policy,
    actor: Actor,
    request: ExceptionRequest,
    artifacts: Sequence[Artifact],
    purpose: str | None,
    spoken: Iterable[str],
    now: datetime,
) -> str | None:
    touched = [artifact.purpose for artifact in artifacts] + ([purpose] if purpose else [])
    targets = (Target(purpose=each, requester=request.requester) for each in touched)
    verdicts = (may(policy, actor, Verb.DECIDE, target, None, now) for target in targets)
    code = _first(verdict.code if isinstance(verdict, Denied) else None for verdict in verdicts)
    return code or ("stated_necessity" if actor.user in spoken else None)


def _extended_until(
    policy: Policy, request: ExceptionRequest, artifacts: Sequence[Artifact], until: date | datetime | None
) -> datetime | Denied:
    end = request.until if until is None else _instant(until, policy)
    if end > request.until:
        return Denied("beyond_request")
    kept = [artifact for artifact in artifacts if artifact.state == ArtifactState.KEPT]
    codes = (
        _why_not_until(policy, artifact, end) if artifact.purpose in policy.purposes else "unknown_purpose"
        for artifact in kept
    )
    code = _first(codes) if kept else "not_kept"
    return Denied(code) if code else end


def _moved_until(
    platform: Platform,
    tx: Transaction,
    policy: Policy,
    request: ExceptionRequest,
    purpose: str,
    now: datetime,
) -> datetime | Denied:
    kept = movables(platform, tx, [item.artifact for item in request.items])
    code = why_not_move_all(policy, purpose, kept, now) if kept else "not_kept"
    return Denied(code) if code else min(due_there(policy, purpose, one).due_at for one in kept)


def _deny(
    platform: Platform, tx: Transaction, policy: Policy, actor: Actor, request_id: UUID, code: str
) -> Denied:
    entry = {"subject": str(request_id), "code": code, "policy": policy.digest}
    platform.catalog.append(tx, actor.user, "decide:request:answer_denied", [entry])
    return Denied(code)


def lapse_requests(platform: Platform) -> list[UUID]:
    """Refuse what nobody answered in the response time. Idempotent; returns what lapsed now."""
    with platform.catalog.begin() as tx:
        lapsed = platform.catalog.lapse_requests(tx)
        entries = [{"subject": str(id), "outcome": "lapsed"} for id in lapsed]
        platform.catalog.append(tx, "consigne", "decide:request:lapsed", entries)
    return lapsed


def _instant(until: date | datetime, policy: Policy) -> datetime:
    return until if isinstance(until, datetime) else midnight_of(until, policy.zone)


def _first(codes: Iterable[str | None]) -> str | None:
    return next((code for code in codes if code), None)
