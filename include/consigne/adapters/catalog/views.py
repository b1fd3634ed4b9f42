"""What pages and the command line read. Read-only queries; nothing here locks or writes.

`deliveries`, `recordings`, `recording` and `certificates` give contract.md's JSON (instants as text); the
desk's views give values with instants as aware datetimes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Text,
    func,
    literal,
    or_,
    select,
    true,
)

from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.holds import IS_HUSHED
from consigne.adapters.catalog.tables_decided import opinions
from consigne.rules.clock import iso
from consigne.rules.evidence.certificate import read_parts

Document = dict[str, Any]


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else iso(instant)


def _rows(tx: Connection, query: Select[Any]) -> Sequence[RowMapping]:
    return tx.execute(query).mappings().all()


def _grouped(rows: Iterable[RowMapping], column: str) -> dict[Any, list[RowMapping]]:
    groups: dict[Any, list[RowMapping]] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row)
    return groups


def _picked(row: RowMapping, *names: str) -> Document:
    return {name: row[name] for name in names}


_VERDICT = ("purpose", "verdict", "code")
_ARTIFACTS = select(t.artifacts, IS_HUSHED.label("hushed"))


def deliveries(tx: Connection) -> list[Document]:
    """Every delivery, oldest first, with its verdicts by purpose."""
    return _deliveries(tx, true())


def deliveries_named(tx: Connection, identifier: str) -> list[Document]:
    """The deliveries that an identifier means: the source's own, a delivery's, or that of what became of it."""
    try:
        known = UUID(identifier)
    except ValueError:
        return _deliveries(tx, t.deliveries.c.source_id == identifier)
    # Asked first: within the other query it would be joined to every delivery.
    of_artifact = tx.execute(select(t.artifacts.c.recording).where(t.artifacts.c.id == known)).scalar()
    became, named = t.deliveries.c.recording, t.deliveries.c.source_id == identifier
    return _deliveries(tx, or_(named, t.deliveries.c.id == known, became.in_([known, of_artifact or known])))


CHUNKS_OF_A_RUN = 50
"""At most: a run's deliveries are limited (acts/ingest.py)."""


def batches(tx: Connection, limit: int) -> list[Document]:
    """The newest runs of the ingest that found anything: `run`, `began_at`, and in `states` how many of its
    deliveries stand in each."""
    last = select(t.chunks.c.run, t.chunks.c.made_at).order_by(t.chunks.c.made_at.desc())
    chunks = last.limit(limit * CHUNKS_OF_A_RUN).subquery().c
    began_at = func.max(chunks.made_at).label("began_at")
    newest = select(chunks.run, began_at).group_by(chunks.run).order_by(began_at.desc()).limit(limit)
    runs = {row["run"]: {**row, "states": {}} for row in _rows(tx, newest)}
    # What is not cleared has an index; the rest of a run is.
    number = func.sum(func.cardinality(t.chunks.c.deliveries)).label("number")
    totals = select(t.chunks.c.run, number).where(t.chunks.c.run.in_(runs)).group_by(t.chunks.c.run)
    carried = func.unnest(t.chunks.c.deliveries).label("delivery")
    of_runs = select(t.chunks.c.run, carried).where(t.chunks.c.run.in_(runs)).subquery()
    counted = (
        select(of_runs.c.run, t.deliveries.c.state, func.count().label("number"))
        .join_from(of_runs, t.deliveries, t.deliveries.c.id == of_runs.c.delivery)
        .where(t.deliveries.c.state != "cleared")
        .group_by(of_runs.c.run, t.deliveries.c.state)
    )
    for row in _rows(tx, counted):
        runs[row["run"]]["states"][row["state"]] = row["number"]
    for row in _rows(tx, totals):
        states = runs[row["run"]]["states"]
        if cleared := row["number"] - sum(states.values()):
            states["cleared"] = cleared
    return list(runs.values())


def batch(tx: Connection, run: str) -> list[Document]:
    """The deliveries of a run; none where no run of that name found any."""
    carried = select(func.unnest(t.chunks.c.deliveries)).where(t.chunks.c.run == run)
    return _deliveries(tx, t.deliveries.c.id.in_(carried))


def _deliveries(tx: Connection, where: ColumnElement[bool]) -> list[Document]:
    chosen = select(t.deliveries.c.id).where(where)
    of_these = select(t.verdicts).where(t.verdicts.c.delivery.in_(chosen)).order_by(t.verdicts.c.purpose)
    verdicts = _grouped(_rows(tx, of_these), "delivery")
    oldest_first = t.deliveries.c.received_at, t.deliveries.c.id
    return [
        {
            "source": row["source"],
            "id": row["source_id"],
            "delivery": str(row["id"]),
            "state": row["state"],
            "code": row["code"],
            "detail": row["detail"],
            "findings": row["findings"],
            "deadline": _text(row["deadline"]),
            "received_at": iso(row["received_at"]),
            "recording": row["recording"] and str(row["recording"]),
            "verdicts": [_picked(verdict, *_VERDICT) for verdict in verdicts.get(row["id"], [])],
        }
        for row in _rows(tx, select(t.deliveries).where(where).order_by(*oldest_first))
    ]


def recordings(tx: Connection) -> list[Document]:
    """Every recording, by its call's start, with its artifacts."""
    order = t.recordings.c.started_at, t.recordings.c.id
    return _documents(tx, select(t.recordings).order_by(*order), _ARTIFACTS)


def recording(tx: Connection, identifier: str) -> Document | None:
    """One recording by its id, by the id of one of its artifacts, or by the id that its source gave it."""
    try:
        known = UUID(identifier)
    except ValueError:
        chosen = select(t.recordings.c.id).where(t.recordings.c.source_id == identifier)
    else:
        of_artifact = select(t.artifacts.c.recording).where(t.artifacts.c.id == known).scalar_subquery()
        ids = t.recordings.c.id
        named = t.recordings.c.source_id == identifier
        chosen = select(ids).where(or_(named, ids == known, ids == of_artifact))
    found = _documents(
        tx,
        select(t.recordings).where(t.recordings.c.id.in_(chosen)),
        _ARTIFACTS.where(t.artifacts.c.recording.in_(chosen)),
    )
    return found[0] if found else None


def signed_masks(tx: Connection, identifier: UUID) -> Mapping[str, Mapping[str, Any]]:
    """Of each artifact of a recording: `attempt`, `masked`, and the signature with the name of its key."""
    a = t.artifacts.c
    query = select(a.id, a.attempt, a.masked, a.masked_signature, a.masked_key).where(
        a.recording == identifier
    )
    return {str(row["id"]): dict(row) for row in _rows(tx, query)}


def _documents(tx: Connection, of_recordings: Select[Any], of_artifacts: Select[Any]) -> list[Document]:
    order = t.artifacts.c.purpose, t.artifacts.c.part
    artifacts = _grouped(_rows(tx, of_artifacts.order_by(*order)), "recording")
    return [
        {
            "id": str(row["id"]),
            "source": row["source"],
            "source_id": row["source_id"],
            "started_at": iso(row["started_at"]),
            "received_at": iso(row["received_at"]),
            **_picked(row, "duration_ms", "direction", "queue", "agent", "language", "notice", "policy"),
            "artifacts": [_artifact(artifact) for artifact in artifacts.get(row["id"], [])],
        }
        for row in _rows(tx, of_recordings)
    ]


def _artifact(row: RowMapping) -> Document:
    return {
        "id": str(row["id"]),
        **_picked(row, "purpose", "part", "state"),
        "restricted": row["restricted"] or row["hushed"],
        "due_at": iso(row["due_at"]),
        "cap_at": iso(row["cap_at"]),
        "epoch": row["epoch"],
        "extension": row["extension"] and str(row["extension"]),
        "hold": row["hold"] and str(row["hold"]),
        **_picked(row, "bytes", "object", "version", "masked"),
        "stored_at": iso(row["stored_at"]),
        "erased_at": _text(row["erased_at"]),
    }


def certificates(tx: Connection) -> list[Document]:
    """Every certificate, oldest first; an artifact's is `cryptographic` once every epoch that ever wrapped its
    key has one, as the verifier joins them.

    `file` is the name under which `consigne certificates --out` writes it.
    """
    rows = _rows(tx, select(t.certificates).order_by(t.certificates.c.issued_at, t.certificates.c.id))
    destroyed = {row["epoch"] for row in rows if row["scope"] == "epoch"}
    return [_certificate(row, destroyed) for row in rows]


def _certificate(row: RowMapping, destroyed: set[str]) -> Document:
    body = read_parts(row["file"])["body"]
    wrapped_by = {row["epoch"], *body.get("earlier_epochs", ())}
    return {
        "id": str(row["id"]),
        "scope": row["scope"],
        "proof": "cryptographic" if wrapped_by <= destroyed else "logical",
        "assurance": body["assurance"],
        "issued_at": iso(row["issued_at"]),
        "irrecoverable_after": iso(row["irrecoverable_after"]),
        "artifact": row["artifact"] and str(row["artifact"]),
        "epoch": row["epoch"],
        "file": f"certificate-{row['id']}.json",
    }


_REQUEST = select(
    t.requests,
    t.decisions.c.answer,
    t.decisions.c.purpose.label("decided_purpose"),
    t.decisions.c.until.label("decided_until"),
    t.decisions.c.decided_by,
    t.decisions.c.decided_at,
    t.decisions.c.reason.label("decided_reason"),
    t.decisions.c.applied_at,
).outerjoin_from(t.requests, t.decisions, t.decisions.c.request == t.requests.c.id)

_OF_ARTIFACT = (
    "recording",
    "purpose",
    "part",
    "state",
    "restricted",
    "clock_start",
    "due_at",
    "cap_at",
    "masked",
    "hold",
)
_OF_RECORDING = ("source_id", "started_at", "duration_ms", "queue", "agent", "language", "notice")
_ITEM = (
    select(
        t.request_items.c.request,
        t.artifacts.c.id.label("artifact"),
        *(t.artifacts.c[name] for name in _OF_ARTIFACT),
        func.coalesce(t.artifacts.c.unheld_due_at, t.artifacts.c.due_at).label("own_due_at"),
        *(t.recordings.c[name] for name in _OF_RECORDING),
        t.policies.c.version.label("policy_version"),
    )
    .join_from(t.request_items, t.artifacts, t.artifacts.c.id == t.request_items.c.artifact)
    .join(t.recordings, t.recordings.c.id == t.artifacts.c.recording)
    .join(t.policies, t.policies.c.digest == t.artifacts.c.policy)
    .order_by(t.recordings.c.started_at, t.recordings.c.id, t.artifacts.c.purpose, t.artifacts.c.part)
)


def waiting(tx: Connection, now: datetime) -> list[Document]:
    """Pending requests that have not lapsed, with `items`, the weightiest consequence of silence first.

    `gone_at` is when the first item is destroyed if nobody answers: its due date, or the end of the response
    time where that comes later (the one wait that P5 allows).
    """
    query = _REQUEST.where(t.requests.c.state == "pending", t.requests.c.lapses_at > now)
    return sorted(_requests(tx, query), key=lambda r: (r["gone_at"], r["lapses_at"], r["id"]))


def asked_by(tx: Connection, user: str, limit: int) -> list[Document]:
    """A person's own requests, newest first, whatever became of them."""
    query = _REQUEST.where(t.requests.c.requester == user).order_by(t.requests.c.filed_at.desc()).limit(limit)
    return _requests(tx, query)


def requests_where(
    tx: Connection, where: ColumnElement[bool], order: Sequence[ColumnElement[Any]], first: int, limit: int
) -> list[Document]:
    """Requests that a condition on `requests` chooses, `limit` from the `first` on (0 is the first)."""
    return _requests(tx, _REQUEST.where(where).order_by(*order).offset(first).limit(limit))


def request(tx: Connection, identifier: UUID) -> Document | None:
    """One request with its items, the owners' `opinions` and, once there is one, its decision."""
    found = _requests(tx, _REQUEST.where(t.requests.c.id == identifier))
    return found[0] if found else None


def _requests(tx: Connection, query: Select[Any]) -> list[Document]:
    found = [dict(row) for row in _rows(tx, query)]
    of_these = _ITEM.where(t.request_items.c.request.in_([row["id"] for row in found]))
    items = _grouped(_rows(tx, of_these), "request")
    o = opinions.c
    words = select(o.request, o.owner, o.reason, o.given_at).where(
        o.request.in_([row["id"] for row in found])
    )
    said = _grouped(_rows(tx, words.order_by(o.given_at, o.owner)), "request")
    for row in found:
        row["items"] = items.get(row["id"], [])
        row["purposes"] = sorted({item["purpose"] for item in row["items"]})
        row["opinions"] = said.get(row["id"], [])
        row["gone_at"] = min(max(item["due_at"], row["lapses_at"]) for item in row["items"])
    return found


def decisions_on(tx: Connection, artifacts: Sequence[UUID]) -> list[Document]:
    """Decisions on any of these artifacts, newest first, with the request each one answers."""
    touched = select(t.request_items.c.request).where(t.request_items.c.artifact.in_(artifacts))
    query = (
        select(t.decisions, t.requests.c.requester, t.requests.c.ground)
        .join_from(t.decisions, t.requests, t.requests.c.id == t.decisions.c.request)
        .where(t.decisions.c.request.in_(touched))
        .order_by(t.decisions.c.decided_at.desc())
    )
    return [dict(row) for row in _rows(tx, query)]


def history(tx: Connection, subjects: Sequence[UUID]) -> list[Mapping[str, Any]]:
    """The register's entries that name any of these identifiers, oldest first, as their payloads."""
    names = literal([str(subject) for subject in subjects], ARRAY(Text))
    query = select(t.register.c.payload).where(t.register.c.subjects.op("&&")(names))
    query = query.where(t.register.c.payload.is_not(None))
    return [json.loads(payload) for payload in tx.execute(query.order_by(t.register.c.id)).scalars()]
