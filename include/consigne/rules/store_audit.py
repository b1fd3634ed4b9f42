"""MinIO's audit log: which of its records concern content, and the little that is kept of each.

A record holds headers with signatures and the client's address: neither is kept. What Consigne does in the
ordinary way (`ingest` puts, `expire` lists and deletes, `reconcile` asks for heads, `evidence` publishes,
`evidence-reader` reads that) is no
news. The log is written after the answer and can be lost: it shows, it proves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from consigne.rules.clock import parse_instant
from consigne.rules.errors import BadInput

READS = frozenset({"GetObject", "CopyObject", "CopyObjectPart", "SelectObjectContent"})
WRITES = frozenset({"PutObject", "PutObjectPart", "CompleteMultipartUpload", "PostPolicyBucket", "PutObjectExtract"})  # fmt: skip
DELETIONS = frozenset({"DeleteObject", "DeleteMultipleObjects"})
RECORDINGS, EVIDENCE = "recordings", "evidence"
ROOT, UNKNOWN = "root", "unknown"
PROBE = "probe"
"""The object that `apply` puts, reads and deletes as root to prove the store's encryption; no artifact's name."""
LONGEST_NAME = 1024  # S3's limit of an object's name

_ORDINARY = {
    (RECORDINGS, "ingest"): WRITES,
    (RECORDINGS, "expire"): DELETIONS,
    (EVIDENCE, "evidence"): WRITES,
}


@dataclass(frozen=True, slots=True)
class Access:
    """One request to the store: its id there, when (UTC), by which identity of ours (else `root`, `unknown`)."""

    request: str
    at: datetime
    identity: str
    api: str
    bucket: str
    object: str
    version: str | None
    status: int


def read_audit(body: bytes, identity_of: Callable[[str], str | None]) -> Iterator[Access]:
    """What matters in a batch: records in JSON, one a line; `identity_of` names who has an access key. A line that is
    no record is passed over."""
    for line in body.splitlines():
        try:
            record = json.loads(line)
            found = _access(record, identity_of)
        except (ValueError, KeyError, TypeError, AttributeError, BadInput, RecursionError):
            continue
        if found is not None and _matters(found):
            yield found


def _access(record: Mapping[str, Any], identity_of: Callable[[str], str | None]) -> Access | None:
    api = record["api"]
    if api["name"] not in READS | WRITES | DELETIONS:
        return None
    # A service account or a session acts for its parent.
    keys = [str(record.get(name)) for name in ("parentUser", "accessKey")]
    identity = next(filter(None, map(identity_of, keys)), UNKNOWN)
    return Access(
        request=_text(record["requestID"]),
        at=parse_instant(record["time"]).astimezone(UTC),
        identity=identity,
        api=api["name"],
        bucket=_text(api["bucket"]),
        object=_text(api.get("object") or _first(api)),
        version=_text((record.get("requestQuery") or {}).get("versionId") or "") or None,
        status=int(api["statusCode"]),
    )


def _first(api: Mapping[str, Any]) -> str:
    objects = api.get("objects") or [{}]
    return str(objects[0].get("objectName", ""))


def _text(value: str) -> str:
    # PostgreSQL takes neither NUL nor half a surrogate pair.
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()[:LONGEST_NAME]


def _matters(found: Access) -> bool:
    if found.status >= 300 or found.api in _ORDINARY.get((found.bucket, found.identity), ()):
        return False
    if found.bucket == RECORDINGS:
        return not (found.identity == ROOT and found.object == PROBE and found.api in ("PutObject", "GetObject", "DeleteObject"))  # fmt: skip
    return found.bucket == EVIDENCE and found.api not in READS
