"""What people decide, are told and say: holds, opinions, drafts, objections, draws."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "acknowledgements",
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "channel IN ('file', 'cli', 'desk')", name=op.f("ck_acknowledgements_channel_known")
        ),
        sa.PrimaryKeyConstraint("agent", "notice", name=op.f("pk_acknowledgements")),
    )
    op.create_table(
        "uninformed_agents",
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("agent", "notice", name=op.f("pk_uninformed_agents")),
    )
    op.create_table(
        "draw_months",
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_draw_months")),
    )
    op.create_table(
        "draws",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.Column("drawn", sa.Boolean(), nullable=False),
        sa.Column("at_set_up", sa.Boolean(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivery", sa.UUID(), nullable=True),
        sa.PrimaryKeyConstraint("source", "call", "purpose", name=op.f("pk_draws")),
    )
    op.create_index("ix_draws_id", "draws", ["id"], unique=False)
    op.create_index("ix_draws_month", "draws", ["month"], unique=False)
    op.create_table(
        "messages",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("recipient", "kind", "subject", name=op.f("uq_messages_recipient")),
    )
    op.create_index(
        "ix_messages_unsent",
        "messages",
        ["next_try_at"],
        unique=False,
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.create_table(
        "objections",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("identity_digest", sa.LargeBinary(), nullable=True),
        sa.Column("callers", sa.ARRAY(sa.LargeBinary()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("purposes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("alternative", sa.Text(), nullable=True),
        sa.Column("objected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objections")),
    )
    op.create_index("ix_objections_callers", "objections", ["callers"], unique=False, postgresql_using="gin")
    op.create_index("ix_objections_identity", "objections", ["identity_digest"], unique=False)
    op.create_table(
        "holds",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("mandate", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("recording", sa.UUID(), nullable=True),
        sa.Column("callers", sa.ARRAY(sa.LargeBinary()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("restrict", sa.Boolean(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("review_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "scope IN ('recording', 'caller', 'agent', 'period')", name=op.f("ck_holds_scope_known")
        ),
        sa.CheckConstraint("state IN ('open', 'lifted', 'lapsed')", name=op.f("ck_holds_state_known")),
        sa.ForeignKeyConstraint(["policy"], ["policies.digest"], name=op.f("fk_holds_policy")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    op.create_index(
        "ix_holds_open", "holds", ["review_at"], unique=False, postgresql_where=sa.text("state = 'open'")
    )
    op.create_table(
        "policy_drafts",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("in_force_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("impact", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=True),
        sa.Column("answered_at_airflow", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_reason", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("answer IN ('refuse', 'visa')", name=op.f("ck_policy_drafts_answer_known")),
        sa.CheckConstraint(
            "state IN ('pending', 'decided', 'lapsed')", name=op.f("ck_policy_drafts_state_known")
        ),
        sa.ForeignKeyConstraint(["policy"], ["policies.digest"], name=op.f("fk_policy_drafts_policy")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_drafts")),
    )
    op.create_index(
        "ix_policy_drafts_pending",
        "policy_drafts",
        ["lapses_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "opinions",
        sa.Column("request", sa.UUID(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["policy"], ["policies.digest"], name=op.f("fk_opinions_policy")),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name=op.f("fk_opinions_request")),
        sa.PrimaryKeyConstraint("request", "owner", name=op.f("pk_opinions")),
    )
    op.create_table(
        "held",
        sa.Column("hold", sa.UUID(), nullable=False),
        sa.Column("artifact", sa.UUID(), nullable=False),
        sa.Column("caught_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["artifact"], ["artifacts.id"], name=op.f("fk_held_artifact")),
        sa.ForeignKeyConstraint(["hold"], ["holds.id"], name=op.f("fk_held_hold")),
        sa.PrimaryKeyConstraint("hold", "artifact", name=op.f("pk_held")),
    )
    op.create_index("ix_held_artifact", "held", ["artifact"], unique=False)
    op.add_column("artifacts", sa.Column("hold", sa.UUID(), nullable=True))
    op.add_column("artifacts", sa.Column("unheld_due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("artifacts", sa.Column("ended_for", sa.Text(), nullable=True))
    op.create_index("ix_recordings_queue", "recordings", ["queue", "started_at"], unique=False)
    op.create_index("ix_recordings_agent", "recordings", ["agent", "started_at"], unique=False)
    op.create_index("ix_artifacts_purpose", "artifacts", ["purpose", "recording"], unique=False)
    for name, column, where in (
        ("ix_artifacts_erased", "clock_start", "state = 'erased'"),
        ("ix_artifacts_restricted", "recording", "restricted AND state <> 'erased'"),
        ("ix_artifacts_extended", "recording", "extension IS NOT NULL AND state <> 'erased'"),
        ("ix_artifacts_held", "hold", "hold IS NOT NULL AND state <> 'erased'"),
    ):
        op.create_index(name, "artifacts", [column], unique=False, postgresql_where=sa.text(where))
    op.add_column("decisions", sa.Column("purpose", sa.Text(), nullable=True))
    op.add_column("policies", sa.Column("reclocked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("policies", sa.Column("reclocked_to", sa.UUID(), nullable=True))
    op.add_column(
        "register", sa.Column("subjects", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False)
    )
    op.create_index("ix_register_subjects", "register", ["subjects"], unique=False, postgresql_using="gin")
    op.add_column(
        "requests", sa.Column("why_not_less", sa.Text(), server_default=sa.text("''"), nullable=False)
    )
    op.drop_constraint(op.f("ck_decisions_answer_known"), "decisions")
    op.create_check_constraint(
        op.f("ck_decisions_answer_known"),
        "decisions",
        "answer IN ('refuse', 'extend', 'extend_and_restrict', 'keep_under_another_purpose')",
    )
    op.execute("UPDATE policies SET reclocked_at = applied_at")
    # As `append` does for new entries: every identifier that the payload names, and its kind.
    op.execute(
        "UPDATE register SET subjects = ARRAY(SELECT DISTINCT found[1] FROM regexp_matches("
        "convert_from(payload, 'UTF8'), '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'g') AS found)"
        " || (convert_from(payload, 'UTF8')::json ->> 'kind')"
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup: a register is not rolled back")
