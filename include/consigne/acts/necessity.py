"""The owner's word: that what was asked is necessary, or not, before the DPO decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from consigne.acts.catalog import Transaction
from consigne.acts.journey import Platform
from consigne.acts.ports import Artifact
from consigne.acts.said import locked, record_decision, record_opinion, why_not_this
from consigne.rules.access import Allowed, Denied, Target, Verb, may
from consigne.rules.policy.model import Policy
from consigne.rules.redaction.typed import check_typed
from consigne.rules.request import Answer, Decision, ExceptionRequest, Opinion, owners_asked
from consigne.rules.values import Actor, ArtifactState


def state_necessity(
    platform: Platform,
    policy: Policy,
    actor: Actor,
    request_id: UUID,
    digest: str,
    is_necessary: bool,
    reason: str,
) -> Opinion | Decision | Denied:
    """The word of an owner whom a touched purpose asks for, bound to the digest of what they saw: necessary, and
    the DPO decides; or not, and the request is refused. Sent again, it counts once.

    Denied: `unknown_request`, `not_owner`, `not_asked` (no purpose that they own asks its owner),
    `digest_differs`, `already_stated`, `already_decided`, `lapsed`, `not_kept`. BadInput('bad_field', 'reason').
    """
    check_typed(reason, "reason")
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        request, artifacts = locked(platform, tx, request_id)
        if request is None:
            return _deny(platform, tx, policy, actor, request_id, "unknown_request")
        if code := why_not_state(policy, actor, {artifact.purpose for artifact in artifacts}, now):
            return _deny(platform, tx, policy, actor, request_id, code)
        said = {opinion.owner: opinion for opinion in platform.catalog.opinions(tx, request_id)}
        if made := _made(platform, tx, actor, request, digest, is_necessary, said.get(actor.user)):
            return made
        code = why_not_this(platform, tx, request, digest, now) or _why_not_now(actor, said, artifacts)
        if code:
            return _deny(platform, tx, policy, actor, request_id, code)
        if is_necessary:
            opinion = Opinion(request_id, actor.user, digest, reason, now, policy.digest)
            record_opinion(platform, tx, opinion)
            return opinion
        decision = Decision(
            platform.new_id(), request_id, digest, Answer.REFUSE, None, actor.user, reason, now, policy.digest
        )
        if not record_decision(platform, tx, request, decision):
            return _deny(platform, tx, policy, actor, request_id, "lapsed")
        # Airflow takes an answer from a DPO alone: its task runs out by itself, which means refused too.
        platform.catalog.mark_answered(tx, request_id, now)
    return decision


def why_not_state(policy: Policy, actor: Actor, purposes: set[str], now: datetime) -> str | None:
    """Why the actor's word on a request that touches these purposes is not asked for: `not_owner`, `not_asked`."""
    found = policy.purposes.keys() & purposes
    verdicts = {
        name: may(policy, actor, Verb.STATE_NECESSITY, Target(purpose=name), None, now) for name in found
    }
    if not any(isinstance(verdict, Allowed) for verdict in verdicts.values()):
        return "not_owner"
    return None if actor.user in owners_asked(policy, found) else "not_asked"


def _made(
    platform: Platform,
    tx: Transaction,
    actor: Actor,
    request: ExceptionRequest,
    digest: str,
    is_necessary: bool,
    opinion: Opinion | None,
) -> Opinion | Decision | None:
    """What they said before, where it is the same."""
    if is_necessary:
        return opinion if opinion and opinion.request_digest == digest == request.digest else None
    decision = platform.catalog.decision(tx, request.id)
    if decision and (decision.decided_by, decision.answer, decision.request_digest) == (
        actor.user,
        Answer.REFUSE,
        digest,
    ):
        return decision
    return None


def _why_not_now(actor: Actor, said: dict[str, Opinion], artifacts: Sequence[Artifact]) -> str | None:
    if actor.user in said:
        return "already_stated"
    return None if any(each.state == ArtifactState.KEPT for each in artifacts) else "not_kept"


def _deny(
    platform: Platform, tx: Transaction, policy: Policy, actor: Actor, request_id: UUID, code: str
) -> Denied:
    entry = {"subject": str(request_id), "code": code, "policy": policy.digest}
    platform.catalog.append(tx, actor.user, "decide:request:necessity_denied", [entry])
    return Denied(code)
