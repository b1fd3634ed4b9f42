"""Airflow writes its configuration where AIRFLOW_HOME points, as soon as it is imported: not into a real home."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))
