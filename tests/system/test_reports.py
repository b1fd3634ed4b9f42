"""What the checks found, on the running platform: from Airflow's run to the desk, and on the command line
(issue 4, deliver 6 and 8)."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import pytest

from consigne.doors.samples.values import planted
from consigne.doors.settings import Settings
from system.conftest import Up
from system.inside import SEEDS, reading, settings_of
from system.sweep import needles


@pytest.fixture(scope="module")
def run(platform_up: Up) -> str:
    """The run of the ingest that carried the samples of `up`, or most of them."""
    most = (
        "SELECT run FROM chunks GROUP BY run ORDER BY sum(cardinality(deliveries)) DESC, min(made_at) LIMIT 1"
    )
    with reading(platform_up) as tx:
        return str(tx.exec_driver_sql(most).scalar_one())


def signed_in(settings: Settings, user: str) -> httpx.Client:
    """A browser's session and an API's token in one."""
    sent = {"username": user, "password": settings.account_password(user)}
    url = settings.airflow_url
    token = httpx.post(f"{url}/auth/token", json=sent, timeout=60, trust_env=False).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": "fr"}
    return httpx.Client(base_url=url, cookies={"_token": token}, headers=headers, trust_env=False, timeout=60)


def holds_planted(text: str) -> bool:
    """Whether a value of the samples of `up` stands in it, in any form."""
    data = text.encode()
    return any(needle in data for needle in needles(planted(*SEEDS["up"])))


@pytest.mark.promise("P2")
def test_the_run_in_airflow_leads_to_its_report_and_no_value_is_in_it(platform_up: Up, run: str) -> None:
    ops = signed_in(settings_of(platform_up), "ops")
    task = f"/api/v2/dags/ingest_recordings/dagRuns/{run}/taskInstances/report_batch"
    [link] = ops.get(f"{task}/links").json()["extra_links"].values()
    assert link.startswith(f"{settings_of(platform_up).airflow_url}/consigne/batches/")
    log = ops.get(f"{task}/logs/1", headers={"Accept": "application/json"}).text
    assert "not_announced" in log and "sound_is_readable" in log
    page = ops.get(urlsplit(link).path).text
    assert "L’appelant n’a entendu aucune annonce" in page
    assert "Le son est vide ou endommagé, ou son en-tête ment" in page
    assert not holds_planted(page) and not holds_planted(log)


@pytest.mark.parametrize(
    ("user", "status"), [("dpo", 200), ("auditor", 200), ("trainer", 403), ("adviser", 403)]
)
def test_others_who_answer_for_it_read_it_too(platform_up: Up, run: str, user: str, status: int) -> None:
    client = signed_in(settings_of(platform_up), user)
    assert [client.get(path).status_code for path in ("/consigne/batches", f"/consigne/batches/{run}")] == [
        status,
        status,
    ]


@pytest.mark.promise("P2")
def test_the_command_line_says_why_and_that_the_masks_are_signed(platform_up: Up) -> None:
    told = platform_up.consigne("deliveries", "--language", "fr")
    assert "Le son dure plus ou moins que l’appel annoncé" in told.stdout
    masked = [
        (one["id"], artifact)
        for one in platform_up.json("recordings")
        for artifact in one["artifacts"]
        if artifact["masked"] and artifact["state"] == "kept"
    ]
    recording, artifact = masked[0]
    shown = platform_up.json("show", artifact["id"])
    assert shown["id"] == recording
    assert {one["masked_signature"]["valid"] for one in shown["artifacts"]} == {True}
    said = platform_up.consigne("show", artifact["id"])
    assert said.returncode == 0 and "signing-1: verifies" in said.stdout
    assert not holds_planted(told.stdout + said.stdout)
