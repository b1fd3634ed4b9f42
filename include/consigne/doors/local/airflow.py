"""Airflow for one machine: its configuration, the environment of its components, its database."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from configparser import RawConfigParser
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

from consigne.doors.apply import read_policy
from consigne.doors.local.ask import ask
from consigne.doors.local.processes import Command, clean_environment, python
from consigne.doors.settings import CHECKOUT, Settings, write_private

AUTH_MANAGER = "consigne.doors.orchestration.auth.ConsigneFabAuthManager"
HEARTBEAT_OVERDUE = timedelta(seconds=30)


def write_configuration(settings: Settings) -> None:
    """airflow.cfg, mode 0600: the secrets are in it, so that no environment carries them."""
    write_file(settings.state_dir / "airflow" / "airflow.cfg", configuration(settings))


def write_file(
    file: Path,
    sections: Mapping[str, Mapping[str, str]],
    owner: tuple[int, int] | None = None,
    mode: int = 0o600,
) -> None:
    """An airflow.cfg of these sections and options; `owner` and `mode` as write_private's."""
    document = RawConfigParser()
    document.optionxform = str  # type: ignore[assignment,method-assign]
    for section, options in sections.items():
        document[section] = {name: value.replace("%", "%%") for name, value in options.items()}
    out = StringIO()
    document.write(out)
    write_private(file, out.getvalue(), owner=owner, mode=mode)


def configuration(settings: Settings) -> dict[str, dict[str, str]]:
    """Section -> option -> value, for one machine: with all secrets."""
    logs = settings.state_dir / "logs" / "airflow"
    slots = max(2, 2 * (os.cpu_count() or 1))
    return {
        "core": {
            "dags_folder": str(CHECKOUT / "dags"),
            "plugins_folder": str(CHECKOUT / "plugins"),
            "load_examples": "False",
            "auth_manager": AUTH_MANAGER,
            "executor": "LocalExecutor",
            "parallelism": str(slots),
            # A flood of calls must leave slots to what falls due.
            "max_active_tasks_per_dag": str(max(1, slots - 2)),
            "mp_start_method": "fork",  # the executor's children share the scheduler's memory
            "fernet_key": _fernet_key(settings),
            "execution_api_server_url": f"{settings.airflow_url}/execution/",
            "hide_sensitive_var_conn_fields": "True",
            "min_serialized_dag_update_interval": "5",
        },
        "database": {
            "sql_alchemy_conn": settings.airflow_database_url(),
            "sql_alchemy_conn_async": settings.airflow_database_url("psycopg"),
            "sql_alchemy_pool_size": "5",
            "sql_alchemy_max_overflow": "10",
        },
        "api": {
            "base_url": settings.public_url or settings.airflow_url,
            "host": "127.0.0.1",
            "port": str(settings.airflow_port),
            "workers": "1",
            "secret_key": settings.secret("airflow-secret-key"),
            "expose_config": "False",
            "expose_stacktrace": "False",
        },
        # An api-server that is restarted takes half a minute: tasks wait for it.
        "workers": {
            "execution_api_retries": "30",
            "execution_api_retry_wait_max": "5",
            "max_failed_heartbeats": "12",
        },
        "api_auth": {"jwt_secret": settings.secret("airflow-jwt-secret")},
        "scheduler": {
            "scheduler_idle_sleep_time": "0.2",
            "task_instance_heartbeat_timeout": "20",
            "task_instance_heartbeat_timeout_detection_interval": "5",
            "orphaned_tasks_check_interval": "20",
            "scheduler_health_check_threshold": "30",
        },
        "dag_processor": {
            "parsing_processes": "1",
            "refresh_interval": "60",
            "min_file_process_interval": "60",
            "dag_file_processor_timeout": "120",
        },
        "logging": {
            "base_log_folder": str(logs),
            "dag_processor_child_process_log_directory": str(logs / "dag_processor"),
            "json_logs": str(settings.json_logs),
            # A line at each parse, in a file a Dag that nobody rotates: in Compose it would fill the memory it lies in.
            "namespace_levels": "airflow.dag_processing.dagbag=WARNING",
        },
        # Behind a proxy a whole contact centre signs in from one address.
        "fab": {
            "auth_rate_limit": "30 per 40 second",
            "cookie_secure": str(settings.public_url.startswith("https:")),
        },
        "metrics": {
            "statsd_on": "False",
            "otel_on": str(bool(settings.otlp_given)),
            "legacy_names_on": "False",  # each would be sent twice
        },
        # A collector that is away must not hold up the end of each task.
        "traces": {
            "otel_on": str(bool(settings.otlp_given)),
            "task_runner_flush_timeout_milliseconds": "2000",
        },
        "usage_data_collection": {"enabled": "False"},
    }


def _fernet_key(settings: Settings) -> str:
    file = settings.state_dir / "secrets" / "airflow-fernet-key"
    if not file.exists():
        write_private(file, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(), keep=True)
    return file.read_text()


def environment(settings: Settings) -> dict[str, str]:
    """What Airflow's processes, and all that speak of this installation, are told: no secret."""
    home = settings.state_dir / "airflow"
    return clean_environment(
        HOME=str(home),
        AIRFLOW_HOME=str(home),
        AIRFLOW_CONFIG=str(home / "airflow.cfg"),
        CONSIGNE_STATE=str(settings.state_dir),
        PYTHONPATH=str(CHECKOUT / "include"),
        PYTHONUNBUFFERED="1",
        OPENBLAS_NUM_THREADS="1",  # many tasks at once: threads of each would fight for the cores
        CONSIGNE_EXPIRY_BY_MINUTE=str(int(settings.expiry_by_minute)),
        **_telemetry(settings),
    )


def _telemetry(settings: Settings) -> dict[str, str]:
    """Where Airflow sends its metrics and traces, in OpenTelemetry's own variables; its options by that name are gone
    from 3.2 on. Nothing without a collector."""
    if not settings.otlp_given:
        return {}
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": settings.otlp_given,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_TRACES_EXPORTER": "otlp_proto_http",  # `otlp` is gRPC alone
        "OTEL_EXPORTER_OTLP_TIMEOUT": "2",
        "OTEL_SERVICE_NAME": "consigne",
    }


def ends_by_the_minute(settings: Settings) -> bool:
    """Whether a purpose of the policy ends by less than a day, so that expiry runs each minute."""
    loaded, _ = read_policy(settings)
    return any(purpose.epoch_length.is_under_a_day for purpose in loaded.policy.purposes.values())


def command(settings: Settings, name: str, *arguments: str) -> Command:
    """One of Airflow's components (`airflow <name>`), in a folder of its own."""
    return module(settings, name, "airflow", name, *arguments)


def module(settings: Settings, component: str, name: str, *arguments: str) -> Command:
    """A Python module in Airflow's environment."""
    folder = settings.state_dir / "run" / component
    folder.mkdir(mode=0o700, exist_ok=True)
    log = settings.state_dir / "logs" / f"{component}.log"
    return Command(python(name, *arguments), folder, log, environment(settings))


def health(settings: Settings) -> dict[str, bool]:
    """Which of `api-server`, `scheduler` and `dag-processor` are well, as the api-server sees them. The first
    call to the tasks' API takes seconds: it is made here, not by the first task."""
    found = _get(settings, "/api/v2/monitor/health")
    if not found or _get(settings, "/execution/health") is None:
        return {}
    return {
        "api-server": (found.get("metadatabase") or {}).get("status") == "healthy",
        "scheduler": _beats(found.get("scheduler") or {}, "latest_scheduler_heartbeat"),
        "dag-processor": _beats(found.get("dag_processor") or {}, "latest_dag_processor_heartbeat"),
    }


def _get(settings: Settings, path: str) -> dict[str, Any] | None:
    body = ask(f"{settings.airflow_url}{path}", timeout_s=10)
    return dict(json.loads(body)) if body else None


def _beats(part: dict[str, Any], field: str) -> bool:
    latest = part.get(field)
    if part.get("status") != "healthy" or not latest:
        return False
    return datetime.now(UTC) - datetime.fromisoformat(latest) < HEARTBEAT_OVERDUE
