"""Drafts of the policy, and the stock that a version would change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, exists, func, insert, select, update

from consigne.acts.ports import Wrapped
from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.tables import artifacts, data_keys, recordings
from consigne.adapters.catalog.tables_decided import policy_drafts as drafts
from consigne.rules.policy.draft import Draft, DraftAnswer, DraftState
from consigne.rules.policy.impact import Kept
from consigne.rules.values import Part

_DRAFT = [drafts.c[name] for name in Draft.__dataclass_fields__]
_NOW = func.consigne_now()
_STREAMED = 5_000
_KEPT = (
    select(
        artifacts.c.id,
        recordings.c.source_id,
        artifacts.c.purpose,
        artifacts.c.part,
        artifacts.c.clock_start,
        func.coalesce(artifacts.c.unheld_due_at, artifacts.c.due_at),
        artifacts.c.cap_at,
        artifacts.c.extension.is_not(None),
        artifacts.c.hold.is_not(None),
    )
    .join_from(artifacts, recordings, recordings.c.id == artifacts.c.recording)
    .where(artifacts.c.state.in_(("storing", "kept")))
    .order_by(artifacts.c.id)
)
_WRAPPED = (artifacts.c.id, artifacts.c.attempt, data_keys.c.epoch, data_keys.c.wrapped)


class DraftsCatalog(Session):
    """A draft is pending → decided or lapsed."""

    def add_draft(self, tx: Connection, draft: Draft, impact: Mapping[str, Any]) -> None:
        """Keep a draft with its impact on the stock, pending."""
        row = {column.name: getattr(draft, column.name) for column in _DRAFT}
        tx.execute(insert(drafts).values(**row, impact=impact))

    def draft(self, tx: Connection, id: UUID, lock: bool = False) -> Draft | None:
        """One draft; with `lock`, its row is held until the transaction ends."""
        query = select(*_DRAFT).where(drafts.c.id == id)
        row = tx.execute(query.with_for_update() if lock else query).mappings().one_or_none()
        return None if row is None else _draft(row)

    def is_drafted(self, tx: Connection, digest: str) -> bool:
        """Whether a draft of that digest waits for its answer."""
        waits = (drafts.c.digest == digest) & (drafts.c.state == "pending") & (drafts.c.lapses_at > _NOW)
        return bool(tx.execute(select(exists().where(waits))).scalar_one())

    def decide_draft(
        self, tx: Connection, id: UUID, answer: DraftAnswer, decided_by: str, reason: str, at: datetime
    ) -> bool:
        """pending → decided; false where the draft does not wait any more."""
        waits = (drafts.c.id == id) & (drafts.c.state == "pending") & (drafts.c.lapses_at > _NOW)
        values = {
            "state": "decided", "answer": str(answer), "decided_by": decided_by, "decided_reason": reason,
            "decided_at": at,
        }  # fmt: skip
        return tx.execute(update(drafts).where(waits).values(values)).rowcount == 1

    def lapse_drafts(self, tx: Connection) -> list[UUID]:
        """pending → lapsed for all whose response time is over."""
        over = (drafts.c.state == "pending") & (drafts.c.lapses_at <= _NOW)
        lapsed = update(drafts).where(over).values(state="lapsed").returning(drafts.c.id)
        return list(tx.execute(lapsed).scalars())

    def bind_draft_run(self, tx: Connection, id: UUID, run: str) -> None:
        """Airflow has a run for the draft. Idempotent."""
        tx.execute(update(drafts).where(drafts.c.id == id, drafts.c.run.is_(None)).values(run=run))

    def drafts_without_run(self, tx: Connection) -> list[Draft]:
        """Pending drafts for which Airflow has no run yet."""
        waits = (drafts.c.state == "pending") & drafts.c.run.is_(None) & (drafts.c.lapses_at > _NOW)
        return _drafts(tx, select(*_DRAFT).where(waits).order_by(drafts.c.filed_at))

    def unanswered_drafts(self, tx: Connection) -> list[Draft]:
        """Decided drafts whose run was not told yet, and whose human task has not run out by itself."""
        open = (
            (drafts.c.state == "decided") & drafts.c.run.is_not(None) & drafts.c.answered_at_airflow.is_(None)
        )
        query = select(*_DRAFT).where(open, drafts.c.lapses_at > _NOW)
        return _drafts(tx, query.order_by(drafts.c.filed_at))

    def mark_draft_answered(self, tx: Connection, id: UUID, at: datetime) -> None:
        """Airflow's human task took the answer, or will never want it. Idempotent."""
        where = (drafts.c.id == id) & drafts.c.answered_at_airflow.is_(None)
        tx.execute(update(drafts).where(where).values(answered_at_airflow=at))

    def stock(self, tx: Connection) -> Iterator[Kept]:
        """Every artifact that is not erased or being erased, by its id; streamed."""
        rows = tx.execution_options(stream_results=True, yield_per=_STREAMED).execute(_KEPT)
        return (_kept(row) for row in rows)

    def stock_after(self, tx: Connection, after: UUID | None, limit: int) -> list[Kept]:
        """The next of the stock."""
        query = _KEPT if after is None else _KEPT.where(artifacts.c.id > after)
        return [_kept(row) for row in tx.execute(query.limit(limit))]

    def lock_stock(self, tx: Connection, ids: Sequence[UUID]) -> list[tuple[Kept, Wrapped | None]]:
        """Those of these that are still stock, their rows held until the transaction ends, by id; each with its
        wrapped key."""
        locked = _KEPT.where(artifacts.c.id.in_(ids)).with_for_update(of=artifacts)
        found = [_kept(row) for row in tx.execute(locked)]
        joined = select(*_WRAPPED).join_from(data_keys, artifacts, artifacts.c.id == data_keys.c.artifact)
        keys = {row[0]: Wrapped(*row[1:]) for row in tx.execute(joined.where(artifacts.c.id.in_(ids)))}
        return [(each, keys.get(each.id)) for each in found]

    def kept(self, tx: Connection, artifact: UUID) -> Kept | None:
        """One artifact of the stock."""
        row = tx.execute(_KEPT.where(artifacts.c.id == artifact)).one_or_none()
        return None if row is None else _kept(row)


def _draft(row: RowMapping) -> Draft:
    answer = DraftAnswer(row["answer"]) if row["answer"] else None
    return Draft(**{**row, "state": DraftState(row["state"]), "answer": answer})


def _drafts(tx: Connection, query: Select[Any]) -> list[Draft]:
    return [_draft(row) for row in tx.execute(query).mappings()]


def _kept(row: Any) -> Kept:
    return Kept(row[0], row[1], row[2], Part(row[3]), row[4], row[5], row[6], row[7], row[8])
