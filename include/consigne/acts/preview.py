"""What a run of `expire_recordings` would destroy or finish if it began now, artifact by artifact; nothing is
written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consigne.acts.expire import LIMIT
from consigne.acts.foretell import measured
from consigne.acts.journey import Platform
from consigne.acts.ports import DueRow
from consigne.rules.clock import iso


@dataclass(frozen=True, slots=True)
class Preview:
    """`destroyed` by the run, `begun` by an earlier one and finished by it, and `set_aside` for a person's word;
    each by purpose, end and name."""

    at: datetime
    destroyed: Sequence[DueRow]
    begun: Sequence[DueRow]
    set_aside: Sequence[DueRow]

    def counts(self) -> dict[tuple[str, str], int]:
        """(purpose, part) → artifacts that would be destroyed."""
        return dict(sorted(Counter((row.purpose, row.part) for row in self.destroyed).items()))

    def rows(self) -> list[dict[str, str]]:
        """All of them as text, a mapping an artifact, always of the same fields."""
        named = (("destroyed", self.destroyed), ("begun", self.begun), ("set_aside", self.set_aside))
        return [_told(outcome, row) for outcome, rows in named for row in rows]

    def to_json(self) -> dict[str, Any]:
        """One document, with the counts."""
        counts = [
            {"purpose": purpose, "part": part, "artifacts": count}
            for (purpose, part), count in self.counts().items()
        ]
        return {"at": iso(self.at), "counts": counts, "artifacts": self.rows()}


FIELDS = ("outcome", "artifact", "recording", "purpose", "part", "due_at", "why", "epoch")


def preview(platform: Platform) -> Preview:
    """What `freeze_manifest` would name and `measure_volume` let through, as the catalog stands now."""
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        ids = platform.catalog.due_artifacts(tx, now, LIMIT)
        aside = set(measured(platform, tx, platform.catalog.due_among(tx, ids), now).set_aside)
        rows = platform.catalog.due_rows(tx, ids)
    begun = [row for row in rows if row.state == "erasing"]
    new = [row for row in rows if row.state != "erasing"]
    destroyed = [row for row in new if row.id not in aside]
    return Preview(now, destroyed, begun, [row for row in new if row.id in aside])


def _told(outcome: str, row: DueRow) -> dict[str, str]:
    why = row.ended_for or "period_ended"
    values = (
        outcome, str(row.id), str(row.recording), row.purpose, row.part, iso(row.due_at), why, row.epoch
    )  # fmt: skip
    return dict(zip(FIELDS, values, strict=True))
