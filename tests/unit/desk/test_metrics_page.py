"""The operator's page names every metric as it is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from consigne.doors.desk.metrics import FAMILIES, LATENCIES

PAGE = (Path(__file__).parents[3] / "docs" / "operating.md").read_text("utf-8")


@pytest.mark.parametrize("name", FAMILIES)
def test_the_operator_is_told_what_each_figure_means(name: str) -> None:
    kind, help, labels = FAMILIES[name]
    shown = (
        f"consigne_{name}" + "_total" * (kind == "counter") + (f"{{{', '.join(labels)}}}" if labels else "")
    )
    assert f"\n| `{shown}` | {help} |\n" in PAGE


@pytest.mark.parametrize("part", LATENCIES)
def test_and_each_latency(part: str) -> None:
    assert f"\n| `consigne_{part}_latency_seconds` |" in PAGE
