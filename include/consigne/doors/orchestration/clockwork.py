"""What the sweep does each minute as the role `decide`: acts that take up what time brought, one line each.

An act gets the platform, does what is due, is idempotent, and returns how many rows it moved.
"""

from __future__ import annotations

from collections.abc import Callable

from consigne.acts.configure import lapse_drafts
from consigne.acts.draw import keep_months
from consigne.acts.held import keep_up
from consigne.acts.inform import forget_uninformed
from consigne.acts.journey import Platform
from consigne.acts.object import end_objected
from consigne.acts.reclock import reclock
from consigne.acts.remind import remind
from consigne.acts.turn import turn_over
from consigne.acts.volume import lapse_volumes
from consigne.doors.orchestration.lost import notice_lost
from consigne.doors.orchestration.mail import start_round

CLOCKWORK: tuple[tuple[str, Callable[[Platform], int]], ...] = (
    ("lapsed_drafts", lapse_drafts),
    ("lapsed_volumes", lapse_volumes),
    ("reclocked", reclock),
    ("held", keep_up),
    ("turned_over", turn_over),
    ("draw_months", keep_months),
    ("end_objected", end_objected),
    ("forget_uninformed", forget_uninformed),
    ("lost_runs", notice_lost),
    ("reminded", remind),
    ("mailed", start_round),
)
