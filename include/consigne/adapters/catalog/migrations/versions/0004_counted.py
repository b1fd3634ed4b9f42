"""What is counted: the stock, its triggers, and indexes by which runs and calls are found at any size."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = "thing, name, state, how, ends_at, is_ended"
ADD = f"INSERT INTO stock ({KEY}, number, bytes) "
ARTIFACT = (
    "'artifact', purpose, state, "
    "CASE WHEN state = 'erased' THEN '' WHEN hold IS NOT NULL THEN 'held' "
    "WHEN extension IS NOT NULL THEN 'extended' ELSE 'plain' END, "
    "CASE WHEN state = 'erased' THEN timestamptz '9999-01-01 00:00:00+00' ELSE due_at END, "
    "state <> 'erased' AND ended_for IS NOT NULL, {sign} AS number, {sign} * bytes AS bytes"
)
DELIVERY = (
    "'delivery', source, state, '', timestamptz '9999-01-01 00:00:00+00', false, {sign} AS number, 0 AS bytes"
)


def counted(row: str, *signed: tuple[str, str]) -> str:
    """Statement: what came and went (tables or transition tables, each with its sign), added up by key."""
    rows = " UNION ALL ".join(f"SELECT {row.format(sign=sign)} FROM {name}" for sign, name in signed)
    summed = (
        f"SELECT {KEY}, sum(number), sum(bytes) FROM ({rows}) AS moved ({KEY}, number, bytes) GROUP BY {KEY}"
    )
    return f"{ADD}{summed} HAVING sum(number) <> 0 OR sum(bytes) <> 0;"


def count_by_trigger(table: str, row: str) -> None:
    """One function, and a trigger for each verb: transition tables belong to one."""
    op.execute(
        f"""
CREATE FUNCTION consigne_count_{table}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN {counted(row, ("1", "came"))}
    ELSIF TG_OP = 'DELETE' THEN {counted(row, ("-1", "went"))}
    ELSE {counted(row, ("1", "came"), ("-1", "went"))}
    END IF;
    RETURN NULL;
END $$
"""
    )
    op.execute(f"REVOKE ALL ON FUNCTION consigne_count_{table} FROM PUBLIC")
    news, olds = "NEW TABLE AS came", "OLD TABLE AS went"
    for verb, seen in (("insert", news), ("update", f"{olds} {news}"), ("delete", olds)):
        op.execute(
            f"CREATE TRIGGER count_{verb} AFTER {verb} ON {table} REFERENCING {seen} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION consigne_count_{table}()"
        )


# Only rows that share their key with a new one are read and written; two at once would wait for each other.
ROLL_UP = f"""
CREATE FUNCTION consigne_roll_up() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
    rolled bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(4711010) THEN RETURN 0; END IF;
    WITH gone AS (
        DELETE FROM stock USING (SELECT DISTINCT {KEY} FROM stock WHERE is_new) AS fresh
        WHERE ({", ".join(f"stock.{name.strip()}" for name in KEY.split(","))})
            = ({", ".join(f"fresh.{name.strip()}" for name in KEY.split(","))}) RETURNING stock.*
    ), kept AS (
        INSERT INTO stock ({KEY}, number, bytes, is_new) SELECT {KEY}, sum(number), sum(bytes), false FROM gone
        GROUP BY {KEY} HAVING sum(number) <> 0 OR sum(bytes) <> 0
    ) SELECT count(*) INTO rolled FROM gone;
    RETURN rolled;
END $$
"""
RECOUNT = f"""
CREATE FUNCTION consigne_recount() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(4711010);
    LOCK TABLE deliveries, artifacts IN SHARE MODE; -- as the ingest takes them, or each would wait for the other
    DELETE FROM stock;
    {counted(ARTIFACT, ("1", "artifacts"))}
    {counted(DELIVERY, ("1", "deliveries"))}
END $$
"""


FOUND_BY = (
    ("ix_certificates_issued_at", "certificates", "(issued_at, id)"),
    ("ix_certificates_epoch", "certificates", "(epoch, issued_at, id)"),
    # What is live is due later, what is erased was due before: of state and end apart, the planner would find a fifth
    # of all due, and read all. Of this expression it has figures of its own, as long as the index is over all rows.
    ("ix_artifacts_live_due", "artifacts", "((CASE WHEN state <> 'erased' THEN due_at END))"),
    ("ix_chunks_run", "chunks", "(run)"),
    ("ix_chunks_made_at", "chunks", "(made_at)"),
    ("ix_manifests_frozen_at", "manifests", "(frozen_at)"),
    ("ix_authorisations_authorised_at", "authorisations", "(authorised_at)"),
    ("ix_recordings_source_id", "recordings", "(source_id)"),
    ("ix_deliveries_source_id", "deliveries", "(source_id)"),
    ("ix_deliveries_recording", "deliveries", "(recording) WHERE recording IS NOT NULL"),
)
# These stood before, on fewer columns.
WIDENED = ("ix_certificates_issued_at", "ix_certificates_epoch")


def is_there(name: str, columns: str) -> bool:
    """Whether an earlier try made the index: asked for without a lock on its table."""
    there = (
        op.get_bind().execute(sa.text("SELECT pg_get_indexdef(to_regclass(:name))"), {"name": name}).scalar()
    )
    return there is not None and (name not in WIDENED or there.endswith(columns))


def upgrade() -> None:
    # Each index by itself, so that one table at a time waits, and nobody for two; once, however often it is cut short.
    with op.get_context().autocommit_block():
        for name, table, columns in FOUND_BY:
            if not is_there(name, columns):
                op.execute(f"DROP INDEX IF EXISTS {name}")
                op.execute(f"CREATE INDEX {name} ON {table} {columns}")
    # As the ingest takes them: in the other order a task under way and we would wait for each other.
    op.execute("LOCK TABLE deliveries, artifacts IN SHARE ROW EXCLUSIVE MODE")
    op.create_table(
        "stock",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("thing", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_ended", sa.Boolean(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("is_new", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint("thing IN ('artifact', 'delivery')", name=op.f("ck_stock_thing_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock")),
    )
    count_by_trigger("artifacts", ARTIFACT)
    count_by_trigger("deliveries", DELIVERY)
    for made in (ROLL_UP, RECOUNT):
        op.execute(made)
    op.execute("REVOKE ALL ON FUNCTION consigne_roll_up, consigne_recount FROM PUBLIC")
    op.execute("SELECT consigne_recount()")


def downgrade() -> None:
    raise NotImplementedError("restore a backup: a register is not rolled back")
