"""The catalog's tables of what people decide: opinions on requests, holds, drafts of the policy."""

from __future__ import annotations

from sqlalchemy import ARRAY, Boolean, Column, ForeignKey, Index, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from consigne.adapters.catalog.columns import instant, metadata, one_of

# The owner's word that a request is necessary, before the DPO decides.
opinions = Table(
    "opinions",
    metadata,
    Column("request", UUID(as_uuid=True), ForeignKey("requests.id"), primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("request_digest", Text, nullable=False),
    Column("reason", Text, nullable=False),
    instant("given_at"),
    Column("policy", Text, ForeignKey("policies.digest"), nullable=False),
)

# open until lifted, or lapsed at a review date that nobody confirmed.
holds = Table(
    "holds",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("mandate", Text, nullable=False),  # the authority's reference
    Column("authority", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("recording", UUID(as_uuid=True)),
    Column(
        "callers", ARRAY(LargeBinary), nullable=False, server_default=text("'{}'")
    ),  # blind index, by each version of its key
    Column("agent", Text),
    instant("since", null=True),  # calls that began in [since, until)
    instant("until", null=True),
    Column("restrict", Boolean, nullable=False),  # nobody listens while it lasts
    Column("placed_by", Text, nullable=False),
    instant("placed_at"),
    instant("review_at"),
    Column("policy", Text, ForeignKey("policies.digest"), nullable=False),
    Column("state", Text, nullable=False),
    instant("ended_at", null=True),
    Column("ended_by", Text),
    one_of("scope", "recording caller agent period"),
    one_of("state", "open lifted lapsed"),
    Index("ix_holds_open", "review_at", postgresql_where=text("state = 'open'")),
)

# What each hold caught, also after its end.
held = Table(
    "held",
    metadata,
    Column("hold", UUID(as_uuid=True), ForeignKey("holds.id"), primary_key=True),
    Column("artifact", UUID(as_uuid=True), ForeignKey("artifacts.id"), primary_key=True),
    instant("caught_at"),
    instant("released_at", null=True),
    Index("ix_held_artifact", "artifact"),
)

# pending until visaed or refused by the DPO, or lapsed unanswered.
policy_drafts = Table(
    "policy_drafts",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("digest", Text, nullable=False),  # of the policy; what the visa is bound to
    Column("version", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    instant("in_force_from"),
    instant("filed_at"),
    instant("lapses_at"),
    Column("policy", Text, ForeignKey("policies.digest"), nullable=False),  # in force when filed
    Column("impact", JSONB, nullable=False),  # on the stock, when filed
    Column("state", Text, nullable=False),
    Column("run", Text),  # the run of change_policy
    instant("answered_at_airflow", null=True),
    Column("answer", Text),
    Column("decided_by", Text),
    Column("decided_reason", Text),
    instant("decided_at", null=True),
    one_of("state", "pending decided lapsed"),
    one_of("answer", "refuse visa"),
    Index("ix_policy_drafts_pending", "lapses_at", postgresql_where=text("state = 'pending'")),
)
