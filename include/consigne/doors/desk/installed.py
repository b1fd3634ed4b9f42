"""The desk of one installation, its parts opened at first use."""

from __future__ import annotations

from functools import lru_cache

from consigne.acts.journey import Platform
from consigne.doors.desk.app import Desk, make_desk
from consigne.doors.desk.health import Health
from consigne.doors.desk.metrics import Meter
from consigne.doors.local.backups import overdue
from consigne.doors.logs import join_airflow
from consigne.doors.orchestration.last_runs import last_successes, newest_ended
from consigne.doors.settings import AUDIT_SECRET, DRAW_SECRET, METRICS_SECRET, SWEEP_SECRET, Settings
from consigne.doors.wiring import open_platform

HOOK_SECRET = "intake-hook"
"""The secret with which a source or a store calls `/consigne/internal/intake`."""


def installed_desk() -> Desk:
    """On the state folder that the environment names."""
    join_airflow()
    settings = Settings.from_environment()

    @lru_cache(maxsize=8)
    def platform(role: str) -> Platform:
        return open_platform(settings, role)

    desk = make_desk(platform, lambda: settings.secret(SWEEP_SECRET))
    desk.state.hook_secret = lambda: settings.secret(HOOK_SECRET)
    desk.state.draw_secret = lambda: settings.secret(DRAW_SECRET)
    desk.state.audit_secret = lambda: settings.secret(AUDIT_SECRET)
    desk.state.metrics_secret = lambda: settings.secret(METRICS_SECRET)
    desk.state.meter = Meter(lambda: platform("read"), last_successes, lambda: overdue(settings))
    desk.state.health = Health(lambda: platform("read"))
    desk.state.newest_ended = newest_ended
    desk.state.backups_overdue = lambda: overdue(settings)
    desk.state.store_naming = settings.store_naming
    return desk
