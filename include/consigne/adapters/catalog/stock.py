"""How many there are: read from the stock, which triggers keep (tables_stock.py)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, Connection, cast, func, select, text

from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.tables_stock import stock

S = stock.c
ARTIFACTS = S.thing == "artifact"
ANY = func.sum(S.number) > 0
THERE = ARTIFACTS & (S.state != "erased")


def total(column: ColumnElement[int] = S.number) -> ColumnElement[int]:
    """The sum over the rows of a key."""
    return cast(func.sum(column), BigInteger)


@dataclass(frozen=True, slots=True)
class Kept:
    """`number` artifacts of a purpose in a state, and the bytes of their objects. Over all states: ever stored."""

    purpose: str
    state: str
    number: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """`number` deliveries of a source in a state. Over all states: ever received."""

    source: str
    state: str
    number: int


def kept_by_state(tx: Connection) -> list[Kept]:
    """Artifacts by purpose and state."""
    query = (
        select(S.name, S.state, total(), total(S.bytes))
        .where(ARTIFACTS)
        .group_by(S.name, S.state)
        .having(ANY)
    )
    return [Kept(*row) for row in tx.execute(query.order_by(S.name, S.state))]


def deliveries_by_state(tx: Connection) -> list[Delivered]:
    """Deliveries by source and state."""
    query = select(S.name, S.state, total()).where(~ARTIFACTS).group_by(S.name, S.state).having(ANY)
    return [Delivered(*row) for row in tx.execute(query.order_by(S.name, S.state))]


class StockCatalog(Session):
    """The stock is written by triggers alone."""

    def purposes_kept(self, tx: Connection) -> set[str]:
        """Purposes that have artifacts which are not erased."""
        query = select(S.name).where(THERE).group_by(S.name).having(ANY)
        return set(tx.execute(query).scalars())

    def roll_up_stock(self, tx: Connection) -> int:
        """One row of those that share a key; how many rows were taken together. Nothing is counted otherwise."""
        return int(tx.execute(text("SELECT consigne_roll_up()")).scalar_one())
