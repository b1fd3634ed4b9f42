"""The alerts: each fires on its made series and stays silent on a healthy one, stands on figures that there are, and has
its page. The dashboard asks for figures that there are, in words that Prometheus reads."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from consigne.doors.desk.metrics import FAMILIES, LATENCIES

pytestmark = pytest.mark.prometheus

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
OPERATING = (ROOT / "docs" / "operating.md").read_text()
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "consigne.json").read_text())
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
}
TESTS = yaml.safe_load((FOLDER / "alerts_test.yaml").read_text())["tests"]
EXPRESSIONS = {name: rule["expr"] for name, rule in RULES.items()} | {
    f"{panel['title']} {target['refId']}": target["expr"]
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", [])
}
PARTS = ("**Means**", "**Look**", "**Do**", "**Not**")
# MinIO's own, as its release of 2026-02-12 names them under /minio/metrics/v3/cluster/health; and Prometheus' own.
OTHERS = {
    "up": {"job"},
    "minio_cluster_health_drives_online_count": set(),
    "minio_cluster_health_drives_count": set(),
    "minio_cluster_health_capacity_usable_free_bytes": set(),
    "minio_cluster_health_capacity_usable_total_bytes": set(),
}  # fmt: skip
KNOWN = (
    {f"consigne_{name}_total" if kind == "counter" else f"consigne_{name}": set(labels)
     for name, (kind, _, labels) in FAMILIES.items()}
    | {f"consigne_{part}_latency_seconds_bucket": {"le"} for part in LATENCIES}
    | OTHERS
)  # fmt: skip
NAME = re.compile(r"\b(?:consigne|minio)_\w+|\bup\b")
LABELS = re.compile(r"(?:by \(|{)([^)}]*)[)}]")
SECTIONS = dict(re.findall(r"(?ms)^### (\w+)\n(.*?)(?=^##)", OPERATING + "\n##"))


def promtool(*arguments: str) -> str:
    done = subprocess.run(["promtool", *arguments], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def labels_of(expression: str) -> set[str]:
    """Those that it selects or groups by."""
    return {
        re.match(r"\s*(\w+)", one)[1]  # type: ignore[index]
        for inside in LABELS.findall(expression)
        for one in inside.split(",")
    }


def test_each_rule_fires_and_is_silent_as_stated() -> None:
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yaml")


def test_each_rule_has_a_series_that_fires_and_none_is_left_out_of_the_healthy_one() -> None:
    healthy, *others = TESTS
    assert healthy["name"] == "healthy"
    silent = {one["alertname"] for one in healthy["alert_rule_test"] if not one["exp_alerts"]}
    assert silent == set(RULES)
    given = {series["series"].partition("{")[0] for series in healthy["input_series"]}
    assert {name for expr in RULES.values() for name in NAME.findall(expr["expr"])} <= given
    fired = {one["alertname"] for test in others for one in test["alert_rule_test"] if one["exp_alerts"]}
    assert fired == set(RULES)
    for test in others:
        assert [bool(one["exp_alerts"]) for one in test["alert_rule_test"]] == [False, True], test["name"]


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_figure_and_label_is_one_that_is_exported(name: str) -> None:
    expression = EXPRESSIONS[name]
    asked = NAME.findall(expression)
    assert asked
    assert set(asked) <= set(KNOWN)
    assert labels_of(expression) <= set().union(*(KNOWN[one] for one in asked))


@pytest.mark.parametrize("name", RULES)
def test_each_alert_has_its_page(name: str) -> None:
    assert RULES[name]["annotations"]["runbook_url"] == f"docs/operating.md#{name.lower()}"
    section = SECTIONS[name]
    places = [section.index(part) for part in PARTS]
    assert places == sorted(places)
    ends = [*places[1:], len(section)]
    for part, begin, end in zip(PARTS, places, ends, strict=True):
        assert len(section[begin + len(part) : end].strip(" .\n")) > 20, part


def test_no_page_is_of_an_alert_that_is_gone() -> None:
    alerts = OPERATING.partition("\n## Alerts\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"(?m)^### (\w+)", alerts)) == set(RULES)


def test_the_dashboard_is_read_by_prometheus(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{at}", "expr": expr} for at, expr in enumerate(EXPRESSIONS.values())]
    (tmp_path / "panels.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", str(tmp_path / "panels.yaml"))
    promtool("check", "config", "--syntax-only", "prometheus.yaml")


def test_every_gauge_and_counter_is_on_the_dashboard() -> None:
    shown = {name for panel in DASHBOARD["panels"] for target in panel.get("targets", []) for name in NAME.findall(target["expr"])}  # fmt: skip
    assert {name for name in KNOWN if name.startswith("consigne_")} - shown == set()
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    assert all(
        target["datasource"]["uid"] == "${datasource}"
        for panel in DASHBOARD["panels"]
        for target in panel.get("targets", [])
    )
