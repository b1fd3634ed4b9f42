"""Names and typed reasons, forgotten when their period ends. As acts see them; `adapters/catalog/names.py` says more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Protocol

from consigne.rules.evidence.register import SealedRow


class NamesRoom(Protocol):
    """`rewrite_named` acts by itself, all others within a transaction."""

    def places_of_names(self) -> list[str]: ...

    def forget_in(
        self, tx: Any, place: str, before: datetime, limit: int, notices: Collection[str]
    ) -> int: ...

    def sealed_from(self, tx: Any, number: int, limit: int) -> list[SealedRow]: ...

    def forget_payloads(self, tx: Any, first: int, beyond: int) -> int: ...

    def rewrite_named(self) -> bool: ...
