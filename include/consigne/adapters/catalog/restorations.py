"""What came back from a backup, and what was lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, delete, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from consigne.adapters.catalog.holds import is_held_back
from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.tables import (
    artifacts,
    certificates,
    data_keys,
    epochs,
    installation,
    recordings,
    tombstones,
)
from consigne.adapters.catalog.tables_gone import findings, losses, restorations
from consigne.rules.findings import FindingKind

Row = dict[str, Any]

_KEPT = artifacts.c.state == "kept"
IS_DOUBTED = (findings.c.state == "open") & (findings.c.kind == str(FindingKind.DOUBTED_TOMBSTONE))
_LIVE = artifacts.c.state.in_(("storing", "kept"))
_PLACE = (
    artifacts.c.id.label("artifact"),
    artifacts.c.recording,
    artifacts.c.purpose,
    artifacts.c.part,
    artifacts.c.object,
    artifacts.c.version,
    artifacts.c.due_at,
    artifacts.c.state,
)
_BURIED = (tombstones.c.artifact, tombstones.c.object, tombstones.c.recording)


def _rows(tx: Connection, query: Select[Any]) -> list[Row]:
    return [{str(name): value for name, value in row.items()} for row in tx.execute(query).mappings()]


class RestorationsCatalog(Session):
    """A restoration is open until all that came back is brought to the truth: while one is, nothing is served."""

    def register_origin(self, tx: Connection) -> str:
        """The name under which the register's checkpoints are signed: another one after each database that came
        back shorter than what was published."""
        query = select(restorations.c.origin).where(restorations.c.origin.is_not(None))
        found = tx.execute(query.order_by(restorations.c.began_at.desc()).limit(1)).scalar_one_or_none()
        return found or str(tx.execute(select(installation.c.origin)).scalar_one())

    def open_restoration(self, tx: Connection, lock: bool = False) -> Row | None:
        """The one that is not ended; with `lock`, its row is held until the transaction ends."""
        query = select(restorations).where(restorations.c.ended_at.is_(None)).limit(1)
        found = _rows(tx, query.with_for_update() if lock else query)
        return found[0] if found else None

    def begin_restoration(self, tx: Connection, row: Mapping[str, object]) -> None:
        """Shut, until it is ended."""
        tx.execute(insert(restorations).values(**row))

    def change_restoration(self, tx: Connection, id: UUID, **values: object) -> None:
        """Its parts, counts, sizes, origin or end, while it is open."""
        where = (restorations.c.id == id) & restorations.c.ended_at.is_(None)
        tx.execute(update(restorations).where(where).values(values))

    def declare_restoration(self, tx: Connection, id: UUID, parts: Collection[str]) -> bool:
        """Note that an operator declared these parts; False where the row says so already. True where this database
        knows none of this id."""
        query = select(restorations.c.declared).where(restorations.c.id == id).with_for_update()
        known = tx.execute(query).scalar_one_or_none()
        if known is None or set(parts) <= set(known):
            return known is None
        said = sorted({*known, *parts})
        tx.execute(update(restorations).where(restorations.c.id == id).values(declared=said))
        return True

    def key_versions(self, tx: Connection) -> dict[str, int]:
        """The newest version of each keyed digest's key that a row names; 0 where none does."""
        used = {
            "tombstone": (recordings.c.key_version, tombstones.c.key_version),
            "blind-index": (recordings.c.caller_index_version,),
        }
        newest = {
            name: [select(func.max(one)).scalar_subquery() for one in some] for name, some in used.items()
        }
        query = select(*(func.coalesce(func.greatest(*some), 0).label(name) for name, some in newest.items()))
        return {str(name): int(version) for name, version in tx.execute(query).mappings().one().items()}

    def newest_burial(self, tx: Connection) -> datetime | None:
        """When the newest tombstone was written; none of a time to come, which would hide those until then."""
        query = select(func.max(tombstones.c.erasing_at)).where(tombstones.c.erasing_at <= self.now(tx))
        return tx.execute(query).scalar_one()  # type: ignore[no-any-return]

    def newest_certificate(self, tx: Connection) -> datetime | None:
        """When the newest certificate was issued; none of a time to come."""
        query = select(func.max(certificates.c.issued_at)).where(certificates.c.issued_at <= self.now(tx))
        return tx.execute(query).scalar_one()  # type: ignore[no-any-return]

    def buried(self, tx: Connection, ids: Sequence[UUID]) -> set[UUID]:
        """The artifacts of these that have a tombstone."""
        query = select(tombstones.c.artifact).where(tombstones.c.artifact.in_(ids))
        return set(tx.execute(query).scalars())

    def kept_among(self, tx: Connection, ids: Sequence[UUID]) -> dict[UUID, Mapping[str, Any]]:
        """artifact → its place and state, where the catalog knows it at all."""
        query = select(*_PLACE).where(artifacts.c.id.in_(ids))
        return {row["artifact"]: row for row in _rows(tx, query)}

    def bury(self, tx: Connection, rows: Sequence[Mapping[str, Any]]) -> list[UUID]:
        """Tombstones that the evidence bucket holds, their artifacts `erasing` again, and their keys gone, in one
        transaction. Returns those that were not known. The epoch that wraps a key in this database is one of the
        artifact's earlier ones, where its tombstone says another: it was moved since."""
        said = {row["artifact"]: row for row in rows}
        values = [{name: value for name, value in row.items() if name != "earlier_epochs"} for row in rows]
        made = upsert(tombstones).values(values).on_conflict_do_nothing()
        new = list(tx.execute(made.returning(tombstones.c.artifact)).scalars())
        ids = [row["artifact"] for row in rows]
        back = artifacts.c.id.in_(ids) & artifacts.c.state.in_(("storing", "kept"))
        locked = select(artifacts.c.id, artifacts.c.epoch, artifacts.c.earlier_epochs).where(back)
        for row in tx.execute(locked.order_by(artifacts.c.id).with_for_update()).all():
            mine = said[row.id]
            earlier = {row.epoch, *row.earlier_epochs, *mine["earlier_epochs"]} - {mine["epoch"]}
            if earlier != {*row.earlier_epochs}:
                one = update(artifacts).where(artifacts.c.id == row.id)
                tx.execute(one.values(earlier_epochs=sorted(earlier)))
        tx.execute(update(artifacts).where(back).values(state="erasing"))
        tx.execute(delete(data_keys).where(data_keys.c.artifact.in_(ids)))
        return new

    def certified_with_keys(self, tx: Connection, limit: int) -> list[UUID]:
        """Artifacts that have a tombstone and a certificate, and not the note that their key is gone."""
        query = select(tombstones.c.artifact).join(
            certificates, certificates.c.artifact == tombstones.c.artifact
        )
        query = query.where(tombstones.c.key_deleted_at.is_(None)).order_by(tombstones.c.artifact)
        return list(tx.execute(query.limit(limit)).scalars())

    def half_buried(self, tx: Connection, limit: int) -> list[Mapping[str, Any]]:
        """Published tombstones whose key is gone and whose objects were not seen to be absent."""
        unseen = tombstones.c.published_at.is_not(None) & tombstones.c.key_deleted_at.is_not(None)
        query = select(*_BURIED, tombstones.c.versions_deleted, tombstones.c.uploads_aborted)
        query = query.where(unseen, tombstones.c.absent_at.is_(None)).order_by(tombstones.c.artifact)
        return [*_rows(tx, query.limit(limit))]

    def mark_buried(self, tx: Connection, ids: Sequence[UUID], absent_at: datetime) -> None:
        """Their objects were seen to be absent; the first instant stands."""
        where = tombstones.c.artifact.in_(ids) & tombstones.c.absent_at.is_(None)
        tx.execute(update(tombstones).where(where).values(absent_at=absent_at))

    def certified(self, tx: Connection, ids: Sequence[UUID]) -> set[UUID]:
        """The artifacts of these that have a certificate."""
        query = select(certificates.c.artifact).where(certificates.c.artifact.in_(ids))
        return set(tx.execute(query).scalars())

    def certified_chunks(self, tx: Connection, chunks: Sequence[UUID]) -> set[UUID]:
        """The chunks of these that the catalog knows."""
        query = select(certificates.c.chunk).where(certificates.c.chunk.in_(chunks)).distinct()
        return set(tx.execute(query).scalars())

    def take_back(self, tx: Connection, rows: Sequence[Mapping[str, object]]) -> int:
        """Certificates as they were published; how many were not known."""
        if not rows:
            return 0
        made = upsert(certificates).values([dict(row) for row in rows]).on_conflict_do_nothing()
        return len(tx.execute(made.returning(certificates.c.id)).scalars().all())

    def record_destroyed(self, tx: Connection, name: str, purpose: str, at: datetime) -> None:
        """A certificate says that the epoch's key was destroyed then, whatever this database knows of it."""
        row = {
            "name": name, "purpose": purpose, "due_at": at, "generation": int(name.rpartition("/")[2]),
            "opened_at": at, "state": "destroyed", "destroyed_at": at,
        }  # fmt: skip
        gone = {"state": "destroyed", "destroyed_at": at}
        tx.execute(upsert(epochs).values(row).on_conflict_do_update(index_elements=["name"], set_=gone))

    def newest_kept(self, tx: Connection, limit: int) -> list[Mapping[str, Any]]:
        """What was kept last, by the calls' begin, but for what is known to be lost."""
        joined = artifacts.join(recordings, recordings.c.id == artifacts.c.recording)
        known = exists().where(losses.c.object == artifacts.c.object)
        query = select(*_PLACE).select_from(joined).where(_KEPT, ~known)
        return [*_rows(tx, query.order_by(recordings.c.started_at.desc()).limit(limit))]

    def newest_buried(self, tx: Connection, limit: int) -> list[Mapping[str, Any]]:
        """What was seen to be absent last."""
        query = select(*_BURIED).where(tombstones.c.absent_at.is_not(None))
        return [*_rows(tx, query.order_by(tombstones.c.erasing_at.desc()).limit(limit))]

    def kept_after(self, tx: Connection, last: UUID | None, limit: int) -> list[Mapping[str, Any]]:
        """All that is kept, by id, page by page."""
        query = select(*_PLACE).where(_KEPT)
        if last is not None:
            query = query.where(artifacts.c.id > last)
        return [*_rows(tx, query.order_by(artifacts.c.id).limit(limit))]

    def kept_under(
        self, tx: Connection, epochs: Sequence[str], last: UUID | None, limit: int
    ) -> list[Mapping[str, Any]]:
        """What is kept with a key under one of these epochs, by id, page by page."""
        joined = artifacts.join(data_keys, data_keys.c.artifact == artifacts.c.id)
        query = select(*_PLACE).select_from(joined).where(_LIVE, data_keys.c.epoch.in_(epochs))
        if last is not None:
            query = query.where(artifacts.c.id > last)
        return [*_rows(tx, query.order_by(artifacts.c.id).limit(limit))]

    def key_epochs(self, tx: Connection) -> list[str]:
        """Every epoch that wraps a kept artifact's key, destroyed ones too: after a restore there are such."""
        live = select(1).select_from(data_keys.join(artifacts, artifacts.c.id == data_keys.c.artifact))
        wraps = exists(live.where(data_keys.c.epoch == epochs.c.name, _LIVE))
        return list(tx.execute(select(epochs.c.name).where(wraps).order_by(epochs.c.name)).scalars())

    def outlived(self, tx: Connection, before: datetime, limit: int) -> list[Mapping[str, Any]]:
        """What is kept and fell due before an instant, and no open hold spares."""
        where = _KEPT & (artifacts.c.due_at < before) & ~is_held_back(before)
        return [*_rows(tx, select(*_PLACE).where(where).order_by(artifacts.c.due_at).limit(limit))]

    def add_losses(self, tx: Connection, rows: Sequence[Mapping[str, object]]) -> list[str]:
        """What cannot be opened any more; returns the objects that were not known to be lost."""
        if not rows:
            return []
        made = upsert(losses).values([dict(row) for row in rows]).on_conflict_do_nothing()
        return list(tx.execute(made.returning(losses.c.object)).scalars())

    def lost(self, tx: Connection, artifact: UUID) -> str | None:
        """Why a kept artifact cannot be opened, or may not until the DPO answered; None where it can, as far as is
        known."""
        if self.is_doubted(tx, artifact):
            return "doubted"
        mine = (losses.c.artifact == artifact) & (losses.c.object == artifacts.c.object)
        query = select(losses.c.reason).where(mine, losses.c.reason.in_(("object_missing", "key_missing")))
        query = query.where(artifacts.c.id == artifact).limit(1)
        return tx.execute(query).scalar_one_or_none()

    def is_doubted(self, tx: Connection, artifact: UUID) -> bool:
        """Whether a tombstone that is not believed names it, and the DPO did not answer yet."""
        query = select(exists().where(IS_DOUBTED, findings.c.artifact == artifact))
        return bool(tx.execute(query).scalar_one())

    def losses(self, tx: Connection, reasons: Collection[str]) -> list[Mapping[str, Any]]:
        """The losses for these reasons whose artifact is still kept, with its version and key's epoch."""
        joined = losses.join(artifacts, artifacts.c.id == losses.c.artifact).join(
            data_keys, data_keys.c.artifact == artifacts.c.id
        )
        columns = (
            losses.c.object,
            losses.c.artifact,
            losses.c.reason,
            artifacts.c.version,
            data_keys.c.epoch,
        )
        query = select(*columns).select_from(joined).where(_LIVE, losses.c.reason.in_(reasons))
        return [*_rows(tx, query.where(losses.c.object == artifacts.c.object))]

    def withdraw_losses(self, tx: Connection, objects: Sequence[str]) -> None:
        """They are there again."""
        tx.execute(delete(losses).where(losses.c.object.in_(objects)))
