"""Which agent acknowledged which notice, and when: the file that the policy's `agents` names."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import datetime

from consigne.rules.clock import midnight_of, parse_day, parse_instant
from consigne.rules.errors import BadInput
from consigne.rules.policy.model import Policy

_COLUMNS = ["agent", "notice", "acknowledged_at"]


def read_acknowledgements(text: str, zone: str) -> dict[tuple[str, str], datetime]:
    """(agent, notice) → the first instant (UTC) at which it was acknowledged, from CSV with the columns
    `agent,notice,acknowledged_at`: a local day (its beginning) or an instant with its offset.

    BadInput('bad_acknowledgements', 'line N') for anything else.
    """
    found: dict[tuple[str, str], datetime] = {}
    for line, (agent, notice, said) in _rows(text.removeprefix("\ufeff")):
        try:
            at = parse_instant(said) if "T" in said else midnight_of(parse_day(said), zone)
        except BadInput:
            raise BadInput("bad_acknowledgements", f"line {line}") from None
        found[agent, notice] = min(at, found.get((agent, notice), at))
    return found


def acknowledged_at(
    acknowledgements: Mapping[tuple[str, str], datetime], agent: str, policy: Policy | None
) -> datetime | None:
    """When the agent acknowledged the notice that this policy (the one at the call's start) asks for."""
    return acknowledgements.get((agent, policy.agents.notice)) if policy and policy.agents else None


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        if next(reader, None) != _COLUMNS:
            raise BadInput("bad_acknowledgements", "line 1")
        for row in reader:
            if row and (len(row) != len(_COLUMNS) or not all(row)):
                raise BadInput("bad_acknowledgements", f"line {reader.line_num}")
            if row:
                yield reader.line_num, row
    except csv.Error:
        raise BadInput("bad_acknowledgements", f"line {reader.line_num}") from None
