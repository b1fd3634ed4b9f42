"""What the catalog's tables are made of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, DateTime, MetaData

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def instant(name: str, null: bool = False) -> Column[datetime]:
    """`timestamptz`."""
    return Column(name, DateTime(timezone=True), nullable=null)


def one_of(column: str, values: str) -> CheckConstraint:
    """The column holds one of these words (separated by spaces)."""
    quoted = ", ".join(f"'{value}'" for value in values.split())
    return CheckConstraint(f"{column} IN ({quoted})", name=f"{column}_known")
