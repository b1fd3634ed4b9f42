"""The catalog's tables of what goes and is proven gone: forecasts, volumes that wait, restorations, findings."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from consigne.adapters.catalog.columns import instant, metadata, one_of

# What the register foretold: how much falls due, by purpose and local day.
forecasts = Table(
    "forecasts",
    metadata,
    Column("made_on", Text, primary_key=True),  # the local day, 2026-11-22
    instant("made_at"),
    Column("expected", JSONB, nullable=False),  # {purpose: {day: artifacts}}; `overdue` beside the days
    Column("leaf", LargeBinary, nullable=False),  # of its register entry
)

# What exceeds the forecast, set aside for a person's word; without one it goes after 24 hours.
volumes = Table(
    "volumes",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("manifest", UUID(as_uuid=True), ForeignKey("manifests.id"), nullable=False, unique=True),
    Column("digest", Text, nullable=False),  # SHA-256 (hex) over the artifacts set aside
    Column("counts", JSONB, nullable=False),  # {purpose: {"due", "foretold", "set_aside"}}
    Column("policy", Text, ForeignKey("policies.digest"), nullable=False),
    instant("set_aside_at"),
    instant("lapses_at"),
    Column("state", Text, nullable=False),
    Column("run", Text),  # the run of confirm_expiry_volume
    instant("answered_at_airflow", null=True),
    Column("answer", Text),
    instant("until", null=True),  # of a hold
    Column("ground", Text),
    Column("decided_by", Text),
    Column("reason", Text),
    instant("decided_at", null=True),
    one_of("state", "pending decided lapsed"),
    one_of("answer", "delete hold"),
    Index("ix_volumes_pending", "lapses_at", postgresql_where=text("state = 'pending'")),
)

volume_items = Table(
    "volume_items",
    metadata,
    Column("artifact", UUID(as_uuid=True), ForeignKey("artifacts.id"), primary_key=True),
    Column("volume", UUID(as_uuid=True), ForeignKey("volumes.id"), nullable=False),
    Index("ix_volume_items_volume", "volume"),
)

# A part that came back from a backup, and what was done until the truth held again.
restorations = Table(
    "restorations",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("parts", ARRAY(Text), nullable=False),  # database, recordings, keyring
    # of which an operator said so; for the desk: what counts is signed, in `evidence`
    Column("declared", ARRAY(Text), server_default=text("'{}'"), nullable=False),
    instant("began_at"),
    instant("ended_at", null=True),
    Column("register_size", BigInteger, nullable=False),  # sealed entries that this database still holds
    Column("published_size", BigInteger, nullable=False),  # that the evidence bucket knew of
    Column("counts", JSONB, nullable=False),  # what was erased again, destroyed again, lost
    instant("kept_until", null=True),  # the newest act that this database still knew
    Column("origin", Text),  # under which the register goes on, where it is shorter than what was published
    Index("ix_restorations_open", "began_at", postgresql_where=text("ended_at IS NULL")),
)

# What was kept and cannot be opened any more, and why: named, never hidden.
losses = Table(
    "losses",
    metadata,
    Column("object", Text, primary_key=True),
    Column("artifact", UUID(as_uuid=True)),  # where the catalog knows one
    Column("recording", UUID(as_uuid=True), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("part", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("restoration", UUID(as_uuid=True), ForeignKey("restorations.id")),
    instant("found_at"),
    one_of("reason", "object_missing key_missing row_missing decision_missing"),
    Index("ix_losses_artifact", "artifact"),
)

# What reconciliation found, and what became of it. One row a thing, however often it is seen.
findings = Table(
    "findings",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),  # an object, an epoch, a request of the store
    Column("version", Text, nullable=False, server_default=text("''")),  # or upload
    Column("artifact", UUID(as_uuid=True)),  # where it belongs to one
    Column("act", Text, nullable=False),
    Column("state", Text, nullable=False),
    instant("found_at"),
    instant("seen_at"),  # last
    instant("swept_at", null=True),  # removed, registered before and after
    instant("closed_at", null=True),
    Column("closed_by", Text),  # `consigne` where it was swept or went by itself
    Column("answer", Text),  # of the DPO
    Column("reason", Text),
    UniqueConstraint("kind", "subject", "version"),
    one_of("act", "sweep alarm decide"),
    one_of("state", "open closed"),
    Index("ix_findings_open", "found_at", postgresql_where=text("state = 'open'")),
)

# What MinIO's audit log says was read or removed by others than us in the ordinary way; no header, no address.
accesses = Table(
    "accesses",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("request", Text, nullable=False, unique=True),  # the store's request id
    instant("at"),
    Column("identity", Text, nullable=False),  # of ours, else `root` or `unknown`
    Column("api", Text, nullable=False),
    Column("bucket", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("version", Text),
    Column("status", Integer, nullable=False),
    Column("explained", Boolean),  # null until reconciliation looked
    Column("finding", UUID(as_uuid=True)),  # where nothing explained it
    Index("ix_accesses_unexplained", "at", postgresql_where=text("explained IS NULL")),
)
