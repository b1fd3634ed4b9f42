"""What *Operations* reads: what waits for an operator, by indices on what is open. Read-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, func, literal, select, text

from consigne.adapters.catalog.tables import deliveries
from consigne.adapters.catalog.tables_people import messages
from consigne.adapters.catalog.tables_stock import unclaimed

_D, _M, _U = deliveries.c, messages.c, unclaimed.c
_QUARANTINED = _D.state == "quarantined"
PATIENCE_MS = 5_000


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A delivery that lies at its source; `source_id` is what the source calls it."""

    id: UUID
    source_id: str
    code: str | None
    detail: str | None
    findings: Sequence[str]
    deadline: datetime | None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """`count` deliveries in a state (or `unclaimed`) for too long; the oldest came at `oldest`."""

    state: str
    count: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Unsent:
    """`count` letters by the code of the last try's trouble."""

    trouble: str
    given_up: bool
    count: int


def be_quick(tx: Connection) -> None:
    """What this transaction then reads is Unavailable where it takes longer than PATIENCE_MS."""
    tx.execute(text(f"SET LOCAL statement_timeout = {PATIENCE_MS}"))


def quarantined(tx: Connection, limit: int) -> list[Quarantined]:
    """Those whose deadline is nearest."""
    columns = (_D.id, _D.source_id, _D.code, _D.detail, _D.findings, _D.deadline)
    query = select(*columns).where(_QUARANTINED).order_by(_D.deadline, _D.id).limit(limit)
    return [Quarantined(*row) for row in tx.execute(query)]


def quarantined_by_code(tx: Connection) -> list[tuple[str, int]]:
    """Most of them first."""
    number = func.count()
    query = select(_D.code, number).where(_QUARANTINED).group_by(_D.code).order_by(number.desc(), _D.code)
    return [(code or "", int(count)) for code, count in tx.execute(query)]


def quarantined_with(tx: Connection, code: str, limit: int) -> list[UUID]:
    """Those of a code, nearest deadline first."""
    query = select(_D.id).where(_QUARANTINED, _D.code == code).order_by(_D.deadline, _D.id).limit(limit)
    return list(tx.execute(query).scalars())


def unfinished(tx: Connection, before: datetime) -> list[Unfinished]:
    """Neither cleared nor quarantined though they came before an instant, oldest first; before them what no run
    has claimed yet."""
    open_states = _D.state.not_in(("cleared", "quarantined"))
    query = select(_D.state, func.count(), func.min(_D.received_at).label("oldest"))
    rows = tx.execute(query.where(open_states, _D.received_at < before).group_by(_D.state).order_by("oldest"))
    left = select(literal("unclaimed"), func.sum(_U.number), func.min(_U.oldest_at)).where(
        _U.oldest_at < before
    )
    return [Unfinished(*row) for row in [*tx.execute(left.having(func.sum(_U.number) > 0)), *rows]]


def unsent(tx: Connection, given_up_after: timedelta) -> list[Unsent]:
    """Letters that were tried in vain, those given up first."""
    given_up = _M.next_try_at >= _M.made_at + given_up_after
    tried = _M.sent_at.is_(None) & (_M.tries > 0)
    query = select(func.coalesce(_M.trouble, ""), given_up.label("given_up"), func.count()).where(tried)
    rows = tx.execute(query.group_by(_M.trouble, "given_up").order_by(given_up.desc(), _M.trouble))
    return [Unsent(*row) for row in rows]
