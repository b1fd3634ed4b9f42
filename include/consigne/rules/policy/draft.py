"""A draft of the policy: who wrote it, until when it waits, and the DPO's answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class DraftAnswer(StrEnum):
    """What the DPO can say; silence is `refuse`."""

    REFUSE = "refuse"
    VISA = "visa"


class DraftState(StrEnum):
    """`lapsed`: nobody answered in the response time, which means refused."""

    PENDING = "pending"
    DECIDED = "decided"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft. `digest` is that of the policy that its text gives, and what the visa is bound to; `policy` the
    digest of the version in force when it was filed; `in_force_from` what its text asks for. Instants are UTC."""

    id: UUID
    digest: str
    version: str
    text: str
    author: str
    reason: str
    in_force_from: datetime
    filed_at: datetime
    lapses_at: datetime
    policy: str
    state: DraftState = DraftState.PENDING
    run: str | None = None
    answered_at_airflow: datetime | None = None
    answer: DraftAnswer | None = None
    decided_by: str | None = None
    decided_reason: str | None = None
    decided_at: datetime | None = None


def run_of_draft(draft: UUID) -> str:
    """The one Dag run that may carry a draft; any other run for it is made up."""
    return f"draft__{draft}"
