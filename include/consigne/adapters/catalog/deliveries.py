"""Deliveries, their chunks and verdicts, and the recordings that they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, delete, insert, select, union, update
from sqlalchemy.dialects.postgresql import insert as upsert

from consigne.acts.ports import Delivery, Known
from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.tables import artifacts, chunks, deliveries, recordings, tombstones, verdicts
from consigne.adapters.catalog.tables_people import objections
from consigne.adapters.catalog.tables_stock import unclaimed
from consigne.rules.values import Admitted, Refused

_COLUMNS = [deliveries.c[name] for name in Delivery.__dataclass_fields__]
_FRESH: dict[str, Any] = {
    "code": None, "detail": None, "findings": [], "deadline": None, "identity_digest": None,
    "content_digest": None, "audio_digest": None, "token": None,
}  # fmt: skip


def _delivery(row: RowMapping) -> Delivery:
    return Delivery(**row)


class DeliveriesCatalog(Session):
    """From claim to cleared."""

    def open_deliveries(self, tx: Connection, source: str) -> list[Delivery]:
        """Everything of a source that is not cleared, oldest first."""
        query = select(*_COLUMNS).where(deliveries.c.source == source, deliveries.c.state != "cleared")
        return [_delivery(row) for row in tx.execute(query.order_by(deliveries.c.received_at)).mappings()]

    def note_unclaimed(
        self, tx: Connection, source: str, looked_at: datetime, number: int, oldest_at: datetime | None
    ) -> None:
        """What a look into a source's intake left there."""
        told = {"looked_at": looked_at, "number": number, "oldest_at": oldest_at}
        made = upsert(unclaimed).values(source=source, **told)
        tx.execute(made.on_conflict_do_update(index_elements=["source"], set_=told))

    def deliveries_in(self, tx: Connection, states: Sequence[str], ids: Sequence[UUID]) -> list[Delivery]:
        """Those of these that are in one of the states."""
        query = select(*_COLUMNS).where(deliveries.c.id.in_(ids), deliveries.c.state.in_(states))
        return [_delivery(row) for row in tx.execute(query).mappings()]

    def claim_new(self, tx: Connection, rows: Sequence[Mapping[str, object]]) -> list[UUID]:
        """Deliveries not seen before become `claimed`; those of them that no other claim was before."""
        made = upsert(deliveries).on_conflict_do_nothing().returning(deliveries.c.id)
        claimed = [{**row, "state": "claimed"} for row in rows]
        return list(tx.execute(made, claimed).scalars()) if claimed else []

    def claim_again(self, tx: Connection, id: UUID, states: Sequence[str], fingerprint: str) -> bool:
        """Back to `claimed` from one of the states: its files changed, or an operator retries. When it was
        received stays: no clock starts anew. What the gate said of it is void."""
        values = _FRESH | {"state": "claimed", "fingerprint": fingerprint}
        where = (deliveries.c.id == id) & deliveries.c.state.in_(states)
        if tx.execute(update(deliveries).where(where).values(values)).rowcount != 1:
            return False
        tx.execute(delete(verdicts).where(verdicts.c.delivery == id))
        return True

    def add_chunks(
        self, tx: Connection, run: str, made: Mapping[UUID, Sequence[UUID]], made_at: datetime
    ) -> None:
        """Store which deliveries each mapped task carries."""
        rows = [
            {"id": id, "run": run, "deliveries": list(ids), "made_at": made_at} for id, ids in made.items()
        ]
        if rows:
            tx.execute(insert(chunks), rows)

    def chunk(self, tx: Connection, id: UUID) -> list[UUID]:
        """The deliveries of a chunk."""
        return list(tx.execute(select(chunks.c.deliveries).where(chunks.c.id == id)).scalar_one())

    def take_deliveries(
        self, tx: Connection, states: Sequence[str], ids: Sequence[UUID], token: UUID
    ) -> list[Delivery]:
        """Claim the rows that are still in one of the states; a later claim makes an earlier one's result void."""
        where = deliveries.c.id.in_(ids) & deliveries.c.state.in_(states)
        rows = tx.execute(update(deliveries).where(where).values(token=token).returning(*_COLUMNS)).mappings()
        order = {id: place for place, id in enumerate(ids)}
        return sorted((_delivery(row) for row in rows), key=lambda row: order[row.id])

    def move_delivery(
        self, tx: Connection, id: UUID, token: UUID, source: str, target: str, **values: object
    ) -> bool:
        """source → target where the token still holds; false: the claim was lost, drop the result."""
        where = (deliveries.c.id == id) & (deliveries.c.token == token) & (deliveries.c.state == source)
        return tx.execute(update(deliveries).where(where).values(state=target, **values)).rowcount == 1

    def set_verdicts(self, tx: Connection, delivery: UUID, judged: Mapping[str, Admitted | Refused]) -> None:
        """The gate's answer for each purpose; judged again, the newer answer stands."""
        for purpose, verdict in judged.items():
            values = {
                "verdict": "admitted" if isinstance(verdict, Admitted) else "refused",
                "code": verdict.code if isinstance(verdict, Refused) else None,
            }
            row = upsert(verdicts).values(delivery=delivery, purpose=purpose, **values)
            tx.execute(row.on_conflict_do_update(index_elements=["delivery", "purpose"], set_=values))

    def admitted_purposes(self, tx: Connection, delivery: UUID) -> list[str]:
        """The purposes that the gate admitted, by name."""
        where = (verdicts.c.delivery == delivery) & (verdicts.c.verdict == "admitted")
        return list(
            tx.execute(select(verdicts.c.purpose).where(where).order_by(verdicts.c.purpose)).scalars()
        )

    def known(
        self, tx: Connection, identity_digests: Sequence[bytes], audio_digests: Sequence[bytes] = ()
    ) -> Known:
        """Whether this call (under any version of the key) was kept or erased before; erased also where the same
        sound was, whatever name it came under."""
        kept = select(recordings.c.content_digest).where(recordings.c.identity_digest.in_(identity_digests))
        gone = select(tombstones.c.purpose).where(tombstones.c.identity_digest.in_(identity_digests))
        sounds = select(tombstones.c.purpose).where(tombstones.c.audio_digest.in_(audio_digests))
        live = (
            select(artifacts.c.id)
            .join(recordings, recordings.c.id == artifacts.c.recording)
            .where(recordings.c.identity_digest.in_(identity_digests), artifacts.c.state != "erased")
            .limit(1)
        )
        erased = frozenset(tx.execute(gone.distinct()).scalars())
        is_gone = bool(erased) and tx.execute(live).one_or_none() is None
        again = frozenset(tx.execute(sounds.distinct()).scalars()) if audio_digests else frozenset()
        return Known(tx.execute(kept).scalar_one_or_none(), erased | again, is_gone)

    def known_identities(self, tx: Connection, digests: Sequence[bytes]) -> set[bytes]:
        """Those of these by which a call is known: delivered, kept, erased or objected to."""
        queries = [
            select(table.c.identity_digest).where(table.c.identity_digest.in_(digests))
            for table in (recordings, tombstones, deliveries, objections)
        ]
        return set(tx.execute(union(*queries)).scalars())

    def add_recording(self, tx: Connection, row: Mapping[str, object]) -> bool:
        """False where a recording of the same identity exists already."""
        made = upsert(recordings).values(**row).on_conflict_do_nothing().returning(recordings.c.id)
        return tx.execute(made).one_or_none() is not None

    def store_again(self, tx: Connection, recording: UUID) -> None:
        """protected → admitted for the delivery of a recording whose object vanished before it was confirmed."""
        where = (deliveries.c.recording == recording) & (deliveries.c.state == "protected")
        tx.execute(update(deliveries).where(where).values(state="admitted"))

    def outcomes(self, tx: Connection, ids: Sequence[UUID]) -> list[tuple[str, str | None, Sequence[str]]]:
        """State, code and findings of each."""
        query = select(deliveries.c.state, deliveries.c.code, deliveries.c.findings)
        return [
            (row.state, row.code, row.findings) for row in tx.execute(query.where(deliveries.c.id.in_(ids)))
        ]

    def run_deliveries(self, tx: Connection, run: str) -> list[UUID]:
        """Every delivery that a run's chunks carry."""
        rows = tx.execute(select(chunks.c.deliveries).where(chunks.c.run == run)).scalars()
        return [id for row in rows for id in row]
