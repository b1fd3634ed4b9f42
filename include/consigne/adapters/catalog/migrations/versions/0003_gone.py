"""What goes and is proven gone: forecasts, volumes, restorations, findings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# What was erased before its day until now: as `turn.end_early` does from now on.
TURN_EARLY = (
    "UPDATE epochs SET turning_at = consigne_now() WHERE state = 'open' AND due_at > consigne_now() AND name IN "
    "(SELECT unnest(earlier_epochs || epoch) FROM artifacts WHERE state = 'erased')"
)

# The sealer may forget what entries said when it is over, and may not change it. What is over was announced by a
# sealed entry behind them, not younger than the shortest period that a policy may name (P6M; as in
# rules/evidence/register.py): whoever may add an entry can announce anything.
FORGET = """
CREATE FUNCTION consigne_forget(first bigint, beyond bigint) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public AS $$
DECLARE
    over timestamptz;
    gone bigint;
BEGIN
    SELECT max((said ->> 'before')\\:\\:timestamptz) INTO over
        FROM (SELECT convert_from(payload, 'UTF8')\\:\\:json AS said FROM register
              WHERE subjects @> ARRAY['register\\:payload\\:purging'] AND leaf_index >= beyond AND payload IS NOT NULL) AS announced
        WHERE said ->> 'kind' = 'register\\:payload\\:purging' AND (said ->> 'to')\\:\\:bigint >= beyond
        AND (said ->> 'before')\\:\\:timestamptz <= (said ->> 'at')\\:\\:timestamptz - interval '4320 hours'
        AND (said ->> 'before')\\:\\:timestamptz <= consigne_now() - interval '4320 hours';
    IF over IS NULL OR EXISTS (
        SELECT FROM register WHERE leaf_index >= first AND leaf_index < beyond AND payload IS NOT NULL
        AND (convert_from(payload, 'UTF8')\\:\\:json ->> 'at')\\:\\:timestamptz < over IS NOT TRUE
    ) THEN
        RAISE EXCEPTION 'not_over' USING ERRCODE = 'check_violation';
    END IF;
    UPDATE register SET salt = NULL, payload = NULL, subjects = '{}'
        WHERE leaf_index >= first AND leaf_index < beyond AND payload IS NOT NULL;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "accesses",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("api", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("explained", sa.Boolean(), nullable=True),
        sa.Column("finding", sa.UUID(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accesses")),
        sa.UniqueConstraint("request", name=op.f("uq_accesses_request")),
    )
    op.create_index(
        "ix_accesses_unexplained",
        "accesses",
        ["at"],
        unique=False,
        postgresql_where=sa.text("explained IS NULL"),
    )
    op.create_table(
        "findings",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("artifact", sa.UUID(), nullable=True),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("swept_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("act IN ('sweep', 'alarm', 'decide')", name=op.f("ck_findings_act_known")),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_findings_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
        sa.UniqueConstraint("kind", "subject", "version", name=op.f("uq_findings_kind")),
    )
    op.create_index(
        "ix_findings_open", "findings", ["found_at"], unique=False, postgresql_where=sa.text("state = 'open'")
    )
    op.create_table(
        "forecasts",
        sa.Column("made_on", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expected", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("made_on", name=op.f("pk_forecasts")),
    )
    op.create_table(
        "restorations",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("parts", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("declared", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("register_size", sa.BigInteger(), nullable=False),
        sa.Column("published_size", sa.BigInteger(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("origin", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restorations")),
    )
    op.create_index(
        "ix_restorations_open",
        "restorations",
        ["began_at"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "losses",
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("artifact", sa.UUID(), nullable=True),
        sa.Column("recording", sa.UUID(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("restoration", sa.UUID(), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "reason IN ('object_missing', 'key_missing', 'row_missing', 'decision_missing')",
            name=op.f("ck_losses_reason_known"),
        ),
        sa.ForeignKeyConstraint(["restoration"], ["restorations.id"], name=op.f("fk_losses_restoration")),
        sa.PrimaryKeyConstraint("object", name=op.f("pk_losses")),
    )
    op.create_index("ix_losses_artifact", "losses", ["artifact"], unique=False)
    op.create_table(
        "volumes",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("manifest", sa.UUID(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("set_aside_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=True),
        sa.Column("answered_at_airflow", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ground", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("answer IN ('delete', 'hold')", name=op.f("ck_volumes_answer_known")),
        sa.CheckConstraint("state IN ('pending', 'decided', 'lapsed')", name=op.f("ck_volumes_state_known")),
        sa.ForeignKeyConstraint(["manifest"], ["manifests.id"], name=op.f("fk_volumes_manifest")),
        sa.ForeignKeyConstraint(["policy"], ["policies.digest"], name=op.f("fk_volumes_policy")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_volumes")),
        sa.UniqueConstraint("manifest", name=op.f("uq_volumes_manifest")),
    )
    op.create_index(
        "ix_volumes_pending",
        "volumes",
        ["lapses_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "volume_items",
        sa.Column("artifact", sa.UUID(), nullable=False),
        sa.Column("volume", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(["artifact"], ["artifacts.id"], name=op.f("fk_volume_items_artifact")),
        sa.ForeignKeyConstraint(["volume"], ["volumes.id"], name=op.f("fk_volume_items_volume")),
        sa.PrimaryKeyConstraint("artifact", name=op.f("pk_volume_items")),
    )
    op.create_index("ix_volume_items_volume", "volume_items", ["volume"], unique=False)
    op.create_index(
        "ix_artifacts_erasing",
        "artifacts",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'erasing'"),
    )
    op.create_index(
        "ix_certificates_unpublished",
        "certificates",
        ["id"],
        unique=False,
        postgresql_where=sa.text("published_at IS NULL"),
    )
    op.create_index("ix_tombstones_erasing_at", "tombstones", ["erasing_at"], unique=False)
    op.add_column("tombstones", sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_tombstones_unsigned",
        "tombstones",
        ["artifact"],
        unique=False,
        postgresql_where=sa.text("signed_at IS NULL"),
    )
    op.create_index("ix_certificates_issued_at", "certificates", ["issued_at"], unique=False)
    op.add_column("checkpoints", sa.Column("witnessed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("recordings", sa.Column("key_version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("epochs", sa.Column("turning_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(TURN_EARLY)
    op.execute("ALTER INDEX ix_register_subjects SET (gin_pending_list_limit = 16384)")
    # As `append` does for new entries: who acted, and why where that is a code.
    op.execute(
        "UPDATE register SET subjects = subjects || ARRAY(SELECT 'actor\\:' || (said ->> 'actor') UNION "
        "SELECT 'why\\:' || (said ->> name) FROM unnest(ARRAY['code', 'ground', 'reason']) AS name "
        "WHERE said ->> name ~ '^[a-z][a-z0-9_]{0,47}$') "
        "FROM (SELECT id AS entry, convert_from(payload, 'UTF8')\\:\\:json AS said FROM register) AS read WHERE id = entry"
    )
    op.alter_column("register", "salt", existing_type=postgresql.BYTEA(), nullable=True)
    op.alter_column("register", "payload", existing_type=postgresql.BYTEA(), nullable=True)
    op.execute(FORGET)
    op.execute("REVOKE ALL ON FUNCTION consigne_forget FROM PUBLIC")
    # And it sorts what is new into the index that entries are found by, which asks for the index's owner.
    op.execute(
        "CREATE FUNCTION consigne_tidy() RETURNS bigint LANGUAGE sql SECURITY DEFINER "
        "SET search_path = public AS $$ SELECT gin_clean_pending_list('ix_register_subjects') $$"
    )
    op.execute("REVOKE ALL ON FUNCTION consigne_tidy FROM PUBLIC")
    op.create_check_constraint(
        op.f("ck_register_purged_whole"), "register", "(salt IS NULL) = (payload IS NULL)"
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup: a register is not rolled back")
