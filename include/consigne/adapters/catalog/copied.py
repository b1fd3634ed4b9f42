"""Many entries of the register at once: PostgreSQL's binary COPY (its manual, COPY, *Binary Format*)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from struct import Struct
from typing import TypeAlias

import psycopg
from sqlalchemy import Connection

_COPY = "COPY register (salt, payload, leaf, subjects) FROM STDIN (FORMAT BINARY)"
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_FIRST, _SECOND = Struct(">hi32si"), Struct(">i32siiiiii")
_LENGTH = Struct(">i")
_COLUMNS, _TEXT_OID, _ARRAY_BYTES = 4, 25, 20
_BATCH = 200  # fits what a socket holds, so that PostgreSQL stores some while the next are made


Entry: TypeAlias = tuple[bytes, bytes, bytes, list[str]]
"""What is new of a row of `register`: salt (32 bytes), payload, leaf (32 bytes), and what it alone is found by."""


def copy_entries(tx: Connection, rows: Iterator[Entry], shared: Sequence[str]) -> list[bytes]:
    """Add them within the transaction while they are made; asks for INSERT alone. `shared`: what all are found by.
    Returns the leaves."""
    connection = tx.connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    leaves: list[bytes] = []
    last = b"".join(map(_text, shared))
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(_HEADER)
        while batch := list(islice(rows, _BATCH)):
            copy.write(b"".join(_pack(batch, len(shared), last)))
            leaves += [leaf for _, _, leaf, _ in batch]
        copy.write(_END)
    return leaves


def _pack(batch: Sequence[Entry], shared: int, last: bytes) -> Iterator[bytes]:
    first, second = _FIRST.pack, _SECOND.pack
    for salt, payload, leaf, names in batch:
        own = b"".join(map(_text, names))
        yield first(_COLUMNS, 32, salt, len(payload))
        yield payload
        array = _ARRAY_BYTES + len(own) + len(last)
        yield second(32, leaf, array, 1, 0, _TEXT_OID, len(names) + shared, 1)
        yield own
        yield last


def _text(name: str) -> bytes:
    data = name.encode()
    return _LENGTH.pack(len(data)) + data
