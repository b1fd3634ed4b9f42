"""Bring the catalog's tables to the newest form, forward only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

HERE = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Run what is missing, in one lock: two `apply` at once end with one. Each migration is a transaction: cut short,
    the next call goes on. Newer tables are left as they are: the code was rolled back."""
    with engine.connect() as connection, _alone(connection):
        with connection.begin():
            is_newer = (
                inspect(connection).has_table("consigne_version") and version(connection) > newest_version()
            )
        if not is_newer:
            command.upgrade(_config(connection), "head")


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    with connection.begin():
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
