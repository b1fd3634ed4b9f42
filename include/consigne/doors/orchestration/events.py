"""Airflow told that intake changed, in the api-server only."""

from __future__ import annotations

from airflow.models.asset import AssetModel
from airflow.utils.session import create_session
from anyio import to_thread
from sqlalchemy import select

from consigne.doors.orchestration.auth import as_person, person_named

OPERATOR = "ops"
ASSET = "intake"


async def announce_intake() -> bool:
    """Make an event of the asset `intake` as `ops`; false where Airflow did not take it. Events coalesce:
    many make one run (facts of Airflow 3.3)."""
    operator = await to_thread.run_sync(person_named, OPERATOR)
    asset = await to_thread.run_sync(_asset_id)
    if operator is None or asset is None:
        return False
    async with as_person(operator) as airflow:
        answer = await airflow.post("/assets/events", json={"asset_id": asset, "extra": {}})
    return answer.is_success


def _asset_id() -> int | None:
    with create_session() as session:
        return session.scalars(select(AssetModel.id).where(AssetModel.name == ASSET)).first()
