"""MinIO as `acts.ports.Store`: one client per identity, each with its own rights (`store/access.py`).

Objects are written by a single PUT that this module signs itself: minio-py would hash the body a second
time and might split it into parts. The signature covers the caller's SHA-256, which the server checks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256 as hash_sha256
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import quote, urlsplit
from xml.etree.ElementTree import ParseError

from minio import Minio
from minio.credentials.credentials import Credentials
from minio.datatypes import ListMultipartUploadsResult, Object, parse_list_objects
from minio.deleteobjects import DeleteObject
from minio.error import MinioException, S3Error
from minio.signer import sign_v4_s3
from minio.time import to_amz_date, utcnow
from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from consigne.acts.ports import ObjectFacts, ObjectVersion, Stored, Upload
from consigne.adapters.store.asking import Answer, Asker
from consigne.rules.drives import Drive
from consigne.rules.errors import Conflict, ConsigneError, Misconfigured, Unavailable
from consigne.rules.reconcile import Listed

RECORDINGS: Final = "recordings"
EVIDENCE: Final = "evidence"
KMS: Final = "aws:kms"
ENCRYPTION: Final = "x-amz-server-side-encryption"
_ABSENT: Final = frozenset({"NoSuchKey", "NoSuchVersion", "MethodNotAllowed"})  # the last: a delete marker
_RETRIABLE: Final = frozenset({"SlowDown", "RequestTimeout", "XAmzContentSHA256Mismatch", "IncompleteBody"})

# A PUT whose answer was lost may be carried out: sent again, it would leave a second version beside the recorded one.
_PUT_RETRIES: Final = Retry(total=2, read=0, other=0, backoff_factor=0.2, status_forcelist=[503])


class MinioStore:
    """`credentials(identity)` gives (access key, secret key) for `ingest`, `listen-<purpose>`, `expire`,
    `reconcile`, `evidence` and `evidence-reader`; it is asked only for the identities that a process uses. `lister`
    lists `recordings`: `expire`, or `reconcile` where nothing is deleted."""

    def __init__(
        self,
        endpoint: str,
        region: str,
        secure: bool,
        credentials: Callable[[str], tuple[str, str]],
        lister: str = "expire",
    ) -> None:
        self._endpoint, self._region, self._secure = endpoint, region, secure
        self._credentials, self._lister = credentials, lister
        self._pool = open_pool()
        self._asker = Asker(endpoint, region, secure)
        self._clients: dict[str, Minio] = {}

    def put(self, object: str, data: bytes | bytearray | memoryview, sha256: bytes) -> Stored:
        # The default of the bucket would do; the policy of `ingest` wants it said.
        version = self._put("ingest", RECORDINGS, object, data, sha256, {ENCRYPTION: KMS})
        return Stored(object, version, len(data))

    def get(self, purpose: str, object: str, version: str) -> bytes:
        return self._get(f"listen-{purpose}", RECORDINGS, object, version)

    def inspect(self, object: str, version: str) -> ObjectFacts | None:
        try:
            with translated("inspect"):
                found = self._as("reconcile").stat_object(RECORDINGS, object, version_id=version)
        except Conflict:
            return None
        headers = found.metadata or {}
        return ObjectFacts(found.size or 0, headers.get(ENCRYPTION))

    def list_versions(self, prefix: str) -> list[ObjectVersion]:
        return list(self.versions_after(prefix))

    def versions_after(self, prefix: str, after: str = "") -> Iterator[ObjectVersion]:
        return self._walk(self._lister, RECORDINGS, prefix, after)

    def walk_versions(self) -> Iterator[Listed]:
        for item in self._listed("reconcile", RECORDINGS, ""):
            if item.last_modified is None:
                raise Unavailable("store", "list: no date")
            yield Listed(
                item.object_name or "", item.version_id or "null", item.is_delete_marker, item.last_modified
            )

    def list_uploads(self, prefix: str) -> list[Upload]:
        # MinIO lists either all uploads that its memory knows, or those of one exact name from its disks.
        found = {upload: None for asked in {"", prefix} for upload in self.list_uploads_of(asked)}
        return [upload for upload in found if upload.object.startswith(prefix)]

    def list_uploads_of(self, object: str) -> list[Upload]:
        asked = {
            "uploads": "",
            "delimiter": "",
            "encoding-type": "url",
            "max-uploads": "1000",
            "prefix": object,
        }
        with translated("list"):
            found = ListMultipartUploadsResult(self._ask(self._lister, RECORDINGS, asked))
        if found.is_truncated:
            raise Unavailable("too_many_uploads", RECORDINGS)
        return [Upload(item.object_name, item.upload_id or "") for item in found.uploads]

    def delete_versions(self, versions: Sequence[ObjectVersion]) -> None:
        targets = [DeleteObject(version.object, version.version) for version in versions]
        with translated("delete"):
            failed = list(self._as("expire").remove_objects(RECORDINGS, targets))
        if failed:
            raise Unavailable("not_deleted", f"{len(failed)} versions: {failed[0].code}")

    def abort_uploads(self, uploads: Sequence[Upload]) -> None:
        client = self._as("expire")
        for upload in uploads:
            try:
                with translated("abort"):
                    client._abort_multipart_upload(RECORDINGS, upload.object, upload.upload)
            except Conflict:
                continue  # gone already

    def publish(self, name: str, data: bytes, retain_until: datetime) -> str:
        lock = {
            "x-amz-object-lock-mode": "COMPLIANCE",
            "x-amz-object-lock-retain-until-date": retain_until.astimezone(UTC).strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            ),
        }
        return self._put("evidence", EVIDENCE, name, data, hash_sha256(data).digest(), lock)

    def read_evidence(self, name: str, version: str | None = None) -> bytes:
        return self._get("evidence-reader", EVIDENCE, name, version)

    def list_evidence(self, prefix: str, after: str = "") -> list[ObjectVersion]:
        return list(self._walk("evidence-reader", EVIDENCE, prefix, after))

    def drives(self) -> list[Drive]:
        with translated("drives"):
            answer = self._asker.ask(self._credentials("expire"), "minio/admin/v3/storageinfo", {})
        if answer.status == 403:  # told in JSON
            raise Misconfigured("store_refused", "drives", "run `consigne apply`")
        if answer.status != 200:
            raise _refusal(answer)
        return [
            Drive(one["endpoint"], f"{one['pool_index']}/{one['set_index']}", one["state"] == "ok")
            for one in json.loads(answer.data)["Disks"]
        ]

    def server_time(self) -> datetime:
        # Any answer carries it, a refusal too; no identity is needed.
        with translated("server_time"):
            answer = self._pool.request("HEAD", f"{self._base()}/", retries=False)
        try:
            return parsedate_to_datetime(answer.headers.get("Date", "")).astimezone(UTC)
        except ValueError:
            raise Unavailable("store", "server_time") from None

    def _put(
        self, identity: str, bucket: str, object: str, data: bytes | bytearray | memoryview, sha256: bytes,
        headers: Mapping[str, str],
    ) -> str:  # fmt: skip
        url, date = urlsplit(f"{self._base()}/{bucket}/{quote(object)}"), utcnow()
        access_key, secret_key = self._credentials(identity)
        signed = sign_v4_s3(
            method="PUT",
            url=url,
            region=self._region,
            headers={
                "Host": url.netloc,
                "Content-Type": "application/octet-stream",
                "x-amz-content-sha256": sha256.hex(),
                "x-amz-date": to_amz_date(date),
                **headers,
            },
            credentials=Credentials(access_key, secret_key),
            content_sha256=sha256.hex(),
            date=date,
        )
        with translated("put"):
            answer = self._pool.urlopen("PUT", url.geturl(), body=data, headers=signed, retries=_PUT_RETRIES)
            if answer.status != 200:
                raise _refusal(answer)
        version = answer.headers.get("x-amz-version-id")
        if not version:
            raise Misconfigured("not_versioned", bucket, "run `consigne apply`")
        return version

    def _get(self, identity: str, bucket: str, object: str, version: str | None) -> bytes:
        with translated("get"):
            answer = self._as(identity).get_object(bucket, object, version_id=version)
            try:
                data: bytes = answer.read()
                return data
            finally:
                answer.close()
                answer.release_conn()

    def _walk(self, identity: str, bucket: str, prefix: str, after: str = "") -> Iterator[ObjectVersion]:
        for item in self._listed(identity, bucket, prefix, after):
            name, version = item.object_name or "", item.version_id or "null"
            yield ObjectVersion(name, version, item.is_delete_marker, item.last_modified)

    def _listed(self, identity: str, bucket: str, prefix: str, after: str = "") -> Iterator[Object]:
        """Versions and markers by name, a page of a thousand at a time."""
        at, more = {"key-marker": after, "version-id-marker": ""}, True
        while more:
            asked = {
                "versions": "",
                "delimiter": "",
                "encoding-type": "url",
                "max-keys": "1000",
                "prefix": prefix,
            }
            with translated("list"):
                answer = self._ask(identity, bucket, asked | at)
                page, more, key, version = parse_list_objects(answer)
            at = {"key-marker": key or "", "version-id-marker": version or ""}
            # A page names its markers after all of its versions.
            yield from sorted(page, key=lambda one: one.object_name or "")

    def _ask(self, identity: str, bucket: str, query: Mapping[str, str]) -> Any:
        """A listing's answer, for minio-py's readers."""
        answer = self._asker.ask(self._credentials(identity), bucket, query)
        if answer.status != 200:
            raise _refusal(answer)
        return answer

    def _as(self, identity: str) -> Minio:
        if identity not in self._clients:
            self._clients[identity] = connect(
                self._endpoint, self._region, self._secure, self._credentials(identity), self._pool
            )
        return self._clients[identity]

    def _base(self) -> str:
        return f"{'https' if self._secure else 'http'}://{self._endpoint}"


def open_pool() -> PoolManager:
    """Connections with time limits and few retries: a task's own retry is the patient one."""
    retries = Retry(total=2, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504])
    return PoolManager(timeout=Timeout(connect=5, read=60), maxsize=10, retries=retries)


def connect(
    endpoint: str, region: str, secure: bool, credentials: tuple[str, str], pool: PoolManager
) -> Minio:
    """A client for one identity. The region is given, since most identities may not ask for it."""
    access_key, secret_key = credentials
    return Minio(
        endpoint, access_key=access_key, secret_key=secret_key, secure=secure, region=region, http_client=pool
    )


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """The client's faults as Consigne's: Conflict('absent'), Misconfigured or Unavailable('store')."""
    try:
        yield
    except S3Error as fault:
        raise _fault(fault, operation) from None
    except (MinioException, HTTPError, HTTPException, ParseError, OSError) as fault:
        raise Unavailable("store", f"{operation}: {type(fault).__name__}") from None


def _fault(fault: S3Error, operation: str) -> ConsigneError:
    where = f"{operation}: {fault.code}"
    if fault.code in _ABSENT:
        return Conflict("absent", where)
    if fault.code in _RETRIABLE or (fault.response.status >= 500 and fault.response.status != 501):
        return Unavailable("store", where)
    return Misconfigured("store_refused", where)


def _refusal(answer: BaseHTTPResponse | Answer) -> Exception:
    # What stands between us and MinIO may answer in no XML at all.
    try:
        fault: Exception = S3Error.fromxml(answer)
        return fault
    except ParseError:
        return Unavailable("store", str(answer.status), "is MinIO up?")
