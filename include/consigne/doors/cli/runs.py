"""Running a Dag from the command line as `ops`, and waiting for it. The password is the state folder's."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from consigne.doors.settings import Settings
from consigne.rules.errors import Misconfigured, Unavailable

_OVER = ("success", "failed")


class Runs:
    """Airflow's runs over REST. Unavailable where the api-server does not answer."""

    def __init__(self, settings: Settings) -> None:
        self._client = httpx.Client(base_url=settings.airflow_url, timeout=60, trust_env=False)
        login = {"username": "ops", "password": settings.account_password("ops")}
        token = self._send("POST", "/auth/token", login)["access_token"]
        self._client.headers["Authorization"] = f"Bearer {token}"

    def start(self, dag: str, conf: dict[str, Any]) -> str:
        """A run by hand; its id."""
        run = f"manual__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}_{uuid4().hex[:8]}"
        body = {"dag_run_id": run, "logical_date": None, "conf": conf}
        self._send("POST", f"/api/v2/dags/{dag}/dagRuns", body)
        return run

    def wait(
        self, dag: str, run: str, tell: Callable[[str], None] = lambda _: None, patience_s: int = 900
    ) -> str:
        """`success` or `failed`, telling what is under way meanwhile."""
        last, end = "", time.monotonic() + patience_s
        while time.monotonic() < end:
            state = str(self.read(f"/api/v2/dags/{dag}/dagRuns/{run}")["state"])
            if state in _OVER:
                return state
            now = self._under_way(dag, run) or state
            if now != last:
                tell(now)
                last = now
            time.sleep(0.5)
        raise Unavailable("not_finished", f"{dag} {run}", f"after {patience_s} s; it goes on, see the UI")

    def read(self, path: str) -> Any:
        """Airflow's JSON at a path of its API."""
        return self._send("GET", path)

    def _under_way(self, dag: str, run: str) -> str:
        found = self.read(f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances")["task_instances"]
        busy = {one["task_id"] for one in found if one["state"] in ("queued", "running", "up_for_retry")}
        return ", ".join(sorted(busy))

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.TransportError:
            raise Unavailable("no_answer", "api-server", "is it up? see ./consigne status") from None
        if answer.status_code in (401, 403):
            raise Misconfigured("not_allowed", "ops", "the state folder's account may not do this")
        if answer.status_code == 404:
            raise Unavailable(
                "no_dag", path.split("/")[4] if "/dags/" in path else path, "is it parsed? see the UI"
            )
        if not answer.is_success:
            raise Unavailable("broken", f"api-server {answer.status_code}")
        return answer.json()
