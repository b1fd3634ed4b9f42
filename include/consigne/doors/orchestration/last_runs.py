"""When Airflow last finished what runs by itself. In the api-server alone: tasks cannot read this database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunType
from sqlalchemy import select


def last_successes(dags: Iterable[str]) -> dict[str, datetime]:
    """Dag → when the newest run of it ended that was not started by hand (that may be a trial) and succeeded; without
    those that never did."""
    found: dict[str, datetime] = {}
    with create_session() as session:
        for dag in dags:
            ended = select(DagRun.end_date).where(
                DagRun.dag_id == dag,
                DagRun.state == DagRunState.SUCCESS,
                DagRun.run_type != DagRunType.MANUAL,
            )
            newest = session.scalars(ended.order_by(DagRun.id.desc()).limit(1)).one_or_none()
            if newest is not None:
                found[dag] = newest
    return found


@dataclass(frozen=True, slots=True)
class Ended:
    """The newest run of a Dag that is over."""

    dag: str
    run: str
    failed: bool
    ended_at: datetime


def newest_ended(dags: Iterable[str]) -> list[Ended]:
    """Of each Dag that ever ran to an end, whoever started it."""
    found = []
    with create_session() as session:
        for dag in dags:
            over = DagRun.state.in_((DagRunState.SUCCESS, DagRunState.FAILED)) & DagRun.end_date.is_not(None)
            query = select(DagRun.run_id, DagRun.state, DagRun.end_date).where(DagRun.dag_id == dag, over)
            row = session.execute(query.order_by(DagRun.id.desc()).limit(1)).one_or_none()
            if row is not None:
                found.append(Ended(dag, row[0], row[1] == DagRunState.FAILED, row[2]))
    return found
