"""Nobody answers, and all workers are away for an hour of the clock: inaudible at once, destroyed as soon as one is back
(issue 5, Shown by 5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from consigne.acts.decide import answer_request, file_request
from consigne.acts.locate import policy_now
from consigne.adapters.catalog import tables as t
from consigne.doors.wiring import open_platform
from consigne.rules.access import Denied
from consigne.rules.clock import Duration
from consigne.rules.request import Answer, ExceptionRequest
from consigne.rules.values import Actor
from system.conftest import Up
from system.inside import hand_in, reading, sample_calls, settings_of, stopped, wait_until

TRAINER, DPO = Actor("trainer", frozenset({"trainer"})), Actor("dpo", frozenset({"dpo"}))
WHY = "The caller disputes what was agreed."


def export(up: Up, artifact: str, out: Path) -> tuple[int, str]:
    password = up.state_dir / "secrets" / "account-trainer"
    said = ("--reason", "coaching", "--out", str(out), "--as", "trainer", "--password-file", str(password))
    done = up.consigne("export", artifact, *said)
    return done.returncode, done.stderr


@pytest.mark.promise("P5")
def test_an_hour_without_workers_lengthens_nothing(platform_up: Up, tmp_path: Path) -> None:
    calls = sample_calls(platform_up, "leave", "trial")[-2:]
    hand_in(platform_up, calls)
    assert platform_up.consigne("ingest", "--wait").returncode == 0
    with reading(platform_up) as tx:
        joined = t.artifacts.join(t.recordings, t.recordings.c.id == t.artifacts.c.recording)
        query = select(t.artifacts.c.id, t.artifacts.c.due_at, t.artifacts.c.state).select_from(joined)
        stems = [told.id for _, told in calls]
        rows = tx.execute(
            query.where(t.recordings.c.source_id.in_(stems), t.artifacts.c.part == "audio")
        ).all()
    assert [row.state for row in rows] == ["kept", "kept"], "their time came before the test was ready"
    platform = open_platform(settings_of(platform_up), "decide")
    policy = policy_now(platform)
    asked = replace(policy, response_time=Duration.parse("PT30M"))
    until = rows[0].due_at + timedelta(days=2)
    request = file_request(platform, asked, TRAINER, [rows[0].id], until, "dispute", WHY)
    assert isinstance(request, ExceptionRequest), request
    with stopped(platform_up, "scheduler"):
        assert platform_up.consigne("clock", "--advance", "PT1H").returncode == 0
        for row in rows:
            code, said = export(platform_up, str(row.id), tmp_path / "heard")
            assert (code, "past_due" in said) == (4, True), said
        late = answer_request(platform, policy, DPO, request.id, request.digest, Answer.EXTEND, None, WHY)
        assert late == Denied("lapsed")

    def gone() -> bool:
        assert platform_up.consigne("expire", "--wait").returncode == 0
        with reading(platform_up) as tx:
            ids = [row.id for row in rows]
            states = tx.execute(select(t.artifacts.c.state).where(t.artifacts.c.id.in_(ids))).scalars()
            return set(states) == {"erased"}

    wait_until(gone, "both to be erased", 180)

    def lapsed() -> bool:
        with reading(platform_up) as tx:
            query = select(t.requests.c.state).where(t.requests.c.id == request.id)
            return bool(tx.execute(query).scalar_one() == "lapsed")

    wait_until(lapsed, "the sweep to note that it lapsed", 180)
    assert not (tmp_path / "heard").exists()
