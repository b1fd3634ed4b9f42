"""The policy changed on the running platform: drafted by ops on the command line, visaed by the DPO in the browser,
in force; and one that nobody answers (issue 5, Shown by 4). What it changes leaves all others alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Page
from sqlalchemy import text as sql

from consigne.acts.configure import draft_policy
from consigne.adapters.catalog.session import open_engine
from consigne.doors.wiring import open_platform
from consigne.rules.policy.draft import Draft, run_of_draft
from consigne.rules.policy.load import load
from consigne.rules.values import Actor
from system.browsing import WHY, Desk, until
from system.screens import shot

OPS = Actor("ops", frozenset({"ops"}))
DAG = "/api/v2/dags/change_policy/dagRuns"


def variant(desk: Desk, version: str) -> str:
    """The policy in force with names kept a month less: nothing that is kept moves."""
    given = desk.settings.policy_file.read_text()
    assert "names_kept: P12M" in given
    name = f'version: "{load(given).policy.version}"'
    return given.replace("names_kept: P12M", "names_kept: P11M").replace(name, f'version: "{version}"')


def tasks(desk: Desk, run: str) -> dict[str, str | None]:
    headers = {"Authorization": f"Bearer {desk.token('dpo')}"}
    with httpx.Client(
        base_url=desk.settings.airflow_url, headers=headers, timeout=60, trust_env=False
    ) as airflow:
        found = airflow.get(f"{DAG}/{run}/taskInstances").json().get("task_instances", [])
    return {row["task_id"]: row["state"] for row in found}


def sweep(desk: Desk) -> None:
    """As the sealer does each minute, which may be now too."""
    headers = {"X-Consigne-Sweep": desk.settings.secret("desk-sweep")}
    url = f"{desk.settings.airflow_url}/consigne/internal/sweep"
    httpx.post(url, headers=headers, timeout=120, trust_env=False).raise_for_status()


@pytest.mark.browser
@pytest.mark.promise("P5")
def test_a_draft_by_ops_is_in_force_after_the_dpos_visa(
    desk: Desk, sign_in: Callable[..., Page], tmp_path: Path
) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(variant(desk, "2026-11-system"))
    weighed = desk.up.json("policy", "impact", str(file))
    assert sum(line["unchanged"] for line in weighed["lines"]) > 0
    assert {line[fate] for line in weighed["lines"] for fate in ("at_once", "earlier")} == {0}
    refused = desk.run("adviser", "policy", "draft", str(file), "--reason", WHY)
    assert refused.returncode == 4
    filed = json.loads(desk.run("ops", "policy", "draft", str(file), "--reason", WHY, "--json").stdout)
    again = desk.run("ops", "policy", "draft", str(file), "--reason", WHY)
    assert again.returncode == 2 and "already_drafted" in again.stderr
    listed = {one["id"]: one for one in desk.up.json("policy", "drafts")}
    assert listed[filed["id"]]["state"] == "pending"

    page = sign_in("dpo", f"/consigne/policy/drafts/{filed['id']}")
    page.get_by_text("11 mois").first.wait_for()
    shot(page, "policy-draft")
    page.get_by_label("Viser").check()
    page.fill("#reason", "Moins suffit.")
    page.get_by_role("button", name="Enregistrer").click()
    page.get_by_text("Visé, par dpo").wait_for()
    shot(page, "policy-visa")

    run = run_of_draft(UUID(filed["id"]))
    sweep(desk)
    ended = until(
        lambda: tasks(desk, run), lambda states: states.get("apply_policy") in ("success", "failed")
    )
    assert ended["apply_policy"] == "success"
    policy = desk.up.json("status")["policy"]
    assert policy == {"version": "2026-11-system", "digest": load(file.read_text()).policy.digest}
    applied = desk.up.consigne("apply")  # with the file of the version before
    assert applied.returncode == 0, applied.stderr
    kinds = [entry["kind"] for entry in desk.history(filed["id"])]
    assert {f"configure:policy:{what}" for what in ("drafted", "announced", "decided")} <= set(kinds)
    shown = sign_in("adviser", "/consigne/policy")
    shown.get_by_text("En vigueur : version 2026-11-system").wait_for()
    shot(shown, "policy")


@pytest.mark.promise("P5")
def test_a_draft_that_nobody_answers_lapses(desk: Desk) -> None:
    before: Any = desk.up.json("status")["policy"]
    filed = draft_policy(open_platform(desk.settings, "decide"), OPS, variant(desk, "2026-11-silence"), WHY)
    assert isinstance(filed, Draft), filed
    owner = open_engine(desk.settings.database_url("owner"))
    with owner.begin() as tx:  # the response time is five days
        words = sql("UPDATE policy_drafts SET lapses_at = consigne_now() + interval '25 s' WHERE id = :id")
        tx.execute(words, {"id": filed.id})
    owner.dispose()
    sweep(desk)
    ended = until(
        lambda: tasks(desk, run_of_draft(filed.id)), lambda states: states.get("close_draft") == "success"
    )
    assert ended["apply_policy"] == "skipped"
    closed = [
        entry for entry in desk.history(str(filed.id)) if entry["kind"] == "configure:policy:run_closed"
    ]
    assert [entry["outcome"] for entry in closed] == ["lapsed"]
    assert desk.up.json("status")["policy"] == before
