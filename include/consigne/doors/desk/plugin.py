"""What Airflow's plugin registers: the application, opened on this installation, and the entry to it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from consigne.acts.journey import Platform
from consigne.doors.desk.app import make_desk
from consigne.doors.settings import Settings
from consigne.doors.wiring import open_platform

PREFIX = "/consigne"
SWEEP_SECRET = "desk-sweep"


@lru_cache(maxsize=8)
def _platform(role: str) -> Platform:
    return open_platform(Settings.from_environment(), role)


def _sweep_secret() -> str:
    return Settings.from_environment().secret(SWEEP_SECRET)


FASTAPI_APPS: list[dict[str, Any]] = [
    {"app": make_desk(_platform, _sweep_secret), "url_prefix": PREFIX, "name": "consigne"}
]
NAVIGATION: list[dict[str, Any]] = [
    {"name": "Consigne", "href": f"{PREFIX}/", "destination": "nav", "url_route": "consigne"}
]
