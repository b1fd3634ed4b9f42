"""What reconciliation found and removes by itself, registered before and after; and what is left open."""

from __future__ import annotations

from collections.abc import Sequence

from consigne.acts.compare import CHUNK, told
from consigne.acts.drives import see_drives
from consigne.acts.journey import Platform
from consigne.acts.ports import ObjectVersion, Upload
from consigne.acts.truth import check_replayed
from consigne.rules.errors import Unavailable
from consigne.rules.findings import Finding, FindingKind
from consigne.rules.layout import recording_of


def sweep_findings(platform: Platform) -> int:
    """Remove what is to be swept, by version, as `expire`; returns how many things went. Never what a row records.
    Unavailable where something is still listed: the next run goes on."""
    swept = 0
    see_drives(platform)
    while findings := _unswept(platform):
        swept += _sweep(platform, findings)
    return swept


def _unswept(platform: Platform) -> list[Finding]:
    with platform.catalog.begin() as tx:
        check_replayed(platform, tx)
        return platform.catalog.unswept(tx, CHUNK)


def _sweep(platform: Platform, findings: Sequence[Finding]) -> int:
    going = _without_recorded(platform, findings)
    with platform.catalog.begin() as tx:
        intents = [told(one) | {"outcome": "intended"} for one in going]
        platform.catalog.append(tx, "consigne", "reconcile:finding:sweeping", intents)
    uploads = [one for one in going if one.kind is FindingKind.LINGERING_UPLOAD]
    versions = [one for one in going if one.kind is not FindingKind.LINGERING_UPLOAD]
    platform.store.abort_uploads([Upload(one.subject, one.version) for one in uploads])
    platform.store.delete_versions([ObjectVersion(one.subject, one.version, False) for one in versions])
    gone = [one for one in going if not _is_listed(platform, one)]
    with platform.catalog.begin() as tx:
        platform.catalog.mark_swept(tx, [one.id for one in gone], platform.catalog.now(tx))
        entries = [told(one) | {"outcome": "swept"} for one in gone]
        platform.catalog.append(tx, "consigne", "reconcile:finding:swept", entries)
    if len(gone) < len(going):
        raise Unavailable("still_listed", f"{len(going) - len(gone)} findings", "swept again by the next run")
    return len(gone)


def _without_recorded(platform: Platform, findings: Sequence[Finding]) -> list[Finding]:
    """What a row records by now is no finding any more: it closes, and stays where it is."""
    recordings = {id for one in findings if (id := recording_of(one.subject))}
    with platform.catalog.begin() as tx:
        kept = [one for one in platform.catalog.artifacts_in(tx, recordings) if one.state != "erased"]
        recorded = {(one.object, one.version) for one in kept}
        spared = [one for one in findings if (one.subject, one.version) in recorded]
        platform.catalog.drop_unswept(tx, [one.id for one in spared], platform.catalog.now(tx))
        entries = [told(one) | {"outcome": "recorded"} for one in spared]
        platform.catalog.append(tx, "consigne", "reconcile:finding:closed", entries)
    return [one for one in findings if one not in spared]


def _is_listed(platform: Platform, finding: Finding) -> bool:
    name, version = finding.subject, finding.version
    if finding.kind is FindingKind.LINGERING_UPLOAD:
        return any(one.object == name and one.upload == version for one in platform.store.list_uploads(name))
    return any(one.object == name and one.version == version for one in platform.store.list_versions(name))


def report_findings(platform: Platform) -> dict[str, int]:
    """How many findings of each kind are open after this run."""
    with platform.catalog.begin() as tx:
        counts: dict[str, int] = {}
        for (kind, _), count in platform.catalog.open_findings(tx).items():
            counts[str(kind)] = counts.get(str(kind), 0) + count
        platform.catalog.append(tx, "consigne", "reconcile:run:reported", [{"open": counts}])
    return counts
