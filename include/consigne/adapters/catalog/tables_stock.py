"""The stock: how many artifacts and deliveries there are, by what pages and the expiry count, so that nobody reads the
catalog's rows to know (ADR 0019).

Triggers on `artifacts` and `deliveries` add rows (`is_new`), never change one: writers do not wait for each other. A
count is the sum over its rows; `consigne_roll_up()` makes one row of those that share a key, `consigne_recount()` all
anew from what is there.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Identity, Integer, Table, Text, text

from consigne.adapters.catalog.columns import instant, metadata, one_of

stock = Table(
    "stock",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("thing", Text, nullable=False),
    Column("name", Text, nullable=False),  # an artifact's purpose, a delivery's source
    Column("state", Text, nullable=False),
    Column("how", Text, nullable=False),  # what keeps a live artifact: `plain`, its period; else empty
    instant("ends_at"),  # a live artifact's due_at; else the year 9999 (drivers cannot read infinity)
    Column("is_ended", Boolean, nullable=False),  # a recorded act ended the live artifact's clock
    Column("number", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("is_new", Boolean, nullable=False, server_default=text("true")),
    one_of("thing", "artifact delivery"),
)

# What the newest run of the ingest left in each source's intake: no row of `deliveries` stands for it yet.
unclaimed = Table(
    "unclaimed",
    metadata,
    Column("source", Text, primary_key=True),
    instant("looked_at"),
    Column("number", Integer, nullable=False),
    Column("oldest_at", DateTime(timezone=True)),  # when the first of them was last changed
)
