"""A connection to the catalog: transactions, the clock and the register. SQLAlchemy Core on psycopg 3."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, insert, text
from sqlalchemy.exc import InterfaceError, OperationalError

from consigne.adapters.catalog.tables import register
from consigne.rules.clock import iso
from consigne.rules.errors import Unavailable
from consigne.rules.evidence.entry import SALT_BYTES, encode_payload, leaf

_IDENTIFIER = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def open_engine(url: str) -> Engine:
    """Parameters stay out of messages; a dead connection is noticed before it is used."""
    return create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=4,
        connect_args={"connect_timeout": 10, "options": "-c timezone=UTC -c lock_timeout=30s"},
    )


class Session:
    """What every room of the catalog stands on."""

    def __init__(self, engine: Engine, random: Callable[[int], bytes]) -> None:
        self._engine = engine
        self._random = random

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction. Unavailable where PostgreSQL is away; nothing of a statement is quoted."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except (OperationalError, InterfaceError) as fault:
            kind = type(fault.orig).__name__
            raise Unavailable("catalog", kind, "is PostgreSQL up?") from None

    def now(self, tx: Connection) -> datetime:
        """The one clock: PostgreSQL's, shifted only in a state folder made with a test clock."""
        return tx.execute(text("SELECT consigne_now()")).scalar_one()  # type: ignore[no-any-return]

    def clock_shift(self, tx: Connection) -> tuple[bool, int]:
        """Whether this is a test clock, and its shift in seconds: certificates say so."""
        row = tx.execute(text("SELECT test, offset_s FROM clock")).one()
        return bool(row.test), int(row.offset_s)

    def append(
        self, tx: Connection, actor: str, kind: str, entries: Sequence[Mapping[str, object]]
    ) -> list[bytes]:
        """Register rows that commit with the act; `kind` is `source:subject:action`. Fields are identifiers,
        codes and digests, never content. Returns the leaves."""
        at = iso(self.now(tx))
        rows: list[dict[str, Any]] = []
        for fields in entries:
            salt = self._random(SALT_BYTES)
            payload = encode_payload({"at": at, "kind": kind, "actor": actor, **fields})
            subjects = sorted({found.decode() for found in _IDENTIFIER.findall(payload)} | {kind})
            rows.append({"salt": salt, "payload": payload, "leaf": leaf(salt, payload), "subjects": subjects})
        if rows:
            tx.execute(insert(register).inline(), rows)  # no RETURNING: roles may only add
        return [row["leaf"] for row in rows]
