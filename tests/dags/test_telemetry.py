"""With a collector given, Airflow's own metrics and traces go to it, and without one nothing goes anywhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from collector import Collector, collecting
from consigne.doors.local import airflow
from consigne.doors.settings import Settings
from consigne.rules.errors import Misconfigured

TELLS = """
from airflow.configuration import conf
from airflow.sdk._shared.observability.traces import configure_otel
from opentelemetry import trace
from airflow._shared.observability.metrics import stats
from airflow.observability.metrics.stats_utils import get_stats_factory
configure_otel(conf)
stats.initialize(factory=get_stats_factory(), export_legacy_names=conf.getboolean("metrics", "legacy_names_on"))
stats.incr("scheduler_heartbeat")
with trace.get_tracer("test").start_as_current_span("a task"):
    pass
provider = trace.get_tracer_provider()
getattr(provider, "force_flush", lambda: None)()
"""


def settings_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> Settings:
    monkeypatch.setenv("CONSIGNE_OTLP_URL", url)
    settings = Settings.make(tmp_path / "state").remember_servers()
    airflow.write_configuration(settings.remember(socket_dir=str(tmp_path)))
    return settings


def tell(settings: Settings) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TELLS], env=airflow.environment(settings), capture_output=True, text=True, timeout=120, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2_000:]


def test_metrics_and_traces_reach_the_collector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as collector:
        tell(settings_with(tmp_path, monkeypatch, collector.url))
    assert "airflow.scheduler_heartbeat" in collector.metrics()
    assert collector.spans().keys() == {"a task"}


def test_without_a_collector_nothing_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_with(tmp_path, monkeypatch, "none:")
    assert not [name for name in airflow.environment(settings) if name.startswith("OTEL")]
    with collecting() as collector:
        monkeypatch.setenv(
            "OTEL_EXPORTER_OTLP_ENDPOINT", collector.url
        )  # of the caller's shell: it does not travel
        tell(settings)
    assert collector.sent == Collector(collector.url).sent


@pytest.mark.parametrize(
    "url", ["collector:4318", "ftp://collector", "http://user:secret@collector:4318", "http://"]
)
def test_an_address_that_is_none_is_refused_and_not_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    with pytest.raises(Misconfigured) as refused:
        settings_with(tmp_path, monkeypatch, url)
    assert (refused.value.code, refused.value.where) == ("bad_url", "CONSIGNE_OTLP_URL")
    assert "secret" not in str(refused.value)


def test_json_logs_are_asked_for_and_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def given(wanted: str) -> tuple[str, bool]:
        monkeypatch.setenv("CONSIGNE_LOGS", wanted)
        settings = settings_with(tmp_path, monkeypatch, "none:")
        return airflow.configuration(settings)["logging"]["json_logs"], settings.json_logs

    assert given("") == ("False", False)
    assert given("json") == ("True", True)
    assert given("") == ("True", True)
    assert given("plain") == ("False", False)
