"""Requests for exceptions, the decisions on them, and what Airflow still has to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, exists, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.tables import (
    artifacts,
    data_keys,
    decisions,
    deliveries,
    recordings,
    request_items,
    requests,
    verdicts,
)
from consigne.adapters.catalog.tables_decided import opinions
from consigne.adapters.catalog.tables_people import objections
from consigne.rules.request import Answer, Decision, ExceptionRequest, Opinion, RequestItem, RequestState

_REQUEST = [requests.c[name] for name in ExceptionRequest.__dataclass_fields__ if name != "items"]
_DECISION = [decisions.c[name] for name in Decision.__dataclass_fields__]
_OPINION = [opinions.c[name] for name in Opinion.__dataclass_fields__]
_MOVING = (
    *(artifacts.c[name] for name in ("recording", "purpose", "part", "policy", "clock_start", "masked")),
    *(recordings.c[name] for name in ("started_at", "received_at", "notice")),
    artifacts.c.id.label("artifact"),
    artifacts.c.hold.is_not(None).label("is_held"),
)
_NOW = func.consigne_now()


class RequestsCatalog(Session):
    """A request is pending → decided or lapsed. An artifact's row is locked before its request's."""

    def add_request(self, tx: Connection, request: ExceptionRequest) -> None:
        """Keep a request with its items, pending."""
        row = {column.name: getattr(request, column.name) for column in _REQUEST}
        tx.execute(insert(requests).values(**row, digest=request.digest))
        items = [{"request": request.id, "artifact": i.artifact, "due_at": i.due_at} for i in request.items]
        tx.execute(insert(request_items), items)

    def request(self, tx: Connection, id: UUID, lock: bool = False) -> ExceptionRequest | None:
        """One request; with `lock`, its row is held until the transaction ends."""
        query = select(*_REQUEST).where(requests.c.id == id)
        row = tx.execute(query.with_for_update() if lock else query).mappings().one_or_none()
        return None if row is None else self._request(tx, row)

    def _request(self, tx: Connection, row: RowMapping) -> ExceptionRequest:
        query = select(request_items.c.artifact, request_items.c.due_at).where(
            request_items.c.request == row["id"]
        )
        items = tuple(RequestItem(*item) for item in tx.execute(query.order_by(request_items.c.artifact)))
        return ExceptionRequest(**{**row, "state": RequestState(row["state"])}, items=items)

    def request_digest(self, tx: Connection, id: UUID) -> str | None:
        """The digest as it was written when the request was filed."""
        return tx.execute(select(requests.c.digest).where(requests.c.id == id)).scalar_one_or_none()

    def awaited(self, tx: Connection, artifacts: Sequence[UUID]) -> bool:
        """Whether any of these has a request that still waits, or a decision that is not applied yet: a second
        request cannot lengthen the wait."""
        joined = request_items.join(requests, requests.c.id == request_items.c.request).outerjoin(
            decisions, decisions.c.request == requests.c.id
        )
        pending = (requests.c.state == "pending") & (requests.c.lapses_at > _NOW)
        granted = decisions.c.applied_at.is_(None) & (decisions.c.until > _NOW)
        waits = request_items.c.artifact.in_(artifacts) & or_(pending, granted)
        return bool(tx.execute(select(exists().select_from(joined).where(waits))).scalar_one())

    def add_decision(self, tx: Connection, decision: Decision) -> bool:
        """pending → decided with the decision; false where the request does not wait any more."""
        waits = (
            (requests.c.id == decision.request)
            & (requests.c.state == "pending")
            & (requests.c.lapses_at > _NOW)
        )
        if tx.execute(update(requests).where(waits).values(state="decided")).rowcount != 1:
            return False
        tx.execute(
            insert(decisions).values({column.name: getattr(decision, column.name) for column in _DECISION})
        )
        return True

    def decision(self, tx: Connection, request: UUID, lock: bool = False) -> Decision | None:
        """The answer to a request; with `lock`, its row is held until the transaction ends."""
        query = select(*_DECISION).where(decisions.c.request == request)
        row = tx.execute(query.with_for_update() if lock else query).mappings().one_or_none()
        return None if row is None else Decision(**{**row, "answer": Answer(row["answer"])})

    def add_opinion(self, tx: Connection, opinion: Opinion) -> None:
        """An owner states necessity."""
        tx.execute(
            insert(opinions).values({column.name: getattr(opinion, column.name) for column in _OPINION})
        )

    def opinions(self, tx: Connection, request: UUID) -> list[Opinion]:
        """The owners' words on a request, oldest first."""
        query = select(*_OPINION).where(opinions.c.request == request)
        rows = tx.execute(query.order_by(opinions.c.given_at, opinions.c.owner)).mappings()
        return [Opinion(**row) for row in rows]

    def lapse_requests(self, tx: Connection) -> list[UUID]:
        """pending → lapsed for all whose response time is over."""
        over = (requests.c.state == "pending") & (requests.c.lapses_at <= _NOW)
        return list(
            tx.execute(update(requests).where(over).values(state="lapsed").returning(requests.c.id)).scalars()
        )

    def bind_run(self, tx: Connection, id: UUID, run: str) -> None:
        """Airflow has a run for the request. Idempotent."""
        tx.execute(update(requests).where(requests.c.id == id, requests.c.run.is_(None)).values(run=run))

    def moving(self, tx: Connection, ids: Sequence[UUID]) -> list[Mapping[str, Any]]:
        """What a change of purpose asks of those that are kept: see `rules.repurpose.Movable`; `objected` holds
        "" where it means all purposes."""
        query = select(*_MOVING).join_from(artifacts, recordings, recordings.c.id == artifacts.c.recording)
        kept = artifacts.c.id.in_(ids) & (artifacts.c.state == "kept")
        rows = tx.execute(query.where(kept).order_by(artifacts.c.id)).mappings().all()
        mine = [row["recording"] for row in rows]
        shelves = select(artifacts.c.recording, artifacts.c.part, artifacts.c.purpose)
        there: dict[tuple[UUID, str], set[str]] = {}
        for recording, part, purpose in tx.execute(shelves.where(artifacts.c.recording.in_(mine))):
            there.setdefault((recording, part), set()).add(purpose)
        objected = self._objected(tx, mine)
        return [
            {
                **row,
                "there": frozenset(there[row["recording"], row["part"]]),
                "objected": frozenset(objected.get(row["recording"], ())),
            }
            for row in rows
        ]

    def _objected(self, tx: Connection, mine: Sequence[UUID]) -> dict[UUID, set[str]]:
        at_the_gate = (
            select(deliveries.c.recording, verdicts.c.purpose)
            .join_from(verdicts, deliveries, deliveries.c.id == verdicts.c.delivery)
            .where(deliveries.c.recording.in_(mine), verdicts.c.code == "objected")
        )
        # What it bound stays bound when it is taken back (rules/objections.py); while it stands, a later one counts too.
        ended_at = recordings.c.started_at + recordings.c.duration_ms * literal(timedelta(milliseconds=1))
        bound = (objections.c.objected_at <= ended_at) & (recordings.c.started_at < objections.c.withdrawn_at)
        stood = or_(objections.c.withdrawn_at.is_(None), bound)
        theirs = or_(
            objections.c.identity_digest == recordings.c.identity_digest,
            (recordings.c.caller_index == func.any(objections.c.callers)) & stood,
        )
        in_words = (
            select(recordings.c.id, objections.c.purposes)
            .join_from(recordings, objections, theirs)
            .where(recordings.c.id.in_(mine))
        )
        found: dict[UUID, set[str]] = {}
        for recording, purpose in tx.execute(at_the_gate):
            found.setdefault(recording, set()).add(purpose)
        for recording, purposes in tx.execute(in_words):
            found.setdefault(recording, set()).update(purposes or [""])
        return found

    def move_in(self, tx: Connection, row: Mapping[str, object], wrapped: bytes) -> bool:
        """An artifact that was stored again under another purpose: `kept`, with its wrapped key; false where one
        stands there already."""
        made = (
            upsert(artifacts).values(**row, state="kept").on_conflict_do_nothing().returning(artifacts.c.id)
        )
        if tx.execute(made).one_or_none() is None:
            return False
        key = {"artifact": row["id"], "attempt": row["attempt"], "epoch": row["epoch"], "wrapped": wrapped}
        tx.execute(insert(data_keys).values(key))
        return True

    def mark_applied(self, tx: Connection, decision: UUID, applied_at: datetime) -> None:
        """The decision took effect, in this transaction."""
        tx.execute(update(decisions).where(decisions.c.id == decision).values(applied_at=applied_at))

    def unapplied(self, tx: Connection, decided_before: datetime) -> list[UUID]:
        """Requests whose extension was decided before an instant and not applied yet, oldest first."""
        open = (decisions.c.answer != "refuse") & decisions.c.applied_at.is_(None)
        query = select(decisions.c.request).where(open, decisions.c.decided_at <= decided_before)
        return list(tx.execute(query.order_by(decisions.c.decided_at)).scalars())

    def without_run(self, tx: Connection) -> list[ExceptionRequest]:
        """Pending requests for which Airflow has no run yet."""
        waits = (requests.c.state == "pending") & requests.c.run.is_(None) & (requests.c.lapses_at > _NOW)
        return self._requests(tx, select(*_REQUEST).where(waits).order_by(requests.c.filed_at))

    def unanswered(self, tx: Connection) -> list[ExceptionRequest]:
        """Decided requests whose run was not told yet, and whose human task has not run out by itself."""
        open = (
            (requests.c.state == "decided")
            & requests.c.run.is_not(None)
            & requests.c.answered_at_airflow.is_(None)
        )
        query = select(*_REQUEST).where(open, requests.c.lapses_at > _NOW)
        return self._requests(tx, query.order_by(requests.c.filed_at))

    def _requests(self, tx: Connection, query: Select[tuple[object, ...]]) -> list[ExceptionRequest]:
        return [self._request(tx, row) for row in tx.execute(query).mappings().all()]

    def mark_answered(self, tx: Connection, id: UUID, at: datetime) -> None:
        """Airflow's human task took the answer, or will never want it. Idempotent."""
        where = (requests.c.id == id) & requests.c.answered_at_airflow.is_(None)
        tx.execute(update(requests).where(where).values(answered_at_airflow=at))
