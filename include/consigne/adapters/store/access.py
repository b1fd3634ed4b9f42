"""Who may do what in MinIO, generated from the policy, and a server brought in line with it.

Every identity is closed twice: it is allowed a few actions on a few names, and denied the others
everywhere, so that neither a policy attached by accident nor a resource `bucket/*`, which in MinIO also
matches the bucket itself, widens it. (Not by `NotAction`: MinIO takes it and then cannot list its policies.)
No condition rests on tags or addresses: both can be forged there.

- `ingest` puts into `recordings`, only with SSE-KMS, and reads nothing back.
- `listen-<purpose>` gets objects under its purpose's prefix.
- `expire` lists and deletes versions and uploads; it neither gets nor puts. MinIO asks for DeleteObject
  even where a version is named, so it could also write delete markers: they hide, they destroy nothing.
  It may ask which drives are there.
- `reconcile` lists versions and uploads and asks for the head of one, which MinIO grants only with
  GetObjectVersion: what it could read in `recordings` are envelopes, noise without their keys.
- `evidence` puts into `evidence` under compliance lock, and can lengthen a lock, never shorten it.
- `evidence-reader` lists and reads `evidence`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from minio import Minio, MinioAdmin
from minio.commonconfig import COMPLIANCE, ENABLED, Filter
from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException, S3Error
from minio.lifecycleconfig import Expiration, LifecycleConfig, Rule
from minio.objectlockconfig import YEARS, ObjectLockConfig
from minio.sseconfig import Rule as EncryptionRule
from minio.sseconfig import SSEConfig
from minio.versioningconfig import VersioningConfig

from consigne.adapters.store.minio import EVIDENCE, KMS, RECORDINGS, connect, open_pool, translated
from consigne.rules.access import prefixes
from consigne.rules.errors import Misconfigured, Unavailable
from consigne.rules.policy.model import Policy

EVIDENCE_YEARS: Final = 10
"""How long `evidence` locks what comes without a date of its own."""

_WITH_KMS: Final = {"StringEquals": {"s3:x-amz-server-side-encryption": [KMS]}}
_LOCKED: Final = {"StringEquals": {"s3:object-lock-mode": [COMPLIANCE]}}
_CONTENT: Final = frozenset(
    "s3:" + action
    for action in (
        "GetObject", "GetObjectVersion", "PutObject", "PutObjectRetention", "DeleteObject", "DeleteObjectVersion",
        "AbortMultipartUpload", "ListBucket", "ListBucketVersions", "ListBucketMultipartUploads",
    )
)  # fmt: skip
"""What some identity may do; each is denied what of this it was not granted."""
_NEVER: Final = frozenset(
    "s3:" + action
    for action in (
        "CreateBucket", "DeleteBucket*", "ForceDeleteBucket", "PutBucket*", "PutEncryptionConfiguration",
        "PutLifecycleConfiguration", "PutReplicationConfiguration", "ResetBucketReplicationState",
        "BypassGovernanceRetention", "PutObjectLegalHold", "PutObjectFanOut", "PutObjectTagging",
        "PutObjectVersionTagging", "DeleteObjectTagging", "DeleteObjectVersionTagging", "Replicate*",
        "RestoreObject",
    )
)  # fmt: skip
_OURS: Final = "consigne-"
# Superseded versions stay: the recorded one may be among them, and only `expire` ends its life. MinIO has no
# rule for incomplete uploads; it drops them by itself after 24 hours (`stale_uploads_expiry`).
_BACKSTOP: Final = LifecycleConfig(
    [Rule(ENABLED, Filter(prefix=""), "markers", expiration=Expiration(expired_object_delete_marker=True))]
)


@dataclass(frozen=True, slots=True)
class _Grant:
    actions: Sequence[str]
    names: Sequence[str]
    condition: Mapping[str, Mapping[str, Sequence[str]]] | None = None


def identities(policy: Policy) -> dict[str, dict[str, Any]]:
    """Identity → MinIO policy document."""
    objects, evidence = f"{RECORDINGS}/*", f"{EVIDENCE}/*"
    reading = ["s3:GetObject", "s3:GetObjectVersion"]
    grants = {
        "ingest": [_Grant(["s3:PutObject"], [objects], _WITH_KMS)],
        "expire": [
            _Grant(["s3:ListBucketVersions", "s3:ListBucketMultipartUploads"], [RECORDINGS]),
            _Grant(["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"], [objects]),
            _Grant(["admin:StorageInfo"], []),
        ],
        "reconcile": [
            _Grant(["s3:ListBucketVersions", "s3:ListBucketMultipartUploads"], [RECORDINGS]),
            _Grant(reading, [objects]),
        ],
        "evidence": [
            _Grant(["s3:PutObject"], [evidence], _LOCKED),
            _Grant(["s3:PutObjectRetention"], [evidence]),
        ],
        "evidence-reader": [_Grant(["s3:ListBucketVersions"], [EVIDENCE]), _Grant(reading, [evidence])],
    }
    listeners = {
        identity: [_Grant(reading, [f"{RECORDINGS}/{prefix}*"])]
        for identity, prefix in prefixes(policy).items()
    }
    return {identity: _document(given) for identity, given in (grants | listeners).items()}


def configure_store(
    endpoint: str,
    region: str,
    secure: bool,
    admin: tuple[str, str],
    policy: Policy,
    credentials: Mapping[str, tuple[str, str]],
) -> list[str]:
    """Bring buckets, identities and their rights in line; returns what was changed: nothing at a second call.

    `credentials` holds (access key, secret key) for each of `identities(policy)`. What carries our rights
    under another access key, such as the listener of a purpose that the policy no longer has, is disabled.
    Misconfigured where the server has no KMS, or an `evidence` bucket without lock.
    """
    pool = open_pool()
    client = connect(endpoint, region, secure, admin, pool)
    server = MinioAdmin(
        endpoint=endpoint, credentials=StaticProvider(*admin), region=region, secure=secure, http_client=pool
    )
    wanted = identities(policy)
    with translated("apply"), _administered("apply"):
        changes = _make_recordings(client, default_key(server)) + _make_evidence(client)
        for bucket in (RECORDINGS, EVIDENCE):
            changes += _close_to_strangers(client, bucket)
        changes += _write_rights(server, wanted)
        users = json.loads(server.user_list())
        for identity in wanted:
            pair = credentials[identity]
            itself = connect(endpoint, region, secure, pair, pool)
            changes += _make_identity(server, users.get(pair[0]), identity, pair, itself)
        return changes + _disable_others(server, users, {credentials[identity][0] for identity in wanted})


def default_key(server: MinioAdmin) -> str:
    """Name of the KMS's default key, which has just encrypted and decrypted; Misconfigured without."""
    try:
        status = json.loads(server.kms_key_status())
    except MinioAdminException:
        status = {}
    failed = {name for name in status if name.endswith("-error")}
    if not status.get("key-id") or failed:
        raise Misconfigured("kms_probe_failed", "kms", "MinIO runs without a working KMS key")
    return str(status["key-id"])


def _document(grants: Sequence[_Grant]) -> dict[str, Any]:
    statements: list[dict[str, Any]] = []
    for grant in grants:
        statement: dict[str, Any] = {"Effect": "Allow", "Action": sorted(grant.actions)}
        if grant.names:  # what asks about the server names none
            statement["Resource"] = sorted(f"arn:aws:s3:::{name}" for name in grant.names)
        statements.append(statement | ({"Condition": grant.condition} if grant.condition else {}))
    denied = sorted((_CONTENT | _NEVER) - {action for grant in grants for action in grant.actions})
    statements.append({"Effect": "Deny", "Action": denied, "Resource": ["arn:aws:s3:::*"]})
    return {"Version": "2012-10-17", "Statement": statements}


def _make_recordings(client: Minio, key: str) -> list[str]:
    changes = _make_bucket(client, RECORDINGS, locked=False)
    if client.get_bucket_versioning(RECORDINGS).status != ENABLED:
        client.set_bucket_versioning(RECORDINGS, VersioningConfig(ENABLED))
        changes.append(f"bucket {RECORDINGS}: versioned")
    encryption, wanted = client.get_bucket_encryption(RECORDINGS), EncryptionRule.new_sse_kms_rule(key)
    if encryption is None or encryption.rule != wanted:
        client.set_bucket_encryption(RECORDINGS, SSEConfig(wanted))
        changes.append(f"bucket {RECORDINGS}: encrypted by default")
    if client.get_bucket_lifecycle(RECORDINGS) is None:
        client.set_bucket_lifecycle(RECORDINGS, _BACKSTOP)
        changes.append(f"bucket {RECORDINGS}: backstop written")
    return changes


def _make_evidence(client: Minio) -> list[str]:
    changes = _make_bucket(client, EVIDENCE, locked=True)
    try:
        lock = client.get_object_lock_config(EVIDENCE)
    except S3Error as fault:
        if fault.code != "ObjectLockConfigurationNotFoundError":
            raise
        raise Misconfigured(
            "evidence_not_locked", EVIDENCE, "a bucket is locked from its making or never"
        ) from None
    if (lock.mode, lock.duration, lock.duration_unit) != (COMPLIANCE, EVIDENCE_YEARS, YEARS):
        client.set_object_lock_config(EVIDENCE, ObjectLockConfig(COMPLIANCE, EVIDENCE_YEARS, YEARS))
        changes.append(f"bucket {EVIDENCE}: locked by default")
    return changes


def _make_bucket(client: Minio, bucket: str, locked: bool) -> list[str]:
    if client.bucket_exists(bucket):
        return []
    client.make_bucket(bucket, object_lock=locked)
    return [f"bucket {bucket}: made"]


def _close_to_strangers(client: Minio, bucket: str) -> list[str]:
    try:
        client.get_bucket_policy(bucket)
    except S3Error as fault:
        if fault.code != "NoSuchBucketPolicy":
            raise
        return []
    client.delete_bucket_policy(bucket)
    return [f"bucket {bucket}: anonymous access removed"]


def _write_rights(server: MinioAdmin, wanted: Mapping[str, dict[str, Any]]) -> list[str]:
    there = json.loads(server.policy_list())
    changed = [
        identity
        for identity, document in wanted.items()
        if _unordered(there.get(_OURS + identity)) != _unordered(document)
    ]
    for identity in changed:
        server.policy_add(_OURS + identity, policy=wanted[identity])
    return [f"identity {identity}: rights written" for identity in changed]


def _make_identity(
    server: MinioAdmin, user: Mapping[str, str] | None, identity: str, pair: tuple[str, str], itself: Minio
) -> list[str]:
    changes = []
    if user is None or user["status"] != "enabled" or not _knows(itself):
        server.user_add(*pair)
        changes.append(f"identity {identity}: made")
    if user is None or user.get("policyName") != _OURS + identity:
        server.policy_set(_OURS + identity, user=pair[0])
        changes.append(f"identity {identity}: rights attached")
    return changes


def _disable_others(
    server: MinioAdmin, users: Mapping[str, Mapping[str, str]], wanted: set[str]
) -> list[str]:
    changes = []
    for access_key, user in users.items():
        rights = user.get("policyName", "")
        if rights.startswith(_OURS) and access_key not in wanted and user["status"] == "enabled":
            server.user_disable(access_key)
            changes.append(f"identity {rights.removeprefix(_OURS)}: disabled")
    return changes


def _knows(client: Minio) -> bool:
    """Whether the server accepts the client's secret; what it may do is another matter."""
    try:
        client.list_buckets()
    except S3Error as fault:
        return bool(fault.code == "AccessDenied")
    return True


def _unordered(value: Any) -> Any:
    """Lists in one order, since MinIO keeps sets."""
    if isinstance(value, dict):
        return {key: _unordered(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted(map(_unordered, value), key=lambda inner: json.dumps(inner, sort_keys=True))
    return value


@contextmanager
def _administered(operation: str) -> Iterator[None]:
    try:
        yield
    except MinioAdminException as fault:
        if fault._code.startswith("5"):
            raise Unavailable("store", operation) from None
        raise Misconfigured("store_refused", f"{operation}: admin {fault._code}") from None
