"""What *Certificates* reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Connection, RowMapping, Select, and_, or_, select

from consigne.adapters.catalog.tables import artifacts, certificates, recordings

PAGE = 50
_EPOCH = re.compile(r"[^/]+/[^/]+/\d+")


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: an identifier (of a certificate, artifact or recording), an epoch's name, or a call's
    identifier at its source; issued in [since, until); older than the certificate `before`."""

    text: str = ""
    scope: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: UUID | None = None


def search(tx: Connection, asked: Search) -> tuple[Sequence[RowMapping], bool]:
    """The newest that fit, at most PAGE, and whether there are more."""
    query = (
        select(
            certificates.c.id, certificates.c.scope, certificates.c.artifact, certificates.c.epoch,
            certificates.c.issued_at, certificates.c.irrecoverable_after, artifacts.c.purpose, artifacts.c.part,
            artifacts.c.recording, artifacts.c.earlier_epochs,
        )
        .select_from(certificates.outerjoin(artifacts, artifacts.c.id == certificates.c.artifact))
        .order_by(certificates.c.issued_at.desc(), certificates.c.id.desc())
        .limit(PAGE + 1)
    )  # fmt: skip
    found = tx.execute(_narrowed(query, asked)).mappings().all()
    return found[:PAGE], len(found) > PAGE


def _narrowed(query: Any, asked: Search) -> Any:
    if asked.scope:
        query = query.where(certificates.c.scope == asked.scope)
    if asked.since:
        query = query.where(certificates.c.issued_at >= asked.since)
    if asked.until:
        query = query.where(certificates.c.issued_at < asked.until)
    if asked.text:
        query = query.where(_fits(asked.text))
    if asked.before:
        last = select(certificates.c.issued_at).where(certificates.c.id == asked.before).scalar_subquery()
        older = and_(certificates.c.issued_at == last, certificates.c.id < asked.before)
        query = query.where(or_(certificates.c.issued_at < last, older))
    return query


def _fits(text: str) -> ColumnElement[bool]:
    if _EPOCH.fullmatch(text):
        return certificates.c.epoch == text
    try:
        id = UUID(text)
    except ValueError:
        of_call = artifacts.join(recordings, recordings.c.id == artifacts.c.recording)
        mine = select(artifacts.c.id).select_from(of_call).where(recordings.c.source_id == text)
        return _among(select(certificates.c.id).where(certificates.c.artifact.in_(mine)))
    mine = select(artifacts.c.id).where(artifacts.c.recording == id)
    named = select(certificates.c.id).where(or_(certificates.c.id == id, certificates.c.artifact == id))
    return _among(named.union(select(certificates.c.id).where(certificates.c.artifact.in_(mine))))


def _among(found: Select[Any] | CompoundSelect[Any]) -> ColumnElement[bool]:
    """Found first: the planner, who takes these for many, would go through all certificates by their time."""
    few = found.cte("few").prefix_with("MATERIALIZED")
    return certificates.c.id.in_(select(few.c.id))


def destroyed_epochs(tx: Connection, names: Sequence[str]) -> frozenset[str]:
    """Those of these epochs whose destruction is certified."""
    query = select(certificates.c.epoch).where(
        certificates.c.scope == "epoch", certificates.c.epoch.in_(names)
    )
    return frozenset(tx.execute(query).scalars())


def certificate(tx: Connection, id: UUID) -> bytes | None:
    """One certificate's file."""
    found: bytes | None = tx.execute(
        select(certificates.c.file).where(certificates.c.id == id)
    ).scalar_one_or_none()
    return found


def of_epochs(tx: Connection, names: Sequence[str]) -> list[tuple[UUID, bytes]]:
    """Identifiers and files of these epochs' certificates."""
    query = select(certificates.c.id, certificates.c.file).where(
        certificates.c.scope == "epoch", certificates.c.epoch.in_(names)
    )
    return [(row.id, row.file) for row in tx.execute(query.order_by(certificates.c.id))]
