"""The way from a run of the ingest in Airflow to its report on the desk."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from airflow.configuration import conf
from airflow.sdk import BaseOperatorLink


class BatchLink(BaseOperatorLink):
    """A button on `report_batch`: also where the task failed, and the report is most wanted."""

    name = "Deliveries of this run"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The page's address."""
        base = conf.get_mandatory_value("api", "base_url").rstrip("/")
        return f"{base}/consigne/batches/{quote(ti_key.run_id)}"
