"""What people acknowledged, and what they objected to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from consigne.acts.ports import Objected
from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.tables import artifacts, recordings
from consigne.adapters.catalog.tables_people import acknowledgements, objections, uninformed_agents
from consigne.rules.objections import Objection

_OBJECTION = [objections.c[name] for name in Objection.__dataclass_fields__]
_MS = timedelta(milliseconds=1)


class PeopleCatalog(Session):
    """Acknowledgements, who still owes one, and objections."""

    def acknowledged_at(self, tx: Connection, agent: str, notice: str) -> datetime | None:
        """When the agent first acknowledged that notice, as recorded here."""
        where = (acknowledgements.c.agent == agent) & (acknowledgements.c.notice == notice)
        return tx.execute(select(acknowledgements.c.acknowledged_at).where(where)).scalar_one_or_none()

    def acknowledge(
        self, tx: Connection, acknowledged: Mapping[tuple[str, str], datetime], recorded_by: str, channel: str
    ) -> int:
        """Record (agent, notice) → instant. The earliest stands; returns how many are new or earlier now."""
        changed = 0
        for (agent, notice), at in acknowledged.items():
            values = {"acknowledged_at": at, "recorded_by": recorded_by, "channel": channel}
            row = upsert(acknowledgements).values(agent=agent, notice=notice, **values)
            earlier = row.excluded.acknowledged_at < acknowledgements.c.acknowledged_at
            row = row.on_conflict_do_update(index_elements=["agent", "notice"], set_=values, where=earlier)
            changed += tx.execute(row.returning(acknowledgements.c.agent)).one_or_none() is not None
        done = tuple_(uninformed_agents.c.agent, uninformed_agents.c.notice).in_(list(acknowledged))
        tx.execute(delete(uninformed_agents).where(done))
        return changed

    def note_uninformed(self, tx: Connection, agent: str, notice: str, seen_at: datetime) -> None:
        """A call of this agent was refused because they had not acknowledged that notice."""
        row = upsert(uninformed_agents).values(agent=agent, notice=notice, seen_at=seen_at)
        tx.execute(row.on_conflict_do_update(index_elements=["agent", "notice"], set_={"seen_at": seen_at}))

    def forget_uninformed(self, tx: Connection, seen_before: datetime) -> int:
        """Those who took no such call since."""
        gone = delete(uninformed_agents).where(uninformed_agents.c.seen_at < seen_before)
        return tx.execute(gone).rowcount

    def add_objection(
        self, tx: Connection, objection: Objection, recorded_by: str, recorded_at: datetime
    ) -> bool:
        """False where it is recorded already, withdrawn or not."""
        row = {name: getattr(objection, name) for name in Objection.__dataclass_fields__}
        row |= {"callers": list(objection.callers), "purposes": list(objection.purposes)}
        made = upsert(objections).values(**row, recorded_by=recorded_by, recorded_at=recorded_at)
        new = made.on_conflict_do_nothing().returning(objections.c.id)
        return tx.execute(new).one_or_none() is not None

    def objections_of(
        self, tx: Connection, identity_digest: bytes, callers: Sequence[bytes]
    ) -> list[Objection]:
        """Those of a call, and those of its caller (any of the digests), withdrawn ones too."""
        query = select(*_OBJECTION).where(
            or_(objections.c.identity_digest == identity_digest, _said_by(callers))
        )
        return [
            Objection(**{**row, "callers": tuple(row["callers"]), "purposes": tuple(row["purposes"])})
            for row in tx.execute(query.order_by(objections.c.objected_at)).mappings()
        ]

    def withdraw(
        self, tx: Connection, id: UUID | None, callers: Sequence[bytes], withdrawn_by: str, at: datetime
    ) -> list[UUID]:
        """End what stands of a caller's objections: the one named, or all of the caller. Returns their ids."""
        which = _said_by(callers) if id is None else objections.c.id == id
        stands = which & objections.c.withdrawn_at.is_(None) & (objections.c.callers != _digests([]))
        ended = update(objections).where(stands).values(withdrawn_at=at, withdrawn_by=withdrawn_by)
        return list(tx.execute(ended.returning(objections.c.id)).scalars())

    def objected(
        self, tx: Connection, now: datetime, demanded: Sequence[str], said: UUID | datetime, limit: int
    ) -> list[Objected]:
        """Kept artifacts that an objection (the one named, or any recorded since then) binds and that live on,
        locked. `demanded` are the purposes that none binds. The rule is that of rules/objections.py."""
        o, r, a = objections.c, recordings.c, artifacts.c
        ended_at = r.started_at + r.duration_ms * literal(_MS)
        of_call = r.identity_digest == o.identity_digest
        of_caller = (
            (r.caller_index == o.callers.any_()) & (r.direction != "outbound") & (o.objected_at <= ended_at)
        )
        stood = or_(o.withdrawn_at.is_(None), r.started_at < o.withdrawn_at)
        named = o.id == said if isinstance(said, UUID) else o.recorded_at >= said
        # Two index scans: an OR of both would read every recording.
        bound = (
            select(r.id.label("recording"), o.id.label("objection"), o.purposes).where(of_call, named)
        ).union(select(r.id, o.id, o.purposes).where(of_caller, stood, named)).subquery()  # fmt: skip
        all_of_them = func.cardinality(bound.c.purposes) == 0
        own_due_at = func.coalesce(a.unheld_due_at, a.due_at)
        lives = or_(~a.restricted, a.extension.is_(None) & (own_due_at > now))
        query = (
            select(a.id, a.recording, a.purpose, bound.c.objection, a.extension)
            .join_from(artifacts, bound, bound.c.recording == a.recording)
            .where(or_(all_of_them, a.purpose == bound.c.purposes.any_()), a.purpose.not_in(demanded))
            .where(a.state == "kept", a.due_at > now, lives)
            .order_by(a.id)
            .limit(limit)
        )
        rows = tx.execute(query.with_for_update(of=artifacts)).all()
        found = {
            row.id: Objected(row.id, row.recording, row.purpose, row.objection, row.extension is not None)
            for row in rows
        }
        return list(found.values())

    def restrict(self, tx: Connection, artifact: UUID) -> None:
        """From now on nobody listens; its row is locked already."""
        tx.execute(update(artifacts).where(artifacts.c.id == artifact).values(restricted=True))


def _digests(values: Sequence[bytes]) -> ColumnElement[Sequence[bytes]]:
    return literal(list(values), ARRAY(LargeBinary))


def _said_by(callers: Sequence[bytes]) -> ColumnElement[bool]:
    return objections.c.callers.op("&&", is_comparison=True)(_digests(callers))
