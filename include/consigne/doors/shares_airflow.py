"""airflow.cfg of a share: what one machine's has, less the secrets that the service does not hold, and the broker."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from consigne.doors.arrangement import SERVICES, Service
from consigne.doors.local import airflow
from consigne.doors.settings import Settings

if TYPE_CHECKING:
    from consigne.doors.shares import Places

Options = dict[str, dict[str, str]]
EXECUTOR: Final = "airflow.providers.celery.executors.celery_executor.CeleryExecutor"
VISIBLE_AGAIN_S: Final = 60
"""A message whose worker died is given to another after this. One that is only slow runs on: whoever gets its message
a second time is told by the api-server that it runs, and lets go (celery provider, TaskAlreadyRunningError)."""
SEPARATOR: Final = ":"
"""Between a queue's name and a priority: kombu's own holds control characters, which no ACL file can say."""
LOG_NAME: Final = (
    "{{ ti.queue }}/dag_id={{ ti.dag_id }}/run_id={{ ti.run_id }}/task_id={{ ti.task_id }}/"
    "{% if ti.map_index >= 0 %}map_index={{ ti.map_index }}/{% endif %}attempt={{ try_number|default(ti.try_number) }}.log"
)
"""A folder a queue comes first, so that each worker writes, and may enter, its own alone."""


def write_configuration(
    settings: Settings,
    seen: Settings,
    service: Service,
    places: Places,
    folder: Path,
    group: int | None = None,
) -> None:
    """airflow.cfg of a share in `folder`, seen as `seen.state_dir`: ours, for the `group` to read."""
    owner, mode = (None, 0o600) if group is None else ((os.getuid(), group), 0o640)
    found = configuration(settings, seen, service, places)
    airflow.write_file(folder / "airflow" / "airflow.cfg", found, owner, mode)


def configuration(settings: Settings, seen: Settings, service: Service, places: Places) -> Options:
    """Section -> option -> value. `settings` holds every secret, `service` says which of them go in."""
    found = airflow.configuration(settings)
    _keep_held(found, service)
    _place(found, settings, seen, service, places)
    if service.broker:
        _join_broker(found, settings, service, places.broker)
    return found


def _keep_held(found: Options, service: Service) -> None:
    if "database" not in service.airflow:
        del found["database"]
    if "fernet" not in service.airflow:
        del found["core"]["fernet_key"]
    if "session" not in service.airflow:
        del found["api"]["secret_key"]
    if "jwt" not in service.airflow:
        del found["api_auth"]


def _place(found: Options, settings: Settings, seen: Settings, service: Service, places: Places) -> None:
    root = seen.state_dir
    shows = service.arguments[:1] in (("api-server",), ("dag-processor",))
    slots = sum(one.slots * settings.workers.get(one.queue, one.replicas) for one in SERVICES if one.queue)
    found["core"] |= {
        "executor": EXECUTOR,
        "dags_folder": str(root / "dags"),
        "plugins_folder": str(places.checkout / "plugins" if shows else root / "plugins"),
        "parallelism": str(2 * slots),
        "max_active_tasks_per_dag": str(2 * slots),  # each queue has slots of its own
        "execution_api_server_url": f"{places.airflow}/execution/",
    }
    if "database" in found:
        found["database"] |= {
            "sql_alchemy_conn": seen.with_secrets_of(settings).airflow_database_url(),
            "sql_alchemy_conn_async": seen.with_secrets_of(settings).airflow_database_url("psycopg"),
        }
    found["api"] |= {"host": places.listen}
    shared = bool(service.queue) or service.arguments == ("api-server",)
    found["logging"] |= {
        "base_log_folder": str(places.logs if shared else root / "run" / "logs"),
        "dag_processor_child_process_log_directory": str(root / "run" / "logs" / "dag_processor"),
        "log_filename_template": LOG_NAME,
        "file_task_handler_new_folder_permissions": "0o750",
        "file_task_handler_new_file_permissions": "0o640",
    }
    found["dag_processor"] |= {"stale_bundle_cleanup_interval": "0"}  # ours have no versions on disk
    found["scheduler"] |= {"task_queued_timeout": "600"}


def _join_broker(found: Options, settings: Settings, service: Service, broker: str) -> None:
    """Its own user at the broker. What is published while the broker is away is tried again, by the scheduler's next
    rounds, instead of failing the task."""
    name = "scheduler" if service.broker == "all" else service.broker
    url = broker if "://" in broker else f"redis://{name}:{settings.secret(f'broker-{name}')}@{broker}/0"
    patience = {"max_retries": 1000, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.5}
    # A result that cannot be told waits too: given up, a task that went well would count as failed.
    extra = {"task_publish_retry_policy": patience, "result_backend_always_retry": True}
    found["celery"] = {
        "broker_url": url,
        "result_backend": url,
        "worker_concurrency": str(service.slots),
        "worker_prefetch_multiplier": "1",
        "task_acks_late": "True",
        "worker_enable_remote_control": "False",
        "sync_parallelism": "1",
        "operation_timeout": "2",
        "task_publish_max_retries": "300",
        "task_track_started": "False",
        "extra_celery_config": json.dumps(extra),
    }
    if service.queue:
        found["celery"]["celery_config_options"] = "consigne.doors.orchestration.celery_config.CONFIG"
    found["celery_broker_transport_options"] = {
        "visibility_timeout": str(VISIBLE_AGAIN_S),
        "sep": SEPARATOR,
        "unacked_key": f"unacked-{name}",
        "unacked_index_key": f"unacked-{name}-index",
        "unacked_mutex_key": f"unacked-{name}-mutex",
        "unacked_restore_throttle": "1",
    }
