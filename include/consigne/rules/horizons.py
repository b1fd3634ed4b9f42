"""How long backups may exist, and from when on none of them can bring anything back (design.md, section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from consigne.rules.clock import add
from consigne.rules.policy.model import NO_BACKUPS, Backups, Policy


def declared_backups(versions: Sequence[Policy], instant: datetime) -> Backups:
    """What the version in force at an instant declares; `versions` as below."""
    begun = [policy.backups for policy in versions if policy.in_force_from <= instant]
    return begun[-1] if begun else NO_BACKUPS


def irrecoverable_after(versions: Sequence[Policy], destroyed_at: datetime) -> datetime:
    """When the last backup that may hold what was destroyed is gone (UTC).

    `versions` is every version of the policy, by when it took force. A backup lives by the version under which it
    was made: the last made under one that has ended was made when it ended, so that shortening a horizon does
    not shorten the life of what was backed up before. Backups made after the destruction do not matter.
    """
    begun = [policy for policy in versions if policy.in_force_from <= destroyed_at]
    if not begun:
        return destroyed_at
    last_made = [(policy, following.in_force_from) for policy, following in pairwise(begun)]
    last_made.append((begun[-1], destroyed_at))
    return max(destroyed_at, *(backup_ends(policy, made_at) for policy, made_at in last_made))


def backup_ends(policy: Policy, made_at: datetime) -> datetime:
    """When a backup of everything that was made then must be gone (UTC): the longer of the two horizons."""
    kept = policy.backups
    return max(add(made_at, each, policy.zone) for each in (kept.database, kept.keyring))


def part_ends(policy: Policy, part: str, made_at: datetime) -> datetime | None:
    """When a backup of `database` or `keyring`, or of what is noise without them, must be gone (UTC); None where
    the policy declares none."""
    own = {"database": policy.backups.database, "keyring": policy.backups.keyring}.get(part)
    ends = backup_ends(policy, made_at) if own is None else add(made_at, own, policy.zone)
    return ends if ends > made_at else None
