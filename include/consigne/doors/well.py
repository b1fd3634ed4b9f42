"""Whether a service is well: `python -m consigne.doors.well SERVICE` in its own container, exit code 0 or 1.

It asks what only a working service can answer, and needs no right that the service does not have: the api-server by
its page of health, the scheduler and the Dag processor by the row in which Airflow keeps their beat, all others by the
file that they touch in each round (alive.py). The key server has a question of its own (keyserver.py, `--ping`).
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Final

import psycopg

from consigne.doors.alive import is_alive
from consigne.doors.local.ask import ask
from consigne.doors.settings import Settings

JOBS: Final = {"scheduler": "SchedulerJob", "dag-processor": "DagProcessorJob"}
BEAT_OVERDUE_S: Final = 30


def is_well(settings: Settings, name: str) -> bool:
    """Whether the service of that name (doors/arrangement.py), whose share this is, works now."""
    if name == "api-server":
        return _reaches_its_database(settings)
    if name in JOBS:
        return beats(settings.airflow_database_url("psycopg"), JOBS[name], socket.getfqdn())
    return is_alive(settings.state_dir, name)


def _reaches_its_database(settings: Settings) -> bool:
    body = ask(f"http://127.0.0.1:{settings.airflow_port}/api/v2/monitor/health", timeout_s=10)
    found = json.loads(body) if body else {}
    return bool((found.get("metadatabase") or {}).get("status") == "healthy")


def beats(database_url: str, kind: str, host: str) -> bool:
    """Whether an Airflow job of this kind on this host said lately, by the database's clock, that it runs."""
    query = (
        "SELECT max(latest_heartbeat) > now() - make_interval(secs => %s) FROM job"
        " WHERE job_type = %s AND hostname = %s AND state = 'running'"
    )
    try:
        with psycopg.connect(database_url.replace("+psycopg", "", 1), connect_timeout=5) as connection:
            found = connection.execute(query, (BEAT_OVERDUE_S, kind, host)).fetchone()
    except psycopg.Error:
        return False
    return found == (True,)


if __name__ == "__main__":
    sys.exit(0 if is_well(Settings.open(os.environ["CONSIGNE_STATE"]), sys.argv[1]) else 1)
