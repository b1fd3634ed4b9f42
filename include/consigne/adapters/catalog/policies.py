"""Every version of the policy that was ever decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, case, exists, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.tables import policies
from consigne.rules.policy.load import load
from consigne.rules.policy.model import Policy

_VERSION = select(policies.c.text, policies.c.in_force_from)
_NEWEST = policies.c.in_force_from.desc(), policies.c.applied_at.desc()


class PoliciesCatalog(Session):
    """Policies by the instant they hold at. `in_force_from` of each is when it really takes force: its own date, or
    the visa where that came later."""

    def policy_at(self, tx: Connection, instant: datetime) -> Policy | None:
        """The version in force at an instant; None before the first. Of several the newest that has begun."""
        found = self._versions(
            tx, _VERSION.where(policies.c.in_force_from <= instant).order_by(*_NEWEST).limit(1)
        )
        return found[0] if found else None

    def newest_policy(self, tx: Connection) -> Policy | None:
        """The version decided last, in force or announced."""
        found = self._versions(tx, _VERSION.order_by(policies.c.applied_at.desc()).limit(1))
        return found[0] if found else None

    def policy(self, tx: Connection, digest: str) -> Policy:
        """The version of a digest that the catalog names."""
        return self._versions(tx, _VERSION.where(policies.c.digest == digest))[0]

    def lock_policies(self, tx: Connection) -> None:
        """One answer to a draft at a time, until the transaction ends: each sees the versions before it."""
        tx.execute(text("SELECT pg_advisory_xact_lock(4711006)"))

    def is_known(self, tx: Connection, digest: str) -> bool:
        """Whether a version of that digest was ever decided."""
        return bool(tx.execute(select(exists().where(policies.c.digest == digest))).scalar_one())

    def is_named(self, tx: Connection, version: str) -> bool:
        """Whether a version is called that."""
        return bool(tx.execute(select(exists().where(policies.c.version == version))).scalar_one())

    def current_policies(self, tx: Connection, now: datetime) -> list[Policy]:
        """The version in force, then those announced, by their date."""
        announced = _VERSION.where(policies.c.in_force_from > now).order_by(policies.c.in_force_from)
        in_force = self.policy_at(tx, now)
        return ([in_force] if in_force else []) + self._versions(tx, announced)

    def all_policies(self, tx: Connection) -> list[Policy]:
        """Every version, by when it took or takes force."""
        return self._versions(tx, _VERSION.order_by(policies.c.in_force_from, policies.c.applied_at))

    def add_policy(self, tx: Connection, policy: Policy, text: str, applied_at: datetime) -> bool:
        """Keep a version; false where it is kept already. Under the first nothing is kept that it could change."""
        is_first = ~exists(select(1).select_from(policies))
        row = upsert(policies).values(
            digest=policy.digest, version=policy.version, in_force_from=policy.in_force_from,
            applied_at=applied_at, text=text, reclocked_at=case((is_first, applied_at)),
        )  # fmt: skip
        return tx.execute(row.on_conflict_do_nothing().returning(policies.c.digest)).one_or_none() is not None

    def unreclocked(self, tx: Connection, began: datetime) -> list[Policy]:
        """Versions in force since `began` or longer under which what is kept was not brought yet, oldest first."""
        waits = policies.c.reclocked_at.is_(None) & (policies.c.in_force_from <= began)
        query = _VERSION.where(waits).order_by(policies.c.in_force_from, policies.c.applied_at)
        return self._versions(tx, query)

    def reclocked_to(self, tx: Connection, digest: str) -> UUID | None:
        """The last artifact that was brought under a version; None before the first."""
        return tx.execute(
            select(policies.c.reclocked_to).where(policies.c.digest == digest)
        ).scalar_one_or_none()

    def note_reclocked(self, tx: Connection, digest: str, last: UUID) -> None:
        """All artifacts up to this one are brought under the version."""
        further = or_(policies.c.reclocked_to.is_(None), policies.c.reclocked_to < last)
        tx.execute(update(policies).where(policies.c.digest == digest, further).values(reclocked_to=last))

    def end_reclocking(self, tx: Connection, digest: str, at: datetime) -> bool:
        """All that is kept is under the version; false where that was noted before."""
        where = (policies.c.digest == digest) & policies.c.reclocked_at.is_(None)
        return tx.execute(update(policies).where(where).values(reclocked_at=at)).rowcount == 1

    def _versions(self, tx: Connection, query: Select[Any]) -> list[Policy]:
        rows: Sequence[RowMapping] = tx.execute(query).mappings().all()
        return [_loaded(row["text"], row["in_force_from"]) for row in rows]


@lru_cache(maxsize=32)
def _loaded(text: str, in_force_from: datetime) -> Policy:
    # Each step of each delivery asks for it, and reading the YAML takes longer than the step.
    return replace(load(text).policy, in_force_from=in_force_from)
