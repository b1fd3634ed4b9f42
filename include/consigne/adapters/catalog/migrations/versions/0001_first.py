"""The catalog as of its first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "certificates",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("artifact", sa.UUID(), nullable=True),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=False),
        sa.Column("chunk", sa.UUID(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("irrecoverable_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("scope IN ('artifact', 'epoch')", name=op.f("ck_certificates_scope_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
        sa.UniqueConstraint("artifact", name=op.f("uq_certificates_artifact")),
    )
    op.create_index("ix_certificates_epoch", "certificates", ["epoch"], unique=False)
    op.create_table(
        "checkpoints",
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_version", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "chunks",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("deliveries", sa.ARRAY(sa.UUID()), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chunks")),
    )
    op.create_table(
        "clock",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("test", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("offset_s", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("one", name=op.f("ck_clock_single_row")),
        sa.CheckConstraint("test OR offset_s = 0", name=op.f("ck_clock_shift_only_in_tests")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_clock")),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("stem_digest", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("identity_digest", sa.LargeBinary(), nullable=True),
        sa.Column("content_digest", sa.LargeBinary(), nullable=True),
        sa.Column("audio_digest", sa.LargeBinary(), nullable=True),
        sa.Column("recording", sa.UUID(), nullable=True),
        sa.Column("token", sa.UUID(), nullable=True),
        sa.CheckConstraint(
            "state IN ('claimed', 'valid', 'admitted', 'protected', 'cleared', 'refused', 'quarantined')",
            name=op.f("ck_deliveries_state_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index("ix_deliveries_identity", "deliveries", ["identity_digest"], unique=False)
    op.create_index(
        "ix_deliveries_open",
        "deliveries",
        ["state"],
        unique=False,
        postgresql_where=sa.text("state <> 'cleared'"),
    )
    op.create_index(
        "uq_deliveries_waiting",
        "deliveries",
        ["source", "stem_digest"],
        unique=True,
        postgresql_where=sa.text("state <> 'cleared'"),
    )
    op.create_table(
        "epochs",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("generation", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('open', 'closing', 'destroyed')", name=op.f("ck_epochs_state_known")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_epochs")),
    )
    op.create_index(
        "ix_epochs_live", "epochs", ["due_at"], unique=False, postgresql_where=sa.text("state <> 'destroyed'")
    )
    op.create_table(
        "installation",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.CheckConstraint("one", name=op.f("ck_installation_single_row")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_installation")),
    )
    op.create_table(
        "manifests",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manifests")),
        sa.UniqueConstraint("run", name=op.f("uq_manifests_run")),
    )
    op.create_table(
        "policies",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("in_force_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_policies")),
    )
    op.create_table(
        "register",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_index", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register")),
        sa.UniqueConstraint("leaf_index", name=op.f("uq_register_leaf_index")),
    )
    op.create_index(
        "ix_register_unsealed",
        "register",
        ["id"],
        unique=False,
        postgresql_where=sa.text("leaf_index IS NULL"),
    )
    op.create_table(
        "tombstones",
        sa.Column("artifact", sa.UUID(), nullable=False),
        sa.Column("recording", sa.UUID(), nullable=False),
        sa.Column("identity_digest", sa.LargeBinary(), nullable=False),
        sa.Column("audio_digest", sa.LargeBinary(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("attempt", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("erasing_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("key_deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("versions_deleted", sa.Integer(), nullable=True),
        sa.Column("uploads_aborted", sa.Integer(), nullable=True),
        sa.Column("absent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("artifact", name=op.f("pk_tombstones")),
    )
    op.create_index("ix_tombstones_audio", "tombstones", ["audio_digest"], unique=False)
    op.create_index("ix_tombstones_identity", "tombstones", ["identity_digest"], unique=False)
    op.create_table(
        "authorisations",
        sa.Column("manifest", sa.UUID(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("authorised_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["manifest"], ["manifests.id"], name=op.f("fk_authorisations_manifest")),
        sa.PrimaryKeyConstraint("manifest", name=op.f("pk_authorisations")),
    )
    op.create_table(
        "manifest_chunks",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("manifest", sa.UUID(), nullable=False),
        sa.Column("artifacts", sa.ARRAY(sa.UUID()), nullable=False),
        sa.ForeignKeyConstraint(["manifest"], ["manifests.id"], name=op.f("fk_manifest_chunks_manifest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manifest_chunks")),
    )
    op.create_index("ix_manifest_chunks_manifest", "manifest_chunks", ["manifest"], unique=False)
    op.create_table(
        "recordings",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("identity_digest", sa.LargeBinary(), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("audio_digest", sa.LargeBinary(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("caller_index", sa.LargeBinary(), nullable=False),
        sa.Column("caller_index_version", sa.Integer(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=True),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["policy"], ["policies.digest"], name=op.f("fk_recordings_policy")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recordings")),
        sa.UniqueConstraint("identity_digest", name=op.f("uq_recordings_identity_digest")),
    )
    op.create_index("ix_recordings_caller_index", "recordings", ["caller_index"], unique=False)
    op.create_index("ix_recordings_started_at", "recordings", ["started_at"], unique=False)
    op.create_table(
        "requests",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("requester", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=True),
        sa.Column("answered_at_airflow", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('pending', 'decided', 'lapsed')", name=op.f("ck_requests_state_known")),
        sa.ForeignKeyConstraint(["policy"], ["policies.digest"], name=op.f("fk_requests_policy")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
    )
    op.create_index(
        "ix_requests_pending",
        "requests",
        ["lapses_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "verdicts",
        sa.Column("delivery", sa.UUID(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.CheckConstraint("verdict IN ('admitted', 'refused')", name=op.f("ck_verdicts_verdict_known")),
        sa.ForeignKeyConstraint(["delivery"], ["deliveries.id"], name=op.f("fk_verdicts_delivery")),
        sa.PrimaryKeyConstraint("delivery", "purpose", name=op.f("pk_verdicts")),
    )
    op.create_table(
        "artifacts",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("recording", sa.UUID(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("restricted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("clock_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cap_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("earlier_epochs", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("attempt", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("masked", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("masked_signature", sa.LargeBinary(), nullable=False),
        sa.Column("masked_key", sa.Text(), nullable=False),
        sa.Column("extension", sa.UUID(), nullable=True),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token", sa.UUID(), nullable=True),
        sa.CheckConstraint(
            "state IN ('storing', 'kept', 'erasing', 'erased')", name=op.f("ck_artifacts_state_known")
        ),
        sa.ForeignKeyConstraint(["epoch"], ["epochs.name"], name=op.f("fk_artifacts_epoch")),
        sa.ForeignKeyConstraint(["policy"], ["policies.digest"], name=op.f("fk_artifacts_policy")),
        sa.ForeignKeyConstraint(["recording"], ["recordings.id"], name=op.f("fk_artifacts_recording")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifacts")),
        sa.UniqueConstraint("recording", "purpose", "part", name=op.f("uq_artifacts_recording")),
    )
    op.create_index(
        "ix_artifacts_due",
        "artifacts",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state <> 'erased'"),
    )
    op.create_index(
        "ix_artifacts_epoch",
        "artifacts",
        ["epoch"],
        unique=False,
        postgresql_where=sa.text("state <> 'erased'"),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("request", sa.UUID(), nullable=False),
        sa.Column("request_digest", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "answer IN ('refuse', 'extend', 'extend_and_restrict')", name=op.f("ck_decisions_answer_known")
        ),
        sa.ForeignKeyConstraint(["policy"], ["policies.digest"], name=op.f("fk_decisions_policy")),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name=op.f("fk_decisions_request")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sa.UniqueConstraint("request", name=op.f("uq_decisions_request")),
    )
    op.create_table(
        "data_keys",
        sa.Column("artifact", sa.UUID(), nullable=False),
        sa.Column("attempt", sa.UUID(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["artifact"], ["artifacts.id"], name=op.f("fk_data_keys_artifact")),
        sa.ForeignKeyConstraint(["epoch"], ["epochs.name"], name=op.f("fk_data_keys_epoch")),
        sa.PrimaryKeyConstraint("artifact", name=op.f("pk_data_keys")),
    )
    op.create_index("ix_data_keys_epoch", "data_keys", ["epoch"], unique=False)
    op.create_table(
        "request_items",
        sa.Column("request", sa.UUID(), nullable=False),
        sa.Column("artifact", sa.UUID(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["artifact"], ["artifacts.id"], name=op.f("fk_request_items_artifact")),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name=op.f("fk_request_items_request")),
        sa.PrimaryKeyConstraint("request", "artifact", name=op.f("pk_request_items")),
    )
    op.create_index("ix_request_items_artifact", "request_items", ["artifact"], unique=False)
    op.execute("INSERT INTO clock DEFAULT VALUES")
    op.execute(
        "CREATE FUNCTION consigne_now() RETURNS timestamptz LANGUAGE sql STABLE "
        "AS 'SELECT clock_timestamp() + offset_s * interval ''1 second'' FROM clock'"
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup: a register is not rolled back")
