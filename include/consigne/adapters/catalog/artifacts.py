"""Artifacts and their wrapped data keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Connection, RowMapping, exists, func, insert, select, update

from consigne.acts.ports import Artifact
from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.tables import artifacts, data_keys

_COLUMNS = [artifacts.c[name] for name in Artifact.__dataclass_fields__]


def _artifact(row: RowMapping) -> Artifact:
    return Artifact(**row)


class ArtifactsCatalog(Session):
    """Key last in: an artifact's row and its key row are written together, after the object."""

    def add_artifact(self, tx: Connection, row: Mapping[str, object], wrapped: bytes) -> None:
        """An object was stored: `storing`, with its wrapped key."""
        tx.execute(insert(artifacts).values(**row, state="storing"))
        key = {"artifact": row["id"], "attempt": row["attempt"], "epoch": row["epoch"], "wrapped": wrapped}
        tx.execute(insert(data_keys).values(key))

    def artifacts_of(self, tx: Connection, recording: UUID) -> set[UUID]:
        """A recording's artifacts, in any state."""
        return set(tx.execute(select(artifacts.c.id).where(artifacts.c.recording == recording)).scalars())

    def storing(self, tx: Connection, recordings: Sequence[UUID]) -> list[UUID]:
        """The artifacts of these recordings that are not confirmed yet."""
        where = artifacts.c.recording.in_(recordings) & (artifacts.c.state == "storing")
        return list(tx.execute(select(artifacts.c.id).where(where).order_by(artifacts.c.id)).scalars())

    def take_storing(self, tx: Connection, ids: Sequence[UUID], token: UUID) -> list[Artifact]:
        """Claim those that are not confirmed yet."""
        where = artifacts.c.id.in_(ids) & (artifacts.c.state == "storing")
        rows = tx.execute(update(artifacts).where(where).values(token=token).returning(*_COLUMNS)).mappings()
        return [_artifact(row) for row in rows]

    def keep_artifact(self, tx: Connection, id: UUID, token: UUID) -> bool:
        """storing → kept where the claim holds."""
        return bool(tx.execute(select(func.consigne_keep(id, token))).scalar_one())

    def drop_artifact(self, tx: Connection, id: UUID, token: UUID) -> bool:
        """An object that vanished before it was confirmed: forget row and key, so that it is stored anew."""
        return bool(tx.execute(select(func.consigne_drop(id, token))).scalar_one())

    def is_kept(self, tx: Connection, recording: UUID) -> bool:
        """Whether anything of a recording is there that is not being erased."""
        live = artifacts.c.state.in_(("storing", "kept"))
        query = exists().where(artifacts.c.recording == recording, live)
        return bool(tx.execute(select(query)).scalar_one())

    def any_storing(self, tx: Connection, recording: UUID) -> bool:
        """Whether a part of the recording waits for its confirmation."""
        where = exists().where(artifacts.c.recording == recording, artifacts.c.state == "storing")
        return bool(tx.execute(select(where)).scalar_one())

    def artifact(self, tx: Connection, id: UUID, lock: bool = False) -> Artifact | None:
        """One artifact; with `lock`, its row is held until the transaction ends."""
        query = select(*_COLUMNS).where(artifacts.c.id == id)
        row = tx.execute(query.with_for_update() if lock else query).mappings().one_or_none()
        return None if row is None else _artifact(row)

    def wrapped_key(self, tx: Connection, artifact: UUID) -> bytes | None:
        """The wrapped data key; None once it is deleted."""
        return tx.execute(
            select(data_keys.c.wrapped).where(data_keys.c.artifact == artifact)
        ).scalar_one_or_none()

    def move_key(self, tx: Connection, artifact: UUID, epoch: str, wrapped: bytes) -> None:
        """The key is wrapped anew under another epoch."""
        tx.execute(
            update(data_keys).where(data_keys.c.artifact == artifact).values(epoch=epoch, wrapped=wrapped)
        )
        earlier = func.array_append(artifacts.c.earlier_epochs, artifacts.c.epoch)
        tx.execute(
            update(artifacts).where(artifacts.c.id == artifact).values(epoch=epoch, earlier_epochs=earlier)
        )
