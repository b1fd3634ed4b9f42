"""A stranger checks all that the evidence bucket holds, after erasing and after a backup came back (P6, P7)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from consigne.acts.evidence import CERTIFICATES, CHECKPOINTS, RESTORATIONS
from consigne.acts.replay import bring_to_truth
from consigne.acts.seal import prove_entries, publish, seal
from consigne.acts.tombstones import ROOM
from consigne.doors.pyz import build_pyz
from consigne.rules.errors import Unavailable
from consigne.rules.evidence.certificate import read_parts
from consigne.rules.evidence.signature import write_public_keys
from consigne.rules.evidence.verify import verify

from .test_expire import AFTER
from .test_replay import Backup
from .world import World


@pytest.fixture
def files(world: World) -> list[tuple[str, bytes]]:
    """What was published while two calls were erased, one of them with the keyring away, and the database came back
    between them; and a register proof of each certificate."""
    world.deliver_trial("a")
    world.deliver_trial("b", left=AFTER * 2)
    world.ingest()
    taken = Backup(world)
    world.pass_time(AFTER)
    world.expire()
    sealed(world)
    taken.put_back("database")
    assert bring_to_truth(world.platform, {"database"}) is not None
    sealed(world)
    world.pass_time(AFTER * 3)
    signs = world.keyring.sign
    world.keyring.sign = lambda message: signs(message) if message[:1] != b"[" else away()
    world.expire()
    sealed(world)
    found = [(name, data) for name, _, data in world.store.evidence if data]
    leaves = [bytes.fromhex(read_parts(row.file)["body"]["entry"]) for row in world.certificates()]
    return [*found, *prove_entries(world.platform, leaves).items()]


def sealed(world: World) -> None:
    seal(world.platform)
    publish(world.platform, asked=True)


def away() -> None:
    raise Unavailable("keyring", "", "away")


@pytest.mark.promise("P6", "P7")
def test_a_stranger_verifies_all_that_the_evidence_bucket_holds(
    world: World, files: list[tuple[str, bytes]], tmp_path: Path
) -> None:
    rooms = {name.partition("/")[0] + "/" for name, _ in files if "/" in name}
    assert rooms == {CERTIFICATES, CHECKPOINTS, RESTORATIONS, ROOM}
    folder = tmp_path / "evidence"
    keys = ("public-key.txt", write_public_keys(world.keyring.public_keys()))
    for name, data in (*files, keys):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    build_pyz(tmp_path / "consigne-verify.pyz")
    done = subprocess.run(
        [sys.executable, "-I", tmp_path / "consigne-verify.pyz", folder], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert (
        "It is in the register" in done.stdout
        and "Nobody signed them" in done.stdout
        and "as declared at" in done.stdout
    )
    assert f"{folder}/{RESTORATIONS}" in done.stdout


@pytest.mark.promise("P6", "P7")
def test_one_byte_changed_in_any_of_it_does_not_verify(world: World, files: list[tuple[str, bytes]]) -> None:
    keys = world.keyring.public_keys()
    assert verify(files, keys).verified
    for place, (name, data) in enumerate(files):
        for at in {0, len(data) // 3, len(data) // 2, len(data) - 2, len(data) - 1}:
            changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
            assert not verify([*files[:place], (name, changed), *files[place + 1 :]], keys).verified, (
                name,
                at,
            )
