"""What the run of `decide_retention_exception` does around the human task: one function a task.

Each reads the catalog's rows again: what Airflow says of a task, a run or an XCom is never believed, so that
marking, clearing and made-up runs change nothing. Granted extensions are made true here (P5).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from consigne.acts.catalog import Transaction
from consigne.acts.decide import lapse_requests
from consigne.acts.epochs import open_epoch
from consigne.acts.journey import Platform
from consigne.acts.locate import policy_now
from consigne.acts.ports import Artifact
from consigne.acts.repurpose import move
from consigne.acts.safe import rewrap
from consigne.rules.access import Denied, designated
from consigne.rules.clock import iso
from consigne.rules.errors import Conflict, Tampered
from consigne.rules.policy.model import Policy
from consigne.rules.request import Answer, Decision, ExceptionRequest, owners_awaited, run_of
from consigne.rules.retention import epoch_length_of, floor
from consigne.rules.run import seconds_left as left_of
from consigne.rules.run import why_made_up
from consigne.rules.values import ArtifactName, ArtifactState


def load_request(platform: Platform, request_id: str, request_hash: str, run: str) -> str:
    """Bind the run to its request; returns the next task. A run that fits no request, or is not the request's
    one run, is registered and goes straight to `close_refused`; one that comes again is registered too."""
    id = UUID(request_id)
    with platform.catalog.begin() as tx:
        request = platform.catalog.request(tx, id)
        code = why_made_up(request, "request", run_of(id), request_hash, run)
        if code is None:
            platform.catalog.bind_run(tx, id, run)
            if platform.catalog.newest_entry(tx, request_id, "decide:request:announced"):
                again = {"subject": request_id, "run": run}
                platform.catalog.append(tx, "airflow", "decide:run:repeated", [again])
            return "notify_dpo"
        entry = {"subject": request_id, "run": run, "code": code}
        platform.catalog.append(tx, "airflow", "decide:run:refused", [entry])
    return "close_refused"


def notify_dpo(platform: Platform, request_id: str) -> int:
    """Register whom the request waits for, the owners who are asked first or the designated of today; returns how
    many. Airflow's Required Actions page and the desk show it to them."""
    policy, id = policy_now(platform), UUID(request_id)
    with platform.catalog.begin() as tx:
        request, now = platform.catalog.request(tx, id), platform.catalog.now(tx)
        deciding = designated(policy, now) - {request.requester if request else ""}
        waits_for = sorted(_owners(platform, tx, policy, request) or deciding)
        entry = {"subject": request_id, "waits_for": waits_for, "policy": policy.digest}
        platform.catalog.append(tx, "consigne", "decide:request:announced", [entry])
    return len(waits_for)


def _owners(
    platform: Platform, tx: Transaction, policy: Policy, request: ExceptionRequest | None
) -> frozenset[str]:
    if request is None:
        return frozenset()
    found = [platform.catalog.artifact(tx, item.artifact) for item in request.items]
    spoken = [opinion.owner for opinion in platform.catalog.opinions(tx, request.id)]
    return owners_awaited(policy, [artifact.purpose for artifact in found if artifact], spoken)


def seconds_left(platform: Platform, request_id: str) -> int:
    """What remains of the response time, counted from filing; at least 1 (Airflow takes 0 for no limit)."""
    with platform.catalog.begin() as tx:
        request, now = platform.catalog.request(tx, UUID(request_id)), platform.catalog.now(tx)
    return left_of(request, now)


def record_decision(platform: Platform, request_id: str, run: str) -> str:
    """Read the desk's row, whatever the human task says; returns the next task, `apply_extension` for every answer
    that keeps anything. No row means refused."""
    lapse_requests(platform)
    with platform.catalog.begin() as tx:
        decision = platform.catalog.decision(tx, UUID(request_id))
    granted = decision is not None and decision.until is not None and run == run_of(UUID(request_id))
    return "apply_extension" if granted else "close_refused"


def apply_extension(platform: Platform, request_id: str) -> dict[str, int]:
    """Make the decision true; returns how many artifacts met each outcome, or the code that nothing was to do."""
    applied = apply_decision(platform, policy_now(platform), UUID(request_id))
    return {applied.code: 0} if isinstance(applied, Denied) else dict(Counter(applied.outcomes.values()))


def close_refused(platform: Platform, request_id: str, run: str) -> str:
    """Register how a run ended that extends nothing: `refuse`, `lapsed`, `pending` (its human task was ended
    by other means than the desk; the request still waits there), `made_up`."""
    id = UUID(request_id)
    with platform.catalog.begin() as tx:
        request, decision = platform.catalog.request(tx, id), platform.catalog.decision(tx, id)
        if request is None or run != run_of(id):
            outcome = "made_up"
        else:
            outcome = str(decision.answer if decision else request.state)
        entry = {"subject": request_id, "run": run, "outcome": outcome}
        platform.catalog.append(tx, "airflow", "decide:run:closed", [entry])
    return outcome


@dataclass(frozen=True, slots=True)
class Applied:
    """What a decision did to each artifact: `extended` or `moved`, or why not: `gone`, `over`
    (its date has passed), `not_later`, `past_cap`, and for another purpose rules/repurpose.py's codes. Empty
    where it was applied before."""

    outcomes: Mapping[UUID, str]


def unapplied(platform: Platform, older_than_s: int) -> list[UUID]:
    """Requests granted that long ago whose extension has not taken effect: whoever should have was lost."""
    with platform.catalog.begin() as tx:
        return platform.catalog.unapplied(tx, platform.catalog.now(tx) - timedelta(seconds=older_than_s))


def apply_decision(platform: Platform, policy: Policy, request_id: UUID) -> Applied | Denied:
    """Make a granted answer true: new due date, restriction, key re-wrapped, or stored again under another purpose;
    each in one transaction; idempotent.

    Denied('no_decision', 'refused') where there is nothing to apply. What is being erased stays so. Faults:
    Unavailable, and Conflict('epoch_closing') where the target epoch began to close in between: call again.
    """
    with platform.catalog.begin() as tx:
        request, decision = (
            platform.catalog.request(tx, request_id),
            platform.catalog.decision(tx, request_id),
        )
        if request is None or decision is None:
            return Denied("no_decision")
        if decision.until is None:
            return Denied("refused")
        if decision.applied_at is not None:
            return Applied({})
        artifacts = [platform.catalog.artifact(tx, item.artifact) for item in request.items]
        now = platform.catalog.now(tx)
    if decision.answer is Answer.KEEP_UNDER_ANOTHER_PURPOSE:
        return Applied(move(platform, policy, [item.artifact for item in request.items], decision))
    targets = _targets(platform, policy, {a.purpose for a in artifacts if a}, decision.until, now)
    with platform.catalog.begin() as tx:
        held = [platform.catalog.artifact(tx, item.artifact, lock=True) for item in request.items]
        current = platform.catalog.decision(tx, request_id, lock=True)
        if current is None or current.applied_at is not None:
            return Applied({})
        now = platform.catalog.now(tx)
        outcomes = {a.id: _extend(platform, tx, a, decision, targets, now) for a in held if a}
        platform.catalog.mark_applied(tx, decision.id, now)
        entries = [_did(a, decision, outcomes[a.id], targets) for a in held if a]
        platform.catalog.append(tx, decision.decided_by, "decide:artifact:applied", entries)
    return Applied(outcomes)


@dataclass(frozen=True, slots=True)
class _Target:
    due_at: datetime
    epoch: str


def _targets(
    platform: Platform, policy: Policy, purposes: set[str], until: datetime, now: datetime
) -> dict[str, _Target | str]:
    # Epoch keys are made before the transaction that uses them: row first, key after, then the lock.
    made: dict[str, _Target | str] = {}
    for name in sorted(purposes):
        # A purpose that was removed since the answer falls due, except what was extended.
        due_at = floor(until, policy.zone, epoch_length_of(None, policy, name))
        if due_at <= now:
            made[name] = "over"
        else:
            made[name] = _Target(due_at, open_epoch(platform, policy, name, due_at))
    return made


def _extend(
    platform: Platform,
    tx: Transaction,
    artifact: Artifact,
    decision: Decision,
    targets: Mapping[str, _Target | str],
    now: datetime,
) -> str:
    target = targets[artifact.purpose]
    wrapped = platform.catalog.wrapped_key(tx, artifact.id)
    if artifact.state != ArtifactState.KEPT or wrapped is None:
        return "gone"
    if isinstance(target, str):
        return target
    if target.due_at <= max(artifact.own_due_at, now):
        return "not_later"
    if target.due_at > artifact.cap_at:
        return "past_cap"
    if artifact.hold is None and not platform.catalog.hold_epoch_open(tx, target.epoch):
        raise Conflict("epoch_closing", target.epoch)
    if artifact.hold is None and target.epoch != artifact.epoch:  # a hold keeps the key under its own
        name = ArtifactName(artifact.id, artifact.attempt, artifact.purpose)
        try:
            wrapped = rewrap(platform.keyring, artifact.epoch, target.epoch, wrapped, name)
            platform.catalog.move_key(tx, artifact.id, target.epoch, wrapped)
        except (Conflict, Tampered):
            pass  # it stays where it is, keeps its epoch from closing, and stops no neighbour's extension
    restricted = artifact.restricted or decision.answer is Answer.EXTEND_AND_RESTRICT
    new = {"extension": decision.id, "restricted": restricted}
    platform.catalog.set_clock(tx, artifact.id, target.due_at, **new)
    return "extended"


def _did(
    artifact: Artifact, decision: Decision, outcome: str, targets: Mapping[str, _Target | str]
) -> dict[str, object]:
    entry: dict[str, object] = {
        "subject": str(artifact.id),
        "purpose": artifact.purpose,
        "request": str(decision.request),
        "decision": str(decision.id),
        "outcome": outcome,
    }
    target = targets[artifact.purpose]
    if outcome == "extended" and isinstance(target, _Target):
        restricted = decision.answer is Answer.EXTEND_AND_RESTRICT
        entry |= {"due_at": iso(target.due_at), "epoch": target.epoch, "restricted": restricted}
    return entry
