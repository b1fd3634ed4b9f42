"""How many of the store's drives were away when an object went; and a column that 0001 was once given after its
release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE deliveries ADD COLUMN IF NOT EXISTS findings text[] DEFAULT '{}' NOT NULL")
    op.add_column("tombstones", sa.Column("drives_away", sa.Integer(), nullable=True))
    op.create_index(
        "ix_tombstones_drives_away",
        "tombstones",
        ["artifact"],
        unique=False,
        postgresql_where=sa.text("drives_away > 0"),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup: a register is not rolled back")
