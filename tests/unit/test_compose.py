"""docker-compose.yaml: written from the table, and what each service in it may see, reach and do."""

from __future__ import annotations

import configparser
import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from consigne.doors import compose, compose_folder
from consigne.doors.arrangement import SERVICES, Service
from consigne.doors.compose_folder import Wishes
from consigne.doors.settings import CHECKOUT, Settings
from consigne.rules.errors import BadInput, Misconfigured

HERE = "${CONSIGNE_COMPOSE:?run compose init}"
FILE: dict[str, Any] = yaml.safe_load(compose.text())
OURS = {service.name: service for service in SERVICES}
GROUND = ("postgres", "broker", "store")
ARRANGED = [pytest.param(service, id=service.name) for service in SERVICES]


def quiet(_: str) -> None: ...


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("compose") / "here"
    compose_folder.make(made, Wishes(), quiet)
    return made


def test_the_file_is_what_the_table_says() -> None:
    """Changed by `./consigne compose write` alone."""
    assert (CHECKOUT / "docker-compose.yaml").read_text() == compose.text()


def test_every_service_of_the_table_runs_and_nothing_else() -> None:
    assert list(FILE["services"]) == [*GROUND, *OURS]


@pytest.mark.parametrize("name", FILE["services"])
def test_nobody_has_more_than_it_needs_of_its_machine(name: str) -> None:
    service = FILE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service and "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["ulimits"] == {"core": 0}
    assert service["mem_limit"] == service["memswap_limit"], "what is in memory must not reach a disk"
    assert service["cpus"] and service["pids_limit"]
    is_step = name in OURS and OURS[name].is_step
    assert service["restart"] == ("on-failure" if is_step else "unless-stopped")
    assert ("healthcheck" in service) is not is_step


def test_each_has_a_user_of_its_own_and_none_is_root() -> None:
    numbers = [re.findall(r":-(\d+)", service["user"]) for service in FILE["services"].values()]
    assert all(len(set(found)) == 1 for found in numbers)
    assert len({found[0] for found in numbers}) == len(numbers)
    assert "0" not in {found[0] for found in numbers}


def test_images_are_pinned_by_tag_and_digest() -> None:
    for name in GROUND:
        assert re.fullmatch(
            r"[a-z/]+:[\w.-]*\d[\w.-]*@sha256:[0-9a-f]{64}", FILE["services"][name]["image"]
        ), name
    base = re.findall(r"^FROM (\S+)$", (CHECKOUT / "Dockerfile").read_text(), re.M)
    locked = re.search(r"^apache-airflow-core==(\S+)", (CHECKOUT / "requirements.txt").read_text(), re.M)
    assert locked
    assert base == [f"apache/airflow:{locked[1]}-python3.11"]


def test_only_the_web_pages_are_published_and_only_on_loopback() -> None:
    ports = {name: service["ports"] for name, service in FILE["services"].items() if "ports" in service}
    assert ports == {"api-server": ["127.0.0.1:${CONSIGNE_PORT:-8080}:8080"]}


@pytest.mark.parametrize("service", ARRANGED)
def test_a_service_sees_its_own_share_and_no_other(service: Service) -> None:
    bound = [volume.split(":/")[0] for volume in FILE["services"][service.name]["volumes"]]
    shares = [one.removeprefix(f"{HERE}/shares/") for one in bound if "/shares/" in one]
    assert {one.split("/")[0] for one in shares} == {service.name}
    assert not [
        one for one in bound if one == HERE or "/installation" in one or "/ground" in one or "/data" in one
    ]
    writable = {
        one.split(":/")[0] for one in FILE["services"][service.name]["volumes"] if not one.endswith(":ro")
    }
    allowed = {f"{HERE}/{name}" for name in service.writes}
    allowed |= {f"{HERE}/logs/{service.queue}"} if service.queue else set()
    allowed |= {f"{HERE}/keyserver"} if service.keyring == "folder" else set()
    assert writable == allowed


@pytest.mark.parametrize("name", GROUND)
def test_a_ground_service_sees_its_own_secrets_and_data(name: str) -> None:
    inside = {volume.split(":/")[0].removeprefix(f"{HERE}/") for volume in FILE["services"][name]["volumes"]}
    assert inside <= {f"ground/{name}", f"data/{name}", "data/store-audit" if name == "store" else ""}


@pytest.mark.parametrize("service", [one for one in SERVICES if one.queue], ids=lambda one: one.name)
def test_a_worker_reaches_four_things_and_nothing_outside(service: Service) -> None:
    assert set(FILE["services"][service.name]["networks"]) == {"catalog", "store", "broker", "tasks"}


def test_who_reaches_what() -> None:
    on = {
        name: {one for one, service in FILE["services"].items() if name in service["networks"]}
        for name in FILE["networks"]
    }
    workers = {one.name for one in SERVICES if one.queue}
    assert on["keyring"] == {"keyring"}, "the key server speaks by its socket alone"
    assert on["broker"] == {"broker", "scheduler", *workers}
    assert on["outside"] == {"api-server", "sealer"}, "mail, the witness and the published port"
    assert on["tasks"] == {"prepare", "api-server", "sealer", *workers}
    assert "scheduler" not in on["store"] and "dag-processor" not in on["store"]
    closed = {name for name, network in FILE["networks"].items() if network.get("internal")}
    assert closed == set(FILE["networks"]) - {"outside"}


def test_no_secret_is_in_the_file_or_the_variables(folder: Path) -> None:
    said = compose.text() + (folder / compose_folder.ENVIRONMENT).read_text()
    secrets = [file.read_text() for file in folder.glob("installation/secrets/*")]
    assert len(secrets) > 20
    assert not [secret for secret in secrets if secret in said]
    names = {name for service in FILE["services"].values() for name in service.get("environment", {})}
    assert not [name for name in names if re.search("PASSWORD$|SECRET|KEY$|TOKEN", name)]


def test_a_share_holds_what_the_table_lists(folder: Path) -> None:
    """Nobody but the key server and `prepare` holds more than its own; no two share a broker's password."""
    held = {name: {file.name for file in (folder / "shares" / name / "secrets").iterdir()} for name in OURS}
    for service in SERVICES:
        databases = {f"database-{role}" for role in service.database}
        assert {name for name in held[service.name] if name.startswith("database-")} == databases
    everywhere = [
        one for one in (folder / "shares").rglob("*") if one.is_file() and one.parent.name != "dags"
    ]
    assert not [one for one in everywhere if one.stat().st_mode & 0o037]
    assert {one.name for one in everywhere if one.stat().st_mode & 0o040} <= {"airflow.cfg"}
    told = [file.read_text() for file in folder.glob("shares/worker-*/airflow/airflow.cfg")]
    brokers = [found for text in told for found in re.findall(r"broker_url = redis://\w+:([^@]+)@", text)]
    assert len(set(brokers)) == len(told) == 4
    assert not [
        text for text in told if re.search("sql_alchemy_conn|fernet_key|jwt_secret|^secret_key", text, re.M)
    ]


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_each_share_can_be_read_by_its_service_alone_and_its_folders_are_roots(folder: Path) -> None:
    for name in OURS:
        share, user = folder / "shares" / name, compose.user_of(name)
        for one in (share, *share.rglob("*")):
            found = one.stat()
            assert found.st_gid == user and not found.st_mode & 0o007, one
            is_roots = one.is_dir() or one.name == "airflow.cfg"
            assert found.st_uid == (0 if is_roots else user), one
            assert not one.is_dir() or not found.st_mode & 0o020 or found.st_mode & stat.S_ISVTX, one
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_witness_file_is_made_through_no_link(folder: Path, tmp_path: Path) -> None:
    """The sealer's container writes in that folder: root follows nothing that it may have put there."""
    file, elsewhere = folder / "witness" / "checkpoints.txt", tmp_path / "elsewhere"
    file.unlink()
    file.symlink_to(elsewhere)
    compose_folder.make(folder, Wishes(), quiet)
    assert not elsewhere.exists() and file.is_symlink()
    file.unlink()
    compose_folder.make(folder, Wishes(), quiet)
    assert file.stat().st_mode & 0o777 == 0o640


def test_run_again_it_changes_nothing(folder: Path) -> None:
    def seen() -> dict[str, tuple[int, int, bytes]]:
        found = {}
        for one in sorted(folder.rglob("*")):
            now = one.stat()
            found[str(one)] = (now.st_mode, now.st_uid, one.read_bytes() if one.is_file() else b"")
        return found

    before = seen()
    compose_folder.make(folder, Wishes(), quiet)
    assert seen() == before


def test_a_public_name_is_what_links_say(tmp_path: Path) -> None:
    file = compose_folder.make(tmp_path / "c", Wishes(public_url="https://calls.example.org/"), quiet)
    assert "CONSIGNE_PUBLIC_NAME=calls.example.org\n" in file.read_text()
    told = (tmp_path / "c/shares/api-server/airflow/airflow.cfg").read_text()
    assert "base_url = https://calls.example.org\n" in told
    assert "cookie_secure = True\n" in told
    worker = (tmp_path / "c/shares/worker-ingest/airflow/airflow.cfg").read_text()
    assert "execution_api_server_url = http://api-server:8080/execution/\n" in worker


def test_one_dag_may_fill_all_workers_whatever_machine_wrote_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    compose_folder.make(tmp_path / "c", Wishes(), quiet)
    told = configparser.ConfigParser(interpolation=None)
    told.read(tmp_path / "c/shares/scheduler/airflow/airflow.cfg")
    assert told.getint("core", "max_active_tasks_per_dag") == told.getint("core", "parallelism") >= 16


def test_commands_of_this_machine_ask_the_published_port(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    file = compose_folder.make(folder, Wishes(public_url="http://calls.example.org:9090"), quiet)
    assert "CONSIGNE_PORT=9090" in file.read_text()
    assert Settings.open(folder / "installation").airflow_port == 9090
    assert Settings.open(folder / "shares" / "api-server").airflow_port == 8080


@pytest.mark.parametrize("url", ["calls.example.org", "ftp://a", "https://a/b", "https://u:p@a"])
def test_a_public_name_that_is_none_is_refused_without_its_value(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadInput) as caught:
        compose_folder.make(tmp_path / "c", Wishes(public_url=url), quiet)
    assert url not in str(caught.value)
    assert not (tmp_path / "c").exists()


def test_given_servers_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSIGNE_STORE_URL", "http://a:b@elsewhere:9000")
    with pytest.raises(Misconfigured) as caught:
        compose_folder.make(tmp_path / "c", Wishes(), quiet)
    assert caught.value.code == "not_in_compose"


@pytest.mark.compose
@pytest.mark.parametrize("more", [(), ("docker-compose.tls.yaml",)], ids=["plain", "tls"])
def test_docker_compose_accepts_it(folder: Path, more: tuple[str, ...]) -> None:
    """Debian's 1.29; it also says what the merged api-server is."""
    files = [part for name in ("docker-compose.yaml", *more) for part in ("-f", str(CHECKOUT / name))]
    variables = ["--env-file", str(folder / compose_folder.ENVIRONMENT)]
    environment = {"PATH": os.environ["PATH"], "CONSIGNE_PUBLIC_NAME": "calls.example.org"}
    done = subprocess.run(
        ["docker-compose", *variables, *files, "config"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    desk = yaml.safe_load(done.stdout)["services"]["api-server"]
    assert set(desk["networks"]) >= set(FILE["services"]["api-server"]["networks"])
    assert desk["command"][:4] == FILE["services"]["api-server"]["command"]
    assert desk["volumes"][0].startswith(str(folder))


@pytest.mark.compose
def test_docker_compose_starts_nothing_before_init() -> None:
    done = subprocess.run(
        ["docker-compose", "-f", str(CHECKOUT / "docker-compose.yaml"), "config"],
        env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "run compose init" in done.stderr
