"""Killed at any place of a reconciliation, started again: the same is found, removed and told (P8)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from acts.world import World
from consigne.acts import accesses, compare, compare_dates, reconcile
from consigne.acts.journey import Platform
from consigne.acts.ports import Upload
from consigne.adapters.catalog.tables_gone import findings, losses
from consigne.rules.layout import part_prefix

from .crashing import After, Fuse, Lost
from .test_crash import killed_everywhere

ACTS: tuple[Callable[[Platform], object], ...] = (
    compare.compare_store, compare.compare_keys, compare_dates.compare_dates, accesses.explain_accesses,
    reconcile.sweep_findings, reconcile.report_findings,
)  # fmt: skip


def told(world: World) -> dict[str, Any]:
    """Findings and what became of them, what lies in the bucket, and what the register says was done."""
    rows = world.rows(select(findings).order_by(findings.c.kind, findings.c.subject, findings.c.version))
    said = [entry for entry in world.register() if entry["kind"].startswith("reconcile:finding")]
    return {
        "findings": [(row.kind, row.version, row.act, row.state, row.swept_at is None, row.closed_by) for row in rows],
        "lost": [row.reason for row in world.rows(select(losses))],
        "bucket": sorted((name, version) for name, version, _ in world.store.versions),
        "uploads": list(world.store.uploads),
        "told": {(one["kind"], one["about"], one["version"]) for one in said},
        "swept": sorted((one["about"], one["version"]) for one in said if one["kind"].endswith(":swept")),
        "opens": [world.content(row) for row in world.artifacts("kept")],
    }  # fmt: skip


@pytest.mark.promise("P6", "P8")
@pytest.mark.parametrize("deadly", [Fuse, After, Lost])
def test_killed_anywhere_in_a_reconciliation(world: World, deadly: type[Fuse]) -> None:
    for id in ("kept", "missing"):
        world.deliver(id)
    world.ingest()
    kept, missing = world.artifacts("kept")[0], world.artifacts("missing")[0]
    strange = [
        (part_prefix(kept.object) + str(uuid.uuid4()), "v1"),
        (kept.object, "v2"),
        ("training/odd", "v3"),
    ]
    world.store.versions = [held for held in world.store.versions if held[0] != missing.object]
    world.store.versions += [(name, version, b"x") for name, version in strange]
    world.store.modified |= dict.fromkeys(("v1", "v2", "v3"), datetime.now(UTC) - timedelta(days=9))
    world.store.uploads = [Upload(kept.object, "u1")]

    def act(platform: Platform, run: str) -> None:
        for one in ACTS:
            one(platform)

    places, _ = killed_everywhere(world, act, deadly, told)
    assert {"commit", "delete_versions", "abort_uploads"} == set(places)
    assert {held[1] for held in world.store.versions} == {row.version for row in world.artifacts()} - {
        missing.version
    }
    assert [row.kind for row in world.rows(select(findings).where(findings.c.state == "open").order_by(findings.c.kind))] == [
        "lingering_upload", "missing",
    ]  # fmt: skip
