"""An entry of the register: what is told, and the 32 bytes that the tree keeps of it.

leaf = SHA-256(salt (32 bytes) ‖ canonical payload). Salt and payload can be purged when their period ends;
the leaf stays, and without the salt nobody can try names against it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256

from consigne.rules.evidence.canonical import encode_alike
from consigne.rules.evidence.errors import Malformed

SALT_BYTES = 32
REQUIRED = ("at", "kind", "actor")

_KIND = re.compile(r"[a-z][a-z0-9_-]*(:[a-z][a-z0-9_-]*){1,3}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


def is_instant(value: object) -> bool:
    """Whether it is a UTC instant in milliseconds, as `2026-11-20T08:14:03.000Z`: sorts as text."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value[:-1])
    except ValueError:
        return False
    return True


def encode_payload(fields: Mapping[str, object]) -> bytes:
    """The canonical payload of an entry.

    An open dict; required: `at` (UTC instant, ms), `kind` (a tag `source:subject:action`, such as
    `ingest:artifact:stored`), `actor` (user or part that acts). Usual beside them: `id`, `subject` or
    `subjects`, `purpose`, `reason`, `outcome`, `policy` (digest). Malformed names the field that is wrong.
    """
    [payload] = encode_payloads(fields, [{}])
    return payload


def encode_payloads(common: Mapping[str, object], entries: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    """The payloads of entries that share `at`, `kind`, `actor` and whatever else `common` has, one by one."""
    if not is_instant(common.get("at")):
        raise Malformed("bad_field", "at")
    kind, actor = common.get("kind"), common.get("actor")
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise Malformed("bad_field", "kind")
    if not isinstance(actor, str) or not actor:
        raise Malformed("bad_field", "actor")
    return encode_alike(common, entries)


def leaf(salt: bytes, payload: bytes) -> bytes:
    """SHA-256(salt ‖ payload), 32 bytes; the salt is 32 random bytes of this entry's own."""
    if len(salt) != SALT_BYTES:
        raise Malformed("bad_field", "salt")
    return sha256(salt + payload).digest()
