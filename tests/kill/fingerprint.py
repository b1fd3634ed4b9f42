"""What must be the same whether or not anybody was killed on the way, and what no key opens."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

from sqlalchemy import select

from acts.world import World
from consigne.adapters.catalog import tables as t
from consigne.rules.evidence.certificate import read_parts
from consigne.rules.layout import part_prefix

_OUTCOMES = ("-intended", ":reported", ":frozen", ":authorised", ":closing", ":changed", ":denied")


def fingerprint(world: World) -> dict[str, Any]:
    """States, codes, verdicts, clocks, what opens and what is gone, what the register says was done."""
    kept = [row for row in world.artifacts() if row.state == "kept"]
    erased = [row for row in world.artifacts() if row.state == "erased"]
    keys = world.keys()
    verdicts = world.rows(select(t.verdicts, t.deliveries.c.source_id).join(t.deliveries))
    files = [read_parts(bytes(row.file))["body"] for row in world.certificates()]
    evidence = {name for name, _ in world_evidence(world)}
    published = b"".join(body for _, body in world_evidence(world))
    report = world.verified() if files else None
    return {
        "deliveries": sorted(
            (row.source_id, row.state, row.code or "", row.detail or "") for row in world.rows(select(t.deliveries))
        ),
        "verdicts": sorted((row.source_id, row.purpose, row.verdict, row.code or "") for row in verdicts),
        "artifacts": [
            (row.source_id, row.purpose, row.part, row.state, row.restricted, row.due_at, row.cap_at, row.epoch,
             tuple(row.earlier_epochs), str(row.masked))
            for row in world.artifacts()
        ],
        "opens": [hashlib.sha256(world.content(row)).hexdigest() for row in kept],
        "keys": set(keys) == {row.id for row in kept} and all(keys[row.id].epoch == row.epoch for row in kept),
        "gone": [world.under(row) for row in erased],
        "callers": sorted((row.source_id, len(row.caller_index), row.agent) for row in world.rows(select(t.recordings))),
        "epochs": world.epochs(),
        "epoch keys": world.platform.keyring.epochs(),
        "tombstones": sorted(
            (row.purpose, row.part, row.ground, row.published_at is None, row.key_deleted_at is None,
             row.absent_at is None)
            for row in world.rows(select(t.tombstones))
        ),
        "published tombstones": sum(name.startswith("tombstones/") for name in evidence) > 0,
        "certificates": Counter((body["scope"], body["purpose"], len(body.get("artifacts", ()))) for body in files),
        "counts": sorted(
            (body["steps"]["versions_deleted"], body["steps"]["uploads_aborted"])
            for body in files if body["scope"] == "artifact"
        ),
        "verified": report is None or (report.verified, sorted(each["proof"] for each in report.certificates)),
        "all published": all(row.published_at and bytes(row.file) in published for row in world.certificates()),
        "requests": sorted((row.state, row.reason) for row in world.rows(select(t.requests))),
        "decisions": [(row.answer, row.applied_at is None) for row in world.rows(select(t.decisions))],
        "intake": sorted(place.stem for place in world.platform.intake.waiting(1 << 30)),
        # each transition committed once, with its entry
        "done": Counter(entry["kind"] for entry in world.register() if not entry["kind"].endswith(_OUTCOMES)),
    }  # fmt: skip


def settled(world: World) -> dict[str, Any]:
    """The fingerprint; when a person's word ended an artifact is the moment of the try that came through."""
    found = fingerprint(world)
    rows = [("", *row[1:5], "", *row[6:]) if row[3] == "erased" else row for row in found["artifacts"]]
    return found | {"artifacts": rows}


def world_evidence(world: World) -> list[tuple[str, bytes]]:
    """Names and bodies in the evidence bucket."""
    store = world.platform.store
    return [(held.object, store.read_evidence(held.object, held.version)) for held in store.list_evidence("")]


def noise(world: World) -> int:
    """Objects that no kept artifact records. None of them may lie where an erased artifact lay, and no key may
    be left for any."""
    recorded = {(row.object, row.version) for row in world.artifacts() if row.state != "erased"}
    held = [(held.object, held.version) for held in world.platform.store.list_versions("")]
    found = [one for one in held if one not in recorded]
    attempts = {str(key.attempt) for key in world.keys().values()}
    assert not attempts & {object.rpartition("/")[2] for object, _ in found}
    erased = {part_prefix(row.object) for row in world.artifacts() if row.state == "erased"}
    assert not erased & {part_prefix(object) for object, _ in found}
    return len(found)
