"""Tombstones as the evidence bucket holds them: a line of canonical JSON, signed where the keyring answered.

What falls due goes even while the keyring is away, so a signature is never a precondition of erasing; what an
unsigned one is worth when a backup comes back, `acts.replay` says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from consigne.acts.journey import Platform
from consigne.acts.ports import Erasure
from consigne.rules.clock import iso
from consigne.rules.errors import Unavailable
from consigne.rules.evidence.errors import Malformed, Unproven
from consigne.rules.evidence.signature import sign_note
from consigne.rules.evidence.tombstone import Tombstone, open_tombstones, read_lines, tombstones_body

ROOM = "tombstones/"
CHUNK = 1_000
STATEMENT_BYTES = 1024 * 1024
"""Signed at once: a thousand, unless epochs were turned over often. A key server takes no longer ones (rights.py)."""


def tombstone(erasure: Erasure) -> dict[str, object]:
    """What outlives an artifact: keyed digests and dates, no content (docs/formats.md)."""
    return {
        "artifact": str(erasure.artifact), "recording": str(erasure.recording), "purpose": erasure.purpose,
        "part": erasure.part, "epoch": erasure.epoch, "attempt": str(erasure.attempt), "object": erasure.object,
        "identity_digest": erasure.identity_digest.hex(), "audio_digest": erasure.audio_digest.hex(),
        "key_version": erasure.key_version, "ground": erasure.ground, "erasing_at": iso(erasure.erasing_at),
        "earlier_epochs": sorted({*erasure.earlier_epochs} - {erasure.epoch}),
    }  # fmt: skip


def publish_tombstones(platform: Platform, erasures: Sequence[Erasure], kept: timedelta) -> bool:
    """Put these into the evidence bucket, locked so long, in one object or, where they are long, in several: canonical
    JSON and one newline, then, unless the keyring is away, a signed note's empty line and signature. Whether all are
    signed."""
    signed = []
    for some in _statements(erasures):
        data, is_signed = _write(platform, some)
        _put(platform, some, data, kept)
        signed.append(is_signed)
    return all(signed)


def sign_tombstones(platform: Platform, kept: timedelta) -> None:
    """Publish again, signed, what went out while the keyring was away: else a backup that came back would not believe
    it. Run again, it goes on."""
    while True:
        with platform.catalog.begin() as tx:
            erasures = platform.catalog.unsigned_erasures(tx, CHUNK)
        for some in _statements(erasures):
            data, is_signed = _write(platform, some)
            if not is_signed:
                return
            _put(platform, some, data, kept)
            with platform.catalog.begin() as tx:
                now = platform.catalog.now(tx)
                platform.catalog.mark_erasures(tx, [one.artifact for one in some], signed_at=now)
        if not erasures:
            return


def _statements(erasures: Sequence[Erasure]) -> Iterator[Sequence[Erasure]]:
    """In their order, as many at once as STATEMENT_BYTES holds, and at least one."""
    first, room = 0, STATEMENT_BYTES
    for at, erasure in enumerate(erasures):
        size = len(json.dumps(tombstone(erasure)))  # with the blanks after commas, more than canonical JSON
        if first < at and size > room:
            yield erasures[first:at]
            first, room = at, STATEMENT_BYTES
        room -= size
    if erasures:
        yield erasures[first:]


def _put(platform: Platform, erasures: Sequence[Erasure], data: bytes, kept: timedelta) -> None:
    # Under its newest: a catalog that came back looks for what is named later than the newest that it knows.
    newest = max(erasure.erasing_at for erasure in erasures)
    name = f"{ROOM}{iso(newest)}-{hashlib.sha256(data).hexdigest()[:32]}"
    platform.store.publish(name, data, platform.store.server_time() + kept)


def _write(platform: Platform, erasures: Sequence[Erasure]) -> tuple[bytes, bool]:
    body = tombstones_body([tombstone(erasure) for erasure in erasures])
    try:
        signature = platform.keyring.sign(body)
        public_key = platform.keyring.public_keys()[signature.key]
    except Unavailable:
        return body, False
    return sign_note(body, signature.key, lambda _: signature.bytes, public_key), True


def read_tombstones(data: bytes, keys: Mapping[str, bytes]) -> tuple[list[Tombstone], bool]:
    """The tombstones of an object, and whether a known key signed them; none where it is no object of ours."""
    try:
        found = open_tombstones(data, keys)
        return [*found.tombstones], found.key_name is not None
    except Unproven:
        return _unproven(data.partition(b"\n")[0] + b"\n"), False
    except Malformed:
        return [], False


def _unproven(body: bytes) -> list[Tombstone]:
    try:
        return read_lines(body)
    except Malformed:
        return []
