"""The bucket walked in order, and what lies there that is none of ours."""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from consigne.acts.ports import ObjectVersion
from consigne.adapters.store.minio import RECORDINGS
from contract.servers import Server

from .test_store import made, real_store, root_of, store  # noqa: F401

NAMES = [
    "training/b/c",
    "training/b-c",
    "training/é",
    "training/b/c d",
    "training/z.d/x",
    "training/Z",
    "training/b.c",
]


def body(data: bytes = b"noise") -> tuple[bytes, bytes]:
    return data, hashlib.sha256(data).digest()


def clear(parts: Any) -> None:
    parts.delete_versions([ObjectVersion(one.object, one.version, False) for one in parts.walk_versions()])


def test_every_version_and_marker_comes_once_by_name(store: Any) -> None:  # noqa: F811
    clear(store)
    for name in NAMES:
        store.put(name, *body())
    again = store.put(NAMES[0], *body(b"again"))
    store.hide(NAMES[0])
    walked = list(store.walk_versions())
    assert [one.object for one in walked] == sorted([*NAMES, NAMES[0], NAMES[0]])
    assert [one.is_marker for one in walked if one.object == NAMES[0]].count(True) == 1
    assert again.version in {one.version for one in walked}
    assert len({(one.object, one.version) for one in walked}) == len(walked)
    now = store.server_time()
    assert all(abs(one.modified_at - now) < timedelta(minutes=1) for one in walked)
    clear(store)
    assert list(store.walk_versions()) == []


def test_pages_join_where_an_object_has_more_versions_than_fit_one(made: Server) -> None:  # noqa: F811
    found = real_store(made)
    clear(found)
    names = ["training/a", *["training/b"] * 1005, "training/d"]
    with ThreadPoolExecutor(16) as pool:
        versions = list(pool.map(lambda name: found.put(name, *body()).version, names))
    found.hide("training/b")
    walked = list(found.walk_versions())
    assert [one.object for one in walked] == sorted([*names, "training/b"])
    assert {one.version for one in walked if not one.is_marker} == set(versions)
    clear(found)


def test_what_root_planted_is_seen_as_it_is(made: Server) -> None:  # noqa: F811
    """Root may give an object any date, and an upload that was never completed has none of the listing's places."""
    found, root = real_store(made), root_of(made)
    clear(found)
    for name, at in (("old", "2020-01-01T00:00:00Z"), ("ahead", "2090-01-01T00:00:00Z")):
        root._execute("PUT", RECORDINGS, f"training/{name}", body=b"x", headers={"x-minio-source-mtime": at})
    found.put("training/marked", *body())
    found.hide("training/marked")
    found.start_upload("training/part")
    walked = list(found.walk_versions())
    seen = [(one.object.rpartition("/")[2], one.is_marker) for one in walked]
    assert sorted(seen) == [("ahead", False), ("marked", False), ("marked", True), ("old", False)]
    assert [one.modified_at for one in walked if one.object in ("training/ahead", "training/old")] == [
        datetime(2090, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC),
    ]  # fmt: skip
    uploads = [one for one in found.list_uploads("") if one.object == "training/part"]
    assert len(uploads) == 1
    found.abort_uploads(uploads)
    found.delete_versions([ObjectVersion(one.object, one.version, False) for one in walked])
    assert list(found.walk_versions()) == [] and found.list_uploads("training/part") == []


def test_an_object_without_the_servers_encryption_shows_it(made: Server) -> None:  # noqa: F811
    found, root = real_store(made), root_of(made)
    config = root.get_bucket_encryption(RECORDINGS)
    root.delete_bucket_encryption(RECORDINGS)
    try:
        plain = root.put_object(RECORDINGS, "training/plain", io.BytesIO(b"x"), 1)
    finally:
        root.set_bucket_encryption(RECORDINGS, config)
    facts = found.inspect("training/plain", plain.version_id or "")
    assert facts is not None and facts.encryption is None
    clear(found)
