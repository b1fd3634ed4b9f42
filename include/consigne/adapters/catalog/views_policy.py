"""What the desk shows of the policy's versions and drafts. Read-only, as in views.py; instants are aware datetimes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, and_, select

from consigne.adapters.catalog.tables import policies
from consigne.adapters.catalog.tables_decided import policy_drafts as drafts

Document = dict[str, Any]
_DRAFT = (
    drafts.c.id,
    drafts.c.digest,
    drafts.c.version,
    drafts.c.author,
    drafts.c.reason,
    drafts.c.in_force_from,
    drafts.c.filed_at,
    drafts.c.lapses_at,
    drafts.c.policy,
    drafts.c.state,
    drafts.c.answer,
    drafts.c.decided_by,
    drafts.c.decided_reason,
    drafts.c.decided_at,
)
# The first version has no draft: it came with the installation's file.
_VERSION = select(
    policies.c.digest,
    policies.c.version,
    policies.c.in_force_from,
    policies.c.applied_at,
    policies.c.reclocked_at,
    drafts.c.id.label("draft"),
    drafts.c.author,
    drafts.c.decided_by,
    drafts.c.decided_reason,
).outerjoin_from(policies, drafts, and_(drafts.c.digest == policies.c.digest, drafts.c.answer == "visa"))


def versions(tx: Connection) -> list[Document]:
    """Every version that was ever decided, the newest first, with who drafted it and who gave the visa."""
    return _rows(tx, _VERSION.order_by(policies.c.in_force_from.desc(), policies.c.applied_at.desc()))


def version(tx: Connection, digest: str) -> Document | None:
    """One version, with its `text`."""
    found = _rows(tx, _VERSION.add_columns(policies.c.text).where(policies.c.digest == digest))
    return found[0] if found else None


def latest_drafts(tx: Connection, limit: int) -> list[Document]:
    """Drafts, newest first, whatever became of them."""
    return _rows(tx, select(*_DRAFT).order_by(drafts.c.filed_at.desc(), drafts.c.id).limit(limit))


def waiting_drafts(tx: Connection, now: datetime) -> list[Document]:
    """Pending drafts that have not lapsed, the soonest lapse first."""
    waits = (drafts.c.state == "pending") & (drafts.c.lapses_at > now)
    return _rows(tx, select(*_DRAFT).where(waits).order_by(drafts.c.lapses_at, drafts.c.id))


def draft(tx: Connection, id: UUID) -> Document | None:
    """One draft, with its `text` and its `impact` as filed (rules/policy/impact.py, `to_json`)."""
    found = _rows(tx, select(*_DRAFT, drafts.c.text, drafts.c.impact).where(drafts.c.id == id))
    return found[0] if found else None


def _rows(tx: Connection, query: Select[Any]) -> list[Document]:
    return [dict(row) for row in tx.execute(query).mappings()]
