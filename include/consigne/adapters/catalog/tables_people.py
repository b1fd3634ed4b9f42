"""The catalog's tables of what people were told and said: acknowledgements, objections, draws, messages."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

from consigne.adapters.catalog.columns import instant, metadata, one_of

# Which agent acknowledged which notice first; beside the file that the policy names.
acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("agent", Text, primary_key=True),
    Column("notice", Text, primary_key=True),
    instant("acknowledged_at"),
    Column("recorded_by", Text, nullable=False),
    Column("channel", Text, nullable=False),
    one_of("channel", "file cli desk"),
)

# Whose calls were refused because they had not acknowledged that notice: whom to inform.
uninformed_agents = Table(
    "uninformed_agents",
    metadata,
    Column("agent", Text, primary_key=True),
    Column("notice", Text, primary_key=True),
    instant("seen_at"),
)

# Of a call, of a caller from then on, or both; empty `purposes` means all.
objections = Table(
    "objections",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("identity_digest", LargeBinary),  # keyed: the call's (source, id)
    Column(
        "callers", ARRAY(LargeBinary), nullable=False, server_default=text("'{}'")
    ),  # blind index, by each version of its key
    Column("purposes", ARRAY(Text), nullable=False),
    Column("alternative", Text),
    instant("objected_at"),
    Column("recorded_by", Text, nullable=False),
    instant("recorded_at"),
    instant("withdrawn_at", null=True),
    Column("withdrawn_by", Text),
    Index("ix_objections_identity", "identity_digest"),
    Index("ix_objections_callers", "callers", postgresql_using="gin"),
)

# A month's secret: its digest is registered beforehand, itself after the month.
draw_months = Table(
    "draw_months",
    metadata,
    Column("month", Text, primary_key=True),  # 2026-11
    Column("commitment", LargeBinary, nullable=False),
    Column("key_version", Integer, nullable=False),
    instant("committed_at"),
    instant("revealed_at", null=True),
    Column("secret", LargeBinary),  # once revealed
)

# Every draw that was made, at call set-up or at the gate.
draws = Table(
    "draws",
    metadata,
    Column("source", Text, primary_key=True),
    Column("call", Text, primary_key=True),  # the source's identifier
    Column("purpose", Text, primary_key=True),
    Column("id", UUID(as_uuid=True), nullable=False),  # of all the purposes of one call
    Column("month", Text, nullable=False),
    Column("rate", Text, nullable=False),
    Column("drawn", Boolean, nullable=False),
    Column("at_set_up", Boolean, nullable=False),
    Column("queue", Text, nullable=False),
    Column("agent", Text),
    Column("policy", Text, nullable=False),
    instant("drawn_at"),
    Column("delivery", UUID(as_uuid=True)),  # the one that was judged by it
    Index("ix_draws_month", "month"),
    Index("ix_draws_id", "id"),
)

# Mail on its way to a person; it holds no content, only what it is about.
messages = Table(
    "messages",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("recipient", Text, nullable=False),  # an account
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    instant("made_at"),
    instant("next_try_at"),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("trouble", Text),  # the code of the last try's fault
    instant("sent_at", null=True),
    UniqueConstraint("recipient", "kind", "subject"),
    Index("ix_messages_unsent", "next_try_at", postgresql_where=text("sent_at IS NULL")),
)
