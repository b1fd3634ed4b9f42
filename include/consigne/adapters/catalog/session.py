"""A connection to the catalog: transactions, the clock and the register. SQLAlchemy Core on psycopg 3."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

import psycopg
from sqlalchemy import Connection, Engine, create_engine, insert, text
from sqlalchemy.exc import InterfaceError, OperationalError, PendingRollbackError

from consigne.adapters.catalog.copied import Entry, copy_entries
from consigne.adapters.catalog.tables import register
from consigne.rules.clock import iso
from consigne.rules.errors import Unavailable
from consigne.rules.evidence.entry import SALT_BYTES, encode_payloads, leaf

_IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_IDENTIFIER_CHARS = 36
_WHY = frozenset(("code", "ground", "reason"))
_CODE = re.compile(r"[a-z][a-z0-9_]{0,47}")
_FEW = 200  # beyond it COPY is quicker
# The third where somebody tidied up on a connection that was lost: Alembic does.
_AWAY = (OperationalError, InterfaceError, PendingRollbackError, psycopg.OperationalError)


def open_engine(url: str) -> Engine:
    """Parameters stay out of messages; a dead connection is noticed before it is used."""
    return create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=4,
        connect_args={
            "connect_timeout": 10,
            "options": "-c timezone=UTC -c lock_timeout=30s -c max_parallel_workers_per_gather=0",
        },
    )


@contextmanager
def terse(advice: str = "is PostgreSQL up?") -> Iterator[None]:
    """What PostgreSQL could not do now as Unavailable, with nothing of a statement in it."""
    try:
        yield
    except _AWAY as fault:
        kind = type(getattr(fault, "orig", fault)).__name__
        raise Unavailable("catalog", kind, advice) from None


class Session:
    """What every room of the catalog stands on."""

    def __init__(self, engine: Engine, random: Callable[[int], bytes]) -> None:
        self._engine = engine
        self._random = random

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction. Unavailable where PostgreSQL is away; nothing of a statement is quoted."""
        with terse(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """A connection without a transaction, for what PostgreSQL does in none. Faults as above."""
        apart = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with terse(), apart.connect() as connection:
            yield connection

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
        common = {"at": iso(self.now(tx)), "kind": kind, "actor": actor}
        shared = [f"actor:{actor}", kind]
        made = _made(common, entries, self._random(SALT_BYTES * len(entries)))
        if len(entries) > _FEW:
            return copy_entries(tx, made, shared)
        rows, leaves = [], []
        for salt, payload, digest, names in made:
            rows.append({"salt": salt, "payload": payload, "leaf": digest, "subjects": names + shared})
            leaves.append(digest)
        if rows:
            tx.execute(insert(register).inline(), rows)  # no RETURNING: roles may only add
        return leaves


def _made(
    common: Mapping[str, object], entries: Sequence[Mapping[str, object]], salts: bytes
) -> Iterator[Entry]:
    payloads = encode_payloads(common, entries)
    for at, (fields, payload) in enumerate(zip(entries, payloads, strict=True)):
        salt = salts[at * SALT_BYTES : (at + 1) * SALT_BYTES]
        yield salt, payload, leaf(salt, payload), _names(fields, payload)


def _names(fields: Mapping[str, object], payload: bytes) -> list[str]:
    """What an entry is found by, beside its kind and who acted: every identifier that it names, and why it was done
    (`why:` and the code, as it stands in one of _WHY)."""
    found: list[str] = []
    if not _WHY.isdisjoint(fields):
        codes = [fields[name] for name in _WHY.intersection(fields)]
        found += [f"why:{code}" for code in codes if isinstance(code, str) and _CODE.fullmatch(code)]
    for value in fields.values():
        if isinstance(value, str):
            if len(value) >= _IDENTIFIER_CHARS:
                found += _IDENTIFIER.findall(value)
        elif not isinstance(value, (int, type(None))):
            found += _IDENTIFIER.findall(payload.decode("ascii"))
    return found if len(found) < 2 else sorted(set(found))
