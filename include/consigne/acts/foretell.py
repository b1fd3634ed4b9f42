"""The forecast, and what exceeds it: foretold once a local day, measured at each manifest (P5: never a wait for what
is ordinary)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from consigne.acts.catalog import Transaction
from consigne.acts.journey import Platform
from consigne.rules.clock import iso, local_date
from consigne.rules.evidence.canonical import encode
from consigne.rules.forecast import HORIZON, NOTHING, DueArtifact, Measured, foretell, measure
from consigne.rules.volume import SET_ASIDE_FOR, Volume


def make_forecast(platform: Platform, tx: Transaction, now: datetime) -> bool:
    """Foretell what falls due, once a local day; whether it was made now."""
    policy = platform.catalog.policy_at(tx, now)
    if policy is None:
        return False
    made_on = local_date(now, policy.zone).isoformat()
    if platform.catalog.has_forecast(tx, made_on):
        return False
    expected = foretell(platform.catalog.ends_ahead(tx, now + HORIZON), now, policy.zone)
    entry = {"subject": made_on, "expected": expected, "policy": policy.digest}
    [leaf] = platform.catalog.append(tx, "consigne", "expire:forecast:made", [entry])
    platform.catalog.add_forecast(tx, made_on, now, expected, leaf)
    return True


def measured(platform: Platform, tx: Transaction, due: Sequence[DueArtifact], now: datetime) -> Measured:
    """What of these exceeds the newest forecast made before today; nothing where there is none."""
    policy = platform.catalog.policy_at(tx, now)
    if policy is None:
        return NOTHING
    today = local_date(now, policy.zone)
    forecast = platform.catalog.forecast_before(tx, today.isoformat(), now - HORIZON)
    if forecast is None:
        return NOTHING
    gone = platform.catalog.gone_since(tx, forecast)
    return measure(policy, due, forecast, gone, today)


def set_aside(platform: Platform, tx: Transaction, manifest: UUID, now: datetime) -> UUID | None:
    """Set aside what exceeds the forecast, for a person's word; the volume's id, None where nothing does."""
    found = measured(platform, tx, platform.catalog.due_of(tx, manifest), now)
    policy = platform.catalog.policy_at(tx, now)
    if not found.set_aside or policy is None:
        return None
    volume = Volume(
        id=platform.new_id(), manifest=manifest, digest=digest_of(found.set_aside), policy=policy.digest,
        counts={purpose: asdict(count) for purpose, count in found.counts.items()},
        set_aside_at=now, lapses_at=now + SET_ASIDE_FOR,
    )  # fmt: skip
    platform.catalog.add_volume(tx, volume, found.set_aside)
    entry = {
        "subject": str(volume.id), "manifest": str(manifest), "digest": volume.digest, "counts": volume.counts,
        "lapses_at": iso(volume.lapses_at), "policy": policy.digest,
    }  # fmt: skip
    platform.catalog.append(tx, "consigne", "expire:volume:set_aside", [entry])
    # The volume without dashes, so that the register, searched by identifiers, does not give all of these for it.
    items = [{"subject": str(id), "volume": volume.id.hex} for id in found.set_aside]
    platform.catalog.append(tx, "consigne", "expire:artifact:set_aside", items)
    return volume.id


def digest_of(artifacts: Sequence[UUID]) -> str:
    """SHA-256 (hex) over the artifacts of a volume: what an answer is bound to."""
    return hashlib.sha256(encode(sorted(str(id) for id in artifacts))).hexdigest()
