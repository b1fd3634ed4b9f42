"""Mail on its way, and what tells whom to write to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Connection, RowMapping, Select, Text, func, literal, select, union, update
from sqlalchemy.dialects.postgresql import insert

from consigne.acts.ports import Message
from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.tables import artifacts, decisions, register, request_items, requests
from consigne.adapters.catalog.tables_decided import holds, opinions, policy_drafts
from consigne.adapters.catalog.tables_gone import volumes
from consigne.adapters.catalog.tables_people import messages

_MESSAGE = [messages.c[name] for name in Message.__dataclass_fields__]
# A crash after the server took it, and before that is known, sends it again then.
_CLAIMED = timedelta(minutes=10)


class MessagesCatalog(Session):
    """A message waits until it is sent, or until its next try would come too late."""

    def add_messages(self, tx: Connection, rows: Sequence[Mapping[str, object]]) -> int:
        """Keep what is not there yet (recipient, kind, subject); returns how many that were."""
        if not rows:
            return 0
        made = insert(messages).on_conflict_do_nothing().returning(messages.c.id)
        return len(tx.execute(made, [dict(row) for row in rows]).all())

    def take_message(self, tx: Connection, now: datetime, kept_for: timedelta) -> Message | None:
        """Claim the message that waits longest; none whose next try would come later than that after it was made."""
        open = messages.c.sent_at.is_(None) & (messages.c.next_try_at <= now)
        alive = messages.c.next_try_at < messages.c.made_at + kept_for
        oldest = (
            select(messages.c.id)
            .where(open, alive)
            .order_by(messages.c.next_try_at, messages.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        taken = (
            update(messages)
            .where(messages.c.id == oldest.scalar_subquery())
            .values(tries=messages.c.tries + 1, next_try_at=now + _CLAIMED)
            .returning(*_MESSAGE)
        )
        row = tx.execute(taken).mappings().one_or_none()
        return None if row is None else Message(**row)

    def mark_sent(self, tx: Connection, id: UUID, sent_at: datetime, trouble: str | None = None) -> None:
        """The server took it; with a trouble, it was set aside instead."""
        tx.execute(update(messages).where(messages.c.id == id).values(sent_at=sent_at, trouble=trouble))

    def mark_trouble(self, tx: Connection, id: UUID, trouble: str, next_try_at: datetime) -> None:
        """It did not go."""
        values = {"trouble": trouble, "next_try_at": next_try_at}
        tx.execute(update(messages).where(messages.c.id == id).values(values))

    def cases_open(self, tx: Connection, now: datetime) -> list[Mapping[str, Any]]:
        """Pending requests: id, requester, lapses_at, run, `due_at` of what goes first, `purposes` touched,
        `spoken` (owners who stated necessity)."""
        spoken = select(func.array_agg(opinions.c.owner)).where(opinions.c.request == requests.c.id)
        query = (
            select(
                requests.c.id,
                requests.c.requester,
                requests.c.lapses_at,
                requests.c.run,
                func.min(artifacts.c.due_at).label("due_at"),
                func.array_agg(artifacts.c.purpose.distinct()).label("purposes"),
                func.coalesce(spoken.scalar_subquery(), literal([], ARRAY(Text))).label("spoken"),
            )
            .join_from(requests, request_items, request_items.c.request == requests.c.id)
            .join(artifacts, artifacts.c.id == request_items.c.artifact)
            .where(requests.c.state == "pending", requests.c.lapses_at > now)
            .group_by(requests.c.id)
        )
        return _found(tx, query)

    def cases_over(self, tx: Connection, since: datetime) -> list[Mapping[str, Any]]:
        """Requests decided or lapsed since then: id, requester."""
        decided = select(requests.c.id, requests.c.requester).join(
            decisions, (decisions.c.request == requests.c.id) & (decisions.c.decided_at > since)
        )
        lapsed = select(requests.c.id, requests.c.requester).where(
            requests.c.state == "lapsed", requests.c.lapses_at > since
        )
        return [dict(row) for row in tx.execute(union(decided, lapsed)).mappings()]

    def extensions_ending(self, tx: Connection, now: datetime, before: datetime) -> list[Mapping[str, Any]]:
        """Requests some of whose extended artifacts go between two instants: id, requester, `purposes` of these."""
        query = (
            select(
                requests.c.id,
                requests.c.requester,
                func.array_agg(artifacts.c.purpose.distinct()).label("purposes"),
            )
            .join_from(artifacts, decisions, decisions.c.id == artifacts.c.extension)
            .join(requests, requests.c.id == decisions.c.request)
            .where(artifacts.c.state == "kept", artifacts.c.due_at > now, artifacts.c.due_at <= before)
            .group_by(requests.c.id)
        )
        return _found(tx, query)

    def reviews(self, tx: Connection, before: datetime) -> list[Mapping[str, Any]]:
        """Open holds to be reviewed before an instant: id, review_at."""
        query = select(holds.c.id, holds.c.review_at)
        return _found(tx, query.where(holds.c.state == "open", holds.c.review_at <= before))

    def drafts_told(self, tx: Connection, since: datetime) -> list[Mapping[str, Any]]:
        """Drafts of the policy that wait, or were decided or lapsed since then: id, author, state."""
        drafts = policy_drafts.c
        query = select(drafts.id, drafts.author, drafts.state)
        over = func.coalesce(drafts.decided_at, drafts.lapses_at) > since
        return _found(tx, query.where((drafts.state == "pending") | over))

    def known_cases(self, tx: Connection, ids: Sequence[UUID]) -> list[UUID]:
        """Those of the identifiers that are a request's, a draft's or a volume's."""
        asked = select(requests.c.id).where(requests.c.id.in_(ids))
        drafted = select(policy_drafts.c.id).where(policy_drafts.c.id.in_(ids))
        set_aside = select(volumes.c.id).where(volumes.c.id.in_(ids))
        return list(tx.execute(union(asked, drafted, set_aside)).scalars())

    def newest_entry(self, tx: Connection, *names: str) -> Mapping[str, Any] | None:
        """The register's newest entry whose kind and identifiers include all these names: its payload."""
        fits = register.c.subjects.op("@>")(literal(list(names), ARRAY(Text)))
        # OFFSET 0: found by its index first, then put in order.
        found = select(register.c.id, register.c.payload).where(fits).offset(0).subquery()
        query = select(found.c.payload).order_by(found.c.id.desc()).limit(1)
        payload = tx.execute(query).scalar_one_or_none()
        return None if payload is None else json.loads(payload)


def _found(tx: Connection, query: Select[Any]) -> list[Mapping[str, Any]]:
    rows: Sequence[RowMapping] = tx.execute(query).mappings().all()
    return [dict(row) for row in rows]
