"""What the steps of a delivery's journey share: taking rows, quarantine, a task's summary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from consigne.acts.catalog import Catalog, Transaction
from consigne.acts.journey import Outcome, Platform
from consigne.acts.locate import in_force
from consigne.acts.ports import Delivery
from consigne.rules.clock import add
from consigne.rules.errors import Unavailable
from consigne.rules.values import Quarantined


def quarantine(
    platform: Platform, tx: Transaction, row: Delivery, token: UUID, why: Quarantined, **more: object
) -> bool:
    """It could not be judged: it stays at its source until the deadline of the policy in force."""
    now = platform.catalog.now(tx)
    policy = in_force(platform, tx, now)
    deadline = add(row.received_at, policy.quarantine_deadline, policy.zone)
    values = {
        "code": why.code, "detail": why.detail or None, "findings": found_in(row, why.checks),
        "deadline": deadline,
    }  # fmt: skip
    if not platform.catalog.move_delivery(tx, row.id, token, row.state, "quarantined", **values, **more):
        return False
    entry = {"subject": str(row.id), "outcome": why.code, "detail": why.detail}
    platform.catalog.append(tx, "consigne", "ingest:delivery:quarantined", [entry])
    return True


def found_in(row: Delivery, failed: Sequence[str]) -> list[str]:
    """Ids of the checks that a delivery failed so far, each once."""
    return list(dict.fromkeys([*row.findings, *failed]))


def delivery_ids(platform: Platform, chunk: str) -> list[UUID]:
    """The deliveries of a stored chunk."""
    with platform.catalog.begin() as tx:
        return platform.catalog.chunk(tx, UUID(chunk))


def taking(
    states: Sequence[str],
) -> Callable[[Catalog, Transaction, Sequence[UUID], UUID], Sequence[Delivery]]:
    """Claim deliveries that are still in one of the states."""

    def take(catalog: Catalog, tx: Transaction, ids: Sequence[UUID], token: UUID) -> Sequence[Delivery]:
        return catalog.take_deliveries(tx, states, ids, token)

    return take


def finish(outcome: Outcome) -> dict[str, object]:
    """A task's summary. Unavailable where another try may help: Airflow retries with backoff. What is left for
    the next run fails nothing here: one bad call must not stop its chunk, and `report_batch` shows it."""
    if outcome.failed:
        codes = ", ".join(sorted(set(outcome.failed.values())))
        raise Unavailable("unfinished", f"{len(outcome.failed)} rows", codes)
    return {
        "done": len(outcome.done),
        "refused": len(outcome.refused),
        "left": sorted(set(outcome.left.values())),
        "lost": len(outcome.lost),
    }


def retry_delivery(platform: Platform, id: UUID, by: str = "consigne") -> bool:
    """quarantined → claimed at an operator's word; false where it is not quarantined."""
    with platform.catalog.begin() as tx:
        rows = platform.catalog.take_deliveries(tx, ["quarantined"], [id], platform.new_id())
        if not rows or not platform.catalog.claim_again(tx, id, ["quarantined"], rows[0].fingerprint):
            return False
        platform.catalog.append(tx, by, "ingest:delivery:retried", [{"subject": str(id)}])
    return True
