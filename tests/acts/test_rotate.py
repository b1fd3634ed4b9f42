"""Rotated keys lose nothing of the past: what was claimed, kept, erased, held, objected to and signed under an old
version is found and verified under the new one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Engine, select

from consigne.acts import ingest as acts
from consigne.acts import protect, transcribe
from consigne.acts.find import caller_indexes
from consigne.acts.held import keep_up
from consigne.acts.locate import contents, identity_digest, policy_now, waiting
from consigne.acts.object import withdraw_of_caller
from consigne.acts.ports import Keyring, Signature
from consigne.acts.rotate import rotate_key
from consigne.acts.seal import check_register, publish, seal
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.tables_people import objections
from consigne.adapters.keyring.file import FileKeyring
from consigne.doors.cli import keyring as command
from consigne.doors.cli.app import main
from consigne.rules.errors import Unavailable
from consigne.rules.evidence.masked import masked_statement
from consigne.rules.evidence.signature import write_public_keys
from consigne.rules.evidence.verify import verify
from consigne.rules.values import Private
from contract.memory import MemoryKeyring

from . import world as worlds
from .test_expire import AFTER
from .test_hold import CALLER, OTHER, placed
from .test_object import ADVISER, says, spoken
from .world import World, make_world, with_parts


@pytest.fixture(params=["memory", "file"])
def world(
    request: pytest.FixtureRequest, engine: Engine, catalog: Catalog, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> World:  # fmt: skip
    def made() -> Keyring:
        if request.param == "memory":
            return MemoryKeyring()
        keyring = FileKeyring(tmp_path / "keyring")
        keyring.prepare(first=True)
        return keyring

    monkeypatch.setattr(worlds, "MemoryKeyring", made)
    return make_world(engine, catalog)


def rotate(world: World, *names: str) -> None:
    for name in names or ("signing", "blind-index", "tombstone", "draw", "root"):
        world.keyring.rotate(name)


def recordings(world: World) -> dict[str, Any]:
    return {row.source_id: row for row in world.rows(select(t.recordings))}


@pytest.mark.promise("P8")
def test_a_delivery_goes_on_where_a_key_was_rotated_between_any_two_steps(world: World) -> None:
    steps: list[Callable[..., object]] = [
        acts.admit_recordings, transcribe.transcribe_recordings, protect.protect_recordings,
        protect.confirm_stored, acts.clear_source,
    ]  # fmt: skip
    for number in range(len(steps) + 1):
        world.deliver(f"c{number}")
        [chunk] = acts.discover_intake(world.platform, f"run {number}")
        acts.validate_metadata(world.platform, [chunk])
        for place, step in enumerate(steps):
            if place == number:
                rotate(world)
                acts.discover_intake(world.platform, f"again {number}")
            step(world.platform, chunk)
    assert {state for state, _ in world.deliveries().values()} == {"cleared"}
    assert {row.state for row in world.artifacts()} == {"kept"}
    assert len(world.rows(select(t.deliveries))) == len(recordings(world)) == len(steps) + 1
    assert [row.key_version for _, row in sorted(recordings(world).items())] == [2, 2, 3, 4, 5, 6]


def test_a_call_kept_before_is_known_after(world: World) -> None:
    world.deliver("a")
    world.ingest()
    before = recordings(world)["a"]
    rotate(world)
    world.deliver("a", stem="again")
    world.ingest()
    assert world.deliveries()["a"] == ("cleared", "delivered_before")
    world.deliver("a", stem="other bytes", seed=1)
    world.ingest()
    assert ("quarantined", "id_reused") in {(row.state, row.code) for row in world.rows(select(t.deliveries))}
    world.deliver("b")
    world.ingest()
    assert (recordings(world)["a"], recordings(world)["b"].key_version) == (before, 2)
    digests = {row.identity_digest for row in world.rows(select(t.deliveries)) if row.source_id == "a"}
    assert digests - {None} == {before.identity_digest}


@pytest.mark.promise("P6")
def test_a_call_erased_before_is_not_taken_back_after(world: World) -> None:
    world.deliver_trial("a", left=timedelta(minutes=4))
    world.ingest()
    world.pass_time(AFTER)
    rotate(world, "tombstone")
    world.expire()
    assert {row.state for row in world.artifacts("a")} == {"erased"}
    [version] = {row.key_version for row in world.rows(select(t.tombstones))}
    assert version == recordings(world)["a"].key_version == 1
    rotate(world, "tombstone")
    world.deliver_trial("a", stem="again")
    world.ingest()
    assert world.deliveries()["a"] == ("cleared", "erased_before")
    assert world.verified().verified


@pytest.mark.promise("P6")
def test_the_same_bytes_are_known_under_every_version(world: World) -> None:
    world.deliver("a", seed=1)
    world.ingest()
    rotate(world, "tombstone")
    world.deliver("b", seed=1)
    policy = policy_now(world.platform)
    found = waiting(world.platform, policy)
    acts.discover_intake(world.platform, "run")
    with world.platform.catalog.begin() as tx:
        [row] = world.platform.catalog.open_deliveries(tx, world.platform.intake.source)
    digests = contents(world.platform, policy, found, row).digests
    assert recordings(world)["a"].audio_digest == digests.audios[0] != digests.audios[1] == digests.audio


@pytest.mark.promise("P5")
def test_a_hold_placed_before_catches_what_comes_after(world: World) -> None:
    world.deliver("before")
    world.ingest()
    hold = placed(world, caller=CALLER)
    for _ in range(2):
        rotate(world, "blind-index")
    world.deliver("after")
    world.deliver("other", caller=OTHER)
    world.ingest()
    keep_up(world.platform)
    assert {row.source_id for row in world.artifacts() if row.hold == hold.id} == {"before", "after"}
    versions = {id: row.caller_index_version for id, row in recordings(world).items()}
    assert versions == {"before": 1, "after": 1, "other": 3}  # by the newest that every hold knows


@pytest.mark.promise("P5")
def test_a_hold_placed_after_catches_what_came_before(world: World) -> None:
    world.deliver("before")
    world.ingest()
    rotate(world, "blind-index")
    world.deliver("between")
    world.ingest()
    hold = placed(world, caller="06 12 34 56 78")
    world.deliver("after")
    world.ingest()
    keep_up(world.platform)
    caught = {row.source_id for row in world.artifacts() if row.hold == hold.id}
    assert caught == {"before", "between", "after"}
    found = set(caller_indexes(world.platform, CALLER))
    assert {id for id, row in recordings(world).items() if row.caller_index in found} == caught
    assert recordings(world)["after"].caller_index_version == 2


@pytest.mark.promise("P1")
def test_an_objection_made_before_binds_after(world: World) -> None:
    says(world, spoken("named"))
    says(world, spoken(caller=CALLER))
    rotate(world)
    world.pass_time(timedelta(hours=1))
    world.deliver("named", caller=OTHER, ago=timedelta(days=1))
    world.deliver("theirs", ago=-timedelta(minutes=30))
    world.ingest()
    assert {code for _, code in world.deliveries().values()} == {"objected"}
    assert withdraw_of_caller(world.platform, world.policy, ADVISER, Private(CALLER))


@pytest.mark.promise("P1")
def test_an_objection_made_after_ends_what_came_before(world: World) -> None:
    world.deliver("a")
    world.ingest()
    rotate(world)
    says(world, spoken("a"))
    assert {row.ended_for for row in world.artifacts("a")} == {"objected"}
    digests = {row.identity_digest for row in world.rows(select(objections))}
    assert digests == {recordings(world)["a"].identity_digest}


@pytest.mark.promise("P7")
def test_what_an_old_key_signed_verifies_and_the_newest_key_signs(world: World) -> None:
    for number, id in enumerate(("a", "b"), 1):
        world.deliver_trial(id, left=number * timedelta(minutes=4))
        world.ingest()
        world.pass_time(number * AFTER)
        world.expire()
        seal(world.platform)
        publish(world.platform, asked=True)
        rotate(world, "signing")
    assert {file.split(b"signing-")[1][:1] for file in (row.file for row in world.certificates())} == {
        b"1",
        b"2",
    }
    assert world.verified().verified
    assert check_register(world.platform).verified
    old = {"signing-1": world.keyring.public_keys()["signing-1"]}
    files = [(str(row.id), row.file) for row in world.certificates()]
    assert not verify([*files, ("public-key.txt", write_public_keys(old))]).verified


@pytest.mark.promise("P7")
def test_lists_of_masked_intervals_verify_under_the_key_that_they_name(world: World) -> None:
    for id in ("a", "b"):
        world.deliver(id)
        world.ingest()
        rotate(world, "signing")
    keys = world.keyring.public_keys()
    assert {row.masked_key for row in world.artifacts()} == {"signing-1", "signing-2"}
    for row in world.artifacts():
        statement = masked_statement(str(row.id), str(row.attempt), row.masked)
        Ed25519PublicKey.from_public_bytes(keys[row.masked_key]).verify(row.masked_signature, statement)


class RotatedMeanwhile(MemoryKeyring):
    """Another key after the first signature of a certificate."""

    def __init__(self, real: Keyring) -> None:
        self._real, self.left = real, 1

    def __getattribute__(self, name: str) -> Any:
        mine = ("_real", "left", "sign")
        return object.__getattribute__(self, name) if name in mine else getattr(self._real, name)

    def sign(self, message: bytes) -> Signature:
        signature = self._real.sign(message)
        if self.left and not message:  # it asks for the key's name first
            self.left -= 1
            self._real.rotate("signing")
        return signature


def test_no_certificate_names_a_key_that_did_not_sign_it(world: World) -> None:
    world.deliver_trial("a")
    world.ingest()
    world.pass_time(AFTER)
    rotated = with_parts(world, keyring=RotatedMeanwhile(world.keyring))
    with pytest.raises(Unavailable):
        rotated.expire()
    rotated.expire()
    assert rotated.certificates("artifact") and rotated.verified().verified


def test_a_rotation_is_registered(world: World) -> None:
    assert rotate_key(world.platform, "ops", "draw") == 2
    kinds = ["keyring:key:rotating", "keyring:key:rotated"]
    told = [(entry["actor"], entry["subject"], entry.get("version")) for entry in world.register(*kinds)]
    assert told == [("ops", "draw", None), ("ops", "draw", 2)]


def test_only_one_version_asks_the_catalog_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object) -> set[bytes]:
        raise AssertionError("asked")

    monkeypatch.setattr(Catalog, "known_identities", asked)
    monkeypatch.setattr(Catalog, "known_callers", asked)
    world.deliver("a")
    world.ingest()
    assert identity_digest(world.platform, "memory", "a").version == 1
    assert {row.state for row in world.artifacts()} == {"kept"}
    assert isinstance(recordings(world)["a"].id, UUID)


def test_the_command_shows_versions_and_rotates(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "open_platform", lambda *_: world.platform)
    monkeypatch.setattr(command.Settings, "open", lambda _: None)
    assert main(["keyring", "rotate", "tombstone"]) == 0
    assert main(["keyring", "versions", "--json"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "tombstone: version 2"
    has_files = isinstance(world.keyring, FileKeyring)  # other providers keep a root of their own
    versions = {"signing": [1], "blind-index": [1], "tombstone": [1, 2], "draw": [1]}
    assert json.loads(told[1])["versions"] == versions | ({"root": [1]} if has_files else {})
    assert main(["keyring", "rotate", "epoch"]) == 2
    assert main(["keyring", "rotate", "root"]) == 0
    assert len(world.register("keyring:key:rotated")) == 2
    capsys.readouterr()
    assert main(["keyring", "versions"]) == 0
    assert ("  root: 2" in capsys.readouterr().out.splitlines()) is has_files
