"""What a service gets, and nothing else: its share, its user at Redis, its view of the files."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import redis
from redis.exceptions import NoPermissionError

from consigne.adapters.keyring import files
from consigne.adapters.keyring.file import FileKeyring
from consigne.doors import shares
from consigne.doors.arrangement import SERVICES, Service
from consigne.doors.cli.up import read_executor, read_workers
from consigne.doors.local import apart, broker, ports, processes, services
from consigne.doors.local.backups import Manifest, Part, overdue, remember
from consigne.doors.orchestration.queues import QUEUES, dags_of
from consigne.doors.settings import CHECKOUT, Settings
from consigne.doors.shares import Places, write_share
from consigne.rules.errors import BadInput, Misconfigured
from system.inside import wait_until

BY_NAME = {service.name: service for service in SERVICES}
AIRFLOW_SECRETS = ("airflow-jwt-secret", "airflow-fernet-key", "airflow-secret-key", "database-airflow")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = Settings.make(tmp_path_factory.mktemp("shares") / "state")
    port, claim = ports.hold(16380)
    claim.close()
    for identity in ("ingest", "listen-training"):
        made.store_credentials(identity)
    return made.remember(executor="celery", broker_port=port)


def _places() -> Places:
    own = Path("/somewhere")
    return Places(
        store="http://store:9000", database="catalog:5432", broker="broker:6379", airflow="http://web:8080",
        keyring="/somewhere/socket", intake=own / "intake", witness=own / "witness", keys=own / "keyring",
        logs=own / "logs",
    )  # fmt: skip


def _share(settings: Settings, service: Service) -> Settings:
    folder = settings.state_dir / "shares" / service.name
    write_share(settings, service, folder, _places())
    return Settings.open(folder)


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.promise("P3")
def test_a_share_holds_what_the_table_lists_and_nothing_of_others(settings: Settings, name: str) -> None:
    service, share = BY_NAME[name], _share(settings, BY_NAME[name])
    held = {file.name: file.read_text() for file in (share.state_dir / "secrets").iterdir()}
    assert {one.removeprefix("database-") for one in held if one.startswith("database-")} == set(
        service.database
    )
    assert ("keyring-token" in held) == (service.keyring not in ("", "folder"))
    own = set(held.values())
    others = {
        file.read_text()
        for file in (settings.state_dir / "secrets").iterdir()
        if file.name not in AIRFLOW_SECRETS
    }
    everything = "".join(
        file.read_text()
        for file in share.state_dir.rglob("*")
        if file.is_file() and file.parent.name != "policy"
    )
    given = {settings.secret(f"broker-{broker_user(service)}")} if service.broker else set()
    assert not [secret for secret in others - own - given if secret in everything]
    modes = {
        stat.S_IMODE(one.stat().st_mode) & 0o077 for one in (share.state_dir, *share.state_dir.rglob("*"))
    }
    assert modes == {0}


def broker_user(service: Service) -> str:
    return "scheduler" if service.broker == "all" else service.broker


@pytest.mark.parametrize("name", [f"worker-{queue}" for queue in QUEUES])
def test_a_worker_has_none_of_airflows_own_secrets(settings: Settings, name: str) -> None:
    share = _share(settings, BY_NAME[name])
    written = (share.state_dir / "airflow" / "airflow.cfg").read_text()
    airflow = {settings.secret(secret) for secret in AIRFLOW_SECRETS[:3]} | {
        settings.secret("database-airflow")
    }
    assert not [secret for secret in airflow if secret in written]
    assert "sql_alchemy_conn" not in written
    queue = BY_NAME[name].queue
    assert {file.stem for file in (share.state_dir / "dags").glob("*.py")} == set(dags_of(queue))


def test_a_share_makes_no_secret_and_is_found_again(settings: Settings) -> None:
    share = _share(settings, BY_NAME["worker-expire"])
    with pytest.raises(Misconfigured, match="not_held"):
        share.secret("database-decide")
    with pytest.raises(Misconfigured, match="not_held"):
        share.store_credentials("ingest")
    assert share.holder == "worker-expire"
    assert "@catalog:5432/consigne" in share.database_url("expire")
    assert share.store_endpoint == "store:9000"
    before = {file: file.read_bytes() for file in share.state_dir.rglob("*") if file.is_file()}
    assert _share(settings, BY_NAME["worker-expire"]) == share
    assert {file: file.read_bytes() for file in share.state_dir.rglob("*") if file.is_file()} == before


def test_what_a_service_held_before_is_taken_from_it(settings: Settings) -> None:
    service = BY_NAME["worker-prove"]
    share = _share(settings, replace(service, secrets=("draw-hook",)))
    assert share.secret("draw-hook")
    with pytest.raises(Misconfigured, match="not_held"):
        _share(settings, service).secret("draw-hook")


# Redis


@pytest.fixture(scope="module")
def running(settings: Settings) -> Iterator[Settings]:
    """Redis as `up` starts it."""
    settings = settings.remember(broker_program=str(broker.find()))
    command = broker.command(settings)
    process = processes.start(command, signal.SIGTERM)
    wait_until(lambda: broker.answers(settings), "Redis to answer", 20)
    yield settings
    process.terminate()
    process.wait()


def _client(settings: Settings, user: str) -> redis.Redis:
    password = settings.secret(f"broker-{user}")
    return redis.Redis(port=settings.broker_port, username=user, password=password)


@pytest.mark.celery
@pytest.mark.parametrize("queue", QUEUES)
def test_a_worker_reaches_its_own_queue_alone(running: Settings, queue: str) -> None:
    with _client(running, queue) as own, _client(running, "scheduler") as scheduler:
        scheduler.lpush(queue, "one")
        assert own.brpop([queue], 1) == (queue.encode(), b"one")
        for other in set(QUEUES) - {queue}:
            for ask in (own.llen, own.smembers):
                with pytest.raises(NoPermissionError):
                    ask(other)
            with pytest.raises(NoPermissionError):
                own.lpush(other, "forged")
            with pytest.raises(NoPermissionError):
                own.hget(f"unacked-{other}", "tag")
            with pytest.raises(NoPermissionError):
                own.sadd(f"_kombu.binding.{other}", "x")
        for ask_all in (own.keys, own.randomkey, own.dbsize, own.client_list, own.acl_list, own.flushall):
            with pytest.raises(NoPermissionError):
                ask_all()
        with pytest.raises(NoPermissionError):
            own.publish("/0.celery.pidbox", "shutdown")


@pytest.mark.celery
def test_nobody_comes_in_without_a_password(running: Settings) -> None:
    with redis.Redis(port=running.broker_port) as nobody, pytest.raises(redis.AuthenticationError):
        nobody.ping()
    with _client(running, "scheduler") as scheduler, pytest.raises(NoPermissionError):
        scheduler.brpop(["ingest"], 1)


@pytest.mark.celery
def test_what_is_acknowledged_survives_a_kill(running: Settings) -> None:
    with _client(running, "scheduler") as scheduler:
        scheduler.lpush("decide", "kept")
    left = processes.workers_in((running.state_dir / "broker").resolve())
    for process in left:
        process.kill()
        process.wait()
    process = processes.start(broker.command(running), signal.SIGTERM)
    wait_until(lambda: broker.answers(running), "Redis to answer", 20)
    with _client(running, "decide") as worker:
        assert worker.brpop(["decide"], 1) == (b"decide", b"kept")
    process.terminate()
    process.wait()


# A view of one's own

PROBE = """
import json, os, sys
from pathlib import Path

def ask(path):
    try:
        return sorted(one.name for one in Path(path).iterdir())
    except OSError as fault:
        return type(fault).__name__

def write(path):
    try:
        Path(path, "planted").write_text("x")
        return "written"
    except OSError as fault:
        return type(fault).__name__

state, share = sys.argv[1:]
status = dict(line.split(":\\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\\t" in line)
print(json.dumps({
    "user": [os.getuid(), os.getgid(), os.getgroups()],
    "capabilities": [status[name] for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")],
    "new_privileges": status["NoNewPrivs"],
    "state": ask(state), "shares": ask(Path(state, "shares")), "secrets": ask(Path(state, "secrets")),
    "own": ask(Path(share, "secrets")), "work": os.getcwd(),
    "writes": {name: write(Path(state, name)) for name in ("", "intake", "shares/worker-ingest/secrets")},
    "run": write(os.getcwd()),
}))
"""


@pytest.mark.skipif(
    not apart.is_possible(), reason="only root that may make mount namespaces sets a process apart"
)
def test_a_service_sees_its_own_files_and_no_others(settings: Settings) -> None:
    settings = settings.remember(users_base=services.choose_users(settings))
    for name in ("keyring", "worker-expire", "worker-ingest"):
        services.command(settings, BY_NAME[name], 1)
    share = services.share_of(settings, "worker-ingest")
    done = services.run_as(
        settings, "worker-ingest", (sys.executable, "-c", PROBE, str(settings.state_dir), str(share))
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    user = services.user_of(settings, "worker-ingest")
    assert user and seen["user"] == [*user, []]
    assert {int(one, 16) for one in seen["capabilities"]} == {0}
    assert seen["new_privileges"] == "1"
    assert set(seen["state"]) == {"shares", "intake", "logs", "keyserver"} & set(seen["state"])
    assert seen["shares"] == ["worker-ingest"]
    assert seen["secrets"] == "FileNotFoundError"
    assert "database-ingest" in seen["own"]
    assert seen["work"] == str(share / "run" / "1")
    assert seen["run"] == "written"
    assert seen["writes"] == {"": "OSError", "intake": "written", "shares/worker-ingest/secrets": "OSError"}


@pytest.mark.promise("P8")
@pytest.mark.skipif(
    not apart.is_possible(), reason="only root that may make mount namespaces sets a process apart"
)
def test_a_worker_that_starts_again_leaves_what_waits_in_intake_as_it_is(settings: Settings) -> None:
    settings = settings.remember(users_base=services.choose_users(settings))
    services.command(settings, BY_NAME["worker-ingest"], 1)
    file = settings.intake_dir / "call.json"
    file.write_text("{}")
    file.chmod(0o640)
    user = services.user_of(settings, "worker-ingest")
    assert user and file.stat().st_gid == user[1]
    before = file.stat()
    services.command(settings, BY_NAME["worker-ingest"], 1)
    assert (file.stat().st_ctime_ns, file.stat().st_uid) == (before.st_ctime_ns, before.st_uid)
    done = services.run_as(settings, "worker-ingest", ("/bin/sh", "-c", f"cat {file} && rm {file}"))
    assert done.stdout == "{}", done.stderr
    assert not file.exists()


READER = """
import hashlib, json, os, select, sys
from pathlib import Path

files = [one for one in Path(sys.argv[1]).rglob("*") if one.is_file() and one.parent.name != "run"]
seen, failed = {}, []

def look():
    for file in files:
        try:
            seen.setdefault(str(file), set()).add(hashlib.sha256(file.read_bytes()).hexdigest())
        except OSError as fault:
            failed.append(f"{file.name}: {type(fault).__name__}")

look()
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    look()
look()
print(json.dumps({"seen": {name: sorted(digests) for name, digests in seen.items()}, "failed": failed}))
"""


@pytest.mark.promise("P8")
@pytest.mark.skipif(
    not apart.is_possible(), reason="only root that may make mount namespaces sets a process apart"
)
def test_a_worker_reads_all_of_its_share_whole_while_a_sibling_starts_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where every file of it changes; one that does not is left alone."""
    for name in ("dags", "config"):
        ours = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / name, tmp_path / "checkout" / name, ignore=ours)
    monkeypatch.setattr(shares, "CHECKOUT", tmp_path / "checkout")
    policy = tmp_path / "checkout" / "config" / "demo.yaml"
    made = Settings.make(tmp_path / "state").remember(
        executor="celery", broker_port=1, database_port=2, policy_file=policy
    )
    made = made.remember(users_base=services.choose_users(made))
    service = BY_NAME["worker-ingest"]
    folder = services.share_of(made, service.name)
    services.command(made, BY_NAME["keyring"], 1)
    first = services.command(made, service, 1)
    changing = [*(tmp_path / "checkout").rglob("*.*"), *(made.state_dir / "secrets").iterdir()]

    def digests() -> dict[str, str]:
        found = [one for one in folder.rglob("*") if one.is_file() and one.parent.name != "run"]
        return {str(one): sha256(one.read_bytes()).hexdigest() for one in found}

    written = [digests()]
    reader = subprocess.Popen(
        (sys.executable, "-c", READER, str(folder)), cwd=first.folder, env=dict(first.environment), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=lambda: processes.settle(first),
    )  # fmt: skip
    assert reader.stdout and reader.stdout.readline() == "ready\n"
    for number in range(20):
        for file in changing:
            file.write_text(file.read_text().removesuffix(f"#{number - 1}") + f"#{number}")
        services.refresh(made)
        services.command(made.remember(airflow_port=10_000 + number), service, 2)
        written.append(digests())
    told = json.loads(reader.communicate(timeout=60)[0])
    assert not told["failed"]
    kinds = {Path(name).parent.name for name in written[0]}
    assert kinds == {service.name, "secrets", "dags", "policy", "airflow"}
    for name in written[0]:
        allowed = {one[name] for one in written}
        assert len(allowed) == 21, f"{name} was not written anew"
        assert {written[0][name], written[-1][name]} <= set(told["seen"][name]) <= allowed
    before = {one: one.stat().st_ino for one in folder.rglob("*")}
    services.command(Settings.open(made.state_dir), service, 1)
    assert {one: one.stat().st_ino for one in folder.rglob("*")} == before


TRAP = """
import os, sys
from pathlib import Path

def attempt(act, *given):
    try:
        act(*given)
    except OSError:
        pass

share, state, elsewhere = map(Path, sys.argv[1:])
for name in ("run/1", "run/logs", "run", "airflow/airflow.cfg", "airflow", "secrets", "policy"):
    place = share / name
    attempt(place.rename, place.with_name(place.name + "-before"))
    attempt(place.symlink_to, elsewhere / "airflow.cfg" if name.endswith("cfg") else elsewhere)
attempt(Path(state, "intake", "call.json").symlink_to, elsewhere / "held")
"""


@pytest.mark.promise("P3")
@pytest.mark.skipif(
    not apart.is_possible(), reason="only root that may make mount namespaces sets a process apart"
)
def test_root_follows_no_link_of_a_service(settings: Settings, tmp_path: Path) -> None:
    """Whatever a worker puts in its folders' place: when it is started anew, files elsewhere stay root's, and nobody
    who works there is stopped."""
    settings = settings.remember(users_base=services.choose_users(settings))
    service = BY_NAME["worker-ingest"]
    services.command(settings, BY_NAME["keyring"], 1)
    services.command(settings, service, 1)
    elsewhere, share = tmp_path / "elsewhere", services.share_of(settings, service.name)
    elsewhere.mkdir()
    for name in ("held", "airflow.cfg"):
        (elsewhere / name).write_text("root's")
    trap = (sys.executable, "-c", TRAP, str(share), str(settings.state_dir), str(elsewhere))
    done = services.run_as(settings, service.name, trap)
    assert done.returncode == 0, done.stderr
    stranger = subprocess.Popen(["sleep", "60"], cwd=elsewhere, start_new_session=True)
    try:
        folder = services.command(settings, service, 1).folder
        services.refresh(settings)
        processes.stop(None, folder, None, 0.0)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
    for one in (elsewhere, *elsewhere.iterdir()):
        assert one.stat().st_uid == 0
    assert {one.read_text() for one in elsewhere.iterdir()} == {"root's"}
    (settings.intake_dir / "call.json").unlink()


@pytest.mark.parametrize("linked", ["epochs", "lock"])
def test_a_key_is_written_and_destroyed_through_no_link(tmp_path: Path, linked: str) -> None:
    """Root does so in a folder that belongs to the key server's user."""
    keyring, elsewhere = tmp_path / "keyring", tmp_path / "elsewhere"
    for folder in (keyring, elsewhere):
        folder.mkdir()
    (elsewhere / "one.key").write_text("theirs")
    (keyring / linked).symlink_to(elsewhere if linked == "epochs" else elsewhere / "made")
    with pytest.raises(OSError, match=r"symbolic|directory"):
        if linked == "lock":
            with files.locked(keyring):
                pass  # never: the link is refused
        files.write(keyring / "epochs" / "one.key", b"ours")
    if linked == "epochs":
        with pytest.raises(OSError, match=r"symbolic|directory"):
            files.destroy(keyring / "epochs" / "one.key")
    assert [(one.name, one.read_text()) for one in elsewhere.iterdir()] == [("one.key", "theirs")]


@pytest.mark.parametrize("linked", ["epochs", "keys", "keys/signing-1.key", "root.key", "lock"])
def test_a_keyring_with_a_link_in_it_is_refused_and_nothing_is_read_through_it(
    tmp_path: Path, linked: str
) -> None:
    keyring = FileKeyring(tmp_path / "keyring")
    keyring.prepare(first=True)
    keyring.open_epoch("one")
    place = tmp_path / "keyring" / linked
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    asked = {
        "epochs": lambda: (keyring.epochs(), keyring.epoch_lives("one"), keyring.wrap("one", bytes(32), b"")),
        "keys": lambda: keyring.versions("signing"),
        "keys/signing-1.key": lambda: keyring.sign(b"a statement"),
        "root.key": lambda: keyring.root_versions(),
        "lock": lambda: keyring.destroy_epoch("one"),
    }
    for ask in (asked[linked], lambda: keyring.rotate("root")):
        with pytest.raises(Misconfigured, match="folder_not_ours"):
            ask()


@pytest.mark.promise("P3")
@pytest.mark.skipif(
    not apart.is_possible(), reason="only root that may make mount namespaces sets a process apart"
)
@pytest.mark.parametrize("killed_at", [None, *range(15)])
def test_a_link_that_a_service_left_stops_every_way_back_until_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int | None
) -> None:
    """Whether a way back was refused or killed before any step."""
    made = Settings.make(tmp_path / "state").remember(executor="celery", broker_port=1, database_port=2)
    made = made.remember(users_base=services.choose_users(made))
    FileKeyring(made.state_dir / "keyring").prepare(first=True)
    for name in ("keyring", "worker-ingest"):
        services.command(made, BY_NAME[name], 1)
    link = made.state_dir / "keyring" / "epochs" / "one.key"
    link.symlink_to(made.state_dir / "settings.json")
    with monkeypatch.context() as patch:
        _die_before(patch, killed_at)
        with pytest.raises(Misconfigured if killed_at is None else (Misconfigured, _Killed)):
            services.leave(made)
    for _ in range(2):
        with pytest.raises(Misconfigured, match="folder_not_ours"):
            services.leave(made)
    link.unlink()
    with monkeypatch.context() as patch:
        _die_before(patch, killed_at)
        with suppress(_Killed):
            services.leave(made)
    services.leave(made)
    assert not (made.state_dir / "shares").exists()
    left = [made.state_dir / "intake", *(made.state_dir / "keyring").rglob("*"), made.state_dir / "keyring"]
    assert {(one.stat().st_uid, one.stat().st_gid, one.stat().st_mode & 0o077) for one in left} == {(0, 0, 0)}


class _Killed(BaseException):
    pass


def _die_before(patch: pytest.MonkeyPatch, step: int | None) -> None:
    """At that change of an owner, a mode or a tree, counted from 0; None: never."""
    left = iter([False] * step + [True]) if step is not None else iter(())

    def dying(name: str, module: object) -> None:
        act = getattr(module, name)

        def attempt(*given: object, **more: object) -> object:
            if next(left, False):
                raise _Killed
            return act(*given, **more)

        patch.setattr(module, name, attempt)

    for name, module in (("chown", os), ("chmod", os), ("rmtree", shutil)):
        dying(name, module)


@pytest.mark.promise("P8")
@pytest.mark.skipif(os.getuid() != 0, reason="only root gives folders away")
@pytest.mark.parametrize("users_base", [0, 20_000])
def test_folders_that_were_never_a_services_keep_owner_and_mode_on_the_way_to_one_process(
    tmp_path: Path, users_base: int
) -> None:
    made = Settings.make(tmp_path / "state").remember(users_base=users_base)
    own = [made.state_dir / name for name in ("intake", "keyring", "witness")]
    for folder in own:
        os.chown(folder, 1000, 1000)
        folder.chmod(0o2770)
    services.leave(made)
    found = {(one.stat().st_uid, one.stat().st_gid, stat.S_IMODE(one.stat().st_mode)) for one in own}
    assert found == {(1000, 1000, 0o2770)}


@pytest.mark.promise("P3")
def test_back_to_one_process_no_share_and_no_secret_of_it_stays(tmp_path: Path) -> None:
    made = Settings.make(tmp_path / "state").remember(executor="celery", broker_port=1, database_port=2)
    (made.state_dir / "keyring" / "root.key").write_bytes(bytes(32))
    (made.intake_dir / "call.json").write_text("{}")
    if apart.is_possible():
        made = made.remember(users_base=services.choose_users(made))
    for name in ("keyring", "sealer", "worker-ingest"):
        services.command(made, BY_NAME[name], 1)
    key, call = made.state_dir / "keyring" / "root.key", made.intake_dir / "call.json"
    user = services.user_of(made, "keyring")
    assert key.stat().st_uid == (user[0] if user else os.getuid())
    before = call.stat().st_ctime_ns
    services.leave(made)
    assert not (made.state_dir / "shares").exists()
    own = [made.state_dir / name for name in ("keyring", "witness", "intake")]
    assert {one.stat().st_uid for one in (*own, key)} == {os.getuid()}
    assert {stat.S_IMODE(one.stat().st_mode) for one in own} == {0o700}
    assert call.stat().st_ctime_ns == before


# What `up` is asked for


def test_how_many_workers_is_read_or_refused() -> None:
    assert read_workers("ingest=3,expire=1") == {"ingest": 3, "expire": 1}
    for wrong in ("ingest", "ingest=0", "ingest=x", "letters=1", "ingest=65"):
        with pytest.raises(BadInput, match="bad_workers"):
            read_workers(wrong)
    with pytest.raises(BadInput, match="unknown_executor"):
        read_executor("kubernetes")


@pytest.mark.promise("P1")
def test_a_worker_judges_by_the_policy_and_the_acknowledgements_as_they_are_now(settings: Settings) -> None:
    """Also where the newer file was written before the older one, as after `mv`, `cp -p` or `tar x`."""
    worker = BY_NAME["worker-ingest"]
    own = settings.state_dir / "policy.yaml"
    own.write_bytes(settings.policy_file.read_bytes())
    agents, prepared = own.with_name("agents-2.csv"), own.with_name("agents.new")
    agents.write_text("as it was")
    prepared.write_text("as it is")
    os.utime(prepared, (0, 0))
    changed = replace(settings, policy_file=own)
    copies = _share(changed, worker).state_dir / "policy"
    assert (copies / agents.name).read_text() == "as it was"
    prepared.rename(agents)
    services.refresh(changed)
    assert (copies / agents.name).read_text() == "as it is"
    agents.unlink()
    services.refresh(changed)
    assert not (copies / agents.name).exists()
    assert (copies / own.name).read_bytes() == own.read_bytes()


@pytest.mark.promise("P6")
def test_the_desk_learns_of_backups_that_are_overdue_and_nobody_else_does(settings: Settings) -> None:
    desk = _share(settings, BY_NAME["api-server"])
    assert overdue(desk) is None  # not: none
    over = Manifest(
        "an id", "an origin", "2026-01-01T00:00:00Z", {"keyring": Part("2026-02-01T00:00:00Z", 1, 1, "")}
    )
    remember(settings, Path("/mnt/backup/one"), over)
    services.refresh(settings)
    assert overdue(desk) == ["/mnt/backup/one"]
    remember(settings, Path("/mnt/backup/one"), replace(over, parts={}))
    services.refresh(settings)
    assert overdue(desk) == []
    others = [one for one in SERVICES if "session" not in one.airflow]
    for service in others:
        _share(settings, service)
    assert not [one for one in others if (settings.state_dir / "shares" / one.name / "backups.json").exists()]
