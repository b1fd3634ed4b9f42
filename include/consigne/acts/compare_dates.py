"""Each due date against what was decided: a task of `reconcile_storage`, and what the DPO's answer rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from uuid import UUID

from consigne.acts.catalog import Transaction
from consigne.acts.compare import CHUNK, close_unseen, note
from consigne.acts.journey import Platform
from consigne.acts.locate import in_force
from consigne.rules.clock import add, iso
from consigne.rules.explained import Dated, Explanation, is_moved
from consigne.rules.findings import FindingAct, FindingKind, Found


def compare_dates(platform: Platform) -> dict[str, int]:
    """Each artifact's due date against the latest that policy, decisions and holds explain."""
    counts = Counter[str]()
    with platform.catalog.begin() as tx:
        began, explanation = platform.catalog.now(tx), explain(platform, tx)
        late = (
            one for one in platform.catalog.walk_dated(tx) if is_moved(one, explanation.latest(one, None))
        )
        while chunk := list(islice(late, CHUNK)):
            counts += note(platform, _moved(platform, [one.id for one in chunk]))
    close_unseen(platform, (FindingKind.MOVED_DUE_DATE,), began)
    return dict(counts)


def explain(platform: Platform, tx: Transaction) -> Explanation:
    """By every version of the policy, and those under which all that is kept was brought."""
    now = platform.catalog.now(tx)
    versions = platform.catalog.all_policies(tx)
    under_way = {version.digest for version in platform.catalog.unreclocked(tx, now)}
    brought = {one.digest for one in versions if one.in_force_from <= now} - under_way
    return Explanation(versions, brought)


def latest(platform: Platform, tx: Transaction, explanation: Explanation, dated: Dated) -> datetime:
    """The latest own end that is explained, with what the register tells of extensions."""
    return explanation.latest(dated, _extended_until(platform, tx, dated))


def explained_end(platform: Platform, tx: Transaction, artifact: UUID) -> datetime | None:
    """Until when the artifact's own clock is explained to run; None where it is not kept any more."""
    dated = platform.catalog.dated(tx, artifact)
    return latest(platform, tx, explain(platform, tx), dated) if dated else None


def _extended_until(platform: Platform, tx: Transaction, dated: Dated) -> datetime | None:
    if dated.decided_at is None:
        return None
    if until := platform.catalog.extended_until(tx, dated.id):
        return until
    # The register forgets what it told after a while: then the decision's own row must do.
    now = platform.catalog.now(tx)
    policy = in_force(platform, tx, now)
    return dated.decided_until if add(dated.decided_at, policy.names_kept, policy.zone) <= now else None


def _moved(platform: Platform, ids: Sequence[UUID]) -> Iterator[Found]:
    """Read again: what was decided or brought under a version in between is no finding."""
    with platform.catalog.begin() as tx:
        explanation = explain(platform, tx)
        for id in ids:
            dated = platform.catalog.dated(tx, id)
            if dated and is_moved(dated, latest(platform, tx, explanation, dated)):
                later = iso(max(dated.own_due_at, dated.due_at))
                yield Found(FindingKind.MOVED_DUE_DATE, str(id), later, FindingAct.DECIDE, id)
