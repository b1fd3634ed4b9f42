"""A real PostgreSQL for the session; each test gets a clone of one migrated database."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import Engine

from consigne.adapters.catalog.migrate import migrate
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.session import open_engine
from consigne.doors.local import postgres, processes
from consigne.doors.settings import Settings

from .world import World, make_world

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The embedded PostgreSQL, started as `up` starts it, with the database `consigne` migrated."""
    settings = Settings.make(tmp_path_factory.mktemp("acts"))
    settings = settings.remember(socket_dir=postgres.choose_socket_folder(settings))
    command = postgres.command(settings)
    unsafe = replace(
        command, argv=(*command.argv, "--fsync=off", "--full_page_writes=off")
    )  # only a test's data
    process = processes.start(unsafe, signal.SIGINT)
    try:
        while not postgres.answers(settings):
            assert process.poll() is None, (settings.state_dir / "logs" / "postgres.log").read_text()
            time.sleep(0.05)
        postgres.make_databases(settings)
        engine = open_engine(settings.database_admin_url())
        migrate(engine)
        engine.dispose()
        yield settings
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


@pytest.fixture
def engine(server: Settings) -> Iterator[Engine]:
    """The owner's engine on a fresh clone, whose clock may be shifted."""
    name = f"clone_{next(_NUMBERS)}"
    plain = server.database_admin_url("postgres").replace("+psycopg", "", 1)
    with psycopg.connect(plain, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE consigne")
    cloned = open_engine(server.database_admin_url(name))
    with cloned.begin() as tx:
        tx.exec_driver_sql("UPDATE clock SET test = true")
    yield cloned
    cloned.dispose()
    with psycopg.connect(plain, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def catalog(engine: Engine) -> Catalog:
    return Catalog(engine, os.urandom)


@pytest.fixture
def world(engine: Engine, catalog: Catalog) -> World:
    """A platform of which only the catalog is real."""
    return make_world(engine, catalog)


def shift_clock(engine: Engine, seconds: int) -> None:
    """Move the catalog's clock on."""
    with engine.begin() as tx:
        tx.exec_driver_sql(f"UPDATE clock SET offset_s = offset_s + {seconds:d}")
