"""Deletion's bookkeeping: manifests, authorisations, tombstones, certificates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    any_,
    delete,
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

from consigne.acts.ports import DueRow, Erasure, ObjectVersion
from consigne.adapters.catalog.holds import is_held_back, wait_for_holds
from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.tables import (
    artifacts,
    authorisations,
    certificates,
    data_keys,
    decisions,
    installation,
    live_due,
    manifest_chunks,
    manifests,
    recordings,
    register,
    request_items,
    requests,
    tombstones,
)
from consigne.adapters.catalog.tables_gone import volume_items, volumes
from consigne.adapters.catalog.volumes import is_set_aside
from consigne.rules.clock import parse_instant
from consigne.rules.evidence.canonical import decode

_FIELDS = [
    name
    for name in Erasure.__dataclass_fields__
    if name not in ("due_at", "policy", "earlier_epochs", "version")
]
_COLUMNS = [
    *(tombstones.c[name] for name in _FIELDS),
    artifacts.c.due_at,
    artifacts.c.policy,
    artifacts.c.earlier_epochs,
    artifacts.c.version,
]


def may_wait(now: datetime) -> ColumnElement[bool]:
    """A request filed before the due second keeps its artifact for the response time; a committed decision
    that is not yet applied is honoured, and an open hold, whether or not it has caught what fits; and a volume waits
    for its answer, or as long as that says."""
    pending = (
        (requests.c.state == "pending")
        & (requests.c.filed_at < artifacts.c.due_at)
        & (requests.c.lapses_at > now)
    )
    granted = decisions.c.applied_at.is_(None) & (decisions.c.until > now)
    joined = request_items.join(requests, requests.c.id == request_items.c.request).outerjoin(
        decisions, decisions.c.request == requests.c.id
    )
    query = (
        select(1).select_from(joined).where(request_items.c.artifact == artifacts.c.id, or_(pending, granted))
    )
    return or_(exists(query), is_held_back(now), is_set_aside(now))


class ErasureCatalog(Session):
    """Rows of a deletion, in the order of design.md, section 4."""

    def due_artifacts(self, tx: Connection, now: datetime, limit: int) -> list[UUID]:
        """What is past its end and not spared, and what an earlier run left `erasing`: the oldest, in the order in
        which they lie in the store."""
        columns = (artifacts.c.id, artifacts.c.object, artifacts.c.due_at)
        due = select(*columns).where(live_due <= now, artifacts.c.state != "erasing", ~may_wait(now))
        # Two queries, so that each has its index: together they would read every row.
        found = union_all(due, select(*columns).where(artifacts.c.state == "erasing")).subquery()
        oldest = select(found).order_by(found.c.due_at, found.c.id).limit(limit).subquery()
        return list(tx.execute(select(oldest.c.id).order_by(oldest.c.object)).scalars())

    def due_rows(self, tx: Connection, ids: Sequence[UUID]) -> list[DueRow]:
        """What a preview says of these, by purpose, end and name."""
        columns = [artifacts.c[name] for name in DueRow.__dataclass_fields__]
        query = select(*columns).where(
            artifacts.c.id == any_(literal(list(ids), ARRAY(PG_UUID(as_uuid=True))))
        )
        rows = tx.execute(query.order_by(artifacts.c.purpose, artifacts.c.due_at, artifacts.c.id)).mappings()
        return [DueRow(**row) for row in rows]

    def overdue(self, tx: Connection, now: datetime) -> int:
        """How many are past their end, not spared and not erased."""
        query = select(func.count()).select_from(artifacts).where(live_due <= now, ~may_wait(now))
        return int(tx.execute(query).scalar_one())

    def add_manifest(
        self, tx: Connection, id: UUID, run: str, dry_run: bool, digest: str, frozen_at: datetime,
        made: Mapping[UUID, Sequence[UUID]],
    ) -> None:  # fmt: skip
        """What a run may destroy, frozen."""
        row = {"id": id, "run": run, "dry_run": dry_run, "digest": digest, "frozen_at": frozen_at}
        tx.execute(insert(manifests).values(row))
        rows = [{"id": chunk, "manifest": id, "artifacts": list(ids)} for chunk, ids in made.items()]
        if rows:
            tx.execute(insert(manifest_chunks), rows)

    def manifest_of(self, tx: Connection, run: str) -> dict[str, Any] | None:
        """id, dry_run, digest and frozen_at of a run's manifest."""
        row = tx.execute(select(manifests).where(manifests.c.run == run)).mappings().one_or_none()
        return None if row is None else dict(row)

    def manifest_chunks(self, tx: Connection, manifest: UUID) -> dict[UUID, list[UUID]]:
        """The chunks of a manifest."""
        query = select(manifest_chunks.c.id, manifest_chunks.c.artifacts).where(
            manifest_chunks.c.manifest == manifest
        )
        return {row.id: list(row.artifacts) for row in tx.execute(query.order_by(manifest_chunks.c.id))}

    def authorise(self, tx: Connection, manifest: UUID, digest: str, at: datetime) -> bool:
        """The row that every destroying task demands; false where it stands already."""
        row = upsert(authorisations).values(manifest=manifest, digest=digest, authorised_at=at)
        made = row.on_conflict_do_nothing().returning(authorisations.c.manifest)
        return tx.execute(made).one_or_none() is not None

    def authorised_chunk(self, tx: Connection, chunk: UUID) -> list[UUID] | None:
        """A chunk's artifacts, without those that were set aside, where its manifest is authorised under its own digest
        and is no dry run. What was set aside needs another manifest, whatever becomes of its volume."""
        joined = manifest_chunks.join(manifests, manifests.c.id == manifest_chunks.c.manifest).join(
            authorisations, authorisations.c.manifest == manifests.c.id
        )
        query = (
            select(manifest_chunks.c.artifacts, manifest_chunks.c.manifest)
            .select_from(joined)
            .where(
                manifest_chunks.c.id == chunk,
                authorisations.c.digest == manifests.c.digest,
                ~manifests.c.dry_run,
            )
        )
        row = tx.execute(query).one_or_none()
        if row is None:
            return None
        aside = (
            select(volume_items.c.artifact)
            .join(volumes, volumes.c.id == volume_items.c.volume)
            .where(volumes.c.manifest == row.manifest, volume_items.c.artifact.in_(row.artifacts))
        )
        left_out = set(tx.execute(aside).scalars())
        return [id for id in row.artifacts if id not in left_out]

    def start_erasing(self, tx: Connection, ids: Sequence[UUID], now: datetime, ground: str) -> list[UUID]:
        """Lock, check again, `erasing`, tombstone: one transaction. `ground` is of those whose row names no other.
        Returns those that started now."""
        due = (
            artifacts.c.id.in_(ids) & artifacts.c.state.in_(("storing", "kept")) & (artifacts.c.due_at <= now)
        )
        wait_for_holds(tx)
        tx.execute(
            select(artifacts.c.id).where(artifacts.c.id.in_(ids)).order_by(artifacts.c.id).with_for_update()
        )
        rows = tx.execute(
            update(artifacts).where(due, ~may_wait(now)).values(state="erasing").returning(artifacts)
        ).mappings().all()  # fmt: skip
        known = {
            row.id: row
            for row in tx.execute(
                select(recordings).where(recordings.c.id.in_({row["recording"] for row in rows}))
            )
        }
        made = [
            {
                "artifact": row["id"], "recording": row["recording"], "purpose": row["purpose"], "part": row["part"],
                "epoch": row["epoch"], "attempt": row["attempt"], "object": row["object"], "ground": row["ended_for"] or ground,
                "erasing_at": now, "key_version": known[row["recording"]].key_version,
                "identity_digest": known[row["recording"]].identity_digest,
                "audio_digest": known[row["recording"]].audio_digest,
            }
            for row in rows
        ]  # fmt: skip
        if made:
            tx.execute(insert(tombstones), made)
        return [row["artifact"] for row in made]

    def erasures(self, tx: Connection, ids: Sequence[UUID]) -> list[Erasure]:
        """The artifacts of these that are `erasing`, locked, with what is done of each."""
        joined = tombstones.join(artifacts, artifacts.c.id == tombstones.c.artifact)
        query = (
            select(*_COLUMNS)
            .select_from(joined)
            .where(artifacts.c.id.in_(ids), artifacts.c.state == "erasing")
        )
        rows = tx.execute(query.order_by(artifacts.c.id).with_for_update(of=artifacts)).mappings()
        return [Erasure(**row) for row in rows]

    def unsigned_erasures(self, tx: Connection, limit: int) -> list[Erasure]:
        """Those whose tombstones were published, and not signed."""
        joined = tombstones.join(artifacts, artifacts.c.id == tombstones.c.artifact)
        unsigned = tombstones.c.signed_at.is_(None) & tombstones.c.published_at.is_not(None)
        query = select(*_COLUMNS).select_from(joined).where(unsigned)
        rows = tx.execute(query.order_by(tombstones.c.artifact).limit(limit)).mappings()
        return [Erasure(**row) for row in rows]

    def mark_erasures(self, tx: Connection, ids: Sequence[UUID], **values: object) -> None:
        """Note on tombstones which step is done. The first instant and the highest count stand, so that a
        worker that comes late changes nothing."""
        noted = {
            name: (func.greatest if isinstance(value, int) else func.coalesce)(tombstones.c[name], value)
            for name, value in values.items()
        }
        tx.execute(update(tombstones).where(tombstones.c.artifact.in_(ids)).values(noted))

    def left_on_drives(self, tx: Connection, limit: int) -> list[tuple[UUID, ObjectVersion]]:
        """Erased artifacts that went while a drive was away, and the version that it may hold in part."""
        joined = tombstones.join(artifacts, artifacts.c.id == tombstones.c.artifact)
        columns = artifacts.c.id, artifacts.c.object, artifacts.c.version
        where = tombstones.c.drives_away > 0, artifacts.c.state == "erased"
        query = select(*columns).select_from(joined).where(*where).order_by(artifacts.c.id).limit(limit)
        return [(id, ObjectVersion(object, version, False)) for id, object, version in tx.execute(query)]

    def mark_returned(self, tx: Connection, ids: Sequence[UUID]) -> None:
        """Every drive was there when it was deleted again."""
        tx.execute(update(tombstones).where(tombstones.c.artifact.in_(ids)).values(drives_away=0))

    def delete_keys(self, tx: Connection, ids: Sequence[UUID]) -> list[UUID]:
        """Key first out. Idempotent; returns those whose key went now."""
        gone = delete(data_keys).where(data_keys.c.artifact.in_(ids)).returning(data_keys.c.artifact)
        return list(tx.execute(gone).scalars())

    def finish_erasing(self, tx: Connection, ids: Sequence[UUID], erased_at: datetime) -> None:
        """erasing → erased; the person's digests go with a recording's last artifact."""
        where = artifacts.c.id.in_(ids) & (artifacts.c.state == "erasing")
        tx.execute(update(artifacts).where(where).values(state="erased", erased_at=erased_at))
        mine = select(artifacts.c.recording).where(artifacts.c.id.in_(ids))
        live = exists().where(artifacts.c.recording == recordings.c.id, artifacts.c.state != "erased")
        gone = update(recordings).where(recordings.c.id.in_(mine), ~live)
        tx.execute(gone.values(caller_index=b"", agent=""))

    def add_certificates(self, tx: Connection, rows: Sequence[Mapping[str, object]]) -> None:
        """Signed statements, written in the transaction that they speak of."""
        if rows:
            tx.execute(insert(certificates), list(rows))

    def unpublished_certificates(self, tx: Connection) -> dict[UUID, list[tuple[UUID, bytes]]]:
        """chunk → (id, file) of what the evidence bucket does not hold yet."""
        query = select(certificates.c.chunk, certificates.c.id, certificates.c.file)
        rows = tx.execute(query.where(certificates.c.published_at.is_(None)).order_by(certificates.c.id))
        found: dict[UUID, list[tuple[UUID, bytes]]] = {}
        for row in rows:
            found.setdefault(row.chunk, []).append((row.id, row.file))
        return found

    def mark_published(self, tx: Connection, ids: Sequence[UUID], at: datetime) -> None:
        """The evidence bucket holds these certificates."""
        where = certificates.c.id.in_(ids) & certificates.c.published_at.is_(None)
        tx.execute(update(certificates).where(where).values(published_at=at))

    def erased_under(self, tx: Connection, epoch: str) -> list[UUID]:
        """The erased artifacts whose key the epoch's wrapped at the end; each has its certificate."""
        where = (certificates.c.epoch == epoch) & certificates.c.artifact.is_not(None)
        return list(tx.execute(select(certificates.c.artifact).where(where)).scalars())

    def newest_entry_at(self, tx: Connection) -> datetime | None:
        """When the register's newest act was, as its entry says."""
        said = register.c.payload.is_not(None)
        query = select(register.c.payload).where(said).order_by(register.c.id.desc()).limit(1)
        payload = tx.execute(query).scalar_one_or_none()
        entry = None if payload is None else decode(payload)
        return parse_instant(str(entry["at"])) if isinstance(entry, dict) else None

    def origin(self, tx: Connection) -> str:
        """The name under which this installation signs."""
        return tx.execute(select(installation.c.origin)).scalar_one()  # type: ignore[no-any-return]
