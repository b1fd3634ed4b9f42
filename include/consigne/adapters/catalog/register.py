"""The register's seal: committed entries get their place, and each size of the tree a signed checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, insert, select, text, update

from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.tables import checkpoints, register
from consigne.rules.evidence.register import SealedRow

_LOCK = 4711002  # `migrate` has 4711001
_BATCH = 4096

_NUMBER = text(
    "UPDATE register SET leaf_index = :first + place.ordinality - 1 "
    "FROM unnest(:ids) WITH ORDINALITY AS place (id, ordinality) WHERE register.id = place.id"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))


class RegisterCatalog(Session):
    """Numbers follow what is seen committed, not `id`: a row that commits late gets a later number."""

    def lock_register(self, tx: Connection) -> None:
        """One sealer at a time, until the transaction ends. What is read after this is the newest."""
        tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})

    def unsealed(self, tx: Connection, limit: int) -> list[tuple[int, bytes]]:
        """(id, leaf) of committed entries without a number."""
        query = select(register.c.id, register.c.leaf).where(register.c.leaf_index.is_(None))
        return [(row.id, row.leaf) for row in tx.execute(query.order_by(register.c.id).limit(limit))]

    def number(self, tx: Connection, ids: Sequence[int], first: int) -> None:
        """Give these entries the numbers from `first` on, in their order."""
        tx.execute(_NUMBER, {"ids": list(ids), "first": first})

    def add_checkpoint(
        self, tx: Connection, size: int, root: bytes, frontier: bytes, note: bytes, sealed_at: datetime
    ) -> None:
        """The tree as it is now."""
        row = {"size": size, "root": root, "frontier": frontier, "note": note, "sealed_at": sealed_at}
        tx.execute(insert(checkpoints).values(row))

    def newest_checkpoint(self, tx: Connection, published: bool = False) -> dict[str, Any] | None:
        """The largest tree that was signed, or of those the largest that was published."""
        query = select(checkpoints).order_by(checkpoints.c.size.desc()).limit(1)
        if published:
            query = query.where(checkpoints.c.published_at.is_not(None))
        row = tx.execute(query).mappings().one_or_none()
        return None if row is None else {str(name): value for name, value in row.items()}

    def published_checkpoints(self, tx: Connection) -> dict[int, str]:
        """size → version in the evidence bucket."""
        query = select(checkpoints.c.size, checkpoints.c.published_version)
        rows = tx.execute(query.where(checkpoints.c.published_at.is_not(None)).order_by(checkpoints.c.size))
        return {row.size: row.published_version for row in rows}

    def mark_checkpoint(self, tx: Connection, size: int, published_at: datetime, version: str) -> None:
        """The evidence bucket holds this checkpoint."""
        values = {"published_at": published_at, "published_version": version}
        tx.execute(update(checkpoints).where(checkpoints.c.size == size).values(values))

    def sealed_rows(self, tx: Connection) -> Iterator[SealedRow]:
        """Every numbered entry in order, streamed."""
        columns = (register.c.leaf_index, register.c.leaf, register.c.salt, register.c.payload)
        query = select(*columns).where(register.c.leaf_index.is_not(None)).order_by(register.c.leaf_index)
        for row in tx.execute(query.execution_options(yield_per=_BATCH)):
            yield SealedRow(*row)

    def leaves(self, tx: Connection, size: int) -> list[bytes]:
        """The leaves of the tree at this size, in order."""
        query = select(register.c.leaf).where(register.c.leaf_index < size).order_by(register.c.leaf_index)
        return list(tx.execute(query).scalars())
