"""The register against those who hold one of its parts: a superuser of PostgreSQL, MinIO's root, who holds the
witness's file. Each attack on real parts fails `verify --register`, which says where."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from minio import Minio
from sqlalchemy import Engine, text

from acts.world import TEXT, World
from consigne.acts.declare import declare
from consigne.acts.journey import Platform
from consigne.acts.replay import bring_to_truth
from consigne.acts.seal import check_register, publish, seal, tell_witness
from consigne.adapters.store.access import EVIDENCE
from consigne.adapters.witness import FileWitness
from consigne.rules.errors import Misconfigured
from consigne.rules.evidence.merkle import Frontier, hash_leaf
from consigne.rules.evidence.signature import checkpoint_body, sign_note
from consigne.rules.policy.load import load
from contract.servers import REGION, Server, start

from .real import Real

SWAP = (
    "UPDATE register AS one SET {0} FROM register AS other WHERE one.leaf_index = 3 AND other.leaf_index = 4"
)
LIE = """convert_to('{"actor":"dpo","at":"2026-11-22T00:00:00.000Z","kind":"test:entry:made"}', 'UTF8')"""
# Another letter of base64 than the one that is there.
OTHER = "convert_to(CASE substring(note FROM length(note) - 10 FOR 1) WHEN 'A' THEN 'B' ELSE 'A' END, 'UTF8')"
# the attack → what is said. Entries are sealed two at a time, published at 2, 6 and 10 of 14 that are sealed.
AS_SUPERUSER = {
    f"UPDATE register SET payload = {LIE} WHERE leaf_index = 3": "Entry 3 of the register is not what was sealed",
    f"UPDATE register SET payload = {LIE}, leaf = sha256(salt || {LIE}) WHERE leaf_index = 3": "among entries 2 to 3 one was",
    f"UPDATE register SET payload = {LIE}, leaf = sha256(salt || {LIE}) WHERE leaf_index = 12": "among entries 12 to 13 one was",
    SWAP.format("salt = other.salt, payload = other.payload, leaf = other.leaf"): "among entries 2 to 3 one was",
    "UPDATE register SET salt = NULL, payload = NULL WHERE leaf_index = 5": "Entry 5: what was said there is gone",
    "UPDATE register SET leaf_index = NULL WHERE leaf_index = 4": "Entry 4 of the register is not where it was sealed",
    "DELETE FROM register WHERE leaf_index >= 8": "entries 8 to 9 are missing",
    "DELETE FROM register; DELETE FROM checkpoints": "entries 0 to 1 are missing",
    "DELETE FROM checkpoints WHERE size > 12": "Entries 12 to 13 are numbered, and no checkpoint was signed",
    "UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE size = 12) WHERE size = 14": "no checkpoint was signed",
    f"UPDATE checkpoints SET note = overlay(note PLACING {OTHER} FROM length(note) - 10) WHERE size = 14":
        "A checkpoint that the catalog keeps does not verify: its signature is wrong",
}  # fmt: skip
DROPPED = "DELETE FROM register WHERE leaf_index >= 8; DELETE FROM checkpoints WHERE size > 8"
# Everything from an entry on, made anew: by who holds the database alone, and then sealed by the real sealer.
REWRITTEN = f"""
DELETE FROM checkpoints WHERE size > 4;
UPDATE register SET payload = {LIE}, leaf = sha256(salt || {LIE}), leaf_index = NULL WHERE leaf_index >= 4;
"""


@pytest.fixture
def minio(tmp_path: Path) -> Iterator[Server]:
    """One of its own: what lies in the evidence bucket cannot be removed."""
    started, policy = start(tmp_path / "minio"), load(TEXT).policy
    try:
        started.bring_in_line(policy)
        yield started
    finally:
        started.process.terminate()
        started.process.wait(timeout=30)


@pytest.fixture
def platform(world: World, engine: Engine, minio: Server, tmp_path: Path) -> Platform:
    """Sealed two entries at a time; published and witnessed at 2, 6 and 10 of 14."""
    real = Real(world, engine, minio, tmp_path / "real")
    (tmp_path / "real").mkdir()
    real.prepare()
    made = replace(real.platform(engine), witness=FileWitness(tmp_path / "witness.txt"))
    with engine.begin() as tx:
        tx.execute(text("DELETE FROM register"))
    for size in range(2, 15, 2):
        with made.catalog.begin() as tx:
            made.catalog.append(tx, "trainer", "test:entry:made", [{"place": size}, {"place": size + 1}])
        assert seal(made).size == size
        if size in (2, 6, 10):
            assert publish(made, asked=True) == tell_witness(made) == size
    assert failures(made) == []
    return made


def failures(platform: Platform) -> list[str]:
    found = check_register(platform).findings
    return [f"{each.file} {each.sentence}".strip() for each in found if each.level == "failed"]


def restored(engine: Engine, attack: str, look: Callable[[], list[str]]) -> list[str]:
    """What is said after the attack; the tables are as before afterwards."""
    tables = ("register", "checkpoints")
    with engine.begin() as tx:
        for table in tables:
            tx.execute(text(f"CREATE TABLE saved_{table} AS TABLE {table}"))
        for statement in filter(str.strip, attack.split(";")):
            tx.exec_driver_sql(statement)
    try:
        return look()
    finally:
        with engine.begin() as tx:
            for table in tables:
                tx.execute(text(f"DELETE FROM {table}"))
                given = "OVERRIDING SYSTEM VALUE" if table == "register" else ""
                tx.execute(text(f"INSERT INTO {table} {given} SELECT * FROM saved_{table}"))
                tx.execute(text(f"DROP TABLE saved_{table}"))


@pytest.mark.promise("P7")
def test_a_superuser_of_the_database_is_noticed(
    platform: Platform, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for attack, said in AS_SUPERUSER.items():
        told = restored(engine, attack, lambda: failures(platform))
        assert any(said in each for each in told), (attack, told)

    def seal_anew() -> list[str]:
        monkeypatch.setattr("consigne.acts.seal.notice_restored", lambda _: False)  # by a sealer of his own
        assert seal(platform).size == 14
        publish(platform, asked=True)
        return failures(platform)

    told = restored(engine, DROPPED, lambda: failures(platform))
    assert any("entries 8 to 9 are missing" in each for each in told)
    told = restored(engine, REWRITTEN, lambda: failures(platform))
    assert "the register holds 4: entries 4 to 5 are missing" in told[0]
    assert failures(platform) == []
    told = restored(engine, REWRITTEN, seal_anew)  # the last: what it publishes stays
    assert "among entries 4 to 5 one was changed" in told[0]
    assert any("checkpoints/000000000006 The register contradicts" in each for each in told)


@pytest.mark.promise("P7")
def test_a_start_after_the_tail_was_dropped_excuses_nobody(platform: Platform, engine: Engine) -> None:
    """The start brings all to the truth, and signs a note of it; verifying fails until an operator says that he put
    a backup back."""
    with engine.begin() as tx:
        for statement in DROPPED.split(";"):
            tx.exec_driver_sql(statement)
    with pytest.raises(Misconfigured, match="restored_unreplayed"):
        seal(platform)
    found = bring_to_truth(platform)
    assert found is not None and found.parts == ("database",) and found.declared == ()
    seal(platform)
    publish(platform, asked=True)
    [told] = failures(platform)
    assert "Entries 8 to 9 of the register" in told and "nobody declared" in told
    assert declare(platform, found.id)
    assert failures(platform) == []


@pytest.mark.promise("P7")
def test_minios_root_is_noticed(platform: Platform, minio: Server) -> None:
    root = Minio(
        endpoint=minio.endpoint,
        access_key=minio.root[0],
        secret_key=minio.root[1],
        secure=False,
        region=REGION,
    )
    genuine = platform.store.read_evidence("checkpoints/000000000006", None)
    origin = genuine.split(b"\n")[0].decode()
    mine = Ed25519PrivateKey.generate()

    def forged(name: str) -> bytes:
        body = checkpoint_body(origin, 20, b"r" * 32)
        return sign_note(body, name, mine.sign, mine.public_key().public_bytes_raw())

    [known] = platform.keyring.public_keys()
    wrong = b"\n".join([*genuine.split(b"\n")[:1], b"20", *genuine.split(b"\n")[2:]])
    attacks = [
        ("checkpoints/000000000020", forged("stranger"), "does not verify: none of the known keys signed it"),
        ("checkpoints/000000000021", forged(known), "does not verify: none of the known keys signed it"),
        ("checkpoints/000000000022", wrong, "does not verify: its signature is wrong"),
        ("checkpoints/000000000023", genuine, "lies under a name that is not its own"),
        ("checkpoints/000000000010", genuine, "lies under a name that is not its own"),
        ("checkpoints/x", genuine, "lies under a name that is not its own"),
    ]
    before: list[str] = []  # what was put there stays: the bucket is locked, for root too
    for name, note, said in attacks:
        root.put_object(bucket_name=EVIDENCE, object_name=name, data=io.BytesIO(note), length=len(note))
        told = failures(platform)
        [new] = [each for each in told if each not in before]
        assert new.startswith(f"{name} ") and said in new
        before = told
    name = "checkpoints/000000000006"
    root.remove_object(bucket_name=EVIDENCE, object_name=name)
    [new] = [each for each in failures(platform) if each not in before]
    assert new == f"{name} A delete marker lies over it: somebody tried to remove it."


@pytest.mark.promise("P7")
def test_who_holds_the_witness_or_the_signing_key_is_noticed(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "witness.txt"
    whole = file.read_bytes()
    notes = whole.split(b"\n.\n")
    file.write_bytes(b"\n.\n".join([*notes[:2], b""]))
    assert failures(platform) == [
        "checkpoints/000000000010 The outside witness was told of this checkpoint, and has it no more."
    ]
    file.write_bytes(whole.replace(b"\n6\n", b"\n7\n"))
    told = failures(platform)
    assert "witness note 2 This checkpoint does not verify: its signature is wrong." in told
    file.unlink()
    assert len(failures(platform)) == 3
    file.write_bytes(whole)
    assert failures(platform) == []
    # An insider with the signing key shows the witness another tree than the bucket.
    origin = whole.split(b"\n")[0].decode()
    frontier = Frontier().extend(hash_leaf(bytes([number]) * 32) for number in range(10))
    for size, said in (
        (10, "Two checkpoints of 10 entries contradict each other"),
        (12, "the bucket lacks it"),
    ):
        body = checkpoint_body(origin, size, frontier.root())
        signed, keys = platform.keyring.sign(body), platform.keyring.public_keys()
        note = sign_note(body, signed.key, lambda _, made=signed: made.bytes, keys[signed.key])
        platform.witness.tell(note)
        assert any(said in each for each in failures(platform))
    assert list(itertools.islice(platform.witness.told() or [], 3)) == [note + b"\n" for note in notes[:3]]
