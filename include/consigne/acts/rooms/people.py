"""What people acknowledged, and what they objected to. As acts see them; `adapters/catalog/people.py` says more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from consigne.acts.ports import Objected
from consigne.rules.objections import Objection


class PeopleRoom(Protocol):
    """Every method acts within a transaction."""

    def acknowledged_at(self, tx: Any, agent: str, notice: str) -> datetime | None: ...

    def acknowledge(
        self, tx: Any, acknowledged: Mapping[tuple[str, str], datetime], recorded_by: str, channel: str
    ) -> int: ...

    def note_uninformed(self, tx: Any, agent: str, notice: str, seen_at: datetime) -> None: ...

    def forget_uninformed(self, tx: Any, seen_before: datetime) -> int: ...

    def add_objection(
        self, tx: Any, objection: Objection, recorded_by: str, recorded_at: datetime
    ) -> bool: ...

    def objections_of(self, tx: Any, identity_digest: bytes, callers: Sequence[bytes]) -> list[Objection]: ...

    def withdraw(
        self, tx: Any, id: UUID | None, callers: Sequence[bytes], withdrawn_by: str, at: datetime
    ) -> list[UUID]: ...

    def objected(
        self, tx: Any, now: datetime, demanded: Sequence[str], said: UUID | datetime, limit: int
    ) -> list[Objected]: ...

    def restrict(self, tx: Any, artifact: UUID) -> None: ...
