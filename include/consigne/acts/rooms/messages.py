"""Mail on its way, and what tells whom to write to. As acts see them; `adapters/catalog/messages.py` says more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from consigne.acts.ports import Message

Transaction = Any


class MessagesRoom(Protocol):
    """Every method acts within a transaction."""

    def add_messages(self, tx: Transaction, rows: Sequence[Mapping[str, object]]) -> int: ...

    def take_message(self, tx: Transaction, now: datetime, kept_for: timedelta) -> Message | None: ...

    def mark_sent(self, tx: Transaction, id: UUID, sent_at: datetime, trouble: str | None = None) -> None: ...

    def mark_trouble(self, tx: Transaction, id: UUID, trouble: str, next_try_at: datetime) -> None: ...

    def cases_open(self, tx: Transaction, now: datetime) -> list[Mapping[str, Any]]: ...

    def cases_over(self, tx: Transaction, since: datetime) -> list[Mapping[str, Any]]: ...

    def extensions_ending(
        self, tx: Transaction, now: datetime, before: datetime
    ) -> list[Mapping[str, Any]]: ...

    def reviews(self, tx: Transaction, before: datetime) -> list[Mapping[str, Any]]: ...

    def drafts_told(self, tx: Transaction, since: datetime) -> list[Mapping[str, Any]]: ...

    def known_cases(self, tx: Transaction, ids: Sequence[UUID]) -> list[UUID]: ...

    def newest_entry(self, tx: Transaction, *names: str) -> Mapping[str, Any] | None: ...
