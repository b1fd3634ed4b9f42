"""The webhook by which a source announces itself: a hint that starts the ingest at once."""

from __future__ import annotations

import httpx
import pytest

from consigne.doors.cli.runs import Runs
from consigne.doors.desk.installed import HOOK_SECRET

from .conftest import Up
from .inside import settings_of, wait_until


def _announce(up: Up, secret: str) -> int:
    url = f"{settings_of(up).airflow_url}/consigne/internal/intake"
    return httpx.post(url, headers={"Authorization": f"Bearer {secret}"}, timeout=30).status_code


@pytest.mark.parametrize("secret", ["x", "Bearer", "0" * 64])
def test_a_stranger_announces_nothing(platform_up: Up, secret: str) -> None:
    assert _announce(platform_up, secret) == 403


def test_an_announcement_starts_the_ingest_at_once(platform_up: Up) -> None:
    runs = Runs(settings_of(platform_up))

    def announced() -> int:
        found = runs.read("/api/v2/dags/ingest_recordings/dagRuns?run_type=asset_triggered&limit=1")
        return int(found["total_entries"])

    before = announced()
    assert _announce(platform_up, settings_of(platform_up).secret(HOOK_SECRET)) == 202
    wait_until(lambda: announced() > before, "a run that the announcement started", 60)
