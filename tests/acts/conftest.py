"""A real PostgreSQL for the session; each test gets a clone of one migrated database."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import Engine, event, text

from consigne.adapters.catalog.grants import GRANTS, grant, make_roles
from consigne.adapters.catalog.migrate import migrate
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.session import open_engine
from consigne.doors.local import postgres, processes
from consigne.doors.settings import Settings

from .stage import Stage, make_stage
from .world import World, make_world

if TYPE_CHECKING:
    from .desk_world import DeskWorld

USERS = {role: f"test_{role}" for role in GRANTS}
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


@pytest.fixture
def engines(engine: Engine) -> Iterator[Callable[[str], Engine]]:
    """The clone, seen by one role."""
    with engine.begin() as tx:
        make_roles(tx, USERS, {role: os.urandom(8).hex() for role in GRANTS})
        grant(tx, USERS)
    opened: list[Engine] = []

    def seen_by(role: str) -> Engine:
        opened.append(open_engine(engine.url.render_as_string(hide_password=False)))

        @event.listens_for(opened[-1], "connect")
        def become(connection: Any, _: Any) -> None:
            connection.execute(f"SET ROLE {USERS[role]}")
            connection.commit()

        return opened[-1]

    yield seen_by
    for each in opened:
        each.dispose()
    with engine.begin() as tx:
        for user in USERS.values():
            tx.execute(text(f"DROP OWNED BY {user}"))
            tx.execute(text(f"DROP ROLE {user}"))


@pytest.fixture
def desk_world(world: World, engines: Callable[[str], Engine], monkeypatch: pytest.MonkeyPatch) -> DeskWorld:
    """The desk over `world`. Airflow is imported only where it is asked for."""
    from .desk_world import open_desk_world

    return open_desk_world(world, engines, monkeypatch)


@pytest.fixture
def stage(engine: Engine, catalog: Catalog, tmp_path: Path) -> Stage:
    """Kept artifacts without their objects."""
    return make_stage(engine, catalog, tmp_path)


def shift_clock(engine: Engine, seconds: int) -> None:
    """Move the catalog's clock on."""
    with engine.begin() as tx:
        tx.exec_driver_sql(f"UPDATE clock SET offset_s = offset_s + {seconds:d}")
