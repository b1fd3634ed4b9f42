"""What runs on one machine: a line each. The supervisor starts them in this order and stops them in reverse.

`COMPONENTS` under LocalExecutor; with `--executor celery` the services of doors/arrangement.py take the place of
Airflow's parts, each with a share of its own. There `prepare` is its three steps, in the installation's own folder.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from consigne.doors.arrangement import SERVICES, Service
from consigne.doors.local import airflow, broker, minio, postgres, services
from consigne.doors.local.processes import Command
from consigne.doors.settings import Settings


@dataclass(frozen=True, slots=True)
class Component:
    """`needs` are up and well (a step: done) before it is started. A step runs once, to exit code 0.
    `is_well` is a real check; None where living is all that can be asked. `word` asks it to stop."""

    name: str
    needs: tuple[str, ...]
    command: Callable[[Settings], Command]
    is_well: Callable[[Settings], bool] | None = None
    is_step: bool = False
    is_ours: Callable[[Settings], bool] = lambda _: True
    word: signal.Signals = signal.SIGTERM
    patience_s: float = 10.0
    place: str = ""

    def folder(self, settings: Settings) -> Path:
        """Where its processes work, and nobody else's."""
        return settings.state_dir / (self.place or f"run/{self.name}")

    def log(self, settings: Settings) -> Path:
        """What to read where it does not come up."""
        return settings.state_dir / "logs" / f"{self.name}.log"


def _is_well_in_airflow(name: str) -> Callable[[Settings], bool]:
    return lambda settings: airflow.health(settings).get(name, False)


GROUND = ("minio", "postgres", "broker")  # what all others stand on
COMPONENTS = (
    Component(
        "minio",
        (),
        minio.command,
        minio.answers,
        is_ours=lambda settings: not settings.store_given,
    ),
    Component(
        "postgres",
        (),
        postgres.command,
        postgres.answers,
        is_ours=lambda settings: not settings.database_given,
        word=signal.SIGINT,  # fast shutdown: it does not wait for clients
        patience_s=30.0,
        place="postgres/data",
    ),
    Component(
        "prepare-databases",
        ("postgres",),
        lambda settings: airflow.module(
            settings, "prepare-databases", "consigne.doors.local.prepare_databases"
        ),
        is_step=True,
    ),
    Component(
        "prepare-catalog",
        ("minio", "prepare-databases"),
        lambda settings: airflow.module(settings, "prepare-catalog", "consigne.doors.local.prepare_catalog"),
        is_step=True,
    ),
    Component(
        "prepare-airflow",
        ("prepare-databases",),
        lambda settings: airflow.module(settings, "prepare-airflow", "consigne.doors.local.prepare_airflow"),
        is_step=True,
    ),
    Component(
        "api-server",
        ("prepare-airflow", "prepare-catalog"),
        lambda settings: airflow.command(settings, "api-server"),
        _is_well_in_airflow("api-server"),
    ),
    Component(
        "scheduler",
        ("prepare-airflow", "prepare-catalog"),
        lambda settings: airflow.command(settings, "scheduler", "--skip-serve-logs"),
        _is_well_in_airflow("scheduler"),
    ),
    Component(
        "dag-processor",
        ("prepare-airflow",),
        lambda settings: airflow.command(settings, "dag-processor"),
        _is_well_in_airflow("dag-processor"),
    ),
    Component(
        "sealer",
        ("prepare-catalog",),
        lambda settings: airflow.module(settings, "sealer", "consigne.doors.local.sealer"),
    ),
)
_BROKER = Component(
    "broker",
    (),
    broker.command,
    broker.answers,
    is_ours=lambda settings: not settings.broker_given,
    place="broker",
)
_SHARED = tuple(one for one in COMPONENTS if one.name in GROUND or one.is_step)


def components(settings: Settings) -> tuple[Component, ...]:
    """What runs for these settings."""
    if settings.executor != "celery":
        return COMPONENTS
    own = (one for service in SERVICES if not service.is_step for one in _of(settings, service))
    return (*_SHARED[: len(GROUND) - 1], _BROKER, *_SHARED[len(GROUND) - 1 :], *own)


def ever(settings: Settings) -> tuple[Component, ...]:
    """All that may have been started in this state folder, however it was asked for."""
    own = [
        _one_of(service, int(folder.name), 2)
        for service in SERVICES
        for folder in services.share_of(settings, service.name).glob("run/[0-9]*")
        if folder.name.isascii() and folder.name.isdecimal()
    ]
    return (_BROKER, *COMPONENTS, *own)


def _of(settings: Settings, service: Service) -> list[Component]:
    count = services.replicas(settings, service)
    return [_one_of(service, number, count) for number in range(1, count + 1)]


def _one_of(service: Service, number: int, count: int) -> Component:
    steps = ("prepare-catalog", "prepare-airflow")
    needs = steps if service.keyring in ("", "folder") else (*steps, "keyring")
    if service.broker:
        needs = (*needs, "broker")
    label = f"{service.name}-{number}"
    checks: dict[str, Callable[[Settings], bool]] = {
        "keyring": services.keyring_answers,
        **{name: _is_well_in_airflow(name) for name in ("api-server", "scheduler", "dag-processor")},
    }
    if service.queue:
        checks[service.name] = lambda settings: services.is_connected(settings, label)
    return Component(
        service.name if count == 1 and not service.queue else label,
        needs,
        lambda settings: services.command(settings, service, number),
        checks.get(service.name),
        patience_s=20.0 if service.queue else 10.0,
        place=f"shares/{service.name}/run/{number}",
    )
