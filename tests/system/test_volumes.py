"""More falls due than was foretold, on the running platform: the real Dag sets it aside, the DPO holds it in the
browser, Airflow's run ends with that answer, and nobody gets round the desk. All is put back as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Page
from sqlalchemy import Connection, delete, insert, select, update

from consigne.acts.locate import policy_now
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.session import open_engine
from consigne.adapters.catalog.tables_gone import forecasts, volume_items, volumes
from consigne.doors.wiring import open_platform
from consigne.rules.clock import local_date
from consigne.rules.volume import run_of_volume
from system.browsing import WHY, Desk, until
from system.screens import shot

DAG = "/api/v2/dags/confirm_expiry_volume/dagRuns"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class SetAside:
    """The volume, its digest, the artifact in it, and the local day."""

    id: UUID
    digest: str
    artifact: UUID
    today: date


@pytest.fixture
def set_aside(desk: Desk) -> Iterator[SetAside]:
    """One recording's sound falls due that yesterday's forecast, which foretold nothing, did not hold."""
    owner = open_engine(desk.settings.database_url("owner"))
    artifact = UUID(desk.artifacts("training")[0]["id"])
    policy = policy_now(open_platform(desk.settings, "read"))
    mine = t.artifacts.c.id == artifact
    with owner.begin() as tx:
        due_at, now = tx.execute(select(t.artifacts.c.due_at).where(mine)).scalar_one(), desk.catalog.now(tx)
        past = forecasts.c.made_on < local_date(now, policy.zone).isoformat()
        known = [
            dict(row) for row in tx.execute(delete(forecasts).where(past).returning(forecasts)).mappings()
        ]
        made = {"made_on": (local_date(now, policy.zone) - DAY).isoformat(), "made_at": now - DAY}
        tx.execute(insert(forecasts).values(**made, expected={}, leaf=b""))
        tx.execute(update(t.artifacts).where(mine).values(due_at=now))
    of_mine = select(volume_items.c.volume).where(volume_items.c.artifact == artifact)
    try:
        assert desk.up.consigne("expire", "--wait").returncode == 0
        with owner.begin() as tx:
            found = tx.execute(select(volumes).where(volumes.c.id.in_(of_mine))).one()
        yield SetAside(found.id, found.digest, artifact, local_date(now, policy.zone))
    finally:
        with owner.begin() as tx:
            tx.execute(update(t.artifacts).where(mine).values(due_at=due_at))
            [id] = tx.execute(of_mine).scalars().all() or [None]
            tx.execute(delete(volume_items).where(volume_items.c.artifact == artifact))
            tx.execute(delete(volumes).where(volumes.c.id == id))
            tx.execute(delete(forecasts).where(past))
            if known:
                tx.execute(insert(forecasts), known)
        owner.dispose()


def asking(desk: Desk, user: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {desk.token(user)}"}
    return httpx.Client(base_url=desk.settings.airflow_url, headers=headers, timeout=60, trust_env=False)


def tasks(desk: Desk, run: str) -> dict[str, str | None]:
    with asking(desk, "dpo") as airflow:
        found = airflow.get(f"{DAG}/{run}/taskInstances").json().get("task_instances", [])
    return {row["task_id"]: row["state"] for row in found}


def sweep(desk: Desk) -> None:
    """As the sealer does each minute, which may be now too."""
    headers = {"X-Consigne-Sweep": desk.settings.secret("desk-sweep")}
    url = f"{desk.settings.airflow_url}/consigne/internal/sweep"
    httpx.post(url, headers=headers, timeout=120, trust_env=False).raise_for_status()


@pytest.mark.browser
@pytest.mark.promise("P5")
def test_what_exceeds_the_forecast_waits_for_the_dpo(
    desk: Desk, set_aside: SetAside, sign_in: Callable[..., Page]
) -> None:
    run = run_of_volume(set_aside.id)
    sweep(desk)
    until(lambda: tasks(desk, run), lambda states: states.get("confirm_volume") == "awaiting_input")
    task = f"{DAG}/{run}/taskInstances/confirm_volume"
    conf = {"volume_id": str(set_aside.id), "volume_hash": set_aside.digest}
    for user in ("ops", "trainer"):
        with asking(desk, user) as airflow:
            answered = airflow.patch(
                f"{task}/-1/hitlDetails", json={"chosen_options": ["delete"], "params_input": {}}
            )
            marked = airflow.patch(task, json={"new_state": "success"})
            started = airflow.post(DAG, json={"dag_run_id": f"{user}-1", "logical_date": None, "conf": conf})
        assert (answered.status_code, marked.status_code, started.status_code) == (403, 403, 403), user

    page = sign_in("dpo", f"/consigne/volumes/{set_aside.id}")
    page.get_by_text("Échus au-delà de la prévision : 1").first.wait_for()
    shot(page, "volume")
    page.get_by_label("Suspendre la destruction").check()
    page.fill("#until", (set_aside.today + 9 * DAY).isoformat())
    page.select_option("#ground", "clock_fault")
    page.fill("#reason", WHY)
    page.get_by_role("button", name="Enregistrer").click()
    page.get_by_text("Suspendu, par dpo").wait_for()
    sweep(desk)
    ended = until(lambda: tasks(desk, run), lambda states: states.get("record_answer") == "success")
    assert ended["confirm_volume"] == "success"
    entries = desk.history(str(set_aside.id))
    kinds = [entry["kind"] for entry in entries]
    assert {f"expire:volume:{what}" for what in ("set_aside", "announced", "decided", "run_closed")} <= set(
        kinds
    )
    assert [entry["outcome"] for entry in entries if entry["kind"].endswith("run_closed")] == ["hold"]
    tried = [(entry["actor"], entry["what"]) for entry in entries if entry["kind"] == "decide:task:denied"]
    assert sorted(tried) == [
        (user, what) for user in ("ops", "trainer") for what in ("answer", "mark", "start")
    ]
    assert still_kept(desk, set_aside.artifact)


def still_kept(desk: Desk, artifact: UUID) -> bool:
    with desk.catalog.begin() as tx:
        return _state(tx, artifact) == "kept"


def _state(tx: Connection, artifact: UUID) -> Any:
    return tx.execute(select(t.artifacts.c.state).where(t.artifacts.c.id == artifact)).scalar_one()
