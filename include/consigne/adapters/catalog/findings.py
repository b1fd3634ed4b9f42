"""What reconciliation found, and what the store says was read."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Connection, Select, Text, delete, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from consigne.acts.ports import Artifact
from consigne.adapters.catalog.holds import is_open
from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.tables import artifacts, data_keys, decisions, epochs, recordings, register
from consigne.adapters.catalog.tables_decided import holds
from consigne.adapters.catalog.tables_gone import accesses, findings, losses
from consigne.rules.clock import parse_instant
from consigne.rules.explained import Dated
from consigne.rules.findings import SWEPT, Finding, FindingAct, FindingAnswer, FindingKind, Found
from consigne.rules.reconcile import Recorded
from consigne.rules.store_audit import Access
from consigne.rules.values import Part

_STREAMED = 5_000
_NOW = func.consigne_now()
_ARTIFACT = [artifacts.c[name] for name in Artifact.__dataclass_fields__]
_FINDING = [findings.c[name] for name in Finding.__dataclass_fields__]
_ACCESS = [accesses.c[name] for name in Access.__dataclass_fields__]
_REVIEW = select(holds.c.review_at).where(holds.c.id == artifacts.c.hold, is_open(_NOW)).scalar_subquery()
_DATED = (
    select(
        artifacts.c.id, artifacts.c.purpose, artifacts.c.part, recordings.c.started_at, recordings.c.received_at,
        recordings.c.notice, artifacts.c.policy, func.coalesce(artifacts.c.unheld_due_at, artifacts.c.due_at),
        artifacts.c.due_at, artifacts.c.cap_at, decisions.c.decided_at, decisions.c.until, _REVIEW,
    )
    .join_from(artifacts, recordings, recordings.c.id == artifacts.c.recording)
    .outerjoin(decisions, decisions.c.id == artifacts.c.extension)
    .where(artifacts.c.state.in_(("storing", "kept")))
)  # fmt: skip
_OPEN = findings.c.state == "open"
_LOST_BY = {FindingKind.MISSING: "object_missing", FindingKind.ROW_WITHOUT_KEY: "key_missing"}
_BY_ITSELF = findings.c.closed_by == "consigne"


class FindingsCatalog(Session):
    """A finding is open → closed; seen again, what closed by itself is open again, what a person closed is not."""

    # what is compared

    def walk_recorded(self, tx: Connection) -> Iterator[Recorded]:
        """Every artifact that is not erased, by object name (by code point); streamed."""
        columns = artifacts.c.object, artifacts.c.version, artifacts.c.id, artifacts.c.state
        query = select(*columns).where(artifacts.c.state != "erased")
        query = query.order_by(artifacts.c.object.collate("C"))
        rows = tx.execution_options(stream_results=True, yield_per=_STREAMED).execute(query)
        return (Recorded(*row) for row in rows)

    def artifacts_in(self, tx: Connection, recordings: Collection[UUID]) -> list[Artifact]:
        """The artifacts of these recordings, in any state."""
        query = select(*_ARTIFACT).where(artifacts.c.recording.in_(recordings))
        return [Artifact(**row) for row in tx.execute(query).mappings()]

    def keyless(self, tx: Connection) -> list[UUID]:
        """Kept artifacts without a data key."""
        key = exists(select(data_keys.c.artifact).where(data_keys.c.artifact == artifacts.c.id))
        query = select(artifacts.c.id).where(artifacts.c.state == "kept", ~key)
        return list(tx.execute(query.order_by(artifacts.c.id)).scalars())

    def left_keys(self, tx: Connection) -> list[UUID]:
        """Erased artifacts whose data key is there."""
        query = select(artifacts.c.id).join(data_keys, data_keys.c.artifact == artifacts.c.id)
        return list(tx.execute(query.where(artifacts.c.state == "erased").order_by(artifacts.c.id)).scalars())

    def epochs_used(self, tx: Connection) -> set[str]:
        """Epochs that wrap a data key."""
        used = exists(select(data_keys.c.epoch).where(data_keys.c.epoch == epochs.c.name))
        return set(tx.execute(select(epochs.c.name).where(used)).scalars())

    def epochs_living(self, tx: Connection) -> set[str]:
        """Epochs whose key is to live, or is about to be destroyed."""
        return set(tx.execute(select(epochs.c.name).where(epochs.c.state != "destroyed")).scalars())

    def walk_dated(self, tx: Connection) -> Iterator[Dated]:
        """Every artifact that is not erased or being erased; streamed."""
        rows = tx.execution_options(stream_results=True, yield_per=_STREAMED).execute(_DATED)
        return (_dated(row) for row in rows)

    def dated(self, tx: Connection, artifact: UUID) -> Dated | None:
        """One of them."""
        row = tx.execute(_DATED.where(artifacts.c.id == artifact)).one_or_none()
        return None if row is None else _dated(row)

    def extended_until(self, tx: Connection, artifact: UUID) -> datetime | None:
        """Until when decisions extended the artifact, as the register tells; None where it does not (any more)."""
        told = self.told_of(tx, [artifact], ["decide:artifact:applied"])
        ends = [parse_instant(entry["due_at"]) for entry in told if "due_at" in entry and entry["subject"] == str(artifact)]  # fmt: skip
        return max(ends, default=None)

    def add_loss(self, tx: Connection, artifact: Artifact, reason: str, at: datetime) -> None:
        """A kept artifact that cannot be opened any more. Idempotent."""
        row = {
            "object": artifact.object, "artifact": artifact.id, "recording": artifact.recording,
            "purpose": artifact.purpose, "part": artifact.part, "reason": reason, "found_at": at,
        }  # fmt: skip
        tx.execute(insert(losses).values(row).on_conflict_do_nothing())

    def lost_rows(self, tx: Connection, recordings: Collection[UUID]) -> list[str]:
        """Objects of these recordings whose rows a restored database lacks."""
        query = select(losses.c.object).where(losses.c.recording.in_(recordings))
        return list(tx.execute(query.where(losses.c.reason == "row_missing")).scalars())

    def withdraw_unseen(self, tx: Connection, kinds: Sequence[FindingKind], began: datetime) -> None:
        """Losses that findings of these kinds named are none where those were not seen since `began`: what a restore
        lost is looked at by the next start. What is kept no more stays named."""
        for kind in kinds:
            named = (findings.c.kind == str(kind)) & (findings.c.artifact == losses.c.artifact)
            kept = select(artifacts.c.id).where(artifacts.c.state == "kept")
            where = (
                losses.c.restoration.is_(None),
                losses.c.reason == _LOST_BY.get(kind),
                losses.c.artifact.in_(kept),
                exists().where(named),
                ~exists().where(named, findings.c.seen_at >= began),
            )
            tx.execute(delete(losses).where(*where))

    # findings

    def note_found(self, tx: Connection, id: UUID, found: Found, at: datetime) -> Finding | None:
        """Seen now; the finding where it is new or open again, None where it was known."""
        key = {"kind": str(found.kind), "subject": found.subject, "version": found.version}
        seen = {"seen_at": at, "act": str(found.act), "artifact": found.artifact}
        row = {"id": id, **key, **seen, "state": "open", "found_at": at}
        if made := tx.execute(
            insert(findings).values(row).on_conflict_do_nothing().returning(*_FINDING)
        ).one_or_none():
            return _finding(made)
        same = (findings.c.kind == key["kind"]) & (findings.c.subject == found.subject) & (findings.c.version == found.version)  # fmt: skip
        again = {"state": "open", "closed_at": None, "closed_by": None, "swept_at": None}
        back = update(findings).where(same, ~_OPEN, _BY_ITSELF).values(**seen, **again)
        if reopened := tx.execute(back.returning(*_FINDING)).one_or_none():
            return _finding(reopened)
        tx.execute(update(findings).where(same).values(seen_at=at))
        return None

    def close_unseen(
        self, tx: Connection, kinds: Sequence[FindingKind], began: datetime, at: datetime
    ) -> list[Finding]:
        """Open ones of these kinds that were not seen since `began` are gone by themselves."""
        where = _OPEN & findings.c.kind.in_([str(kind) for kind in kinds]) & (findings.c.seen_at < began)
        return _closed(tx, where, at)

    def unswept(self, tx: Connection, limit: int) -> list[Finding]:
        """Those that are to be removed, and are not yet: what waits for an answer, once it was given."""
        is_due = _OPEN & (findings.c.act != "decide") | ~_OPEN & ~_BY_ITSELF
        where = is_due & findings.c.kind.in_([str(kind) for kind in SWEPT]) & findings.c.swept_at.is_(None)
        return _findings(
            tx, select(*_FINDING).where(where).order_by(findings.c.found_at, findings.c.id).limit(limit)
        )

    def mark_swept(self, tx: Connection, ids: Sequence[UUID], at: datetime) -> None:
        """Removed; closed, but for those with an alarm."""
        tx.execute(update(findings).where(findings.c.id.in_(ids)).values(swept_at=at))
        _closed(tx, _OPEN & findings.c.id.in_(ids) & (findings.c.act == "sweep"), at)

    def drop_unswept(self, tx: Connection, ids: Sequence[UUID], at: datetime) -> None:
        """They turned out to be recorded: nothing is removed."""
        _closed(tx, findings.c.id.in_(ids), at)

    def finding(self, tx: Connection, id: UUID, lock: bool = False) -> Finding | None:
        """One; with `lock`, its row is held until the transaction ends."""
        query = select(*_FINDING).where(findings.c.id == id)
        row = tx.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else _finding(row)

    def answer_finding(
        self, tx: Connection, id: UUID, answer: FindingAnswer, reason: str, user: str, at: datetime
    ) -> None:
        """Closed by a person."""
        values = {
            "state": "closed",
            "closed_at": at,
            "closed_by": user,
            "answer": str(answer),
            "reason": reason,
        }
        tx.execute(update(findings).where(findings.c.id == id, _OPEN).values(values))

    def open_findings(self, tx: Connection) -> dict[tuple[FindingKind, str], int]:
        """How many are open, by kind and act."""
        query = select(findings.c.kind, findings.c.act, func.count()).where(_OPEN)
        rows = tx.execute(query.group_by(findings.c.kind, findings.c.act))
        return {(FindingKind(kind), act): count for kind, act, count in rows}

    def alarms_found(self, tx: Connection, since: datetime) -> list[datetime]:
        """When those were found that wait for a person, from an instant on."""
        where = _OPEN & (findings.c.act != "sweep") & (findings.c.found_at >= since)
        return list(tx.execute(select(findings.c.found_at).where(where)).scalars())

    # accesses

    def add_accesses(self, tx: Connection, found: Sequence[Access], shift_s: int) -> int:
        """Keep what the store tells, on the catalog's clock; told twice, kept once. Returns how many are new."""
        shift = timedelta(seconds=shift_s)
        rows = [
            {**{name: getattr(one, name) for name in Access.__dataclass_fields__}, "at": one.at + shift}
            for one in found
        ]
        if not rows:
            return 0
        return tx.execute(insert(accesses).values(rows).on_conflict_do_nothing()).rowcount

    def unexplained(self, tx: Connection, settled: datetime, limit: int) -> list[tuple[int, Access]]:
        """Those that nobody looked at, oldest first; of listeners only what was `settled` by then."""
        is_settled = ~accesses.c.identity.startswith("listen-") | (accesses.c.at < settled)
        query = select(accesses.c.id, *_ACCESS).where(accesses.c.explained.is_(None), is_settled)
        return [(row[0], Access(*row[1:])) for row in tx.execute(query.order_by(accesses.c.at).limit(limit))]

    def told_of(
        self, tx: Connection, artifacts: Collection[UUID], kinds: Sequence[str]
    ) -> list[Mapping[str, Any]]:
        """Register entries of these kinds that name one of the artifacts, as their payloads."""
        names = literal([str(id) for id in artifacts], ARRAY(Text))
        fits = (
            register.c.subjects.op("&&")(names),
            register.c.subjects.op("&&")(literal(list(kinds), ARRAY(Text))),
        )
        query = select(register.c.payload).where(*fits, register.c.payload.is_not(None))
        return [json.loads(payload) for payload in tx.execute(query).scalars()]

    def settle_accesses(
        self, tx: Connection, ids: Sequence[int], explained: bool, finding: UUID | None
    ) -> None:
        """Looked at."""
        tx.execute(
            update(accesses).where(accesses.c.id.in_(ids)).values(explained=explained, finding=finding)
        )

    def forget_accesses(self, tx: Connection, explained_before: datetime, before: datetime) -> int:
        """Delete what is long explained, and what is old."""
        over = or_(accesses.c.at < before, accesses.c.explained & (accesses.c.at < explained_before))
        return tx.execute(delete(accesses).where(over)).rowcount


def _dated(row: Any) -> Dated:
    return Dated(row[0], row[1], Part(row[2]), *row[3:])


def _finding(row: Any) -> Finding:
    return Finding(**{**row._mapping, "kind": FindingKind(row.kind), "act": FindingAct(row.act)})


def _findings(tx: Connection, query: Select[Any]) -> list[Finding]:
    return [_finding(row) for row in tx.execute(query)]


def _closed(tx: Connection, where: Any, at: datetime) -> list[Finding]:
    closed = update(findings).where(where).values(state="closed", closed_at=at, closed_by="consigne")
    return [_finding(row) for row in tx.execute(closed.returning(*_FINDING))]
