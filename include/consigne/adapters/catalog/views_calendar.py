"""What the *Retention calendar* reads: how many artifacts fall due when, counted by the database."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Date, Integer, Select, case, cast, func, literal, select

from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.views_recordings import FIRST_DUE

_A = t.artifacts.c
_HOW = case((_A.hold.is_not(None), "held"), (_A.extension.is_not(None), "extended"), else_="plain")
_MOVED = _A.hold.is_not(None) | _A.extension.is_not(None)
_THERE = _A.state != "erased"


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
    here = _of(purposes)
    going = _counted(unit, zone, _A.due_at, _HOW, _THERE, _A.due_at >= since, _A.due_at < until, *here)
    would_have = select(_A.purpose, FIRST_DUE.label("due_at")).where(_THERE, _MOVED, *here).subquery().c
    passed = would_have.due_at >= since, would_have.due_at < until
    moved = _counted(unit, zone, would_have.due_at, literal("moved"), *passed, purpose=would_have.purpose)
    return [Falling(*row) for query in (going, moved) for row in tx.execute(query)]


def _counted(
    unit: str, zone: str, due_at: ColumnElement[Any], how: ColumnElement[str], *where: ColumnElement[bool],
    purpose: ColumnElement[str] = _A.purpose,
) -> Select[Any]:  # fmt: skip
    """By instant first, of which there are few: finding an instant's week costs more than counting."""
    each = select(purpose, due_at.label("due_at"), how.label("how"), func.count().label("number"))
    by = each.where(*where).group_by(purpose, due_at, "how").subquery().c
    begins = cast(func.date_trunc(unit, func.timezone(zone, by.due_at)), Date).label("begins")
    count = cast(func.sum(by.number), Integer)
    return select(by.purpose, begins, by.how, count).group_by(by.purpose, begins, by.how)


def _of(purposes: Collection[str] | None) -> list[ColumnElement[bool]]:
    return [] if purposes is None else [_A.purpose.in_(purposes)]


def overdue(tx: Connection, now: datetime, purposes: Collection[str] | None) -> dict[str, int]:
    """purpose → how many are due and not yet gone."""
    return _totals(tx, purposes, _A.due_at <= now)


def later(tx: Connection, since: datetime, purposes: Collection[str] | None) -> dict[str, int]:
    """purpose → how many fall due from then on."""
    return _totals(tx, purposes, _A.due_at >= since)


def _totals(tx: Connection, purposes: Collection[str] | None, when: ColumnElement[bool]) -> dict[str, int]:
    query = select(_A.purpose, func.count()).where(_THERE, when, *_of(purposes)).group_by(_A.purpose)
    return {row[0]: row[1] for row in tx.execute(query)}
