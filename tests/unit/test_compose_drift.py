"""docker-compose.yaml runs what `up --executor celery` runs: images, commands, variables, mounts and shares, service by
service, so that neither can change alone. What differs is where a container finds things, and nothing else."""

from __future__ import annotations

import configparser
import json
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from consigne.doors import compose, compose_folder
from consigne.doors.arrangement import SERVICES, Service
from consigne.doors.compose_folder import Wishes
from consigne.doors.local import broker, minio, postgres, services
from consigne.doors.local.apart import is_possible
from consigne.doors.local.processes import INHERITED, Command
from consigne.doors.settings import CHECKOUT, Settings

FILE: dict[str, Any] = yaml.safe_load(compose.text())
ARRANGED = [pytest.param(service, id=service.name) for service in SERVICES]
# Where one machine and containers differ on purpose: replicas are told apart by a name, and by their address.
ON_ONE_MACHINE = {"TMPDIR", "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__CLIENT_NAME"}


def test_the_image_has_the_version_of_the_project() -> None:
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
    manifests = [file.read_text() for file in (CHECKOUT / "deploy" / "kubernetes").glob("*.yaml")]
    named = re.findall(r"(?:image: consigne:|repository: consigne, tag: )([\d.]+)", "".join(manifests))
    assert {*named, compose.OURS.rpartition(":")[2].strip("}")} == {version}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An installation as `up --executor celery` has it, with no process."""
    made = Settings.make(tmp_path_factory.mktemp("up") / "state")
    return made.remember(
        executor="celery", airflow_port=8080, store_port=9000, database_port=5432, broker_port=6379,
        users_base=services.choose_users(made), store_program="minio", transcriber_given="none:",
        socket_dir="/run/x", policy_file=CHECKOUT / "config" / "policy.yaml", json_logs=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("compose") / "here"
    compose_folder.make(made, Wishes(), lambda _: None)
    return made


def seen_there(settings: Settings, service: Service, value: str) -> str:
    """A path or an address of this machine, as the container has it."""
    here, there = services.places(settings), compose.PLACES
    pairs = {
        str(services.share_of(settings, service.name)): str(compose.SHARE),
        **{
            str(getattr(here, name)): str(getattr(there, name))
            for name in ("keyring", "intake", "witness", "keys", "logs")
        },
        str(services.key_socket(settings).parent): str(compose.OPEN / "keyserver"),
        str(CHECKOUT): str(compose.CHECKOUT),
        sys.executable: compose.PYTHON,
        here.airflow: there.airflow,
        here.store: there.store,
        f"@{here.broker}/": f"@{there.broker}/",
        here.database: there.database,
    }
    for one in sorted(pairs, key=len, reverse=True):
        value = value.replace(one, pairs[one])
    return value


def runs(settings: Settings, service: Service) -> Command:
    return services.command(settings, service, 1)


@pytest.mark.parametrize("service", ARRANGED)
def test_the_same_command(settings: Settings, service: Service) -> None:
    argv = [seen_there(settings, service, part) for part in runs(settings, service).argv]
    assert FILE["services"][service.name]["command"] == argv


@pytest.mark.parametrize("service", ARRANGED)
def test_the_same_variables(settings: Settings, service: Service) -> None:
    told = runs(settings, service).environment
    kept = {name: value for name, value in told.items() if name not in {*INHERITED, *ON_ONE_MACHINE}}
    said = dict(FILE["services"][service.name]["environment"])
    said["CONSIGNE_EXPIRY_BY_MINUTE"] = "0"  # as that policy has it: compose.env says so
    assert said == {name: seen_there(settings, service, value) for name, value in kept.items()}


@pytest.mark.parametrize("service", ARRANGED)
def test_as_many_of_it_and_after_the_same(settings: Settings, service: Service) -> None:
    said = FILE["services"][service.name]
    assert said.get("scale", 1) == services.replicas(settings, service)
    assert set(service.needs) <= set(said.get("depends_on", {}))


@pytest.mark.skipif(not is_possible(), reason="only root that may make mount namespaces sets a process apart")
@pytest.mark.parametrize("service", [one for one in SERVICES if not one.is_step], ids=lambda one: one.name)
def test_the_same_folders_seen_and_written(settings: Settings, service: Service) -> None:
    """On one machine the step `prepare` is the installation itself."""
    apart = runs(settings, service).apart
    assert apart
    mounts = {}
    for volume in FILE["services"][service.name]["volumes"]:
        target = volume.removesuffix(":ro").rpartition(":")[2]
        mounts[target] = not volume.endswith(":ro")
    share = str(compose.SHARE)
    memory = {part.split(":")[0] for part in FILE["services"][service.name]["tmpfs"]} - {"/tmp"}
    writes = {seen_there(settings, service, str(path)) for path in apart.writes}
    assert writes == {target for target, may_write in mounts.items() if may_write} | memory
    reads = {seen_there(settings, service, str(path)) for path in apart.reads}
    reads = {
        path for path in reads if not path.startswith((str(compose.CHECKOUT), sys.prefix, sys.base_prefix))
    }
    reads -= {str(Path(prefix).resolve()) for prefix in (sys.prefix, sys.base_prefix)}
    assert reads == {target for target, may_write in mounts.items() if not may_write} - {
        f"{share}/airflow/airflow.cfg"
    }


@pytest.mark.parametrize("service", ARRANGED)
def test_the_same_share(settings: Settings, folder: Path, service: Service) -> None:
    """The same files; the same options in airflow.cfg and settings.json, secrets and addresses apart."""
    runs(settings, service)
    here, there = services.share_of(settings, service.name), folder / "shares" / service.name
    listed = [{str(one.relative_to(root)) for one in root.rglob("*")} for root in (here, there)]
    # In a container `run` is memory, where a service makes its own.
    names = [{name for name in found if not name.startswith("run/")} for found in listed]
    assert names[0] == names[1]
    options = [_options(root / "airflow" / "airflow.cfg") for root in (here, there)]
    mapped = {name: seen_there(settings, service, value) for name, value in options[0].items()}
    mapped |= {"api.host": "0.0.0.0", "api.base_url": options[1]["api.base_url"]}
    secret = re.compile(r"_key$|secret|conn|broker_url|result_backend")
    assert mapped.keys() == options[1].keys()
    for name in mapped:
        if secret.search(name):  # the same but for the password in it
            assert _without_password(mapped[name]) == _without_password(options[1][name]), name
        else:
            assert mapped[name] == options[1][name], name
    said = [json.loads((root / "settings.json").read_text()) for root in (here, there)]
    given = {
        name: seen_there(settings, service, value)
        for name, value in said[0].items()
        if isinstance(value, str)
    }
    assert {name: said[1][name] for name in given} == given


def _options(file: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    parser.read(file)
    return {
        f"{section}.{name}": value for section in parser.sections() for name, value in parser[section].items()
    }


def _without_password(value: str) -> str:
    return re.sub(r":[^:@/]+@", ":*@", value) if "://" in value else "*"


def test_the_same_ground(settings: Settings, folder: Path) -> None:
    """PostgreSQL's options, the broker's configuration and users, the store's arguments and variables."""
    listens = {"listen_addresses", "port", "unix_socket_directories", "shared_buffers"}
    there = FILE["services"]["postgres"]["command"][1:]
    assert _flags(there, listens) == {
        f"--{name}={value}" for name, value in postgres.SERVER_SETTINGS.items() if name not in listens
    }
    (settings.state_dir / "broker").mkdir(exist_ok=True)
    broker.command(settings)
    own = {"bind", "dir", "aclfile"}
    said = [
        {line for line in file.read_text().splitlines() if line.split()[0] not in own}
        for file in (
            settings.state_dir / "broker" / "redis.conf",
            folder / "ground" / "broker" / "broker.conf",
        )
    ]
    assert said[0] == said[1]
    users = [
        re.sub("#[0-9a-f]{64}", "#", file.read_text())
        for file in (settings.state_dir / "broker" / "users.acl", folder / "ground" / "broker" / "users.acl")
    ]
    assert users[0] == users[1]
    store, made = FILE["services"]["store"], minio.command(settings)
    flags = [part for part in made.argv[1:] if part.startswith("--")]
    assert [part for part in store["command"] if str(part).startswith("--")] == flags
    told = set(made.environment) - set(INHERITED)
    assert set(store["environment"]) == told
    lines = [
        {line.partition("=")[0] for line in file.read_text().splitlines()}
        for file in (settings.state_dir / "secrets" / "minio.env", folder / "ground" / "store" / "store.env")
    ]
    assert lines[0] == lines[1] and "MINIO_KMS_SECRET_KEY" in lines[1]


def _flags(argv: list[str], left_out: set[str]) -> set[str]:
    return {part for part in argv if part.removeprefix("--").partition("=")[0] not in left_out}


def test_the_image_has_what_the_file_runs() -> None:
    """The checkout's parts that the commands import, nothing that a container writes, and no step as root at run time."""
    text = (CHECKOUT / "Dockerfile").read_text()
    copied = {part for line in re.findall(r"^COPY (.+)$", text, re.M) for part in line.split()[:-1]}
    assert copied == {
        "requirements.txt",
        "consigne",
        "docker-compose.yaml",
        "config",
        "dags",
        "plugins",
        "include",
    }
    allowed = {
        line[1:] for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    assert copied == allowed
    assert "--require-hashes" in text and "--no-deps" in text and "--no-cache-dir" in text
    users = re.findall(r"^USER (\S+)$", text, re.M)
    assert users[-1] not in ("0", "root")
    assert re.search(rf"^WORKDIR {compose.CHECKOUT}$", text, re.M) and ".venv" in text
    assert f"{compose.CHECKOUT}/.venv/bin/python" == compose.PYTHON


def test_every_package_of_the_image_has_its_digests() -> None:
    blocks = re.split(r"\n(?=\S)", (CHECKOUT / "requirements.txt").read_text())
    packages = [block for block in blocks if re.match(r"[A-Za-z0-9._-]+(\[[^]]*\])?==", block)]
    assert len(packages) > 150
    assert not [block.split()[0] for block in packages if "--hash=sha256:" not in block]


def test_the_dockerfile_stands_before_hadolint() -> None:
    program = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([program, CHECKOUT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_container_is_well_only_where_it_works(settings: Settings) -> None:
    """What the health checks ask: nobody listens here, no file was touched, so nothing is well."""
    from consigne.doors import well

    share = replace(settings, airflow_port=1, holder="x")
    for name in ("api-server", "sealer", "worker-ingest"):
        assert not well.is_well(share, name), name
