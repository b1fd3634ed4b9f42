"""What the page *Draws* and `consigne draws` read: months, draws, and how much was kept of what could be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    Connection,
    Integer,
    Select,
    Text,
    cast,
    exists,
    func,
    literal,
    select,
    true,
)

from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.tables_people import draw_months, draws
from consigne.rules.draw import Draw, DrawMonth, month_id
from consigne.rules.moderation import Share

COMMITTED, REVEALED = "draw:month:committed", "draw:month:revealed"
_judged = t.deliveries.alias("judged")
_kept = t.deliveries.alias("kept")
# Of the delivery that became the recording: a twin of it was refused.
_IS_KEPT = exists(
    select(t.verdicts.c.delivery)
    .join_from(_judged, _kept, _kept.c.identity_digest == _judged.c.identity_digest)
    .join(t.verdicts, t.verdicts.c.delivery == _kept.c.id)
    .where(
        _judged.c.id == draws.c.delivery,
        _kept.c.recording.is_not(None),
        t.verdicts.c.purpose == draws.c.purpose,
        t.verdicts.c.verdict == "admitted",
    )
    .correlate(draws)
)


def months(tx: Connection) -> list[DrawMonth]:
    """Every month, the newest first."""
    rows = tx.execute(select(draw_months).order_by(draw_months.c.month.desc())).mappings()
    return [DrawMonth(**row) for row in rows]


def entries(tx: Connection, named: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Month → the register's entries about it, oldest first: each one's payload, `number` (its place in the
    register, None until it is sealed) and `leaf` (hex)."""
    r, ids = t.register.c, [str(month_id(month)) for month in named]
    query = select(r.payload, r.leaf_index, r.leaf).where(r.subjects.op("&&")(literal(ids, ARRAY(Text))))
    found: dict[str, list[dict[str, Any]]] = {month: [] for month in named}
    for row in tx.execute(query.where(r.payload.is_not(None)).order_by(r.id)):
        entry = json.loads(row.payload)
        if entry["kind"] in (COMMITTED, REVEALED):
            found[entry["month"]].append(entry | {"number": row.leaf_index, "leaf": row.leaf.hex()})
    return found


def registered(tx: Connection, named: Sequence[str]) -> dict[str, bytes]:
    """Month → the digest that the register committed it to, first."""
    committed: dict[str, bytes] = {}
    for month, about in entries(tx, named).items():
        for entry in about:
            if entry["kind"] == COMMITTED:
                committed.setdefault(month, bytes.fromhex(entry["commitment"]))
    return committed


def every_draw(tx: Connection, month: str | None) -> list[tuple[Draw, bool]]:
    """The draws of a month, or all, as they were made, each with whether its call was kept for its purpose."""
    query = select(draws, _IS_KEPT.label("is_kept")).where(
        true() if month is None else draws.c.month == month
    )
    rows = tx.execute(query.order_by(draws.c.drawn_at, draws.c.call, draws.c.purpose)).mappings()
    return [(_draw({**row}), bool(row["is_kept"])) for row in rows]


def _draw(row: dict[str, Any]) -> Draw:
    del row["is_kept"]
    return Draw(**{**row, "rate": Decimal(row["rate"])})


def shares(tx: Connection, since: str, until: str) -> list[tuple[tuple[str, str, str], Share]]:
    """(purpose, queue, agent) and its share, of the draws under the months from one to another; an agent that
    nobody named is empty."""
    agent = func.coalesce(draws.c.agent, "").label("agent")
    groups = (draws.c.purpose, draws.c.queue, agent, draws.c.rate)
    query = _of_months(
        select(
            *groups,
            func.count().label("calls"),
            func.sum(cast(draws.c.drawn, Integer)).label("drawn"),
            func.sum(cast(cast(_IS_KEPT, Boolean), Integer)).label("kept"),
        ),
        since,
        until,
    ).group_by(*groups)
    return [
        ((row.purpose, row.queue, row.agent), Share(Decimal(row.rate), row.calls, row.drawn, row.kept))
        for row in tx.execute(query.order_by(*groups))
    ]


def recorders(tx: Connection, since: str, until: str) -> list[dict[str, Any]]:
    """By source: `calls` that it delivered and that were judged by a draw; `undrawn`, those of them that no draw
    chose for any purpose, and so were recorded for nothing; `against`, those of these that it had asked about."""
    of_call = _of_months(
        select(
            draws.c.source,
            draws.c.call,
            func.bool_or(draws.c.drawn).label("drawn"),
            func.bool_or(draws.c.at_set_up).label("asked"),
        ).where(draws.c.delivery.is_not(None)),
        since,
        until,
    )
    calls = of_call.group_by(draws.c.source, draws.c.call).subquery()
    undrawn = func.count().filter(~calls.c.drawn)
    query = select(
        calls.c.source,
        func.count().label("calls"),
        undrawn.label("undrawn"),
        func.count().filter(~calls.c.drawn & calls.c.asked).label("against"),
    ).group_by(calls.c.source)
    return [dict(row) for row in tx.execute(query.order_by(undrawn.desc())).mappings()]


def _of_months(query: Select[Any], since: str, until: str) -> Select[Any]:
    return query.where(draws.c.month >= since, draws.c.month <= until)
