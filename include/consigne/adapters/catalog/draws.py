"""The months' secrets, and the draws made under them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.tables_people import draw_months, draws
from consigne.rules.draw import Draw, DrawMonth


class DrawsCatalog(Session):
    """The months' secrets, and the draws made under them."""

    def secret_months(self, tx: Connection) -> dict[str, DrawMonth]:
        """Those committed and not revealed, by name."""
        rows = tx.execute(select(draw_months).where(draw_months.c.revealed_at.is_(None))).mappings()
        return {row["month"]: DrawMonth(**row) for row in rows}

    def draw_months(self, tx: Connection) -> list[DrawMonth]:
        """All, oldest first."""
        rows = tx.execute(select(draw_months).order_by(draw_months.c.month)).mappings()
        return [DrawMonth(**row) for row in rows]

    def commit_month(self, tx: Connection, month: DrawMonth) -> bool:
        """False where it is committed already: that stands."""
        made = upsert(draw_months).values(asdict(month)).on_conflict_do_nothing()
        return tx.execute(made.returning(draw_months.c.month)).one_or_none() is not None

    def reveal_month(self, tx: Connection, month: str, secret: bytes, at: datetime) -> bool:
        """False where it was revealed before."""
        where = (draw_months.c.month == month) & draw_months.c.revealed_at.is_(None)
        return (
            tx.execute(update(draw_months).where(where).values(secret=secret, revealed_at=at)).rowcount == 1
        )

    def draws_of(self, tx: Connection, source: str, call: str) -> dict[str, Draw]:
        """Purpose → the draw that stands for this call."""
        rows = tx.execute(select(draws).where(draws.c.source == source, draws.c.call == call)).mappings()
        return {row["purpose"]: Draw(**{**row, "rate": Decimal(row["rate"])}) for row in rows}

    def add_draws(self, tx: Connection, made: Sequence[Draw]) -> set[str]:
        """The purposes of those of one call that were written down: where a draw stands already, it stays."""
        if not made:
            return set()
        rows = [asdict(draw) | {"rate": str(draw.rate)} for draw in made]
        added = upsert(draws).values(rows).on_conflict_do_nothing().returning(draws.c.purpose)
        return set(tx.execute(added).scalars())

    def judge_by(
        self, tx: Connection, source: str, call: str, purposes: Collection[str], delivery: UUID
    ) -> None:
        """This delivery was judged by the draws that stand for these purposes."""
        where = (draws.c.source == source) & (draws.c.call == call) & draws.c.purpose.in_(purposes)
        tx.execute(update(draws).where(where).values(delivery=delivery))
