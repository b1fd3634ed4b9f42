"""Asked by command, decided on the desk, carried out by Airflow: kept under another purpose on the real parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from system.browsing import Desk, until

MOVE = {"answer": "keep_under_another_purpose", "reason": "Une autre finalité suffit."}


def _candidate(desk: Desk) -> dict[str, Any]:
    """A training artifact whose recording is not kept for `emergency`."""
    chosen = desk.artifacts("training")[len(desk.artifacts("training")) // 2]
    assert "emergency" not in {one["purpose"] for one in desk.up.json("show", chosen["id"])["artifacts"]}
    return chosen


@pytest.mark.promise("P3", "P4", "P5")
def test_the_old_listeners_lose_it_and_the_new_ones_hear_it(desk: Desk, tmp_path: Path) -> None:
    old = _candidate(desk)
    filed = desk.ask(old)
    assert desk.send_form("dpo", filed["id"], **MOVE, purpose="complaint").status_code == 409
    assert desk.send_form("dpo", filed["id"], **MOVE, purpose="emergency").status_code == 303

    def new() -> list[dict[str, Any]]:
        shown = desk.up.json("show", old["id"])["artifacts"]
        return [one for one in shown if (one["purpose"], one["part"]) == ("emergency", "audio")]

    [moved] = until(new, bool)
    assert moved["state"] == "kept" and moved["object"].startswith("emergency/")
    for user, artifact, reason, hears in (
        ("trainer", old["id"], "coaching", False),
        ("trainer", moved["id"], "coaching", False),
        ("analyst", moved["id"], "incident_review", True),
    ):
        out = tmp_path / f"{user}-{reason}-{artifact[:8]}"
        done = desk.run(user, "export", artifact, "--reason", reason, "--out", str(out))
        assert (done.returncode == 0) is hears, done.stderr
    [applied] = [one for one in desk.history(filed["id"]) if one["kind"] == "decide:artifact:applied"]
    assert (applied["outcome"], applied["new_artifact"]) == ("moved", moved["id"])
