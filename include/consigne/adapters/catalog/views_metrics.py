"""What `/consigne/metrics` reads: figures, each by an index or from the stock, so that a scrape does not grow with the
catalog. Read-only. No figure names a person, a call or an object: only purposes, sources, states, kinds and codes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select, text

from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.epochs import LATE, is_late
from consigne.adapters.catalog.erasure import may_wait
from consigne.adapters.catalog.holds import is_open
from consigne.adapters.catalog.register import read_sealing
from consigne.adapters.catalog.stock import deliveries_by_state, kept_by_state
from consigne.adapters.catalog.tables_decided import holds, policy_drafts
from consigne.adapters.catalog.tables_gone import findings, restorations, volumes
from consigne.adapters.catalog.tables_people import messages
from consigne.adapters.catalog.tables_stock import unclaimed
from consigne.rules.clock import parse_instant
from consigne.rules.findings import FindingAct, FindingKind
from consigne.rules.reasons import SENTENCES
from consigne.rules.values import ArtifactState, DeliveryState

Figure = tuple[str, tuple[str, ...], float]
"""A metric's name without `consigne_`, its labels' values, its value."""

COUNTED: Final = 10_000
"""Where a count of rows stops: so many or more."""
PATIENCE_MS: Final = 3_000
"""What takes longer is unreadable for this time."""
REVIEW_AHEAD: Final = timedelta(days=30)
DAYS: Final = ("0", "1", "2", "3", "more")
OTHER: Final = "other"
U: Final = unclaimed.c
OPEN_STATES: Final = tuple(str(state) for state in DeliveryState if state is not DeliveryState.CLEARED)


@dataclass(frozen=True, slots=True)
class Asked:
    """By what figures are read: the catalog's clock, the purposes of the policy in force, whether there is an outside
    witness, and after how long a message is given up."""

    now: datetime
    purposes: tuple[str, ...]
    has_witness: bool
    told_for: timedelta


def of_deliveries(tx: Connection, asked: Asked) -> Iterator[Figure]:
    """What is not cleared, by state; what lies unclaimed, and what ever came, by source."""
    d = t.deliveries.c
    query = (
        select(d.state, func.count(), func.min(d.received_at)).where(d.state != "cleared").group_by(d.state)
    )
    found = {row[0]: (row[1], row[2]) for row in tx.execute(query)}
    for state in OPEN_STATES:
        count, oldest = found.get(state, (0, None))
        yield "deliveries", (state,), count
        yield "delivery_oldest_age_seconds", (state,), _since(oldest, asked.now)
    for source, number, oldest in tx.execute(select(U.source, U.number, U.oldest_at)):
        yield "unclaimed", (source,), number
        yield "unclaimed_oldest_age_seconds", (source,), _since(oldest, asked.now)
    received: dict[str, int] = {}
    for row in deliveries_by_state(tx):
        received[row.source] = received.get(row.source, 0) + row.number
    for source, count in received.items():
        yield "received", (source,), count


def of_quarantine(tx: Connection, asked: Asked) -> Iterator[Figure]:
    """What lies at its source unjudged, by code, and how long until the first of it is cleared."""
    d = t.deliveries.c
    waits = d.state == "quarantined"
    counted: dict[str, int] = {}
    for code, count in tx.execute(select(d.code, func.count()).where(waits).group_by(d.code)):
        known = code if code in SENTENCES else OTHER
        counted[known] = counted.get(known, 0) + count
    for code, count in counted.items():
        yield "quarantined", (code,), count
    nearest = tx.execute(select(func.min(d.deadline)).where(waits)).scalar()
    if nearest is not None:
        yield "quarantine_next_deadline_seconds", (), (nearest - asked.now).total_seconds()


def of_artifacts(tx: Connection, asked: Asked) -> Iterator[Figure]:
    """The stock by purpose and state; and what was ever stored and erased."""
    numbers = {(row.purpose, row.state): (row.number, row.bytes) for row in kept_by_state(tx)}
    for purpose in sorted({*asked.purposes, *(purpose for purpose, _ in numbers)}):
        of = {str(state): numbers.get((purpose, str(state)), (0, 0)) for state in ArtifactState}
        for state, (number, _) in of.items():
            yield "artifacts", (purpose, state), number
        # `storing` may still come to nothing, and a counter never goes back.
        stored = [of[state] for state in ("kept", "erasing", "erased")]
        yield "stored", (purpose,), sum(number for number, _ in stored)
        yield "stored_bytes", (purpose,), sum(bytes for _, bytes in stored)
        yield "erased", (purpose,), of["erased"][0]


def of_overdue(tx: Connection, asked: Asked) -> Iterator[Figure]:
    """What is past its end and may not wait, as `report_expiry` counts it; and what hangs on its way out."""
    a = t.artifacts.c
    late = and_(a.state != "erased", a.due_at <= asked.now, ~may_wait(asked.now))
    oldest_first = select(a.purpose, a.due_at).where(late).order_by(a.due_at).limit(COUNTED).subquery()
    c = oldest_first.c
    rows = tx.execute(select(c.purpose, func.count(), func.min(c.due_at)).group_by(c.purpose)).all()
    counts = dict.fromkeys(asked.purposes, 0) | {row[0]: row[1] for row in rows}
    for purpose, count in counts.items():
        yield "overdue_artifacts", (purpose,), count
    yield "overdue_oldest_age_seconds", (), _since(min((row[2] for row in rows), default=None), asked.now)
    joined = t.artifacts.join(t.tombstones, t.tombstones.c.artifact == a.id)
    began = select(func.min(t.tombstones.c.erasing_at)).select_from(joined).where(a.state == "erasing")
    yield "erasing_oldest_age_seconds", (), _since(tx.execute(began).scalar(), asked.now)


def of_decisions(tx: Connection, asked: Asked) -> Iterator[Figure]:
    """What waits for a person's word, by whole days until silence decides."""
    waiting: dict[str, tuple[ColumnElement[Any], ColumnElement[bool]]] = {
        "exception": (t.requests.c.lapses_at, t.requests.c.state == "pending"),
        "policy": (policy_drafts.c.lapses_at, policy_drafts.c.state == "pending"),
        "volume": (volumes.c.lapses_at, volumes.c.state == "pending"),
        "hold_review": (
            holds.c.review_at,
            is_open(asked.now) & (holds.c.review_at <= asked.now + REVIEW_AHEAD),
        ),
    }
    for kind, (ends_at, waits) in waiting.items():
        counts = dict.fromkeys(DAYS, 0)
        for ends in tx.execute(select(ends_at).where(waits, ends_at > asked.now).limit(COUNTED)).scalars():
            counts[DAYS[min((ends - asked.now).days, len(DAYS) - 1)]] += 1
        for days, count in counts.items():
            yield "pending_decisions", (kind, days), count
    answers = (findings.c.state == "open") & (findings.c.act != str(FindingAct.SWEEP))
    yield "pending_decisions", ("finding", DAYS[-1]), _count(tx, select(findings.c.id).where(answers))


def of_register(tx: Connection, asked: Asked) -> Iterator[Figure]:
    """How far sealing, publishing and telling the witness lie behind."""
    r = t.register.c
    unsealed = r.leaf_index.is_(None)
    yield "register_unsealed_entries", (), _count(tx, select(r.id).where(unsealed))
    yield "register_unsealed_age_seconds", (), _since(unsealed_since(tx), asked.now)
    sealing = read_sealing(tx)
    yield "register_unpublished_age_seconds", (), _since(sealing.waiting_since, asked.now)
    if asked.has_witness:
        yield "register_unwitnessed_age_seconds", (), _since(sealing.untold_since, asked.now)
    newest = select(r.payload).where(r.payload.is_not(None)).order_by(r.id.desc()).limit(1)
    made_at = _made_at(tx, newest)
    ahead = (made_at - asked.now).total_seconds() if made_at else 0.0
    yield "register_ahead_seconds", (), max(0.0, ahead)


def of_epochs(tx: Connection, asked: Asked) -> Iterator[Figure]:
    """Epochs whose key should be destroyed by now."""
    e = t.epochs.c
    over_at = func.least(e.due_at, func.coalesce(e.turning_at + LATE, e.due_at))
    late = select(over_at.label("over_at")).where(is_late(asked.now)).limit(COUNTED).subquery()
    count, oldest = tx.execute(select(func.count(), func.min(late.c.over_at))).one()
    yield "epochs_not_closed", (), count
    yield "epochs_not_closed_oldest_age_seconds", (), _since(oldest, asked.now)


def of_certificates(tx: Connection, asked: Asked) -> Iterator[Figure]:
    """What is signed and not yet in the evidence bucket."""
    c = t.certificates.c
    yield "certificates_unpublished", (), _count(tx, select(c.id).where(c.published_at.is_(None)))


def of_findings(tx: Connection, asked: Asked) -> Iterator[Figure]:
    """What reconciliation found and leaves to a person."""
    f = findings.c
    waits = (f.state == "open") & (f.act != str(FindingAct.SWEEP))
    rows = tx.execute(select(f.kind, func.count()).where(waits).group_by(f.kind))
    counts = dict.fromkeys(map(str, FindingKind), 0) | {row[0]: row[1] for row in rows}
    for kind, count in counts.items():
        yield "findings_open", (kind,), count


def of_restorations(tx: Connection, asked: Asked) -> Iterator[Figure]:
    """Whether a backup that came back keeps all shut."""
    query = select(restorations.c.id).where(restorations.c.ended_at.is_(None))
    yield "restored_unreplayed", (), _count(tx, query.limit(1))


def of_messages(tx: Connection, asked: Asked) -> Iterator[Figure]:
    """Mail that waits for its next try, and mail given up."""
    m = messages.c
    alive = m.next_try_at < m.made_at + asked.told_for
    query = select(func.count().filter(alive), func.count().filter(~alive)).where(m.sent_at.is_(None))
    waiting, given_up = tx.execute(query).one()
    yield "messages_waiting", (), waiting
    yield "messages_given_up", (), given_up


def of_clock(tx: Connection, asked: Asked) -> Iterator[Figure]:
    """The catalog's clock, unless a test shifts it."""
    if not tx.execute(select(t.clock.c.test)).scalar():
        yield "clock_seconds", (), asked.now.timestamp()


VIEWS: Final[Mapping[str, Callable[[Connection, Asked], Iterable[Figure]]]] = {
    "deliveries": of_deliveries,
    "quarantine": of_quarantine,
    "artifacts": of_artifacts,
    "overdue": of_overdue,
    "decisions": of_decisions,
    "register": of_register,
    "epochs": of_epochs,
    "certificates": of_certificates,
    "findings": of_findings,
    "restorations": of_restorations,
    "messages": of_messages,
    "clock": of_clock,
}


def read(tx: Connection, view: str, asked: Asked) -> list[Figure]:
    """One view's figures. Unavailable where it takes longer than PATIENCE_MS, or the catalog is away."""
    tx.execute(text(f"SET LOCAL statement_timeout = {PATIENCE_MS}"))
    return list(VIEWS[view](tx, asked))


def unsealed_since(tx: Connection) -> datetime | None:
    """When the oldest entry was made that has no number yet; None where all have theirs."""
    r = t.register.c
    return _made_at(tx, select(r.payload).where(r.leaf_index.is_(None)).order_by(r.id).limit(1))


def _count(tx: Connection, query: Select[Any]) -> int:
    """As far as COUNTED."""
    few = query.limit(COUNTED).subquery()
    return int(tx.execute(select(func.count()).select_from(few)).scalar_one())


def _made_at(tx: Connection, query: Select[Any]) -> datetime | None:
    payload = tx.execute(query).scalar_one_or_none()
    return parse_instant(json.loads(payload)["at"]) if payload else None


def _since(instant: datetime | None, now: datetime) -> float:
    """Seconds; 0 where there is none."""
    return 0.0 if instant is None else max(0.0, (now - instant).total_seconds())
