"""A recording whose time has come: destroyed by the Dag, shown by its certificate, and not let in again
(issue 3, Shown by 5)."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from consigne.adapters.catalog.tables import artifacts, data_keys, epochs, register, tombstones
from consigne.adapters.keyring.open import open_keyring
from consigne.adapters.store.minio import RECORDINGS
from consigne.doors.samples.delivery import Delivery
from consigne.doors.samples.manifest import Foretold
from consigne.rules.evidence.certificate import read_parts
from consigne.rules.evidence.signature import read_public_keys
from consigne.rules.evidence.verify import verify
from system.conftest import Up
from system.inside import deliveries, entries_about, hand_in, reading, recordings, sample_calls, store_as, wait_until

COUNT, SEED = 12, 5
DOES_NOT_VERIFY = 5


@dataclass(frozen=True)
class Gone:
    """Trial calls as they were delivered, and their artifacts as they were kept; now they are destroyed."""

    calls: list[tuple[Delivery, Foretold]]
    artifacts: list[dict[str, Any]]
    prefixes: list[str]
    evidence: Path


def _prefix(artifact: dict[str, Any]) -> str:
    return str(artifact["object"].rpartition("/")[0] + "/")


def _in_bucket(up: Up, prefix: str) -> list[object]:
    root = store_as(up)
    found: list[object] = list(root.list_objects(RECORDINGS, prefix, True, include_version=True))
    uploads = root._list_multipart_uploads(RECORDINGS).uploads
    # MinIO lists all uploads that its memory knows, or those of one exact name from its disks.
    found += [one for one in uploads if (one.object_name or "").startswith(prefix)]
    found += root._list_multipart_uploads(RECORDINGS, prefix=f"{prefix}upload").uploads
    return found


@pytest.fixture(scope="module")
def gone(platform_up: Up, tmp_path_factory: pytest.TempPathFactory) -> Gone:
    """Kept under `trial`; a stranger's versions, marker and upload put beside one; then its time comes."""
    calls = sample_calls(platform_up, COUNT, SEED, "trial")
    assert len(calls) == 3
    hand_in(platform_up, calls)
    done = platform_up.consigne("ingest", "--wait")
    assert done.returncode == 0, done.stderr[-2_000:]
    kept = [one for _, told in calls for each in recordings(platform_up, told.id) for one in each["artifacts"]]
    assert len(kept) == 6
    assert {one["state"] for one in kept} == {"kept"}, "its time came before the test was ready"
    prefixes = [_prefix(one) for one in kept]
    root = store_as(platform_up)
    root.put_object(RECORDINGS, kept[0]["object"], BytesIO(b"x"), 1)
    root.put_object(RECORDINGS, f"{prefixes[0]}other", BytesIO(b"x"), 1)
    root.remove_object(RECORDINGS, kept[0]["object"])
    root._create_multipart_upload(RECORDINGS, f"{prefixes[0]}upload", {})
    assert len(_in_bucket(platform_up, prefixes[0])) >= 5
    moved = platform_up.consigne("clock", "--advance", "PT15M")
    assert moved.returncode == 0, moved.stderr

    def is_over() -> bool:
        done = platform_up.consigne("expire", "--wait")
        assert done.returncode == 0, done.stderr[-2_000:]
        with reading(platform_up) as tx:
            names = [one["epoch"] for one in kept]
            states = set(tx.execute(select(epochs.c.state).where(epochs.c.name.in_(names))).scalars())
        return states == {"destroyed"}

    # An epoch that ends in this very minute is closed by the next run.
    wait_until(is_over, "all epochs destroyed", 240)
    evidence = tmp_path_factory.mktemp("evidence")
    written = platform_up.consigne("certificates", "--out", str(evidence))
    assert written.returncode == 0, written.stderr[-2_000:]
    return Gone(calls, kept, prefixes, evidence)


@pytest.mark.promise("P6")
def test_nothing_is_left_of_it_in_the_bucket(platform_up: Up, gone: Gone) -> None:
    assert [_in_bucket(platform_up, prefix) for prefix in gone.prefixes] == [[]] * len(gone.prefixes)


@pytest.mark.promise("P6")
def test_its_keys_are_gone(platform_up: Up, gone: Gone) -> None:
    ids = [one["id"] for one in gone.artifacts]
    names = {one["epoch"] for one in gone.artifacts}
    with reading(platform_up, "owner") as tx:
        assert tx.execute(select(data_keys).where(data_keys.c.artifact.in_(ids))).all() == []
        states = tx.execute(select(artifacts.c.state).where(artifacts.c.id.in_(ids))).scalars()
        assert list(states) == ["erased"] * len(ids)
        assert len(tx.execute(select(tombstones).where(tombstones.c.artifact.in_(ids))).all()) == len(ids)
    keyring = open_keyring(platform_up.status["keyring"]["url"])
    assert [keyring.epoch_lives(name) for name in names] == [False] * len(names)


@pytest.mark.promise("P6")
def test_the_steps_are_in_the_register_in_their_order(platform_up: Up, gone: Gone) -> None:
    for one in gone.artifacts:
        steps = [entry["kind"] for entry in entries_about(platform_up, one["id"])]
        assert [step for step in steps if step.startswith("expire:")] == [
            "expire:artifact:erasing", "expire:artifact:key-deleted", "expire:artifact:erased",
        ]  # fmt: skip


def _certificates(up: Up, gone: Gone) -> Iterator[tuple[dict[str, Any], Path]]:
    ids = {one["id"] for one in gone.artifacts}
    for one in up.json("certificates"):
        if one["artifact"] in ids:
            yield one, gone.evidence / one["file"]


@pytest.mark.promise("P6")
def test_each_has_a_certificate_that_says_cryptographic(platform_up: Up, gone: Gone) -> None:
    found = list(_certificates(platform_up, gone))
    assert {one["artifact"] for one, _ in found} == {one["id"] for one in gone.artifacts}
    assert len(found) == len(gone.artifacts)
    for one, file in found:
        assert (one["scope"], one["proof"]) == ("artifact", "cryptographic")
        clock = read_parts(file.read_bytes())["body"]["clock"]
        assert clock["test"] is True and clock["offset_s"] >= 900


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has `cryptography` and nothing else: an environment of its own, the package linked in."""
    folder = tmp_path_factory.mktemp("stranger")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    [packages] = folder.glob("lib/python*/site-packages")
    here = Path(sysconfig.get_path("purelib"))
    for found in [here / "cryptography", here / "cffi", *here.glob("_cffi_backend*")]:
        (packages / found.name).symlink_to(found)
    python = folder / "bin" / "python"
    lacks = "import importlib.util as u; print([n for n in ('consigne', 'minio', 'pydantic') if u.find_spec(n)])"
    assert subprocess.run([python, "-I", "-c", lacks], capture_output=True, check=True).stdout == b"[]\n"
    return python


def _ask(python: Path, gone: Gone, *files: Path) -> subprocess.CompletedProcess[str]:
    command = [python, "-I", gone.evidence / "consigne-verify.pyz", "--key", gone.evidence / "public-key.txt", *files]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={}, timeout=120)


@pytest.mark.promise("P6")
def test_a_stranger_verifies_it_with_python_and_cryptography_alone(
    platform_up: Up, gone: Gone, stranger: Path
) -> None:
    for _, file in _certificates(platform_up, gone):
        done = _ask(stranger, gone, file)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert "The proof is cryptographic" in done.stdout
    done = _ask(stranger, gone, gone.evidence)
    assert done.returncode == 0, done.stdout


@pytest.mark.promise("P6")
def test_no_byte_of_it_can_be_changed(platform_up: Up, gone: Gone, stranger: Path, tmp_path: Path) -> None:
    _, file = next(_certificates(platform_up, gone))
    keys = read_public_keys((gone.evidence / "public-key.txt").read_bytes())
    data = file.read_bytes()
    assert verify([("certificate", data)], keys).verified
    assert len(data) > 500
    for at in range(len(data)):
        for change in (0x01, 0x20, 0x80):
            changed = data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]
            assert not verify([("certificate", changed)], keys).verified, (at, change)
    copy = tmp_path / "certificate.json"
    for at in (0, len(data) // 3, len(data) // 2, len(data) - 1):
        copy.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert _ask(stranger, gone, copy).returncode == DOES_NOT_VERIFY


@pytest.mark.promise("P7")
def test_the_register_verifies_against_what_was_published(platform_up: Up, gone: Gone) -> None:
    done = platform_up.consigne("verify", "--register")
    assert done.returncode == 0, done.stdout[-2_000:]
    with reading(platform_up, "owner") as tx:
        payloads = b"".join(tx.execute(select(register.c.payload)).scalars())
    assert all(one["id"].encode() in payloads for one in gone.artifacts)


@pytest.mark.promise("P6")
def test_delivered_again_it_is_refused(platform_up: Up, gone: Gone) -> None:
    hand_in(platform_up, gone.calls)
    done = platform_up.consigne("ingest", "--wait")
    assert done.returncode == 0, done.stderr[-2_000:]
    for _, told in gone.calls:
        ends = [(one["state"], one["code"]) for one in deliveries(platform_up, told.id)]
        assert sorted(ends, key=str) == sorted([("cleared", None), ("cleared", "erased_before")], key=str)
        assert not any(name.startswith(told.stem) for name in os.listdir(platform_up.intake_dir))
    assert [_in_bucket(platform_up, prefix) for prefix in gone.prefixes] == [[]] * len(gone.prefixes)
