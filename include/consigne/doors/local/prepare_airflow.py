"""Airflow's database at its version, then roles, accounts and queues: one process, because importing Airflow is what
takes long. `python -m consigne.doors.local.prepare_airflow`."""

from __future__ import annotations

import os

import psycopg

from consigne.doors.orchestration.queues import DAGS, ELSEWHERE
from consigne.doors.settings import Settings

WORKERS_DECIDE = 1_000
"""More than any number of workers carries at once."""


def prepare(settings: Settings) -> None:
    """Idempotent; where the database is at this version, only roles and accounts are looked at."""
    from airflow.utils import db

    if not _is_new(settings):
        try:
            db.check_migrations(timeout=1)
        except TimeoutError:
            db.upgradedb()
    else:
        db.upgradedb()
    from airflow.models.pool import Pool

    from consigne.doors.orchestration import accounts

    # Redaction is what costs: one core stays free for everything else. Workers have their own slots for it, elsewhere.
    cores = WORKERS_DECIDE if settings.executor == "celery" else max(1, (os.cpu_count() or 2) - 1)
    Pool.create_or_update_pool("protect", cores, "protect_recordings", False)
    Pool.create_or_update_pool("transcribe", 1, "transcribe_recordings", False)  # a model takes all cores
    accounts.sync(settings.account_password)
    _requeue()


def _requeue() -> None:
    """Tasks of runs under way get the queue of today: those of an older version, which had one queue for all, would
    wait where no worker reads."""
    from airflow.models.taskinstance import TaskInstance as Instance
    from airflow.utils.session import create_session
    from airflow.utils.state import State
    from sqlalchemy import or_, update

    is_open = or_(Instance.state.is_(None), Instance.state.not_in([state.value for state in State.finished]))
    with create_session() as session:
        for dag, queue in DAGS.items():
            session.execute(update(Instance).where(Instance.dag_id == dag, is_open).values(queue=queue))
        for (dag, task), queue in ELSEWHERE.items():
            one = Instance.dag_id == dag, Instance.task_id == task, is_open
            session.execute(update(Instance).where(*one).values(queue=queue))


def _is_new(settings: Settings) -> bool:
    url = settings.airflow_database_url("psycopg").replace("+psycopg", "", 1)
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,)


if __name__ == "__main__":
    prepare(Settings.from_environment())
