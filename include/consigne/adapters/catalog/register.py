"""The register's seal: committed entries get their place, and each size of the tree a signed checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Text,
    bindparam,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.tables import checkpoints, register
from consigne.rules.clock import parse_instant
from consigne.rules.evidence.register import SealedRow
from consigne.rules.sealing import Sealing

_LOCK = 4711002  # `migrate` has 4711001
_BATCH = 1024

_SEALED = (
    "SELECT leaf_index, leaf, salt, payload FROM register WHERE leaf_index IS NOT NULL ORDER BY leaf_index"
)
_NUMBER = text(
    "UPDATE register SET leaf_index = :first + place.ordinality - 1 "
    "FROM unnest(:ids) WITH ORDINALITY AS place (id, ordinality) WHERE register.id = place.id"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))


def read_sealing(tx: Connection) -> Sealing:
    """How far sealing, publishing and telling the witness have come."""
    published, told = checkpoints.c.published_at, checkpoints.c.witnessed_at
    newest = select(checkpoints.c.size, published).where(published.is_not(None))
    last = tx.execute(newest.order_by(checkpoints.c.size.desc()).limit(1)).one_or_none()
    # By size, which has the index: there is a checkpoint a minute.
    heard = select(checkpoints.c.size, told).where(told.is_not(None)).order_by(checkpoints.c.size.desc())
    witnessed = tx.execute(heard.limit(1)).one_or_none()
    unheard = checkpoints.c.size > (witnessed.size if witnessed else 0)
    untold = select(published).where(published.is_not(None), unheard).order_by(checkpoints.c.size).limit(1)
    return Sealing(
        size=tx.execute(select(func.max(checkpoints.c.size))).scalar() or 0,
        published_size=last.size if last else 0,
        published_at=last.published_at if last else None,
        witnessed_at=witnessed.witnessed_at if witnessed else None,
        waiting_since=_oldest_at(tx, last.size if last else 0),
        untold_since=tx.execute(untold).scalar(),
    )


def _oldest_at(tx: Connection, size: int) -> datetime | None:
    """When the first entry that nothing published holds yet was made."""
    sealed = select(register.c.payload).where(register.c.leaf_index >= size).order_by(register.c.leaf_index)
    waiting = select(register.c.payload).where(register.c.leaf_index.is_(None)).order_by(register.c.id)
    for query in (sealed, waiting):
        if payload := tx.execute(query.limit(1)).scalar_one_or_none():
            return parse_instant(json.loads(payload)["at"])
    return None


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

    def newest_told(self, tx: Connection, kind: str) -> Mapping[str, Any] | None:
        """The payload of the newest entry of a kind; None where there is none, or only purged ones."""
        is_of = register.c.subjects.op("&&")(literal([kind], ARRAY(Text)))
        query = select(register.c.payload).where(is_of, register.c.payload.is_not(None))
        payload = tx.execute(query.order_by(register.c.id.desc()).limit(1)).scalar()
        found: Mapping[str, Any] | None = None if payload is None else json.loads(payload)
        return found

    def tidy_register(self, tx: Connection) -> None:
        """Sort what is new into the index by which entries are found: until then each search reads all of it."""
        tx.execute(text("SELECT consigne_tidy()"))

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

    def witnessed_checkpoints(self, tx: Connection) -> list[int]:
        """The sizes that the outside witness was told of."""
        query = select(checkpoints.c.size).where(checkpoints.c.witnessed_at.is_not(None))
        return list(tx.execute(query.order_by(checkpoints.c.size)).scalars())

    def checkpoint_notes(self, tx: Connection) -> list[bytes]:
        """Every tree that was signed, as its note, the smallest first."""
        return list(tx.execute(select(checkpoints.c.note).order_by(checkpoints.c.size)).scalars())

    def mark_witnessed(self, tx: Connection, size: int, witnessed_at: datetime) -> None:
        """The outside witness had this checkpoint."""
        where = (checkpoints.c.size == size) & checkpoints.c.witnessed_at.is_(None)
        tx.execute(update(checkpoints).where(where).values(witnessed_at=witnessed_at))

    def sealing(self, tx: Connection) -> Sealing:
        """How far sealing, publishing and telling the witness have come."""
        return read_sealing(tx)

    def steady(self, tx: Connection) -> None:
        """All that the transaction reads is of one moment; nothing may have been read before."""
        tx.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))

    def mark_checkpoint(self, tx: Connection, size: int, published_at: datetime, version: str) -> None:
        """The evidence bucket holds this checkpoint."""
        values = {"published_at": published_at, "published_version": version}
        tx.execute(update(checkpoints).where(checkpoints.c.size == size).values(values))

    def sealed_rows(self, tx: Connection) -> Iterator[SealedRow]:
        """Every numbered entry in order, streamed: by psycopg's own cursor, for there are many."""
        connection = tx.connection.driver_connection
        assert isinstance(connection, psycopg.Connection)
        with connection.cursor(name="sealed_rows", binary=True) as cursor:
            cursor.execute(_SEALED)
            while batch := cursor.fetchmany(_BATCH):
                yield from map(SealedRow._make, batch)

    def leaves(self, tx: Connection, size: int) -> list[bytes]:
        """The leaves of the tree at this size, in order."""
        query = select(register.c.leaf).where(register.c.leaf_index < size).order_by(register.c.leaf_index)
        return list(tx.execute(query).scalars())
