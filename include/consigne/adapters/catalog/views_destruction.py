"""What *Destruction* reads: what is due, on its way, done, and left behind; counted by the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, literal, or_, select

from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.holds import is_held_back
from consigne.adapters.catalog.tables_gone import volume_items, volumes
from consigne.adapters.catalog.volumes import is_set_aside

_A, _T = t.artifacts.c, t.tombstones.c
_LIVE = _A.state.in_(("storing", "kept"))
STEPS = ("tombstone", "key", "objects", "absence", "certificate")
"""The step that an artifact waits for while it is `erasing`, in their order."""
_STEP = case(
    (_T.published_at.is_(None), "tombstone"),
    (_T.key_deleted_at.is_(None), "key"),
    (_T.versions_deleted.is_(None), "objects"),
    (_T.absent_at.is_(None), "absence"),
    else_="certificate",
)
EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class OnItsWay:
    """`count` artifacts that wait for a step; of the first of them the erasing began at `since`."""

    step: str
    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """`count` artifacts past their end that wait for `why`: `request`, `decision`, `hold`, `volume`, or `nothing`:
    the next run takes them."""

    why: str
    count: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class OpenEpoch:
    """An epoch past its day: `count` artifacts are still under it, some of them named."""

    name: str
    state: str
    due_at: datetime
    count: int
    examples: list[UUID]


@dataclass(frozen=True, slots=True)
class Run:
    """A manifest and what became of it; `cryptographic` of the certificates are so by now."""

    frozen_at: datetime
    dry_run: bool
    authorised: bool
    count: int
    certified: int
    cryptographic: int


def on_their_way(tx: Connection) -> list[OnItsWay]:
    """What is `erasing`, by the step that it waits for."""
    joined = t.artifacts.join(t.tombstones, _T.artifact == _A.id)
    query = select(_STEP.label("step"), func.count(), func.min(_T.erasing_at)).select_from(joined)
    found = {
        row[0]: OnItsWay(*row) for row in tx.execute(query.where(_A.state == "erasing").group_by("step"))
    }
    return [found[step] for step in STEPS if step in found]


def waiting(tx: Connection, now: datetime) -> list[Waiting]:
    """What is past its end and not begun, by what it waits for."""
    why = case(
        (is_held_back(now), "hold"),
        (is_set_aside(now), "volume"),
        (_asked(now, granted=True), "decision"),
        (_asked(now, granted=False), "request"),
        else_="nothing",
    )
    query = select(why.label("why"), func.count(), func.min(_A.due_at)).where(
        t.live_due <= now, _A.state != "erasing"
    )
    return [Waiting(*row) for row in tx.execute(query.group_by("why").order_by(func.min(_A.due_at)))]


def _asked(now: datetime, granted: bool) -> ColumnElement[bool]:
    requests, decisions = t.requests.c, t.decisions.c
    joined = t.request_items.join(t.requests, requests.id == t.request_items.c.request).outerjoin(
        t.decisions, decisions.request == requests.id
    )
    unapplied = and_(decisions.applied_at.is_(None), decisions.until > now)
    pending = and_(requests.state == "pending", requests.filed_at < _A.due_at, requests.lapses_at > now)
    query = select(literal(1)).select_from(joined).where(t.request_items.c.artifact == _A.id)
    return exists(query.where(unapplied if granted else pending))


def open_epochs(tx: Connection, due_before: datetime, limit: int) -> list[OpenEpoch]:
    """Epochs past their day that are not destroyed, oldest first, with what keeps them open."""
    epochs = t.epochs.c
    query = select(epochs.name, epochs.state, epochs.due_at).where(
        or_(epochs.due_at <= due_before, epochs.state == "closing"), epochs.state != "destroyed"
    )
    found = []
    for row in tx.execute(query.order_by(epochs.due_at, epochs.name).limit(limit)).all():
        mine = and_(_A.epoch == row.name, _A.state != "erased")
        count = tx.execute(select(func.count()).where(mine)).scalar_one()
        examples = tx.execute(select(_A.id).where(mine).order_by(_A.due_at).limit(EXAMPLES)).scalars()
        found.append(OpenEpoch(row.name, row.state, row.due_at, count, list(examples)))
    return found


def unpublished(tx: Connection) -> int:
    """Certificates that the evidence bucket does not hold yet."""
    query = select(func.count()).where(t.certificates.c.published_at.is_(None))
    return int(tx.execute(query).scalar_one())


def volumes_open(tx: Connection, now: datetime) -> list[dict[str, Any]]:
    """id, state, lapses_at, until and count of the volumes that keep something back now."""
    v = volumes.c
    keeps = or_(and_(v.state == "pending", v.lapses_at > now), and_(v.answer == "hold", v.until > now))
    items = select(func.count()).where(volume_items.c.volume == v.id).scalar_subquery()
    query = select(v.id, v.state, v.lapses_at, v.until, items.label("count")).where(keeps)
    return [dict(row) for row in tx.execute(query.order_by(v.lapses_at)).mappings()]


def runs(tx: Connection, limit: int) -> list[Run]:
    """The last manifests, newest first."""
    chunks = t.manifest_chunks.c
    last = select(t.manifests).order_by(t.manifests.c.frozen_at.desc()).limit(limit).subquery()
    named = (
        select(chunks.manifest, func.unnest(chunks.artifacts).label("artifact"))
        .where(chunks.manifest.in_(select(last.c.id)))
        .subquery()
    )
    # An artifact that took two runs is counted for the run that certified it.
    certified = t.certificates.c.issued_at >= last.c.frozen_at
    joined = (
        last.outerjoin(named, named.c.manifest == last.c.id)
        .outerjoin(
            t.certificates, and_(t.certificates.c.artifact == named.c.artifact, certified, ~last.c.dry_run)
        )
        .outerjoin(t.epochs, t.epochs.c.name == t.certificates.c.epoch)
        .outerjoin(t.authorisations, t.authorisations.c.manifest == last.c.id)
    )
    query = (
        select(
            last.c.frozen_at,
            last.c.dry_run,
            func.bool_or(t.authorisations.c.manifest.is_not(None)),
            func.count(named.c.artifact),
            func.count(t.certificates.c.id),
            func.count(t.certificates.c.id).filter(t.epochs.c.state == "destroyed"),
        )
        .select_from(joined)
        .group_by(last.c.id, last.c.frozen_at, last.c.dry_run)
    )
    return [Run(*row) for row in tx.execute(query.order_by(last.c.frozen_at.desc()))]
