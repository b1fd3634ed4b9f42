"""What runs on one machine: a line each. The supervisor starts them in this order and stops them in reverse."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from consigne.doors.local import airflow, minio, postgres
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

    def folder(self, settings: Settings) -> Path:
        """Where its processes work, and nobody else's."""
        return (
            postgres.data_folder(settings)
            if self.name == "postgres"
            else settings.state_dir / "run" / self.name
        )

    def log(self, settings: Settings) -> Path:
        """What to read where it does not come up."""
        return settings.state_dir / "logs" / f"{self.name}.log"


def _is_well_in_airflow(name: str) -> Callable[[Settings], bool]:
    return lambda settings: airflow.health(settings).get(name, False)


GROUND = ("minio", "postgres")  # what all others stand on
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
