"""Alembic's entry: the connection is given by `migrate`, the version stands in a table of our own."""

from __future__ import annotations

from alembic import context

from consigne.adapters.catalog import tables, tables_decided, tables_gone, tables_people, tables_stock
from consigne.adapters.catalog.columns import metadata

assert (
    tables and tables_decided and tables_gone and tables_people and tables_stock
)  # imported for what they add to the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="consigne_version",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
