"""*Checks* on the desk, and the store's audit log as the store sends it."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from consigne.acts import accesses, compare, compare_dates, reconcile
from consigne.acts.remind import remind
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog import tables_gone as gone
from consigne.adapters.catalog.tables_people import messages
from consigne.doors.desk.pages import hooks

from .desk_world import AUDIT_SECRET, DeskWorld

WHY = "Looked into it: a drill of ours."


def record(**changes: Any) -> dict[str, Any]:
    """As MinIO writes one (facts/minio.md), shortened."""
    api = {"name": "GetObject", "bucket": "recordings", "object": "training/x", "statusCode": 200}
    return {
        "version": "1", "time": "2026-11-22T15:53:43.495093866Z", "requestID": uuid.uuid4().hex, "accessKey": "root-key",
        "remotehost": "192.0.2.7", "requestHeader": {"Authorization": "AWS4-HMAC-SHA256 Signature=abc"},
    } | {"api": api | changes.pop("api", {})} | changes  # fmt: skip


def send(world: DeskWorld, *records: Any, secret: str = AUDIT_SECRET) -> int:
    body = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in records)
    headers = {"authorization": f"Bearer {secret}"}
    return (
        world.nobody().http.post("/consigne/internal/store-audit", content=body, headers=headers).status_code
    )


def kept(world: DeskWorld) -> list[Any]:
    return world.world.rows(select(gone.accesses).order_by(gone.accesses.c.id))


def reconciled(world: DeskWorld) -> list[Any]:
    parts = world.platforms("reconcile")
    for act in (
        compare.compare_store,
        compare.compare_keys,
        compare_dates.compare_dates,
        accesses.explain_accesses,
    ):
        act(parts)
    reconcile.sweep_findings(parts)
    reconcile.report_findings(parts)
    return world.world.rows(select(gone.findings).order_by(gone.findings.c.kind))


@pytest.fixture
def found(desk_world: DeskWorld) -> DeskWorld:
    """A moved date, an orphan, and a read by root."""
    world = desk_world.world
    world.deliver("a")
    world.ingest()
    artifact = world.artifacts("a")[0]
    with world.engine.begin() as tx:
        later = artifact.due_at + timedelta(days=90)
        tx.execute(update(t.artifacts).where(t.artifacts.c.id == artifact.id).values(due_at=later))
    world.store.versions.append(("training/odd", "v1", b"x"))
    world.store.modified["v1"] = datetime(2026, 1, 1, tzinfo=UTC)
    assert send(desk_world, record(api={"object": artifact.object})) == 202
    return desk_world


def test_of_the_audit_log_next_to_nothing_is_kept(desk_world: DeskWorld) -> None:
    twice = record()
    ordinary = [
        record(api={"statusCode": 403}), record(api={"name": "HeadObject"}), record(api={"object": "probe"}),
        record(api={"name": "PutObject", "bucket": "evidence"}, accessKey="other") | {"requestID": None},
    ]  # fmt: skip
    several = {
        "name": "DeleteMultipleObjects",
        "object": "",
        "objects": [{"objectName": "training/y"}, {"objectName": "z"}],
    }
    as_listener = record(api={"statusCode": 206}, accessKey="temporary", parentUser="listen-key")
    sent = [twice, twice, *ordinary, "no json", "[]", record(api=several, accessKey="x"), as_listener]
    assert send(desk_world, *sent) == 202
    assert [(row.identity, row.api, row.object, row.status) for row in kept(desk_world)] == [
        ("root", "GetObject", "training/x", 200),
        ("unknown", "DeleteMultipleObjects", "training/y", 200),
        ("listen-training", "GetObject", "training/x", 206),
    ]
    assert "192.0.2.7" not in str(kept(desk_world)) and "Signature" not in str(kept(desk_world))
    assert {row.explained for row in kept(desk_world)} == {None}


def test_a_wrong_secret_sends_nothing(desk_world: DeskWorld) -> None:
    assert send(desk_world, record(), secret="another") == 403
    assert kept(desk_world) == []


def test_a_batch_past_its_limit_is_told_and_not_read(
    desk_world: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "LARGEST_AUDIT_BYTES", 1000)
    assert send(desk_world, *[record()] * 9) == 202
    assert [(row.identity, row.api) for row in kept(desk_world)] == [("unknown", "TooLarge")]
    assert [row.subject for row in reconciled(desk_world)] == ["unknown TooLarge"]


def test_the_page_shows_what_waits_first_and_leads_to_the_recording(found: DeskWorld) -> None:
    dpo = found.visit("dpo")
    assert "No check has taken place yet." in dpo.get("/findings").text
    reconciled(found)
    shown = dpo.get("/findings").text
    assert re.findall(r"<h3><a [^>]*>([^<]*)", shown) == [
        "A due date moved without a decision",
        "An unexplained access",
    ]
    assert (
        "Last check:" in shown and f"/consigne/recordings/{found.world.artifacts('a')[0].recording}" in shown
    )
    assert "An object unknown to the catalog" in dpo.get("/findings?closed=true").text
    assert "Findings that wait for your answer: 2" in dpo.get("/").text
    assert "Findings that wait" not in found.visit("auditor").get("/").text


@pytest.mark.promise("P5")
def test_the_dpo_answers_on_the_page(found: DeskWorld) -> None:
    dpo, row = found.visit("dpo"), reconciled(found)[0]
    path = f"/findings/{row.id}"
    shown = dpo.get(path).text
    assert row.kind == "moved_due_date" and 'value="put_back"' in shown
    assert "Date that stands there" in shown and "Date that is explained" in shown
    assert 'value="put_back"' not in found.visit("ops").get(path).text
    refused = dpo.post(path, answer="put_back", reason="call +33 6 12 34 56 78")
    assert refused.status_code == 400 and 'id="reason-error"' in refused.text
    assert 'value="put_back" required checked' in refused.text
    assert dpo.post(path, answer="put_back", reason=WHY).status_code == 303
    after = dpo.get(path).text
    assert WHY in after and "date put back" in after and '<form class="card answer' not in after
    assert dpo.post(path, answer="put_back", reason=WHY).status_code == 409
    assert found.world.artifacts("a")[0].due_at < found.world.now() + timedelta(days=200)


def test_others_are_refused_and_registered(found: DeskWorld) -> None:
    row = reconciled(found)[0]
    assert (
        found.visit("ops").post(f"/findings/{row.id}", answer="acknowledged", reason=WHY).status_code == 403
    )
    assert [one["actor"] for one in found.world.register("reconcile:finding:answer_denied")] == ["ops"]


def test_an_unexplained_access_lists_what_was_read(found: DeskWorld) -> None:
    row = next(row for row in reconciled(found) if row.kind == "unexplained_access")
    shown = found.visit("auditor").get(f"/findings/{row.id}").text
    artifact = found.world.artifacts("a")[0]
    assert f'/recordings/{artifact.recording}">recordings/{artifact.object}</a>' in shown
    assert "it shows, it proves nothing" in shown


def test_the_designated_are_told_once_a_day(found: DeskWorld) -> None:
    reconciled(found)
    parts = found.platforms("decide")
    remind(parts)
    remind(parts)
    told = found.world.rows(select(messages).where(messages.c.kind == "finding_open"))
    assert [row.recipient for row in told] == ["dpo"]


def test_pages_of_closed_findings(found: DeskWorld) -> None:
    for number in range(60):
        found.world.store.versions.append((f"training/odd-{number}", f"w{number}", b"x"))
        found.world.store.modified[f"w{number}"] = datetime(2026, 1, 1, tzinfo=UTC)
    reconciled(found)
    dpo = found.visit("dpo")
    first, second = (dpo.get(f"/findings?closed=true&page={number}").text for number in (1, 2))
    assert first.count("<h3>") == 50 and second.count("<h3>") == 11
