"""What *Recordings* and one recording's page read; instants are aware datetimes.

A search gives a page of recordings by their calls' start, newest first, and never counts the rest: each filter has
an index, or stops at the first page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog import tables_decided as d
from consigne.adapters.catalog.holds import IS_HUSHED, fits, is_open
from consigne.adapters.catalog.views import _grouped, _rows

Document = dict[str, Any]
PAGE = 50
CALLERS_FOUND = 500
"""Of one caller, at most."""

_A, _R = t.artifacts.c, t.recordings.c
_FLAGS = "id", "recording", "purpose", "part", "state", "restricted", "extension", "hold"
_INSTANTS = "clock_start", "due_at", "cap_at", "unheld_due_at", "stored_at", "erased_at"
_SHOWN = *(_A[name] for name in (*_FLAGS, *_INSTANTS)), IS_HUSHED.label("hushed")
_GRANTED = ("extend", "extend_and_restrict")
FIRST_DUE: ColumnElement[datetime | None] = func.coalesce(
    select(func.min(t.request_items.c.due_at))
    .join(t.decisions, t.decisions.c.request == t.request_items.c.request)
    .where(
        t.request_items.c.artifact == _A.id,
        t.decisions.c.applied_at.is_not(None),
        t.decisions.c.answer.in_(_GRANTED),
        _A.extension.is_not(None),
    )
    .correlate(t.artifacts)
    .scalar_subquery(),
    _A.unheld_due_at,
)
"""When an artifact would have gone before any extension or hold; null where there is neither."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: calls that began in [since, until), of artifacts that fall due in [due_since, due_until);
    `purposes` None is every purpose; `before` is the last recording of the page before."""

    purposes: Collection[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    queue: str | None = None
    agent: str | None = None
    state: str | None = None
    due_since: datetime | None = None
    due_until: datetime | None = None
    callers: Sequence[bytes] | None = None
    before: UUID | None = None


STATES = ("kept", "restricted", "extended", "held", "past_due", "erased")
"""What `Search.state` may be."""
_RARE = ("restricted", "extended", "held", "past_due")


def _in_state(state: str, now: datetime) -> ColumnElement[bool]:
    there = _A.state != "erased"
    conditions: Mapping[str, ColumnElement[bool]] = {
        "kept": and_(_A.state == "kept", _A.due_at > now),
        "restricted": and_(there, or_(_A.restricted, and_(_A.hold.is_not(None), IS_HUSHED))),
        "extended": and_(there, _A.extension.is_not(None)),
        "held": and_(there, _A.hold.is_not(None)),
        "past_due": t.live_due <= now,
        "erased": _A.state == "erased",
    }
    return conditions[state]


def search(tx: Connection, asked: Search, now: datetime, most: int = PAGE) -> tuple[list[Document], bool]:
    """A page of recordings with their artifacts (only those of the purposes asked for), and whether more follow."""
    query = select(t.recordings).where(*_of_recording(asked)).order_by(_R.started_at.desc(), _R.id.desc())
    if (
        asked.state == "erased"
    ):  # begin where they begin, below months of what is kept; a start may lie a clock's skew later
        newest = select(func.max(_A.clock_start)).where(_A.state == "erased").scalar_subquery()
        query = query.where(_R.started_at <= newest + timedelta(hours=1))
    wanted = _of_artifacts(asked, now)
    if asked.state in _RARE or (asked.due_since and asked.due_until):
        # Few, and an index has them; the planner, who takes these for many, would go through all calls by their time.
        few = select(_A.recording).where(*wanted).distinct().cte("few").prefix_with("MATERIALIZED")
        rows = select(t.recordings).join(few, few.c.recording == _R.id).where(*_of_recording(asked))
        found_first = rows.offset(0).subquery()
        query = select(found_first).order_by(found_first.c.started_at.desc(), found_first.c.id.desc())
    elif wanted:
        query = query.where(exists().where(_A.recording == _R.id, *wanted))
    found = [dict(row) for row in _rows(tx, query.limit(most + 1))]
    return _with_artifacts(tx, found[:most], asked.purposes), len(found) > most


def _of_recording(asked: Search) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if asked.since:
        where.append(_R.started_at >= asked.since)
    if asked.until:
        where.append(_R.started_at < asked.until)
    if asked.queue:
        where.append(_R.queue == asked.queue)
    if asked.agent:
        where.append(_R.agent == asked.agent)
    if asked.callers is not None:
        where.append(_R.caller_index.in_(asked.callers))
    if asked.before:
        last = select(_R.started_at).where(_R.id == asked.before).scalar_subquery()
        where.append(tuple_(_R.started_at, _R.id) < tuple_(last, literal(asked.before)))
    return where


def _of_artifacts(asked: Search, now: datetime) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if asked.purposes is not None:
        where.append(_A.purpose.in_(asked.purposes))
    if asked.state:
        where.append(_in_state(asked.state, now))
    if asked.due_since or asked.due_until:
        where.append(_A.state != "erased")
    if asked.due_since:
        where.append(_A.due_at >= asked.due_since)
    if asked.due_until:
        where.append(_A.due_at < asked.due_until)
    return where


def _with_artifacts(
    tx: Connection, found: list[Document], purposes: Collection[str] | None, *more: ColumnElement[Any]
) -> list[Document]:
    query = select(*_SHOWN, *more).where(_A.recording.in_([one["id"] for one in found]))
    if purposes is not None:
        query = query.where(_A.purpose.in_(purposes))
    artifacts = _grouped(_rows(tx, query.order_by(_A.purpose, _A.part)), "recording")
    return [one | {"artifacts": artifacts.get(one["id"], [])} for one in found]


def queues(tx: Connection) -> list[str]:
    """Every queue that a recording came from, found by skipping through the index."""
    found: list[str] = []
    query = select(_R.queue).order_by(_R.queue).limit(1)
    while (queue := tx.execute(query.where(_R.queue > (found[-1] if found else ""))).scalar()) is not None:
        found.append(queue)
    return found


def recording(tx: Connection, id: UUID, purposes: Collection[str] | None) -> Document | None:
    """One recording with its artifacts of these purposes (None: of all), each with its part's masks, epoch, bytes
    and certificate; `policy_version` is what it was admitted under. None where there is none to see."""
    query = select(t.recordings, t.policies.c.version.label("policy_version")).join_from(
        t.recordings, t.policies, t.policies.c.digest == _R.policy
    )
    found = [dict(row) for row in _rows(tx, query.where(_R.id == id))]
    more = (_A.masked, _A.epoch, _A.bytes, FIRST_DUE.label("first_due_at"))
    told = next(iter(_with_artifacts(tx, found, purposes, *more)), None)
    if told is None or not told["artifacts"]:
        return None
    ids = [one["id"] for one in told["artifacts"]]
    certified = select(t.certificates.c.artifact, t.certificates.c.id, t.certificates.c.issued_at)
    told["certificates"] = {
        row["artifact"]: row for row in _rows(tx, certified.where(t.certificates.c.artifact.in_(ids)))
    }
    destroyed = select(t.epochs.c.name, t.epochs.c.destroyed_at)
    epochs = [one["epoch"] for one in told["artifacts"]]
    told["epochs"] = {
        row["name"]: row["destroyed_at"] for row in _rows(tx, destroyed.where(t.epochs.c.name.in_(epochs)))
    }
    told["requests"] = _requests_on(tx, ids)
    told["holds"] = _rows(tx, _holds_on(id, ids))
    told["deliveries"] = _rows(
        tx, select(t.deliveries.c.id).where(t.deliveries.c.identity_digest == told["identity_digest"])
    )
    return told


def _requests_on(tx: Connection, artifacts: Sequence[UUID]) -> Sequence[RowMapping]:
    touched = select(t.request_items.c.request).where(t.request_items.c.artifact.in_(artifacts))
    r, made = t.requests.c, t.decisions.c
    query = (
        select(r.id, r.requester, r.ground, r.state, r.until, r.filed_at, r.lapses_at)
        .add_columns(made.answer, made.decided_by, made.decided_at, made.until.label("decided_until"))
        .outerjoin_from(t.requests, t.decisions, made.request == r.id)
        .where(r.id.in_(touched))
        .order_by(r.filed_at.desc())
    )
    return _rows(tx, query)


def _holds_on(recording: UUID, artifacts: Sequence[UUID]) -> Select[Any]:
    # What one hold has caught, another may be over as well.
    h, now = d.holds.c, select(func.consigne_now()).scalar_subquery()
    over = and_(is_open(now), exists().where(_R.id == recording, fits()))
    caught = select(d.held.c.hold).where(d.held.c.artifact.in_(artifacts))
    return (
        select(h.id, h.mandate, h.authority, h.state, h.restrict, h.review_at, h.placed_at, h.ended_at)
        .where(or_(h.id.in_(caught), over))
        .order_by(h.placed_at.desc())
    )
