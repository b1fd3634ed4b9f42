"""The sample calls of a first `up` end as foretold, and nothing of what they hold lies about."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from consigne.doors.samples.values import planted
from system.conftest import Up
from system.sweep import Finder, needles, sweep

COUNT, SEED = 40, 1
PREFIX = f"demo{SEED}-"  # other tests hand in calls of other seeds


@pytest.fixture(scope="session")
def foretold(platform_up: Up) -> list[dict[str, Any]]:
    manifest = json.loads((platform_up.state_dir / f"samples-{SEED}.json").read_text())
    assert len(manifest["deliveries"]) == COUNT
    return list(manifest["deliveries"])


def _end(delivery: dict[str, Any]) -> tuple[str, str, str | None, tuple[tuple[str, str | None], ...]]:
    """How a delivery ended; the verdicts of a quarantined one say only how far it came."""
    verdicts = delivery["verdicts"] if delivery["state"] == "cleared" else []
    told = tuple(sorted((each["purpose"], each["code"]) for each in verdicts))
    return delivery["id"], delivery["state"], delivery["code"], told


@pytest.mark.promise("P1")
def test_deliveries_end_as_foretold(platform_up: Up, foretold: list[dict[str, Any]]) -> None:
    ours = [one for one in platform_up.json("deliveries") if one["id"].startswith(PREFIX)]
    assert Counter(map(_end, ours)) == Counter(map(_end, foretold))


def test_only_what_is_quarantined_is_left_in_intake(platform_up: Up, foretold: list[dict[str, Any]]) -> None:
    """Of two calls with one identifier, whichever was stored second is left."""
    stems = {file.name.rpartition(".")[0] for file in platform_up.intake_dir.iterdir()}
    left = {stem.removesuffix("_again") for stem in stems if stem.startswith(PREFIX)}
    assert left == {each["id"] for each in foretold if each["state"] == "quarantined"}


@pytest.mark.promise("P2")
def test_masks_cover_what_was_said_and_keyed(platform_up: Up, foretold: list[dict[str, Any]]) -> None:
    recordings = {each["source_id"]: each for each in platform_up.json("recordings")}
    compared = 0
    for told in foretold:
        for part, spans in told["masked"].items():
            masks = [one["masked"] for one in recordings[told["id"]]["artifacts"] if one["part"] == part]
            assert masks, (told["id"], part)
            for span in spans:
                assert all(any(_covers(mask, span) for mask in each) for each in masks), (told["id"], span)
                compared += 1
    assert compared > 20


def _covers(mask: dict[str, Any], span: dict[str, Any]) -> bool:
    same = mask["kind"] == span["kind"]
    return bool(same and mask["start_ms"] <= span["start_ms"] and span["end_ms"] <= mask["end_ms"])


@pytest.mark.promise("P2")
def test_no_planted_value_lies_outside_intake(platform_up: Up) -> None:
    wanted = needles(planted(SEED, COUNT))
    swept = sweep(
        [platform_up.state_dir, platform_up.temporary_dir], wanted, exclude=[platform_up.intake_dir]
    )
    assert swept.bytes > 50_000_000
    assert swept.hits == frozenset()


@pytest.mark.promise("P2")
def test_no_planted_value_shows_in_a_process(platform_up: Up) -> None:
    finder, seen = Finder(needles(planted(SEED, COUNT))), b"".join(_shown_by_processes())
    assert str(platform_up.state_dir).encode() in seen
    assert finder.find(seen) == set()


def _shown_by_processes() -> Iterator[bytes]:
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                yield (process / name).read_bytes()
            except OSError:  # it ended, or is another user's
                continue


@pytest.mark.promise("P2")
def test_the_sweep_would_see_it(platform_up: Up) -> None:
    """What stays in intake does hold planted values: the same sweep finds them there."""
    swept = sweep([platform_up.intake_dir], needles(planted(SEED, COUNT)))
    assert {hit.kind for hit in swept.hits} >= {"caller", "word"}
