"""What the sweep does each minute as the role `decide`: acts that take up what time brought, one line each.

An act gets the platform, does what is due, is idempotent, and returns how many rows it moved.
"""

from __future__ import annotations

from collections.abc import Callable

from consigne.acts.journey import Platform

CLOCKWORK: tuple[tuple[str, Callable[[Platform], int]], ...] = ()
