"""Forecasts, and volumes set aside for a person's word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    any_,
    distinct,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.dialects.postgresql import insert as upsert

from consigne.adapters.catalog.holds import fence_erasing
from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.stock import THERE, total
from consigne.adapters.catalog.tables import (
    artifacts,
    authorisations,
    manifest_chunks,
    policies,
    tombstones,
)
from consigne.adapters.catalog.tables_gone import forecasts, volume_items, volumes
from consigne.adapters.catalog.tables_stock import stock
from consigne.rules.forecast import DueArtifact, Expected, Forecast
from consigne.rules.volume import Volume, VolumeAnswer, VolumeState

_VOLUME = [volumes.c[name] for name in Volume.__dataclass_fields__]
_NOW = func.consigne_now()
_LIVE = artifacts.c.state != "erased"
_SET_ASIDE = exists().where(volume_items.c.artifact == artifacts.c.id)
_SETTLED = or_(artifacts.c.state.not_in(("storing", "kept")), _SET_ASIDE)
_DUE = (artifacts.c.id, artifacts.c.purpose, artifacts.c.due_at, artifacts.c.ended_for, _SETTLED)


def is_set_aside(now: datetime) -> ColumnElement[bool]:
    """The artifact of the row is in a volume that waits for an answer, or that the answer holds; never past its cap
    by an answer, and not where a recorded act ended it. Instants alone end it: nobody need be at work."""
    waits = and_(volumes.c.state == "pending", volumes.c.lapses_at > now)
    held = and_(volumes.c.answer == "hold", volumes.c.until > now, artifacts.c.cap_at > now)
    joined = volume_items.join(volumes, volumes.c.id == volume_items.c.volume)
    mine = volume_items.c.artifact == artifacts.c.id
    return exists(
        select(1).select_from(joined).where(mine, artifacts.c.ended_for.is_(None), or_(waits, held))
    )


class VolumesCatalog(Session):
    """A volume is pending → decided or lapsed."""

    def ends_ahead(self, tx: Connection, before: datetime) -> list[tuple[str, datetime, int]]:
        """(purpose, end of the own clock, artifacts) of all that ends up to an instant and is not being erased; without
        what a recorded act ended, and what was set aside: these are explained. Counted in the stock; read are only
        what a hold keeps, and what was set aside."""
        a, s = artifacts.c, stock.c
        live = a.state.in_(("storing", "kept")) & a.ended_for.is_(None)
        counted = select(s.name.label("purpose"), s.ends_at.label("ends"), s.number).where(
            THERE, s.state != "erasing", s.how != "held", ~s.is_ended, s.ends_at <= before
        )
        aside = select(a.purpose, a.due_at, literal(-1)).join_from(
            volume_items, artifacts, a.id == volume_items.c.artifact
        )
        held = select(a.purpose, a.unheld_due_at, literal(1)).where(
            _LIVE, live, a.hold.is_not(None), a.unheld_due_at <= before, ~_SET_ASIDE
        )
        aside = aside.where(live, a.hold.is_(None), a.due_at <= before)
        found = union_all(counted, aside, held).subquery().c
        number = total(found.number)
        query = select(found.purpose, found.ends, number).group_by(found.purpose, found.ends)
        return [(row[0], row[1], row[2]) for row in tx.execute(query.having(number > 0))]

    def has_forecast(self, tx: Connection, made_on: str) -> bool:
        """Whether that local day has its forecast."""
        return bool(tx.execute(select(exists().where(forecasts.c.made_on == made_on))).scalar_one())

    def add_forecast(
        self, tx: Connection, made_on: str, made_at: datetime, expected: Expected, leaf: bytes
    ) -> None:
        """Keep a local day's forecast, with the leaf of its register entry; the first one stands."""
        row = {"made_on": made_on, "made_at": made_at, "expected": expected, "leaf": leaf}
        tx.execute(upsert(forecasts).values(row).on_conflict_do_nothing())

    def forecast_before(self, tx: Connection, day: str, oldest: datetime) -> Forecast | None:
        """The newest one made before a local day began, and not before `oldest`."""
        columns = (forecasts.c.made_on, forecasts.c.made_at, forecasts.c.expected)
        query = select(*columns).where(forecasts.c.made_on < day, forecasts.c.made_at >= oldest)
        row = tx.execute(query.order_by(forecasts.c.made_on.desc()).limit(1)).mappings().one_or_none()
        if row is None:
            return None
        taken = select(policies.c.in_force_from).where(policies.c.in_force_from > row["made_at"])
        return Forecast(**row, visaed=frozenset(tx.execute(taken).scalars()))

    def gone_since(self, tx: Connection, forecast: Forecast) -> dict[str, int]:
        """purpose → artifacts whose erasing began since then because their period had ended; without what a visa
        ended, or was set aside before. Only manifests authorised since then are read."""
        authorised = manifest_chunks.join(
            authorisations, authorisations.c.manifest == manifest_chunks.c.manifest
        )
        frozen = (
            select(func.unnest(manifest_chunks.c.artifacts).label("artifact"))
            .select_from(authorised)
            .where(authorisations.c.authorised_at > forecast.made_at)
            .subquery()
        )
        counted = func.count(distinct(tombstones.c.artifact))
        query = (
            select(tombstones.c.purpose, counted)
            .join_from(frozen, tombstones, tombstones.c.artifact == frozen.c.artifact)
            .join(artifacts, artifacts.c.id == tombstones.c.artifact)
            .where(
                tombstones.c.erasing_at > forecast.made_at,
                tombstones.c.ground == "period_ended",
                artifacts.c.due_at.not_in(forecast.visaed),
                ~exists().where(volume_items.c.artifact == tombstones.c.artifact),
            )
        )
        return {row[0]: row[1] for row in tx.execute(query.group_by(tombstones.c.purpose))}

    def due_of(self, tx: Connection, manifest: UUID) -> list[DueArtifact]:
        """A manifest's artifacts, as what exceeds a forecast is judged by."""
        named = func.unnest(manifest_chunks.c.artifacts).label("artifact")
        frozen = select(named).where(manifest_chunks.c.manifest == manifest).subquery()
        query = select(*_DUE).join_from(frozen, artifacts, artifacts.c.id == frozen.c.artifact)
        return [DueArtifact(*row) for row in tx.execute(query)]

    def due_among(self, tx: Connection, ids: Sequence[UUID]) -> list[DueArtifact]:
        """The same of any artifacts."""
        query = select(*_DUE).where(artifacts.c.id == any_(literal(list(ids), ARRAY(PG_UUID(as_uuid=True)))))
        return [DueArtifact(*row) for row in tx.execute(query)]

    def add_volume(self, tx: Connection, volume: Volume, items: Sequence[UUID]) -> None:
        """Set these aside; each artifact once in its life."""
        row = {column.name: getattr(volume, column.name) for column in _VOLUME}
        tx.execute(insert(volumes).values(row))
        tx.execute(insert(volume_items), [{"artifact": id, "volume": volume.id} for id in items])

    def volume(self, tx: Connection, id: UUID, lock: bool = False) -> Volume | None:
        """One volume; with `lock`, its row is held until the transaction ends."""
        query = select(*_VOLUME).where(volumes.c.id == id)
        row = tx.execute(query.with_for_update() if lock else query).mappings().one_or_none()
        return None if row is None else _volume(row)

    def volume_items(self, tx: Connection, id: UUID) -> list[UUID]:
        """The artifacts set aside in it."""
        query = select(volume_items.c.artifact).where(volume_items.c.volume == id)
        return list(tx.execute(query).scalars())

    def volume_epochs(self, tx: Connection, id: UUID) -> list[tuple[str, str]]:
        """(purpose, epoch) of what is kept of the volume."""
        joined = volume_items.join(artifacts, artifacts.c.id == volume_items.c.artifact)
        query = select(artifacts.c.purpose, artifacts.c.epoch).distinct().select_from(joined)
        kept = query.where(volume_items.c.volume == id, artifacts.c.state.in_(("storing", "kept")))
        return [(row[0], row[1]) for row in tx.execute(kept.order_by(artifacts.c.epoch))]

    def may_live_on(self, tx: Connection, id: UUID, now: datetime) -> bool:
        """Whether any artifact of the volume is kept still and has not reached its cap."""
        joined = select(1).join_from(volume_items, artifacts, artifacts.c.id == volume_items.c.artifact)
        kept = artifacts.c.state.in_(("storing", "kept"))
        below = joined.where(volume_items.c.volume == id, kept, artifacts.c.cap_at > now)
        return bool(tx.execute(select(exists(below))).scalar_one())

    def hold_off_erasing(self, tx: Connection) -> None:
        """What began to be erased is committed, and nothing begins before this transaction ends."""
        fence_erasing(tx)

    def decide_volume(self, tx: Connection, id: UUID, answered: Mapping[str, object]) -> bool:
        """pending → decided; false where the volume does not wait any more."""
        waits = (volumes.c.id == id) & (volumes.c.state == "pending") & (volumes.c.lapses_at > _NOW)
        decided = update(volumes).where(waits).values({"state": "decided"} | dict(answered))
        return tx.execute(decided).rowcount == 1

    def lapse_volumes(self, tx: Connection) -> list[UUID]:
        """pending → lapsed for all that nobody answered in time."""
        over = (volumes.c.state == "pending") & (volumes.c.lapses_at <= _NOW)
        lapsed = update(volumes).where(over).values(state="lapsed").returning(volumes.c.id)
        return list(tx.execute(lapsed).scalars())

    def bind_volume_run(self, tx: Connection, id: UUID, run: str) -> None:
        """Airflow has a run for the volume. Idempotent."""
        tx.execute(update(volumes).where(volumes.c.id == id, volumes.c.run.is_(None)).values(run=run))

    def volumes_waiting(self, tx: Connection) -> list[Volume]:
        """Volumes that wait for an answer, the soonest lapse first."""
        waits = (volumes.c.state == "pending") & (volumes.c.lapses_at > _NOW)
        return _volumes(tx, select(*_VOLUME).where(waits).order_by(volumes.c.lapses_at, volumes.c.id))

    def unanswered_volumes(self, tx: Connection) -> list[Volume]:
        """Decided volumes whose run was not told yet, and whose human task has not run out by itself."""
        v = volumes.c
        open = (v.state == "decided") & v.run.is_not(None) & v.answered_at_airflow.is_(None)
        return _volumes(tx, select(*_VOLUME).where(open, v.lapses_at > _NOW).order_by(v.lapses_at))

    def mark_volume_answered(self, tx: Connection, id: UUID, at: datetime) -> None:
        """Airflow's human task took the answer, or will never want it. Idempotent."""
        where = (volumes.c.id == id) & volumes.c.answered_at_airflow.is_(None)
        tx.execute(update(volumes).where(where).values(answered_at_airflow=at))


def _volume(row: RowMapping) -> Volume:
    answer = VolumeAnswer(row["answer"]) if row["answer"] else None
    return Volume(**{**row, "state": VolumeState(row["state"]), "answer": answer})


def _volumes(tx: Connection, query: Select[Any]) -> list[Volume]:
    return [_volume(row) for row in tx.execute(query).mappings()]
