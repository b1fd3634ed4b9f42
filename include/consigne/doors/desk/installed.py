"""The desk of one installation, its parts opened at first use."""

from __future__ import annotations

from functools import lru_cache

from consigne.acts.journey import Platform
from consigne.doors.desk.app import Desk, make_desk
from consigne.doors.settings import AUDIT_SECRET, DRAW_SECRET, SWEEP_SECRET, Settings
from consigne.doors.wiring import open_platform
from consigne.rules.store_audit import ROOT

HOOK_SECRET = "intake-hook"
"""The secret with which a source or a store calls `/consigne/internal/intake`."""


def installed_desk() -> Desk:
    """On the state folder that the environment names."""
    settings = Settings.from_environment()

    @lru_cache(maxsize=8)
    def platform(role: str) -> Platform:
        return open_platform(settings, role)

    desk = make_desk(platform, lambda: settings.secret(SWEEP_SECRET))
    desk.state.hook_secret = lambda: settings.secret(HOOK_SECRET)
    desk.state.draw_secret = lambda: settings.secret(DRAW_SECRET)
    desk.state.audit_secret = lambda: settings.secret(AUDIT_SECRET)
    desk.state.store_identities = lambda: {
        settings.store_credentials(name)[0]: name for name in (ROOT, *settings.store_identities())
    }
    return desk
