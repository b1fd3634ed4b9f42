"""Who may do what in the running store: every principal, action and purpose, tried (issue 3, Shown by 2)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from itertools import product

import pytest
import urllib3
from minio import Minio
from minio.commonconfig import COMPLIANCE
from minio.error import S3Error
from minio.retention import Retention
from minio.sse import SseKMS

from consigne.adapters.store.minio import EVIDENCE, RECORDINGS
from consigne.rules.envelope import HEADER_BYTES, MAGIC
from system.conftest import Up
from system.inside import store_as

PURPOSES = ("training", "quality", "complaint", "contract_proof", "investment_orders", "emergency", "trial")
SERVANTS = ("ingest", "expire", "reconcile", "evidence", "evidence-reader")
PRINCIPALS = (*SERVANTS, *(f"listen-{purpose}" for purpose in PURPOSES), "anonymous")


@pytest.fixture(scope="module")
def root(platform_up: Up) -> Minio:
    return store_as(platform_up)


@pytest.mark.promise("P3")
def test_kept_objects_are_envelopes_encrypted_by_the_server_under_their_purpose(
    platform_up: Up, root: Minio
) -> None:
    recordings = platform_up.json("recordings")
    kept = [one for each in recordings for one in each["artifacts"] if one["state"] == "kept"]
    assert len(kept) > 20
    assert {one["purpose"] for one in kept} >= set(PURPOSES) - {"trial"}
    for one in kept:
        with root.get_object(RECORDINGS, one["object"]) as answer:
            data, headers = answer.read(), answer.headers
        assert data[: len(MAGIC)] == MAGIC
        assert len(data) == one["bytes"] > HEADER_BYTES
        assert headers["x-amz-server-side-encryption"] == "aws:kms"
        assert one["object"].startswith(f"{one['purpose']}/")
    assert len({one["object"] for one in kept}) == len(kept)


@pytest.mark.promise("P3")
def test_the_bucket_holds_nothing_beside_the_purposes(root: Minio) -> None:
    assert {each.object_name for each in root.list_objects(RECORDINGS)} <= {f"{name}/" for name in PURPOSES}
    assert {each.name for each in root.list_buckets()} == {RECORDINGS, EVIDENCE}


def test_there_are_these_identities(platform_up: Up) -> None:
    assert {*platform_up.status["store"]["identities"], "anonymous"} == set(PRINCIPALS)


def _get(client: Minio, object: str, version: str | None = None) -> None:
    with client.get_object(RECORDINGS, object, version_id=version) as answer:
        answer.read()


def _put(client: Minio, object: str) -> None:
    client.put_object(RECORDINGS, object, BytesIO(b"x"), 1, sse=SseKMS("consigne", {}))


# What a principal tries on an object of a purpose; `version` is the object's.
ACTIONS: dict[str, Callable[[Minio, str, str], object]] = {
    "get": lambda client, object, version: _get(client, object),
    "get a version": _get,
    "head": lambda client, object, version: client.stat_object(RECORDINGS, object, version_id=version),
    "put": lambda client, object, version: _put(client, object),
    "put without kms": lambda client, object, version: client.put_object(
        RECORDINGS, object, BytesIO(b"x"), 1
    ),
    "list": lambda client, object, version: list(client.list_objects(RECORDINGS, object)),
    "list versions": lambda client, object, version: list(
        client.list_objects(RECORDINGS, object, include_version=True)
    ),
    "list uploads": lambda client, object, version: client._list_multipart_uploads(RECORDINGS, prefix=object),
    "hide": lambda client, object, version: client.remove_object(RECORDINGS, object),
    "delete": lambda client, object, version: client.remove_object(RECORDINGS, object, version),
}
READING = {"get", "get a version", "head"}


def _may(principal: str) -> set[tuple[str, str]]:
    """The rights of design.md, section 6, as (action, purpose)."""
    servants = {
        "ingest": {"put"},
        "expire": {"list versions", "list uploads", "hide", "delete"},
        "reconcile": READING | {"list versions", "list uploads"},
    }
    if principal in servants:
        return set(product(servants[principal], PURPOSES))
    return {
        (action, purpose) for action in READING for purpose in PURPOSES if principal == f"listen-{purpose}"
    }


def _client(up: Up, principal: str) -> Minio:
    if principal != "anonymous":
        return store_as(up, principal)
    store = up.status["store"]
    quick = urllib3.PoolManager(retries=False)
    return Minio(store["endpoint"], secure=False, region=store["region"], http_client=quick)


def _is_allowed(act: Callable[[], object]) -> bool:
    try:
        act()
    except S3Error as fault:
        assert fault.code == "AccessDenied", fault.code
        return False
    return True


@pytest.mark.promise("P3")
@pytest.mark.parametrize("principal", PRINCIPALS)
def test_each_principal_may_do_its_work_under_each_purpose_and_no_more(
    platform_up: Up, root: Minio, principal: str
) -> None:
    client, done = _client(platform_up, principal), set()
    folder = f"matrix-{uuid.uuid4()}/"
    try:
        for purpose in PURPOSES:
            object = f"{purpose}/{folder}decoy"
            version = root.put_object(RECORDINGS, object, BytesIO(b"x"), 1).version_id
            assert version
            # Deleting comes last: what is tried before it is still there.
            for name, act in ACTIONS.items():
                if _is_allowed(partial(act, client, object, version)):
                    done.add((name, purpose))
    finally:
        for purpose in PURPOSES:
            for left in root.list_objects(RECORDINGS, f"{purpose}/{folder}", True, include_version=True):
                root.remove_object(RECORDINGS, left.object_name or "", left.version_id)
    assert done == _may(principal)


@pytest.mark.promise("P7")
@pytest.mark.parametrize("principal", PRINCIPALS)
def test_evidence_is_written_by_one_read_by_one_and_deleted_by_none(
    platform_up: Up, root: Minio, principal: str
) -> None:
    client, done = _client(platform_up, principal), set()
    place = f"matrix/{uuid.uuid4()}"
    lock = Retention(COMPLIANCE, datetime.now(UTC) + timedelta(minutes=1))
    version = root.put_object(EVIDENCE, place, BytesIO(b"x"), 1, retention=lock).version_id

    def read() -> None:
        with client.get_object(EVIDENCE, place, version_id=version) as answer:
            answer.read()

    actions: dict[str, Callable[[], object]] = {
        "get": read,
        "put": lambda: client.put_object(EVIDENCE, f"{place}-2", BytesIO(b"x"), 1, retention=lock),
        "put unlocked": lambda: client.put_object(EVIDENCE, f"{place}-3", BytesIO(b"x"), 1),
        "list versions": lambda: list(client.list_objects(EVIDENCE, place, include_version=True)),
        "hide": lambda: client.remove_object(EVIDENCE, place),
        "delete": lambda: client.remove_object(EVIDENCE, place, version),
    }
    done = {name for name, act in actions.items() if _is_allowed(act)}
    assert done == {"evidence-reader": {"get", "list versions"}, "evidence": {"put"}}.get(principal, set())


@pytest.mark.promise("P7")
def test_not_even_root_deletes_evidence_before_its_time(root: Minio) -> None:
    lock = Retention(COMPLIANCE, datetime.now(UTC) + timedelta(minutes=1))
    made = root.put_object(EVIDENCE, f"matrix/{uuid.uuid4()}", BytesIO(b"x"), 1, retention=lock)
    with pytest.raises(S3Error):
        root.remove_object(EVIDENCE, made.object_name, made.version_id)
