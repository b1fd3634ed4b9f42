"""Attempts to get round the desk, in the register: before Airflow sees them, and what it answered."""

from __future__ import annotations

from uuid import UUID

from consigne.acts.journey import Platform
from consigne.rules.attempts import Attempt
from consigne.rules.request import RequestState

REFUSED = range(400, 500)
"""HTTP statuses by which Airflow says that it did nothing; all others may have changed something."""


def note_attempt(platform: Platform, actor: str, attempt: Attempt) -> tuple[str, ...]:
    """Register what somebody is about to ask of Airflow; returns those of the named identifiers that are known.
    Unavailable where it cannot be registered: then it must not be asked."""
    with platform.catalog.begin() as tx:
        known = platform.catalog.known_cases(tx, [UUID(id) for id in attempt.named])
        subjects = tuple(sorted(str(id) for id in known))
        platform.catalog.append(tx, actor, "decide:task:tried", [_entry(attempt, subjects)])
    return subjects


def note_outcome(
    platform: Platform, actor: str, attempt: Attempt, subjects: tuple[str, ...], status: int
) -> None:
    """Register what Airflow answered: `decide:task:denied`, or `decide:task:touched` where it may have done it."""
    kind = "decide:task:denied" if status in REFUSED else "decide:task:touched"
    with platform.catalog.begin() as tx:
        platform.catalog.append(tx, actor, kind, [_entry(attempt, subjects) | {"status": status}])


def note_lost(platform: Platform, request_id: UUID, run: str, code: str) -> bool:
    """Register that a pending request's run carries it no more: `gone`, `ended`, `task_ended`; each once. False
    where the request waits no more, or it is registered."""
    with platform.catalog.begin() as tx:
        request = platform.catalog.request(tx, request_id)
        if request is None or request.state is not RequestState.PENDING:
            return False
        known = platform.catalog.newest_entry(tx, str(request_id), "decide:run:lost")
        if known and known["code"] == code:
            return False
        entry = {"subject": str(request_id), "run": run, "code": code}
        platform.catalog.append(tx, "airflow", "decide:run:lost", [entry])
    return True


def _entry(attempt: Attempt, subjects: tuple[str, ...]) -> dict[str, object]:
    return {"subjects": list(subjects), "dag": attempt.dag, "what": attempt.what}
