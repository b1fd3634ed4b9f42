"""Every version of the policy that was ever in force."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as upsert

from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.tables import policies
from consigne.rules.policy.load import load
from consigne.rules.policy.model import Policy


class PoliciesCatalog(Session):
    """Policies by the instant they hold at."""

    def policy_at(self, tx: Connection, instant: datetime) -> Policy | None:
        """The version in force at an instant; None before the first."""
        query = select(policies.c.text).where(policies.c.in_force_from <= instant)
        return _first(
            tx.execute(query.order_by(policies.c.in_force_from.desc()).limit(1)).scalar_one_or_none()
        )

    def newest_policy(self, tx: Connection) -> Policy | None:
        """The version applied last, in force or announced."""
        query = select(policies.c.text).order_by(policies.c.applied_at.desc()).limit(1)
        return _first(tx.execute(query).scalar_one_or_none())

    def policy(self, tx: Connection, digest: str) -> Policy:
        """The version of a digest that the catalog names."""
        return _loaded(tx.execute(select(policies.c.text).where(policies.c.digest == digest)).scalar_one())

    def add_policy(self, tx: Connection, policy: Policy, text: str, applied_at: datetime) -> bool:
        """Keep a version; false where it is kept already."""
        row = upsert(policies).values(
            digest=policy.digest, version=policy.version, in_force_from=policy.in_force_from,
            applied_at=applied_at, text=text,
        )  # fmt: skip
        return tx.execute(row.on_conflict_do_nothing().returning(policies.c.digest)).one_or_none() is not None


def _first(text: str | None) -> Policy | None:
    return None if text is None else _loaded(text)


@lru_cache(maxsize=8)
def _loaded(text: str) -> Policy:
    # Each step of each delivery asks for it, and reading the YAML takes longer than the step.
    return load(text).policy
