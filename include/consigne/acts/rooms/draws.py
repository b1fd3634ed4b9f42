"""The months' secrets, and the draws made under them. As acts see them; `adapters/catalog/draws.py` says more."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from consigne.rules.draw import Draw, DrawMonth


class DrawsRoom(Protocol):
    """Every method acts within a transaction."""

    def secret_months(self, tx: Any) -> dict[str, DrawMonth]: ...

    def draw_months(self, tx: Any) -> list[DrawMonth]: ...

    def commit_month(self, tx: Any, month: DrawMonth) -> bool: ...

    def reveal_month(self, tx: Any, month: str, secret: bytes, at: datetime) -> bool: ...

    def draws_of(self, tx: Any, source: str, call: str) -> dict[str, Draw]: ...

    def add_draws(self, tx: Any, made: Sequence[Draw]) -> set[str]: ...

    def judge_by(
        self, tx: Any, source: str, call: str, purposes: Collection[str], delivery: UUID
    ) -> None: ...
