"""A request to keep artifacts longer (an exception), and the answer to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from consigne.rules.clock import iso
from consigne.rules.evidence.canonical import encode
from consigne.rules.policy.model import Policy

REASON_CHARS = 2000
"""The longest reason: enough for necessity and why less will not do."""


class Answer(StrEnum):
    """What the DPO can say; silence is `refuse`."""

    REFUSE = "refuse"
    EXTEND = "extend"
    EXTEND_AND_RESTRICT = "extend_and_restrict"
    KEEP_UNDER_ANOTHER_PURPOSE = "keep_under_another_purpose"


class Stage(StrEnum):
    """Whose word a pending request waits for: the owners state necessity, then the DPO decides."""

    OWNER = "owner"
    DPO = "dpo"


class RequestState(StrEnum):
    """`lapsed`: nobody answered in the response time, which means refused."""

    PENDING = "pending"
    DECIDED = "decided"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class RequestItem:
    """An artifact that a request names, and when it fell due at the moment of filing (UTC)."""

    artifact: UUID
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ExceptionRequest:
    """One request; a selection of artifacts is one request. `until` is the new due date asked for, already
    floored as retention does; `run` is the Dag run that carries it, once there is one. Instants are UTC."""

    id: UUID
    requester: str
    ground: str
    reason: str
    until: datetime
    filed_at: datetime
    lapses_at: datetime
    policy: str
    items: tuple[RequestItem, ...]
    state: RequestState = RequestState.PENDING
    run: str | None = None
    answered_at_airflow: datetime | None = None
    why_not_less: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON of what was asked: what a decision is bound to."""
        asked: dict[str, object] = {
            "id": str(self.id),
            "requester": self.requester,
            "ground": self.ground,
            "reason": self.reason,
            "until": iso(self.until),
            "filed_at": iso(self.filed_at),
            "lapses_at": iso(self.lapses_at),
            "policy": self.policy,
            "items": [
                {"artifact": str(item.artifact), "due_at": iso(item.due_at)}
                for item in sorted(self.items, key=lambda item: item.artifact)
            ],
        }
        if self.why_not_less:  # what was asked before there was such a field keeps its digest
            asked["why_not_less"] = self.why_not_less
        return sha256(encode(asked)).hexdigest()


@dataclass(frozen=True, slots=True)
class Decision:
    """The one answer to a request, bound to its digest. `until` is the new due date, under another purpose the
    earliest that `purpose`'s clock gives; None where refused. An owner who sees no necessity refuses."""

    id: UUID
    request: UUID
    request_digest: str
    answer: Answer
    until: datetime | None
    decided_by: str
    reason: str
    decided_at: datetime
    policy: str
    applied_at: datetime | None = None
    purpose: str | None = None


@dataclass(frozen=True, slots=True)
class Opinion:
    """An owner's word that a request is necessary, bound to its digest."""

    request: UUID
    owner: str
    request_digest: str
    reason: str
    given_at: datetime
    policy: str


def owners_asked(policy: Policy, purposes: Iterable[str]) -> frozenset[str]:
    """Whose word of necessity a request that touches these purposes needs, by the policy in force."""
    touched = (policy.purposes[name] for name in purposes if name in policy.purposes)
    return frozenset(purpose.owner for purpose in touched if Stage.OWNER in purpose.approval)


def owners_awaited(policy: Policy, purposes: Iterable[str], spoken: Iterable[str]) -> frozenset[str]:
    """Of them, who has not stated necessity yet; `spoken` has."""
    return owners_asked(policy, purposes).difference(spoken)


def stage_of(policy: Policy, purposes: Iterable[str], spoken: Iterable[str]) -> Stage:
    """Whose turn it is, `spoken` being the owners who have stated necessity."""
    return Stage.OWNER if owners_awaited(policy, purposes, spoken) else Stage.DPO


def run_of(request: UUID) -> str:
    """The one Dag run that may carry a request; any other run for it is made up."""
    return f"request__{request}"
