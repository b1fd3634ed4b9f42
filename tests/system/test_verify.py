"""A recording whose time has come: destroyed by the Dag, shown by its certificate, and not let in again; one
that the DPO extended outlives the key that it had (issue 3, Shown by 4 and 5)."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import soundfile
from sqlalchemy import select

from consigne.acts.decide import answer_request
from consigne.acts.locate import policy_now
from consigne.adapters.catalog.tables import artifacts, data_keys, epochs, register, requests, tombstones
from consigne.adapters.keyring.open import open_keyring
from consigne.adapters.store.minio import RECORDINGS
from consigne.doors.local.sealer import remind_desk
from consigne.doors.samples.delivery import Delivery
from consigne.doors.samples.manifest import Foretold
from consigne.doors.wiring import open_platform
from consigne.rules.clock import iso, parse_instant
from consigne.rules.evidence.certificate import read_parts
from consigne.rules.evidence.signature import read_public_keys
from consigne.rules.evidence.verify import verify
from consigne.rules.request import Answer, Decision
from consigne.rules.values import Actor
from system.conftest import Up
from system.inside import (
    deliveries,
    entries_about,
    hand_in,
    in_intake,
    reading,
    recordings,
    sample_calls,
    settings_of,
    store_as,
    wait_until,
)

DOES_NOT_VERIFY = 5
WHY = "The caller disputes what was agreed."


@dataclass(frozen=True)
class Gone:
    """Trial calls as they were delivered, and their artifacts as they were kept; now they are destroyed.
    `spared` is one that was extended, as it was before."""

    calls: list[tuple[Delivery, Foretold]]
    artifacts: list[dict[str, Any]]
    prefixes: list[str]
    spared: dict[str, Any]
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
    calls = sample_calls(platform_up, "verify", "trial")
    assert len(calls) == 3
    hand_in(platform_up, calls)
    done = platform_up.consigne("ingest", "--wait")
    assert done.returncode == 0, done.stderr[-2_000:]
    *calls, last = calls
    kept = [
        one for _, told in calls for each in recordings(platform_up, told.id) for one in each["artifacts"]
    ]
    assert len(kept) == 4
    assert {one["state"] for one in kept} == {"kept"}, "its time came before the test was ready"
    prefixes = [_prefix(one) for one in kept]
    root = store_as(platform_up)
    root.put_object(RECORDINGS, kept[0]["object"], BytesIO(b"x"), 1)
    root.put_object(RECORDINGS, f"{prefixes[0]}other", BytesIO(b"x"), 1)
    root.remove_object(RECORDINGS, kept[0]["object"])
    root._create_multipart_upload(RECORDINGS, f"{prefixes[0]}upload", {})
    assert len(_in_bucket(platform_up, prefixes[0])) >= 5
    spared = _extended(platform_up, last)
    moved = platform_up.consigne("clock", "--advance", "PT15M")
    assert moved.returncode == 0, moved.stderr

    def is_over() -> bool:
        done = platform_up.consigne("expire", "--wait")
        assert done.returncode == 0, done.stderr[-2_000:]
        with reading(platform_up) as tx:
            names = [one["epoch"] for one in (*kept, spared)]
            states = set(tx.execute(select(epochs.c.state).where(epochs.c.name.in_(names))).scalars())
        return states == {"destroyed"}

    # An epoch that ends in this very minute is closed by the next run.
    wait_until(is_over, "all epochs destroyed", 240)
    evidence = tmp_path_factory.mktemp("evidence")
    written = platform_up.consigne("certificates", "--out", str(evidence), "--sheets", "fr")
    assert written.returncode == 0, written.stderr[-2_000:]
    return Gone(calls, kept, prefixes, spared, evidence)


def _extended(up: Up, call: tuple[Delivery, Foretold]) -> dict[str, Any]:
    """Asked for by the trainer, extended by the DPO; its audio as it was before."""
    [recording] = recordings(up, call[1].id)
    [audio] = [one for one in recording["artifacts"] if one["part"] == "audio"]
    until = iso(parse_instant(audio["due_at"]) + timedelta(days=2))
    password = up.state_dir / "secrets" / "account-trainer"
    filed = up.json(
        "request-exception", audio["id"], "--until", until, "--ground", "dispute", "--reason", WHY,
        "--as", "trainer", "--password-file", str(password),
    )  # fmt: skip
    platform = open_platform(settings_of(up), "decide")
    id = UUID(filed["id"])
    with reading(up, "owner") as tx:
        digest = tx.execute(select(requests.c.digest).where(requests.c.id == id)).scalar_one()
    dpo = Actor("dpo", frozenset({"dpo"}))
    made = answer_request(platform, policy_now(platform), dpo, id, digest, Answer.EXTEND, None, WHY)
    assert isinstance(made, Decision), made

    def is_applied() -> bool:
        remind_desk(settings_of(up))
        return bool(_artifact(up, audio["id"])["epoch"] != audio["epoch"])

    wait_until(is_applied, "the extension to be applied", 180)
    return dict(audio)


def _artifact(up: Up, id: str) -> Any:
    with reading(up) as tx:
        return tx.execute(select(artifacts).where(artifacts.c.id == id)).mappings().one()


@pytest.mark.promise("P5")
def test_what_was_extended_outlives_the_key_that_it_had(platform_up: Up, gone: Gone, tmp_path: Path) -> None:
    now, before = _artifact(platform_up, gone.spared["id"]), gone.spared
    assert now["state"] == "kept" and now["due_at"] > parse_instant(before["due_at"]) + timedelta(days=1)
    assert now["epoch"] != before["epoch"] and now["object"] == before["object"]
    keyring = open_keyring(platform_up.status["keyring"]["url"])
    assert (keyring.epoch_lives(before["epoch"]), keyring.epoch_lives(now["epoch"])) == (False, True)
    with reading(platform_up, "owner") as tx:
        wrapped = select(data_keys.c.epoch).where(data_keys.c.artifact == before["id"])
        assert tx.execute(wrapped).scalar_one() == now["epoch"]
    password = platform_up.state_dir / "secrets" / "account-trainer"
    out = tmp_path / "heard.flac"
    done = platform_up.consigne(
        "export", before["id"], "--reason", "coaching", "--out", str(out), "--as", "trainer",
        "--password-file", str(password),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert soundfile.info(str(out)).frames > 0


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
    lacks = (
        "import importlib.util as u; print([n for n in ('consigne', 'minio', 'pydantic') if u.find_spec(n)])"
    )
    assert subprocess.run([python, "-I", "-c", lacks], capture_output=True, check=True).stdout == b"[]\n"
    return python


def _ask(python: Path, gone: Gone, *files: Path) -> subprocess.CompletedProcess[str]:
    command = [
        python,
        "-I",
        gone.evidence / "consigne-verify.pyz",
        "--key",
        gone.evidence / "public-key.txt",
        *files,
    ]
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, env={}, timeout=120
    )


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
        assert not any(name.startswith(told.stem) for name in in_intake(platform_up))
    assert [_in_bucket(platform_up, prefix) for prefix in gone.prefixes] == [[]] * len(gone.prefixes)
