"""What the *Retention calendar* reads: how many artifacts fall due when, counted by the database."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, Date, cast, func, literal, select, union_all

from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.stock import THERE, total
from consigne.adapters.catalog.tables_stock import stock
from consigne.adapters.catalog.views_recordings import FIRST_DUE

_A, _S = t.artifacts.c, stock.c


@dataclass(frozen=True, slots=True)
class Falling:
    """`count` artifacts of a purpose that go in the week or on the day that begins at `begins` (local); `how` is
    `plain`, `extended`, `held`, or `moved`: those that would have gone then and go later."""

    purpose: str
    begins: date
    how: str
    count: int


def falling(
    tx: Connection, unit: str, zone: str, since: datetime, until: datetime, purposes: Collection[str] | None
) -> list[Falling]:
    """What falls due in [since, until), by `unit` (`week`, from Monday on, or `day`) of the zone."""
    # What a person's word moved is read row by row: people's words do not grow with the catalog.
    would_have = select(_A.purpose, FIRST_DUE, literal("moved"), literal(1)).where(
        _A.state != "erased", _A.hold.is_not(None) | _A.extension.is_not(None), *_of(purposes, _A.purpose)
    )
    counted = select(_S.name.label("purpose"), _S.ends_at, _S.how, _S.number)
    by = union_all(counted.where(THERE, *_of(purposes, _S.name)), would_have).subquery().c
    passed = by.ends_at >= since, by.ends_at < until
    begins = cast(func.date_trunc(unit, func.timezone(zone, by.ends_at)), Date).label("begins")
    query = select(by.purpose, begins, by.how, total(by.number)).where(*passed)
    grouped = query.group_by(by.purpose, begins, by.how).having(func.sum(by.number) > 0)
    return [Falling(*row) for row in tx.execute(grouped)]


def _of(purposes: Collection[str] | None, of: ColumnElement[str]) -> list[ColumnElement[bool]]:
    return [] if purposes is None else [of.in_(purposes)]


def overdue(tx: Connection, now: datetime, purposes: Collection[str] | None) -> dict[str, int]:
    """purpose → how many are due and not yet gone."""
    return _totals(tx, purposes, _S.ends_at <= now)


def later(tx: Connection, since: datetime, purposes: Collection[str] | None) -> dict[str, int]:
    """purpose → how many fall due from then on."""
    return _totals(tx, purposes, _S.ends_at >= since)


def _totals(tx: Connection, purposes: Collection[str] | None, when: ColumnElement[bool]) -> dict[str, int]:
    query = select(_S.name, total()).where(THERE, when, *_of(purposes, _S.name)).group_by(_S.name)
    return {row[0]: row[1] for row in tx.execute(query.having(func.sum(_S.number) > 0))}
