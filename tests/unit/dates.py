"""The hard dates, and when calls that begin then fall due: run as a program it prints what this machine makes of
them, whatever zone it is in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from consigne.rules.clock import Duration, iso, parse_instant
from consigne.rules.policy.load import load
from consigne.rules.policy.model import Notice, PartRule
from consigne.rules.retention import falls_due
from consigne.rules.values import Part

DEMO = Path(__file__).parents[2] / "config" / "demo.yaml"

# The call's start; the purpose, and how long it keeps; when the audio falls due.
DATES = (
    # 31 August and six months: the last of February
    ("2026-08-31T10:00:00+02:00", "training", "P6M", "2027-02-28T00:00:00+01:00"),
    ("2027-08-31T10:00:00+02:00", "training", "P6M", "2028-02-29T00:00:00+01:00"),
    # the last minutes of August in Paris are September in Kiritimati; the first of September are August in UTC
    ("2026-08-31T23:59:59+02:00", "training", "P6M", "2027-02-28T00:00:00+01:00"),
    ("2026-09-01T00:00:00+02:00", "training", "P6M", "2027-03-01T00:00:00+01:00"),
    # 29 February
    ("2028-02-29T12:00:00+01:00", "training", "P1Y", "2029-02-28T00:00:00+01:00"),
    ("2028-02-29T12:00:00+01:00", "training", "P4Y", "2032-02-29T00:00:00+01:00"),
    ("2028-02-29T12:00:00+01:00", "training", "P6M", "2028-08-29T00:00:00+02:00"),
    ("2028-02-29T00:30:00+01:00", "training", "P1M", "2028-03-29T00:00:00+02:00"),
    # the period ends within the hour that is missing, and on the day after it
    ("2026-09-28T02:30:00+02:00", "training", "P6M", "2027-03-28T00:00:00+01:00"),
    ("2026-09-29T02:30:00+02:00", "training", "P6M", "2027-03-29T00:00:00+02:00"),
    # within the hour that comes twice, and on the day after it
    ("2026-04-25T02:30:00+02:00", "training", "P6M", "2026-10-25T00:00:00+02:00"),
    ("2026-04-26T02:30:00+02:00", "training", "P6M", "2026-10-26T00:00:00+01:00"),
    # the call itself begins in either of the two
    ("2026-10-25T02:30:00+02:00", "training", "P6M", "2027-04-25T00:00:00+02:00"),
    ("2026-10-25T02:30:00+01:00", "training", "P6M", "2027-04-25T00:00:00+02:00"),
    # to the minute, across both nights: ten minutes are ten minutes
    ("2027-03-28T01:55:30+01:00", "trial", "PT10M", "2027-03-28T03:05:00+02:00"),
    ("2026-10-25T02:55:30+02:00", "trial", "PT10M", "2026-10-25T02:05:00+01:00"),
    ("2026-10-25T02:55:30+01:00", "trial", "PT10M", "2026-10-25T03:05:00+01:00"),
)


def due(start: str, purpose: str, period: str) -> str:
    """When the audio of a call falls due that keeps its purpose for a period, as the rules say."""
    policy, kept = load(DEMO.read_text()).policy, Duration.parse(period)
    rule = replace(policy.purposes[purpose], parts={Part.AUDIO: PartRule(kept, kept)})
    told = policy.notices["2026-01"]
    notice = Notice(told.version, told.announced_within, {purpose: kept}, told.wording)
    policy = replace(policy, purposes={purpose: rule}, notices={told.version: notice})
    at = parse_instant(start)
    return iso(falls_due(policy, policy, told.version, purpose, Part.AUDIO, at, at).due_at)


if __name__ == "__main__":
    print(json.dumps([due(start, purpose, period) for start, purpose, period, _ in DATES]))
