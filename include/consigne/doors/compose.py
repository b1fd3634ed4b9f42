"""docker-compose.yaml, written from doors/arrangement.py: what each service runs, sees, may and reaches.

Accepted by docker-compose 1.29 and by Compose v2; a test holds the file to this text and to what
`up --executor celery` runs. Paths that begin with ${CONSIGNE_COMPOSE} are the folder that `compose init` makes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from consigne.doors.arrangement import SERVICES, Service
from consigne.doors.compose_yaml import MERGE, Line, write
from consigne.doors.local.postgres import SERVER_SETTINGS
from consigne.doors.local.processes import INHERITED
from consigne.doors.settings import Settings
from consigne.doors.shares import Places, arguments, seen_environment

POSTGRES: Final = "postgres:18.6@sha256:5a5a84b19854a9ffaa54082c166ff4ec27473a361e496e5ea167f298f2da9722"
BROKER: Final = (
    "valkey/valkey:9.1.2-alpine@sha256:48332870af354a799964c0012ae1194a0bf2bf894eb508f945810596dc2d8d11"
)
STORE: Final = (
    "pgsty/silo:RELEASE.2026-09-03T13-18-01Z"
    "@sha256:b616a0cf8cb281e7e6bb3c9b1fb53875b4016a2878223925541c18f82d6c5ca3"
)
OURS: Final = "${CONSIGNE_IMAGE:-consigne:0.2.0}"
GROUND_USERS: Final = {
    "postgres": 999,
    "broker": 60990,
    "store": 60991,
    "front": 60992,
}  # 999: the image's own postgres
USERS_BASE: Final = 61000
"""Service i of SERVICES runs as this user and group + i."""

SHARE: Final = Path("/consigne")
CHECKOUT: Final = Path("/opt/consigne")
PYTHON: Final = f"{CHECKOUT}/.venv/bin/python"
OPEN: Final = Path("/srv/consigne")
PLACES: Final = Places(
    store="http://store:9000",
    database="postgres:5432",
    database_query="",
    broker="broker:6379",
    airflow="http://api-server:8080",
    keyring=str(OPEN / "keyserver" / "socket"),
    intake=OPEN / "intake",
    witness=OPEN / "witness",
    keys=OPEN / "keyring",
    logs=OPEN / "logs",
    checkout=CHECKOUT,
    listen="0.0.0.0",
)
SEEN: Final = Settings(SHARE, executor="celery", airflow_port=8080)
"""What the renderer knows of a share: nothing that differs from one installation to the next."""

HERE: Final = "${CONSIGNE_COMPOSE:?run compose init}"
INTERNAL: Final = ("catalog", "store", "broker", "tasks", "keyring")
HEAD: Final = """\
# Written by `./consigne compose write` from include/consigne/doors/arrangement.py: change that, not this.
# First `./consigne compose init`, then `docker compose --env-file .compose/compose.env up -d` (docs/operating.md).
"""


def user_of(name: str) -> int:
    """User and group of a service, without an entry in any /etc/passwd."""
    if name in GROUND_USERS:
        return GROUND_USERS[name]
    return USERS_BASE + next(index for index, one in enumerate(SERVICES) if one.name == name)


def networks_of(service: Service) -> tuple[str, ...]:
    """What it may reach, from what it holds: `tasks` leads to the api-server, `outside` to mail servers and the
    witness, `keyring` nowhere (an override opens it for Vault); the others to the one ground service on them."""
    asks = bool(service.queue) or bool({"desk-sweep", "account-*"} & {*service.secrets})
    named = {
        "catalog": bool(service.database),
        "store": bool(service.store),
        "broker": bool(service.broker),
        "tasks": asks,
        "outside": "mail-password" in service.secrets,
        "keyring": service.keyring == "folder",
    }
    return tuple(name for name, is_reached in named.items() if is_reached)


def render() -> dict[str, Any]:
    """The whole file as a document."""
    every = _every()
    ours = {MERGE: every, "image": OURS, "build": {"context": "."}}
    environment = _environment()
    services = _ground(every) | {one.name: _service(one, ours, environment) for one in SERVICES}
    return {
        "x-all": every,
        "x-ours": ours,
        "x-environment": environment,
        "services": services,
        "networks": {name: {"internal": True} for name in INTERNAL} | {"outside": {}},
    }


def text() -> str:
    """The file."""
    return HEAD + write(render(), ("all", "ours", "environment"))


def _every() -> dict[str, Any]:
    """What holds for every service."""
    return {
        "restart": "unless-stopped",
        "read_only": True,
        "cap_drop": Line(["ALL"]),
        "security_opt": Line(["no-new-privileges:true"]),
        "ulimits": {"core": 0},  # memory on disk
        "pids_limit": 512,
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}},
    }


def _environment() -> dict[str, str]:
    """The environment of `up`, without what it inherits of this machine."""
    seen = seen_environment(SEEN, SERVICES[0], PLACES)
    kept = {name: value for name, value in seen.items() if name not in (*INHERITED, "USER")}
    return kept | {"CONSIGNE_EXPIRY_BY_MINUTE": "${CONSIGNE_EXPIRY_BY_MINUTE:-0}"}


def _service(service: Service, ours: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {
        MERGE: ours,
        "command": Line([PYTHON, "-m", *arguments(service, PLACES)]),
        "environment": {MERGE: environment, "USER": service.name},
        **_as_user(service.name),
        **_limits(service.memory_mib),
        "networks": Line(networks_of(service)),
        "volumes": _volumes(service),
        "tmpfs": [
            "/tmp:size=64m",
            *(_memory(service.name, f"{SHARE}/{name}") for name in ("run", "airflow")),
        ],
    }
    if needs := _needs(service):
        made["depends_on"] = needs
    if service.is_step:
        return made | {"restart": "on-failure"}
    if service.replicas > 1:
        made["scale"] = service.replicas
    if service.name == "api-server":
        made["ports"] = Line(["127.0.0.1:${CONSIGNE_PORT:-8080}:8080"])
    asks = ["consigne.doors.well", service.name]
    if service.keyring == "folder":
        asks = [service.module, "--ping", PLACES.keyring]
    return made | {"stop_grace_period": "60s", "healthcheck": _health(PYTHON, "-m", *asks, start="120s")}


def _as_user(name: str) -> dict[str, str]:
    """Where `compose init` was not root, one user has to own everything: compose.env says so."""
    user = user_of(name)
    return {"user": f"${{CONSIGNE_UID:-{user}}}:${{CONSIGNE_GID:-{user}}}"}


def _memory(name: str, folder: str) -> str:
    """A folder in memory of that service's user. A mount takes the mode of what it hides unless told."""
    user = user_of(name)
    return f"{folder}:size=16m,mode=0700,uid=${{CONSIGNE_UID:-{user}}},gid=${{CONSIGNE_GID:-{user}}}"


def _limits(memory_mib: int) -> dict[str, Any]:
    """No more memory with swap than without: what is in memory stays there."""
    memory = f"{memory_mib}m"
    return {"mem_limit": memory, "memswap_limit": memory, "cpus": max(0.5, memory_mib / 1024)}


def _needs(service: Service) -> dict[str, Any]:
    steps = {one.name for one in SERVICES if one.is_step}
    grounds = {"postgres": service.database, "store": service.store, "broker": service.broker}
    needed = [name for name, is_needed in grounds.items() if is_needed] + list(service.needs)
    if service.keyring not in ("", "folder") and "keyring" not in needed:
        needed.append("keyring")
    ends = {True: "service_completed_successfully", False: "service_healthy"}
    return {name: {"condition": ends[name in steps]} for name in needed}


def _volumes(service: Service) -> list[str]:
    """Its own share, not to be written; Airflow's configuration once more, over the memory that hides it; and what
    the table lets it write."""
    share = f"shares/{service.name}"
    held = [_bind(share, SHARE)]
    if service.airflow or service.queue:
        held.append(_bind(f"{share}/airflow/airflow.cfg", SHARE / "airflow" / "airflow.cfg"))
    if service.keyring:
        held.append(_bind("keyserver", OPEN / "keyserver", may_write=service.keyring == "folder"))
    held += [_bind(name, OPEN / name, may_write=True) for name in service.writes]
    if service.queue:
        held.append(_bind(f"logs/{service.queue}", PLACES.logs / service.queue, may_write=True))
    if service.is_step:  # evidence must not be older than what the witness was told
        held.append(_bind("witness", PLACES.witness))
    if service.name == "api-server":
        held.append(_bind("logs", PLACES.logs))
    return held


def _ground(every: dict[str, Any]) -> dict[str, Any]:
    """PostgreSQL, the broker and the store, each with a folder of its own secrets."""
    options = SERVER_SETTINGS | {"listen_addresses": "*", "shared_buffers": "256MB"}
    # Nobody may do anything without a password: that the broker asks for one is its answer.
    asks = "valkey-cli -h 127.0.0.1 ping 2>&1 | grep -qE 'PONG|NOAUTH'"
    alive = "http://127.0.0.1:9000/minio/health/live"
    return {
        "postgres": _stands(
            every, "postgres", POSTGRES, 1024, "catalog", _memory("postgres", "/var/run/postgresql")
        )
        | {
            "command": ["postgres", *(f"--{name}={value}" for name, value in options.items())],
            "environment": {
                "POSTGRES_PASSWORD_FILE": "/run/ground/password",
                "POSTGRES_INITDB_ARGS": "--auth=scram-sha-256 --encoding=UTF8 --locale=C",
            },
            "shm_size": "128m",
            "volumes": [_bind("ground/postgres", "/run/ground"), _data("postgres", "/var/lib/postgresql")],
            "healthcheck": _health("pg_isready", "-h", "127.0.0.1", "-U", "postgres"),
        },
        "broker": _stands(every, "broker", BROKER, 256, "broker")
        | {
            "command": Line(["valkey-server", "/run/ground/broker.conf"]),
            "volumes": [_bind("ground/broker", "/run/ground"), _data("broker", "/data")],
            "healthcheck": _health("sh", "-c", asks),
        },
        "store": _stands(every, "store", STORE, 1024, "store")
        | {
            "command": Line(
                ["server", "--quiet", "--address", ":9000", "--certs-dir", "/tmp/certs", "/data"]
            ),
            "environment": {
                "HOME": "/tmp",
                "MINIO_CONFIG_ENV_FILE": "/run/ground/store.env",
                "MINIO_BROWSER": "off",
                "MINIO_UPDATE": "off",
                "MINIO_MEMLIMIT": "768MiB",
                "MINIO_REGION": SEEN.store_region,
            },
            "volumes": [
                _bind("ground/store", "/run/ground"),
                _data("store", "/data"),
                _data("store-audit", "/audit"),
            ],
            "healthcheck": _health("curl", "-fsS", "-o", "/dev/null", alive),
        },
    }


def _stands(
    every: dict[str, Any], name: str, image: str, memory_mib: int, network: str, *memory: str
) -> dict[str, Any]:
    return {
        MERGE: every,
        "image": image,
        **_as_user(name),
        **_limits(memory_mib),
        "networks": Line([network]),
        "tmpfs": ["/tmp:size=64m", *memory],
        "stop_grace_period": "60s",
    }


def _health(*test: str, start: str = "60s") -> dict[str, Any]:
    return {
        "test": Line(["CMD", *test]),
        "interval": "30s",
        "timeout": "20s",
        "retries": 3,
        "start_period": start,
    }


def _bind(inside: str, target: str | Path, may_write: bool = False) -> str:
    return f"{HERE}/{inside}:{target}" + ("" if may_write else ":ro")


def _data(name: str, target: str) -> str:
    return _bind(f"data/{name}", target, may_write=True)
