"""Sealing on a real PostgreSQL; the evidence bucket and the signing key stand in memory."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine

from consigne.acts.journey import Platform
from consigne.acts.ports import ObjectVersion, Signature
from consigne.acts.seal import check_register, prove_entries, publish, seal, tell_witness
from consigne.adapters.catalog.grants import GRANTS, grant, make_roles
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.session import open_engine
from consigne.adapters.witness import NoWitness
from consigne.rules.errors import Misconfigured, Tampered, Unavailable
from consigne.rules.evidence.merkle import hash_leaf, root
from consigne.rules.evidence.verify import verify
from consigne.rules.sealing import gap_since

from .conftest import shift_clock

ORIGIN = "consigne.example/register"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Signing:
    """A keyring's signing half: one key, whose name says its version."""

    def __init__(self, name: str = "signing-1") -> None:
        self.name, self.private = name, Ed25519PrivateKey.generate()

    def sign(self, message: bytes) -> Signature:
        return Signature(self.name, self.private.sign(message))

    def public_keys(self) -> dict[str, bytes]:
        return {self.name: self.private.public_key().public_bytes_raw()}


@dataclass
class Evidence:
    """The evidence bucket: what is put stays."""

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    locked_until: list[datetime] = field(default_factory=list)

    def publish(self, name: str, data: bytes, retain_until: datetime) -> str:
        version = str(len(self.objects))
        self.objects[name, version] = data
        self.locked_until.append(retain_until)
        return version

    def list_evidence(self, prefix: str, after: str = "") -> list[ObjectVersion]:
        return [
            ObjectVersion(name, version, False)
            for name, version in self.objects
            if name.startswith(prefix) and name > after
        ]

    def read_evidence(self, name: str, version: str) -> bytes:
        return self.objects[name, version]

    def server_time(self) -> datetime:
        return NOW


@pytest.fixture
def platform(catalog: Catalog, engine: Engine) -> Platform:
    with engine.begin() as tx:
        tx.exec_driver_sql(f"INSERT INTO installation (origin) VALUES ('{ORIGIN}')")
    parts = dict.fromkeys(("intake", "checker", "transcriber", "names", "random", "acknowledged"))
    return Platform(
        catalog,
        cast(Any, Evidence()),
        cast(Any, Signing()),
        witness=NoWitness(),
        new_id=uuid4,
        **cast(Any, parts),
    )


def act(platform: Platform, count: int = 1) -> list[bytes]:
    with platform.catalog.begin() as tx:
        return platform.catalog.append(
            tx, "consigne", "test:entry:made", [{"subject": str(at)} for at in range(count)]
        )


def sealed_leaves(platform: Platform) -> list[bytes]:
    with platform.catalog.begin() as tx:
        return [row.leaf for row in platform.catalog.sealed_rows(tx)]


def rewrite(engine: Engine, statement: str) -> None:
    with engine.begin() as tx:
        tx.exec_driver_sql(statement)


def failures(platform: Platform) -> list[str]:
    return [each.sentence for each in check_register(platform).findings if each.level == "failed"]


@pytest.mark.promise("P7")
def test_what_is_committed_is_sealed_in_order_and_nothing_twice(platform: Platform) -> None:
    first, second = act(platform, 3), act(platform, 2)
    assert (seal(platform).entries, seal(platform).entries) == (5, 0)
    third = act(platform, 4)
    assert seal(platform).size == 9
    assert sealed_leaves(platform) == first + second + third
    with platform.catalog.begin() as tx:
        newest = platform.catalog.newest_checkpoint(tx)
    assert newest is not None
    assert (newest["size"], newest["root"]) == (9, root(map(hash_leaf, first + second + third)))


def test_an_empty_register_signs_nothing(platform: Platform) -> None:
    assert seal(platform).size == 0
    assert publish(platform, asked=True) is None
    assert check_register(platform).verified


@pytest.mark.promise("P7")
def test_a_row_that_commits_late_gets_a_later_number(platform: Platform) -> None:
    catalog = platform.catalog
    with catalog.begin() as late:
        slow = catalog.append(late, "consigne", "test:entry:made", [{"subject": "slow"}])
        quick = act(platform)
        assert seal(platform).entries == 1
    assert seal(platform).entries == 1
    assert sealed_leaves(platform) == quick + slow


@pytest.mark.promise("P7")
def test_a_row_that_is_rolled_back_leaves_no_gap(platform: Platform) -> None:
    with pytest.raises(RuntimeError), platform.catalog.begin() as tx:
        platform.catalog.append(tx, "consigne", "test:entry:made", [{}])
        raise RuntimeError
    act(platform, 2)
    assert seal(platform).size == 2
    publish(platform)
    assert check_register(platform).verified


@pytest.mark.promise("P8")
def test_sealers_at_once_number_each_entry_once(platform: Platform) -> None:
    done: list[int] = []

    def work() -> None:
        for _ in range(5):
            act(platform, 3)
            done.append(seal(platform).entries)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == 60
    publish(platform)
    assert check_register(platform).verified
    assert len(set(sealed_leaves(platform))) == 60


@pytest.mark.promise("P8")
@pytest.mark.parametrize("step", ["lock_register", "number", "add_checkpoint"])
def test_killed_at_any_step_the_next_seal_goes_on(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    act(platform, 3)
    seal(platform)
    act(platform, 2)
    real = getattr(Catalog, step)
    for moment in ("before", "after"):

        def die(*args: Any, moment: str = moment) -> None:
            if moment == "after":
                real(*args)
            raise KeyboardInterrupt

        monkeypatch.setattr(Catalog, step, die)
        with pytest.raises(KeyboardInterrupt):
            seal(platform)
        monkeypatch.setattr(Catalog, step, real)
        assert len(sealed_leaves(platform)) == 3
    assert seal(platform).size == 5
    publish(platform)
    assert check_register(platform).verified


@pytest.mark.promise("P7")
def test_the_newest_checkpoint_is_published_hourly_or_when_asked(platform: Platform, engine: Engine) -> None:
    act(platform)
    seal(platform)
    assert publish(platform) == 1
    assert publish(platform, asked=True) is None  # it is there already
    act(platform)
    seal(platform)
    assert publish(platform) is None
    shift_clock(engine, 3601)
    assert publish(platform) == 2
    act(platform)
    seal(platform)
    assert publish(platform, asked=True) == 3
    evidence = cast(Any, platform.store)
    assert [name for name, _ in evidence.objects] == [f"checkpoints/{size:012d}" for size in (1, 2, 3)]
    assert min(evidence.locked_until) >= NOW + timedelta(days=3650)
    assert check_register(platform).verified


@pytest.mark.promise("P8")
def test_killed_between_the_put_and_its_record_it_is_published_again(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    act(platform)
    seal(platform)
    with monkeypatch.context() as patched:
        patched.setattr(Catalog, "mark_checkpoint", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            publish(platform)
    assert publish(platform) == 1
    assert check_register(platform).verified


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    ("attack", "said"),
    [
        ("UPDATE register SET payload = payload || ' ' WHERE leaf_index = 4", "Entry 4 of the register is not what"),
        ("DELETE FROM register WHERE leaf_index = 7", "entries 7 to 7 are missing"),
        ("UPDATE register SET salt = r.salt, payload = r.payload, leaf = r.leaf FROM register r "
         "WHERE register.leaf_index = 2 AND r.leaf_index = 3", "among entries 0 to 4"),
        ("UPDATE register SET leaf_index = -1 - leaf_index WHERE leaf_index IN (2, 3)", "is not where it was sealed"),
        ("DELETE FROM register; DELETE FROM checkpoints", "the register holds 0"),
    ],
    ids=["payload", "tail", "whole row", "order", "everything"],
)  # fmt: skip
def test_what_a_superuser_rewrites_is_noticed(
    platform: Platform, engine: Engine, attack: str, said: str
) -> None:
    for count in (5, 3):
        act(platform, count)
        seal(platform)
        publish(platform, asked=True)
    assert check_register(platform).verified
    rewrite(engine, attack)
    assert said in "\n".join(failures(platform))


@pytest.mark.promise("P7")
def test_a_register_sealed_anew_contradicts_what_was_published(
    platform: Platform, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    act(platform, 5)
    seal(platform)
    publish(platform)
    rewrite(engine, "DELETE FROM register WHERE leaf_index = 1; UPDATE register SET leaf_index = NULL")
    rewrite(engine, "DELETE FROM checkpoints")
    act(platform, 1)
    with pytest.raises(Misconfigured, match="restored_unreplayed"):
        seal(platform)  # it knows that more was published
    monkeypatch.setattr("consigne.acts.seal.notice_restored", lambda _: False)  # the sealer of an insider
    seal(platform)
    assert "The register contradicts the checkpoint of 5 entries" in failures(platform)[0]


@pytest.mark.promise("P7")
def test_a_forged_or_a_lost_checkpoint_is_noticed(platform: Platform) -> None:
    act(platform, 5)
    seal(platform)
    publish(platform)
    evidence = cast(Any, platform.store)
    [note] = evidence.objects.values()
    evidence.objects["checkpoints/000000000004", "forged"] = note.replace(b"\n5\n", b"\n4\n")
    assert "does not verify: its signature is wrong" in failures(platform)[0]
    evidence.objects.clear()
    assert "The catalog says that this checkpoint was published" in failures(platform)[0]


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE checkpoints SET frontier = overlay(frontier PLACING '\\x00' FROM 20)",
        "UPDATE checkpoints SET frontier = '\\x00'",
        "UPDATE checkpoints SET note = overlay(note PLACING '\\x41' FROM 1)",
    ],
)
def test_nothing_is_signed_on_top_of_an_altered_checkpoint(
    platform: Platform, engine: Engine, attack: str
) -> None:
    act(platform, 5)
    seal(platform)
    rewrite(engine, attack)
    act(platform)
    with pytest.raises(Tampered, match="checkpoint_altered"):
        seal(platform)


@pytest.mark.promise("P7")
def test_a_stranger_ties_entries_to_the_published_register(platform: Platform) -> None:
    early = act(platform, 3)
    seal(platform)
    publish(platform)
    late = act(platform, 4)
    seal(platform)
    unsealed = act(platform)
    files = prove_entries(platform, [early[1], late[0], unsealed[0]])
    assert sorted(files) == sorted(
        [
            "checkpoint-3",
            "checkpoint-7",
            "consistency-3-7.json",
            f"entry-{early[1].hex()[:32]}.json",
            f"entry-{late[0].hex()[:32]}.json",
        ]
    )
    report = verify(list(files.items()), platform.keyring.public_keys())
    assert report.verified
    assert any("is the beginning of the one at 7" in each.sentence for each in report.findings)


def test_nothing_sealed_proves_nothing(platform: Platform) -> None:
    assert prove_entries(platform, act(platform)) == {}


@pytest.fixture
def sealer(platform: Platform, engine: Engine) -> Iterator[Platform]:
    """The platform, its catalog opened as the sealer's own database role."""
    users, passwords = {role: f"try_{role}" for role in GRANTS}, dict.fromkeys(GRANTS, "a-password")
    with engine.begin() as tx:
        make_roles(tx, users, passwords)
        grant(tx, users)
    mine = open_engine(
        engine.url.set(username=users["seal"], password="a-password").render_as_string(hide_password=False)
    )
    yield Platform(
        Catalog(mine, bytes), platform.store, platform.keyring, platform.intake,
        platform.checker, platform.transcriber, platform.names, platform.random, platform.new_id, platform.acknowledged,
        platform.witness,
    )  # fmt: skip
    mine.dispose()


def test_the_sealers_own_role_is_enough(platform: Platform, sealer: Platform) -> None:
    act(platform, 2)
    assert seal(sealer).size == 2
    assert publish(sealer) == 2
    assert check_register(sealer).verified


def test_without_the_keyring_nothing_is_numbered(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(message: bytes) -> Signature:
        raise Unavailable("keyring_away")

    act(platform, 2)
    with monkeypatch.context() as patched:
        patched.setattr(platform.keyring, "sign", away)
        with pytest.raises(Unavailable):
            seal(platform)
    assert sealed_leaves(platform) == []
    assert seal(platform).entries == 2


class Moody:
    """A witness that is away when it is told to be."""

    listens = True

    def __init__(self) -> None:
        self.notes: list[bytes] = []
        self.trouble: str = ""

    def tell(self, note: bytes) -> bool:
        if self.trouble:
            raise Unavailable("witness", self.trouble)
        self.notes.append(note)
        return True

    def told(self) -> list[bytes]:
        return self.notes


def entries(engine: Engine, kind: str) -> list[dict[str, Any]]:
    with engine.begin() as tx:
        found = tx.exec_driver_sql("SELECT payload FROM register ORDER BY id").scalars()
        return [entry for entry in map(json.loads, found) if entry["kind"] == kind]


@pytest.mark.promise("P7")
def test_the_witness_is_told_of_each_publication_and_again_until_it_knows(
    sealer: Platform, engine: Engine
) -> None:
    witness = Moody()
    sealer = replace(sealer, witness=witness)
    assert tell_witness(sealer) is None  # nothing is published yet
    act(sealer)
    seal(sealer)
    publish(sealer)
    witness.trouble = "TimeoutError"
    for _ in range(3):
        with pytest.raises(Unavailable):
            tell_witness(sealer)
    assert [(one["size"], one["code"]) for one in entries(engine, "seal:witness:failed")] == [(1, "witness")]
    witness.trouble = ""
    assert (tell_witness(sealer), tell_witness(sealer)) == (1, None)
    seal(sealer)
    publish(sealer, asked=True)
    assert tell_witness(sealer) == 2
    assert check_register(sealer).verified and len(witness.notes) == 2
    del witness.notes[0]
    assert "and has it no more" in failures(sealer)[0]


@pytest.mark.promise("P8")
def test_killed_between_telling_and_its_record_the_witness_is_told_once_more(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = Moody()
    platform = replace(platform, witness=witness)
    act(platform)
    seal(platform)
    publish(platform)
    with monkeypatch.context() as patched:
        patched.setattr(Catalog, "mark_witnessed", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            tell_witness(platform)
    assert tell_witness(platform) == 1
    assert check_register(platform).verified


@pytest.mark.promise("P7")
def test_a_gap_above_two_hours_is_seen_while_it_lasts_and_registered_when_it_ends(
    platform: Platform, engine: Engine
) -> None:
    witness = Moody()
    platform = replace(platform, witness=witness)

    def gap() -> datetime | None:
        with platform.catalog.begin() as tx:
            return gap_since(platform.catalog.sealing(tx), platform.catalog.now(tx), witness.listens)

    shift_clock(engine, 30 * 86_400)  # nothing happened for a month: nothing waits
    assert gap() is None
    act(platform)
    shift_clock(engine, 7_100)
    assert gap() is None
    shift_clock(engine, 200)
    assert gap() is not None
    seal(platform)
    assert gap() is not None  # sealed is not published
    publish(platform)
    assert gap() is None
    shift_clock(engine, 7_300)
    assert gap() is not None  # published, and the witness was not told; and the gap's own entry waits
    seal(platform)
    publish(platform)
    assert gap() is not None
    tell_witness(platform)
    noticed = entries(engine, "seal:gap:noticed")
    assert [one["outcome"] for one in noticed] == ["published", "published", "witnessed"]
    assert all(one["from"] < one["until"] and one["actor"] == "consigne" for one in noticed)


@pytest.mark.promise("P8")
def test_thousands_of_entries_at_once_are_as_if_one_by_one(platform: Platform, engine: Engine) -> None:
    """They go another way into the table (COPY)."""
    catalog, told = (
        platform.catalog,
        [{"subject": str(uuid4()), "reason": "dispute", "place": at} for at in range(3000)],
    )
    with catalog.begin() as tx:
        leaves = catalog.append(tx, "dpo", "test:entry:made", told)
    with catalog.begin() as tx:
        leaves += [catalog.append(tx, "dpo", "test:entry:made", [one])[0] for one in told[:50]]
    assert seal(platform).entries == 3050 and sealed_leaves(platform) == leaves
    publish(platform)
    assert check_register(platform).verified
    with engine.begin() as tx:
        rows = tx.exec_driver_sql("SELECT payload, subjects FROM register ORDER BY id").all()
    unlike = [json.loads(row.payload) | {"at": ""} for row in rows]
    assert unlike[:50] == unlike[3000:] and [row.subjects for row in rows[:50]] == [
        row.subjects for row in rows[3000:]
    ]
    assert sorted(rows[7].subjects) == sorted(
        [told[7]["subject"], "actor:dpo", "test:entry:made", "why:dispute"]
    )


def test_thousands_that_are_rolled_back_leave_nothing(platform: Platform) -> None:
    with pytest.raises(RuntimeError), platform.catalog.begin() as tx:
        platform.catalog.append(tx, "consigne", "test:entry:made", [{}] * 3000)
        raise RuntimeError
    assert seal(platform).size == 0
