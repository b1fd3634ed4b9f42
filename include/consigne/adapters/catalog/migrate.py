"""Bring the catalog's tables to the newest form, forward only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from consigne.adapters.catalog.session import terse

HERE = Path(__file__).parent / "migrations"


@terse("is PostgreSQL up, and not busy? What was done stays; the next try goes on from there")
def migrate(engine: Engine, say: Callable[[str], None] = lambda _: None) -> None:
    """Run what is missing, in one lock: two `apply` at once end with one. Each migration is a transaction: cut short
    (Unavailable), the next call goes on. Newer tables are left as they are: the code was rolled back."""
    with engine.connect() as connection, _alone(connection, say):
        with connection.begin():
            is_newer = (
                inspect(connection).has_table("consigne_version") and version(connection) > newest_version()
            )
        if not is_newer:
            command.upgrade(_config(connection), "head")


@contextmanager
def _alone(connection: Connection, say: Callable[[str], None]) -> Iterator[None]:
    with connection.begin():
        if not connection.exec_driver_sql("SELECT pg_try_advisory_lock(4711001)").scalar_one():
            say(
                "the catalog's tables: waiting for a migration under way, or for what a killed one left running"
            )
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")  # that may take minutes
            connection.exec_driver_sql("SELECT pg_advisory_lock(4711001)")
    try:
        yield
    finally:
        connection.rollback()
        with connection.begin():
            connection.exec_driver_sql("SELECT pg_advisory_unlock(4711001)")


def newest_version() -> str:
    """Of the tables that this code asks for."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def version(tx: Connection) -> str:
    """Of the tables that are there: versions rise, and newer tables serve older code."""
    return str(tx.execute(text("SELECT version_num FROM consigne_version")).scalar_one())


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
