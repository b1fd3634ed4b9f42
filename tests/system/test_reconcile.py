"""Reconciliation on the running platform: what root planted in the store is found, swept or told (issue 6, point 7)."""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from minio import Minio
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from consigne.acts.answer_finding import answer_finding
from consigne.acts.locate import policy_now
from consigne.acts.ports import ObjectVersion
from consigne.adapters.catalog.session import Session, open_engine
from consigne.adapters.catalog.tables_gone import accesses
from consigne.adapters.store.minio import connect, open_pool
from consigne.doors.settings import Settings
from consigne.doors.wiring import open_platform
from consigne.rules.layout import part_prefix
from system.browsing import until
from system.conftest import Up
from system.office import DPO

ROOT = "recordings"
WHY = "A drill of ours."


@pytest.fixture(scope="module")
def root(platform_up: Up) -> Minio:
    store = platform_up.status["store"]
    pair = store["root"]["access_key"], store["root"]["secret_key"]
    return connect(store["endpoint"], store["region"], False, pair, open_pool())


@pytest.fixture(scope="module")
def kept(platform_up: Up) -> dict[str, Any]:
    """A recording's artifact that is kept."""
    found = [one for recording in platform_up.json("recordings") for one in recording["artifacts"]]
    return next(one for one in found if one["state"] == "kept" and one["purpose"] != "trial")


@pytest.fixture(scope="module")
def findings(platform_up: Up, root: Minio, kept: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """What a run finds after root planted, hid, read and deleted."""
    known = {one["id"] for one in platform_up.json("findings")}
    orphan, name = part_prefix(kept["object"]) + str(uuid.uuid4()), kept["object"]
    # Root may give an object any date: this one looks older than any ingest under way.
    root._execute("PUT", ROOT, orphan, body=b"x", headers={"x-minio-source-mtime": "2026-01-01T00:00:00Z"})
    root.put_object(ROOT, name, io.BytesIO(b"forged"), 6)
    root.remove_object(ROOT, name)
    root._create_multipart_upload(ROOT, name, {})
    stray = root.put_object(ROOT, "training/stray", io.BytesIO(b"x"), 1)
    root.remove_object(ROOT, "training/stray", version_id=stray.version_id)
    answer = root.get_object(ROOT, orphan)
    answer.read()
    answer.release_conn()
    until(lambda: reads_told(platform_up, orphan), bool)  # the store tells of it by its audit log
    done = platform_up.consigne("reconcile", "--wait")
    assert done.returncode == 0, done.stderr[-2_000:]
    yield [one for one in platform_up.json("findings") if one["id"] not in known]
    parts = open_platform(Settings.open(platform_up.state_dir), "decide")
    for one in platform_up.json("findings"):  # nobody else is to find them waiting
        if one["state"] == "open":
            answer_finding(parts, policy_now(parts), DPO, uuid.UUID(one["id"]), "acknowledged", WHY)


def reads_told(platform_up: Up, object: str) -> int:
    settings = Settings.open(platform_up.state_dir)
    with Session(open_engine(settings.database_url("read")), os.urandom).begin() as tx:
        mine = (accesses.c.object == object) & (accesses.c.api == "GetObject")
        return int(tx.execute(select(func.count()).where(mine)).scalar_one())


def of_kind(findings: list[dict[str, Any]], kind: str, part: str = "") -> list[dict[str, Any]]:
    return [one for one in findings if one["kind"] == kind and part in one["subject"]]


def test_noise_is_swept_and_the_recorded_version_stays(
    root: Minio, kept: dict[str, Any], findings: list[dict[str, Any]]
) -> None:
    prefix = part_prefix(kept["object"])
    assert [one["state"] for one in of_kind(findings, "orphan", prefix)] == ["closed"]
    foreign = of_kind(findings, "foreign_version", prefix)
    assert [(one["act"], one["state"], one["artifact"]) for one in foreign] == [
        ("sweep", "closed", kept["id"])
    ] * 2
    [upload] = of_kind(findings, "lingering_upload", prefix)
    assert (upload["act"], upload["state"]) == ("alarm", "open") and upload["swept_at"]
    left = [
        ObjectVersion(one.object_name or "", one.version_id or "", one.is_delete_marker)
        for one in root.list_objects(ROOT, prefix, recursive=True, include_version=True)
    ]
    assert [(one.object, one.is_marker) for one in left] == [(kept["object"], False)]
    assert root._list_multipart_uploads(ROOT, prefix=kept["object"]).uploads == []


@pytest.mark.promise("P4")
def test_what_root_read_and_deleted_is_an_unexplained_access(findings: list[dict[str, Any]]) -> None:
    told = {one["subject"] for one in of_kind(findings, "unexplained_access")}
    assert {"root GetObject", "root PutObject", "root DeleteObject"} <= told


def test_the_dpo_sees_it_and_answers(
    sign_in: Callable[..., Page], kept: dict[str, Any], findings: list[dict[str, Any]]
) -> None:
    [upload] = of_kind(findings, "lingering_upload", kept["object"])
    page = sign_in("dpo", "/consigne/findings", locale="en-GB")
    page.locator(f"a[href$='/findings/{upload['id']}']").click()
    page.get_by_label("What you found").fill(WHY)
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_text("known and dealt with").first).to_be_visible()
