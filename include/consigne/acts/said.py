"""What asking, stating necessity and answering share: a request's rows held, and each word recorded once.

Whoever asks, answers or extends locks the artifact rows first, as erasing does: one of them comes first.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from consigne.acts.catalog import Transaction
from consigne.acts.journey import Platform
from consigne.acts.ports import Artifact
from consigne.rules.clock import iso
from consigne.rules.request import Decision, ExceptionRequest, Opinion, RequestState


def locked(
    platform: Platform, tx: Transaction, request_id: UUID
) -> tuple[ExceptionRequest | None, list[Artifact]]:
    """A request and its artifacts, their rows held in this order: artifacts, then the request."""
    asked = platform.catalog.request(tx, request_id)
    if asked is None:
        return None, []
    found = [platform.catalog.artifact(tx, item.artifact, lock=True) for item in asked.items]
    return platform.catalog.request(tx, request_id, lock=True), [artifact for artifact in found if artifact]


def why_not_this(
    platform: Platform, tx: Transaction, request: ExceptionRequest, digest: str, now: datetime
) -> str | None:
    """Why nothing can be said of the request as it was shown: `digest_differs`, `already_decided`, `lapsed`."""
    # Both: the row may have been altered since it was filed, or the page been made from another.
    if not request.digest == platform.catalog.request_digest(tx, request.id) == digest:
        return "digest_differs"
    if request.state is RequestState.DECIDED:
        return "already_decided"
    return "lapsed" if request.state is RequestState.LAPSED or request.lapses_at <= now else None


def record_decision(
    platform: Platform, tx: Transaction, request: ExceptionRequest, decision: Decision
) -> bool:
    """The decision and its entry; false where the request does not wait any more."""
    if not platform.catalog.add_decision(tx, decision):
        return False
    platform.catalog.append(tx, decision.decided_by, "decide:request:decided", [_said(request, decision)])
    return True


def record_opinion(platform: Platform, tx: Transaction, opinion: Opinion) -> None:
    """An owner's word and its entry."""
    platform.catalog.add_opinion(tx, opinion)
    entry = {
        "subject": str(opinion.request),
        "outcome": "necessary",
        "reason": opinion.reason,
        "digest": opinion.request_digest,
        "policy": opinion.policy,
    }
    platform.catalog.append(tx, opinion.owner, "decide:request:necessity", [entry])


def _said(request: ExceptionRequest, decision: Decision) -> dict[str, object]:
    return {
        "subject": str(request.id),
        "artifacts": [str(item.artifact) for item in request.items],
        "decision": str(decision.id),
        "outcome": str(decision.answer),
        "purpose": decision.purpose,
        "until": iso(decision.until) if decision.until else None,
        "reason": decision.reason,
        "digest": decision.request_digest,
        "policy": decision.policy,
    }
