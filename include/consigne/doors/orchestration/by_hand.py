"""A Dag started at once because somebody asked for it on the desk. In the api-server only, on its event loop."""

from __future__ import annotations

from collections.abc import Mapping

from airflow.providers.fab.auth_manager.models import User

from consigne.doors.orchestration.auth import as_person


async def start_by_hand(user: User, dag: str, conf: Mapping[str, object]) -> bool:
    """As that person, by Airflow's own rights; false where Airflow did not take it."""
    async with as_person(user) as airflow:
        answer = await airflow.post(f"/dags/{dag}/dagRuns", json={"logical_date": None, "conf": dict(conf)})
    return answer.is_success
