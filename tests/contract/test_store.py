"""The store's promises, on the fake and on a real MinIO, and who may do what there."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import pytest
import urllib3
from minio import Minio
from minio.commonconfig import COMPLIANCE, ENABLED, CopySource, Filter
from minio.error import S3Error
from minio.lifecycleconfig import Expiration, LifecycleConfig, Rule
from minio.retention import Retention
from minio.sse import SseKMS, SseS3

from consigne.acts import safe
from consigne.acts.ports import ObjectVersion, Store, Upload
from consigne.adapters.store.minio import EVIDENCE, RECORDINGS, MinioStore, connect, open_pool
from consigne.adapters.store.probe import probe
from consigne.rules.errors import Conflict, Misconfigured, Tampered, Unavailable
from consigne.rules.policy.load import load
from consigne.rules.policy.model import Policy
from consigne.rules.values import ArtifactName, Private
from contract.memory import MemoryKeyring, MemoryStore
from contract.servers import REGION, Server

SHIPPED = load((Path(__file__).parents[2] / "config/policy.yaml").read_text(encoding="utf-8")).policy


def with_purposes(*names: str) -> Policy:
    return replace(SHIPPED, purposes={name: SHIPPED.purposes[name] for name in names})


POLICY = with_purposes("training", "quality")


def bring_in_line(server: Server, policy: Policy = POLICY) -> list[str]:
    return server.bring_in_line(policy)


def root_of(server: Server) -> Minio:
    return connect(server.endpoint, REGION, False, server.root, open_pool())


@pytest.fixture(scope="module")
def made(server: Server) -> Server:
    """The session's server, in line with the policy."""
    bring_in_line(server)
    return server


class Store_(Store, Protocol):
    """A store with a back door."""

    def start_upload(self, object: str) -> None: ...
    def hide(self, object: str) -> None: ...


class MemoryBackDoor(MemoryStore):
    def start_upload(self, object: str) -> None:
        self.uploads.append(Upload(object, "an upload"))

    def hide(self, object: str) -> None:
        self.versions.append((object, "a marker", None))


class MinioBackDoor(MinioStore):
    root: Minio

    def start_upload(self, object: str) -> None:
        self.root._create_multipart_upload(RECORDINGS, object, {})

    def hide(self, object: str) -> None:
        self.root.remove_object(RECORDINGS, object)


def real_store(server: Server) -> MinioBackDoor:
    store = MinioBackDoor(server.endpoint, REGION, False, server.credentials)
    store.root = root_of(server)
    return store


@pytest.fixture(params=["memory", "minio"])
def store(request: pytest.FixtureRequest) -> Store_:
    if request.param == "memory":
        return MemoryBackDoor(lambda: datetime.now(UTC))
    return real_store(request.getfixturevalue("made"))


@pytest.fixture
def prefix() -> str:
    return f"training/2026/11/20/{uuid.uuid4()}/audio/"


def put(store: Store, object: str, data: bytes = b"noise") -> ObjectVersion:
    stored = store.put(object, data, hashlib.sha256(data).digest())
    assert (stored.object, stored.bytes) == (object, len(data))
    return ObjectVersion(object, stored.version, is_marker=False)


def test_what_is_put_is_got_by_version(store: Store, prefix: str) -> None:
    first, second = put(store, prefix + "a", b"one"), put(store, prefix + "a", b"two")
    assert store.get("training", first.object, first.version) == b"one"
    assert store.get("training", second.object, second.version) == b"two"
    for data in (bytearray(b"three"), memoryview(b"three"), b""):
        stored = store.put(prefix + "b", data, hashlib.sha256(data).digest())
        assert store.get("training", prefix + "b", stored.version) == bytes(data)


@pytest.mark.promise("P3")
def test_what_is_stored_is_encrypted_by_the_server(store: Store, prefix: str) -> None:
    version = put(store, prefix + "a", b"12345")
    facts = store.inspect(version.object, version.version)
    assert facts is not None
    assert (facts.bytes, facts.encryption) == (5, "aws:kms")


def test_a_body_that_is_not_what_it_says_is_not_stored(store: Store, prefix: str) -> None:
    with pytest.raises(Unavailable):
        store.put(prefix + "a", b"altered on its way", hashlib.sha256(b"sent").digest())
    assert store.list_versions(prefix) == []


@pytest.mark.promise("P3")
def test_a_listener_gets_nothing_of_another_purpose(store: Store, prefix: str) -> None:
    version = put(store, prefix + "a")
    with pytest.raises(Misconfigured):
        store.get("quality", version.object, version.version)


def test_what_is_not_there_is_absent(store: Store, prefix: str) -> None:
    nobody = str(uuid.uuid4())
    put(store, prefix + "a")
    assert store.inspect(prefix + "a", nobody) is None
    assert store.inspect(prefix + "b", nobody) is None
    for object in (prefix + "a", prefix + "b"):
        with pytest.raises(Conflict, match="absent"):
            store.get("training", object, nobody)
    with pytest.raises(Conflict, match="absent"):
        store.read_evidence(prefix)


@pytest.mark.promise("P6")
def test_every_version_marker_and_upload_is_listed_and_goes(store: Store_, prefix: str) -> None:
    versions = {put(store, prefix + "a", b"one"), put(store, prefix + "a", b"two"), put(store, prefix + "b")}
    elsewhere = put(store, prefix.replace("/audio/", "/transcript/") + "a")
    store.hide(prefix + "a")
    store.start_upload(prefix + "c")
    listed, uploads = store.list_versions(prefix), store.list_uploads(prefix)
    assert {version for version in listed if not version.is_marker} == versions
    assert [version.object for version in listed if version.is_marker] == [prefix + "a"]
    assert [upload.object for upload in uploads] == [prefix + "c"]
    assert store.list_uploads(prefix + "c") == uploads
    for _ in range(2):  # a second time changes nothing
        store.delete_versions(listed)
        store.abort_uploads(uploads)
        assert (store.list_versions(prefix), store.list_uploads(prefix)) == ([], [])
        assert all(store.inspect(version.object, version.version) is None for version in listed)
    assert store.list_versions(elsewhere.object) == [elsewhere]


@pytest.mark.promise("P6")
def test_versions_are_walked_by_name_from_a_place_on(store: Store_, prefix: str) -> None:
    names = [prefix + name for name in ("a", "b", "b c", "d%2F")]
    for name in names:
        put(store, name)
    store.hide(names[1])
    walked = list(store.versions_after(prefix))
    assert [version.object for version in walked] == [names[0], names[1], *names[1:]]
    assert [version.object for version in store.versions_after(prefix, after=names[1])] == names[2:]
    assert list(store.versions_after(prefix, after=names[3])) == []


@pytest.mark.promise("P6")
def test_an_uploads_exact_name_finds_it_alone(store: Store_, prefix: str) -> None:
    store.start_upload(prefix + "c")
    assert [upload.object for upload in store.list_uploads_of(prefix + "c")] == [prefix + "c"]
    assert store.list_uploads_of(prefix) == [] == store.list_uploads_of(prefix + "cc")
    assert prefix + "c" in {upload.object for upload in store.list_uploads("")}
    store.abort_uploads(store.list_uploads_of(prefix + "c"))


@pytest.mark.promise("P6")
def test_deleting_one_version_leaves_the_others(store: Store, prefix: str) -> None:
    one, two = put(store, prefix + "a", b"one"), put(store, prefix + "a", b"two")
    store.delete_versions([one])
    assert store.list_versions(prefix) == [two]
    store.delete_versions([])


def test_evidence_is_read_back_by_version(store: Store) -> None:
    name, until = f"checkpoints/{uuid.uuid4()}", datetime.now(UTC) + timedelta(days=1)
    first, second = store.publish(name, b"one", until), store.publish(name, b"two", until)
    assert [store.read_evidence(name, version) for version in (first, second)] == [b"one", b"two"]
    assert store.read_evidence(name) == b"two"
    assert {(held.object, held.version) for held in store.list_evidence(name)} == {
        (name, first),
        (name, second),
    }


def test_evidence_is_listed_from_a_name_on(store: Store) -> None:
    room, until = f"tombstones/{uuid.uuid4()}/", datetime.now(UTC) + timedelta(days=1)
    for name in ("2026-01-02", "2026-01-01", "2026-01-03", "2026-01-03"):
        store.publish(room + name, b"x", until)
    for after, left in (("2026-01-01T", 3), ("2026-01-02", 2), ("2026-01-03", 0), ("2025", 4)):
        found = [held.object for held in store.list_evidence(room, room + after)]
        assert found == sorted(found) and len(found) == left
        assert all(name > room + after for name in found)


def test_the_store_tells_its_time(store: Store) -> None:
    assert abs(store.server_time() - datetime.now(UTC)) < timedelta(seconds=5)
    assert store.server_time().utcoffset() == timedelta(0)


# The safe


def name_of(purpose: str = "training") -> ArtifactName:
    return ArtifactName(uuid.uuid4(), uuid.uuid4(), purpose)


@pytest.mark.promise("P3")
def test_what_is_put_in_comes_out_and_is_noise_in_between(store: Store, prefix: str) -> None:
    keyring, content = MemoryKeyring(), Private(b"bonjour " * 200_000)
    keyring.open_epoch("e")
    keys: list[bytes] = []

    def random(count: int) -> bytes:
        keys.append(uuid.uuid4().bytes * (count // 16))
        return keys[-1]

    put = safe.put_in(store, keyring, "e", name_of(), prefix + "a", content, random)
    raw = store.get("training", put.object, put.version)
    assert raw.startswith(b"CNSG")
    assert b"bonjour" not in raw
    assert (put.bytes, put.digest) == (len(raw), hashlib.sha256(raw).digest())
    assert keys[0] not in put.wrapped
    out = safe.take_out(store, keyring, "e", put.name, put.object, put.version, put.wrapped, put.digest)
    assert out == content


@pytest.mark.promise("P3")
def test_the_safe_gives_nothing_under_another_name_version_or_digest(store: Store, prefix: str) -> None:
    keyring = MemoryKeyring()
    keyring.open_epoch("e")
    random = MemoryRandom()
    put = safe.put_in(store, keyring, "e", name_of(), prefix + "a", Private(b"one"), random)
    other = safe.put_in(store, keyring, "e", name_of(), prefix + "a", Private(b"two"), random)
    for name, version, wrapped, digest in [
        (other.name, put.version, put.wrapped, put.digest),
        (put.name, other.version, put.wrapped, put.digest),
        (put.name, other.version, put.wrapped, other.digest),
        (put.name, put.version, other.wrapped, put.digest),
        (put.name, put.version, put.wrapped, other.digest),
    ]:
        with pytest.raises(Tampered):
            safe.take_out(store, keyring, "e", name, put.object, version, wrapped, digest)


@pytest.mark.promise("P3")
def test_of_an_object_that_was_altered_anywhere_nothing_is_given() -> None:
    """Whatever an insider of the store puts in its place under the recorded version: chunks exchanged, or one bit."""
    store, keyring = MemoryStore(), MemoryKeyring()
    keyring.open_epoch("e")
    put = safe.put_in(
        store, keyring, "e", name_of(), "training/a", Private(bytes(2 * 2**20 + 9)), MemoryRandom()
    )
    raw = store.get("training", put.object, put.version)
    header, chunk = 79, 2**20 + 16
    assert len(raw) == header + 2 * chunk + 9 + 16
    one, two = raw[header : header + chunk], raw[header + chunk : header + 2 * chunk]
    for altered in (
        raw[:header] + two + one + raw[header + 2 * chunk :],
        raw[:header] + one + one + raw[header + 2 * chunk :],
        raw[:-1] + bytes([raw[-1] ^ 1]),
        raw[: header + chunk],
    ):
        store.versions = [(put.object, put.version, altered)]
        with pytest.raises(Tampered, match="object_digest"):
            safe.take_out(store, keyring, "e", put.name, put.object, put.version, put.wrapped, put.digest)


class MemoryRandom:
    """Never the same twice."""

    def __call__(self, count: int) -> bytes:
        return hashlib.shake_128(uuid.uuid4().bytes).digest(count)


@pytest.mark.promise("P6")
def test_rewrapped_it_opens_after_the_old_epoch_is_destroyed() -> None:
    store, keyring = MemoryStore(), MemoryKeyring()
    for epoch in ("old", "new"):
        keyring.open_epoch(epoch)
    put = safe.put_in(store, keyring, "old", name_of(), "training/a", Private(b"kept"), MemoryRandom())
    rewrapped = safe.rewrap(keyring, "old", "new", put.wrapped, put.name)
    keyring.destroy_epoch("old")
    taken = (put.name, put.object, put.version)
    assert safe.take_out(store, keyring, "new", *taken, rewrapped, put.digest) == Private(b"kept")
    with pytest.raises(Conflict, match="epoch_gone"):
        safe.take_out(store, keyring, "old", *taken, put.wrapped, put.digest)


def test_nothing_is_stored_while_the_keyring_is_away() -> None:
    store, keyring = MemoryStore(), MemoryKeyring()
    keyring.away = True
    with pytest.raises(Unavailable):
        safe.put_in(store, keyring, "e", name_of(), "training/a", Private(b"x"), MemoryRandom())
    assert store.versions == []


# The real MinIO


@pytest.mark.promise("P6")
def test_a_large_object_is_put_in_one_piece(made: Server, prefix: str) -> None:
    """So that no incomplete upload of ours can outlive an absence check."""
    store = real_store(made)
    data = bytes(70 << 20)
    version = put(store, prefix + "a", data)
    status = store.root.stat_object(RECORDINGS, version.object, version_id=version.version)
    assert "-" not in (status.etag or "-")
    assert status.size == len(data)
    store.delete_versions([version])


@pytest.mark.promise("P3")
def test_the_disk_holds_neither_content_nor_envelope_in_the_clear(made: Server, prefix: str) -> None:
    store, needle = real_store(made), uuid.uuid4().bytes * 4096
    version = put(store, prefix + "a", needle)
    part = needle[:32]
    files = [
        path for path in (made.folder / "data").rglob("*") if path.is_file() and version.object in str(path)
    ]
    assert files
    assert not any(part in path.read_bytes() for path in files)


def test_configuring_again_changes_nothing(made: Server) -> None:
    assert bring_in_line(made) == []


def test_a_purpose_comes_and_goes_with_its_listener(made: Server, prefix: str) -> None:
    version = put(real_store(made), prefix + "a")

    def listen() -> bytes:
        return real_store(made).get("training", version.object, version.version)

    assert "identity listen-complaint: made" in bring_in_line(
        made, with_purposes("training", "quality", "complaint")
    )
    changes = bring_in_line(made, with_purposes("quality"))
    assert sorted(changes) == ["identity listen-complaint: disabled", "identity listen-training: disabled"]
    with pytest.raises(Misconfigured):
        listen()
    assert bring_in_line(made) == ["identity listen-training: made"]
    assert listen() == b"noise"


def test_a_new_secret_replaces_the_old_and_a_new_name_disables_it(made: Server, prefix: str) -> None:
    kept = dict(made.pairs)
    made.pairs["expire"] = (kept["expire"][0], "another secret of twenty letters")
    assert bring_in_line(made) == ["identity expire: made"]
    made.pairs["expire"] = ("expire-renamed", "another secret of twenty letters")
    assert "identity expire: disabled" in bring_in_line(made)
    assert real_store(made).list_versions(prefix) == []
    made.pairs["expire"] = kept["expire"]
    bring_in_line(made)
    assert bring_in_line(made) == []


@pytest.mark.promise("P3")
def test_what_was_opened_by_hand_is_closed_again(made: Server) -> None:
    root = root_of(made)
    public = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":["s3:GetObject"],"Resource":["arn:aws:s3:::recordings/*"]}]}'
    root.set_bucket_policy(RECORDINGS, public)
    root.delete_bucket_encryption(RECORDINGS)
    with pytest.raises(Misconfigured, match="kms_probe_failed"):
        probe(made.endpoint, REGION, False, made.root)
    assert sorted(bring_in_line(made)) == [
        "bucket recordings: anonymous access removed", "bucket recordings: encrypted by default",
    ]  # fmt: skip
    probe(made.endpoint, REGION, False, made.root)
    assert list(root.list_objects(RECORDINGS, "probe", include_version=True)) == []


@pytest.mark.promise("P3")
def test_a_server_without_its_kms_is_refused(started: Callable[..., Server]) -> None:
    bare = started(kms=False)
    with pytest.raises(Misconfigured, match="kms_probe_failed"):
        bring_in_line(bare)
    with pytest.raises(Misconfigured, match="kms_probe_failed"):
        probe(bare.endpoint, REGION, False, bare.root)


def test_an_evidence_bucket_without_lock_is_refused(started: Callable[..., Server]) -> None:
    server = started()
    root_of(server).make_bucket(EVIDENCE)
    with pytest.raises(Misconfigured, match="evidence_not_locked"):
        bring_in_line(server)


def test_a_server_that_is_killed_is_unavailable(started: Callable[..., Server], prefix: str) -> None:
    server = started()
    bring_in_line(server)
    store = real_store(server)
    version = put(store, prefix + "a")
    server.process.kill()
    server.process.wait()
    for call in (
        lambda: put(store, prefix + "b"),
        lambda: store.get("training", version.object, version.version),
        lambda: store.inspect(version.object, version.version),
        lambda: store.list_versions(prefix),
        lambda: store.list_uploads(prefix),
        lambda: store.delete_versions([version]),
        lambda: store.publish("x", b"", datetime.now(UTC)),
        lambda: bring_in_line(server),
        lambda: probe(server.endpoint, REGION, False, server.root),
        store.server_time,
    ):
        with pytest.raises(Unavailable):
            call()


@pytest.mark.promise("P7")
def test_published_evidence_cannot_be_deleted_by_anybody(made: Server) -> None:
    store, name = real_store(made), f"checkpoints/{uuid.uuid4()}"
    version = store.publish(name, b"sealed", datetime.now(UTC) + timedelta(days=1))
    with pytest.raises(S3Error):
        store.root.remove_object(EVIDENCE, name, version)
    with pytest.raises(S3Error):
        past = Retention(COMPLIANCE, datetime.now(UTC) + timedelta(seconds=5))
        store.root.set_object_retention(EVIDENCE, name, past, version)
    assert store.read_evidence(name, version) == b"sealed"


# Principal × action × prefix

Act = Callable[[Minio, dict[str, str]], Any]
BODY = b"x"


def _put(client: Minio, bucket: str, object: str, **more: Any) -> None:
    client.put_object(bucket, object, BytesIO(BODY), len(BODY), **more)


def _get(client: Minio, bucket: str, object: str, version: str | None = None) -> None:
    client.get_object(bucket, object, version_id=version).release_conn()


def _locked(client: Minio, days: int = 1) -> None:
    until = datetime.now(UTC) + timedelta(days=days)
    _put(client, EVIDENCE, f"x/{uuid.uuid4()}", retention=Retention(COMPLIANCE, until))


def _expiry(client: Minio, bucket: str) -> None:
    rule = Rule(ENABLED, Filter(prefix=""), "all", expiration=Expiration(days=1))
    client.set_bucket_lifecycle(bucket, LifecycleConfig([rule]))


def _all(found: Any) -> None:
    list(found)


ACTIONS: dict[str, Act] = {
    "get training": lambda c, at: _get(c, RECORDINGS, at["training"], at["training version"]),
    "get training newest": lambda c, at: _get(c, RECORDINGS, at["training"]),
    "get quality": lambda c, at: _get(c, RECORDINGS, at["quality"], at["quality version"]),
    "get evidence": lambda c, at: _get(c, EVIDENCE, at["evidence"]),
    "put training": lambda c, at: _put(c, RECORDINGS, "training/new", sse=SseKMS("test", {})),
    "put without kms": lambda c, at: _put(c, RECORDINGS, "training/new", sse=SseS3()),
    "put without a word": lambda c, at: _put(c, RECORDINGS, "training/new"),
    "put evidence locked": lambda c, at: _locked(c),
    "put evidence": lambda c, at: _put(c, EVIDENCE, f"x/{uuid.uuid4()}"),
    "copy": lambda c, at: c.copy_object(
        RECORDINGS, "training/copy", CopySource(RECORDINGS, at["quality"]), sse=SseKMS("test", {})
    ),
    "upload": lambda c, at: c._create_multipart_upload(
        RECORDINGS, "training/upload", {"x-amz-server-side-encryption": "aws:kms"}
    ),
    "delete a version": lambda c, at: c.remove_object(RECORDINGS, at["training"], str(uuid.uuid4())),
    "hide": lambda c, at: c.remove_object(RECORDINGS, f"training/{uuid.uuid4()}"),
    "list versions": lambda c, at: _all(c.list_objects(RECORDINGS, "training/", True, include_version=True)),
    "list objects": lambda c, at: _all(c.list_objects(RECORDINGS, "training/", True)),
    "list uploads": lambda c, at: c._list_multipart_uploads(RECORDINGS),
    "list evidence": lambda c, at: _all(c.list_objects(EVIDENCE, recursive=True, include_version=True)),
    "hide evidence": lambda c, at: c.remove_object(EVIDENCE, at["spare"]),
    "delete evidence": lambda c, at: c.remove_object(EVIDENCE, at["spare"], str(uuid.uuid4())),
    "tag": lambda c, at: c.set_object_tags(RECORDINGS, at["training"], _tags()),
    "set lifecycle": lambda c, at: _expiry(c, RECORDINGS),
    "set bucket policy": lambda c, at: c.set_bucket_policy(
        RECORDINGS, '{"Version":"2012-10-17","Statement":[]}'
    ),
    "stop encryption": lambda c, at: c.delete_bucket_encryption(RECORDINGS),
    "delete bucket": lambda c, at: c.remove_bucket(EVIDENCE),
    "make bucket": lambda c, at: c.make_bucket("another"),
}
MAY: dict[str, set[str]] = {
    "ingest": {"put training", "upload"},
    "listen-training": {"get training", "get training newest"},
    "listen-quality": {"get quality"},
    "expire": {"delete a version", "hide", "list versions", "list uploads"},
    "reconcile": {"get training", "get training newest", "get quality", "list versions", "list uploads"},
    "evidence": {"put evidence locked"},
    "evidence-reader": {"get evidence", "list evidence"},
    "anonymous": set(),
}  # fmt: skip


def _tags() -> Any:
    from minio.commonconfig import Tags

    tags = Tags(for_object=True)
    tags["purpose"] = "quality"
    return tags


@pytest.fixture(scope="module")
def objects(made: Server) -> dict[str, str]:
    """Something to reach for under two purposes and in `evidence`."""
    store, run = real_store(made), str(uuid.uuid4())
    at = {purpose: f"{purpose}/{run}" for purpose in ("training", "quality")}
    for purpose, object in dict(at).items():
        at[f"{purpose} version"] = put(store, object).version
    for name in ("evidence", "spare"):
        at[name] = f"{name}/{run}"
        store.publish(at[name], b"x", datetime.now(UTC) + timedelta(days=1))
    return at


@pytest.mark.promise("P3")
@pytest.mark.parametrize("principal", MAY)
def test_each_principal_may_do_its_work_and_nothing_else(
    made: Server, objects: dict[str, str], principal: str
) -> None:
    if principal == "anonymous":
        client = Minio(
            made.endpoint, secure=False, region=REGION, http_client=urllib3.PoolManager(retries=False)
        )
    else:
        client = connect(made.endpoint, REGION, False, made.credentials(principal), open_pool())
    done = set()
    for name, act in ACTIONS.items():
        try:
            act(client, objects)
        except S3Error as fault:
            assert fault.code == "AccessDenied", name
        else:
            done.add(name)
    assert done == MAY[principal]
