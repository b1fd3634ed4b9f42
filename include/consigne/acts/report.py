"""What a run of the ingest found: numbers, codes and ids of checks, never a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from consigne.acts.journey import Platform
from consigne.rules.errors import Conflict


def report_batch(platform: Platform, run: str) -> dict[str, dict[str, int]]:
    """How many of the run's deliveries stand in each state (`states`), were refused or quarantined by each code
    (`codes`), and failed each check, remarks included (`checks`). Conflict('unfinished') where one is neither
    cleared nor quarantined."""
    with platform.catalog.begin() as tx:
        outcomes = platform.catalog.outcomes(tx, platform.catalog.run_deliveries(tx, run))
        report = {
            "states": _counted(state for state, _, _ in outcomes),
            "codes": _counted(code for _, code, _ in outcomes if code),
            "checks": _counted(check for _, _, findings in outcomes for check in findings),
        }
        if outcomes:
            platform.catalog.append(tx, "consigne", "ingest:batch:reported", [{"run": run, **report}])
    left = sum(state not in ("cleared", "quarantined") for state, _, _ in outcomes)
    if left:
        raise Conflict("unfinished", f"{left} deliveries", "the next run goes on with them")
    return report


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())
