"""What runs beyond one process, and who holds what: one table, from which `up --executor celery` starts processes,
`compose init` makes secrets and `docker-compose.yaml` is written (a test compares them), and deploy/kubernetes names
its Secrets.

A service's *share* is the state folder that it sees in place of the installation's own: `settings.json`, `secrets/`
with what stands here and nothing else, `airflow/airflow.cfg`, the Dag files of its queue, a copy of the policy. A
service that asks for another secret gets Misconfigured('not_held'). What is listed is all that it gets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from consigne.doors.orchestration.queues import QUEUES
from consigne.doors.settings import DATABASE_ROLES

LISTEN: Final = "listen-*"
"""Stands for the store identity of every purpose."""


@dataclass(frozen=True, slots=True)
class Service:
    """`module` is run as `python -m`, or `airflow` with `arguments`. `database`: roles of settings.DATABASE_ROLES, and
    `airflow` for Airflow's own. `store`: identities of adapters/store/access.py, and `root`. `keyring`: whose rights
    it has at the key server (adapters/keyring/rights.py), or `folder` for the one that keeps the keys. `secrets`:
    files of `secrets/` besides those. `airflow`: options of airflow.cfg that hold secrets. `broker`: `` none,
    `all` for the scheduler, else the queue that it reads. `writes`: folders that it may write besides its share's
    `run` and `airflow`. `slots`: tasks that a worker
    carries at once. `is_step`: runs once, to exit code 0. Memory is what Compose and Kubernetes allow it."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    database: tuple[str, ...] = ()
    store: tuple[str, ...] = ()
    keyring: str = ""
    secrets: tuple[str, ...] = ()
    airflow: tuple[str, ...] = ()
    broker: str = ""
    queue: str = ""
    writes: tuple[str, ...] = ()
    is_step: bool = False
    replicas: int = 1
    slots: int = 2
    memory_mib: int = 512


_DATABASES: Final = (*DATABASE_ROLES, "airflow")
_STORE: Final = ("ingest", "expire", "reconcile", "evidence", "evidence-reader", LISTEN)

SERVICES: Final = (
    Service("keyring", "consigne.doors.keyserver", keyring="folder", writes=("keyring",), memory_mib=128),
    Service(
        "prepare",
        "consigne.doors.local.prepare",
        needs=("keyring",),
        database=("superuser", *_DATABASES),
        store=("root", *_STORE),
        keyring="prepare",
        secrets=("account-*", "draw-hook"),
        airflow=("database", "fernet"),
        is_step=True,
        memory_mib=1024,
    ),
    # Alone with the store's root after the start: it brings the store in line with the policy in force.
    Service(
        "applier",
        "consigne.doors.local.applier",
        needs=("prepare",),
        database=("apply",),
        store=("root", *_STORE),
        memory_mib=256,
    ),
    # The desk, and the clockwork: what a run that died left undone it applies itself, storing again included.
    Service(
        "api-server",
        "airflow",
        ("api-server",),
        needs=("prepare",),
        database=("read", "decide", "listen", "airflow"),
        store=("ingest", "reconcile", LISTEN),
        keyring="desk",
        secrets=("desk-sweep", "intake-hook", "draw-hook", "audit-hook", "metrics", "mail-password"),
        airflow=("database", "fernet", "jwt", "session"),
        memory_mib=1536,
    ),
    Service(
        "scheduler",
        "airflow",
        ("scheduler", "--skip-serve-logs"),
        needs=("prepare",),
        database=("airflow",),
        airflow=("database", "fernet", "jwt"),
        broker="all",
        memory_mib=1024,
    ),
    Service(
        "dag-processor",
        "airflow",
        ("dag-processor",),
        needs=("prepare",),
        database=("airflow",),
        airflow=("database", "fernet"),
        memory_mib=768,
    ),
    Service(
        "sealer",
        "consigne.doors.local.sealer",
        needs=("prepare",),
        database=("seal",),
        store=("evidence", "evidence-reader"),
        keyring="seal",
        secrets=("desk-sweep", "mail-password"),
        writes=("witness",),
        memory_mib=256,
    ),
    Service(
        "worker-ingest",
        "airflow",
        ("celery", "worker"),
        needs=("prepare",),
        database=("ingest",),
        store=("ingest",),
        keyring="ingest",
        broker="ingest",
        queue="ingest",
        writes=("intake",),
        replicas=2,
        memory_mib=2048,
    ),
    Service(
        "worker-prove",
        "airflow",
        ("celery", "worker"),
        needs=("prepare",),
        database=("prove", "reconcile"),
        store=("reconcile",),
        keyring="prove",
        broker="prove",
        queue="prove",
        memory_mib=1024,
    ),
    # Carries decisions out: it wraps keys anew, and for another purpose reads, redacts and stores again.
    Service(
        "worker-decide",
        "airflow",
        ("celery", "worker"),
        needs=("prepare",),
        database=("decide",),
        store=("ingest", "reconcile", LISTEN),
        keyring="decide",
        broker="decide",
        queue="decide",
        memory_mib=1024,
    ),
    Service(
        "worker-expire",
        "airflow",
        ("celery", "worker"),
        needs=("prepare",),
        database=("expire",),
        store=("expire", "evidence"),
        keyring="expire",
        broker="expire",
        queue="expire",
        memory_mib=1024,
    ),
)
"""In the order in which they start. PostgreSQL, Redis and MinIO stand below them."""

assert {service.queue for service in SERVICES if service.queue} == set(QUEUES)
