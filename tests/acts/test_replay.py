"""What a restored backup may not bring back, who is believed about what is gone, and what stays shut (P6, P7)."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, insert, select

from consigne.acts.declare import declare
from consigne.acts.evidence import RESTORATIONS, newest_published
from consigne.acts.ingest import discover_intake
from consigne.acts.listen import Offered, export
from consigne.acts.replay import bring_to_truth
from consigne.acts.rotate import rotate_key
from consigne.acts.seal import check_register, prove_entries, publish, seal
from consigne.acts.tombstones import ROOM, read_tombstones
from consigne.acts.truth import notice_restored
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog import tables_gone as gone
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.witness import NoWitness
from consigne.doors import apply
from consigne.doors.local.declared import add_declared
from consigne.doors.settings import Settings
from consigne.rules.access import Denied
from consigne.rules.errors import Misconfigured, Tampered
from consigne.rules.evidence.canonical import encode
from consigne.rules.evidence.signature import sign_note, write_public_keys
from consigne.rules.evidence.verify import verify
from contract.memory import MemoryKeyring

from .test_expire import AFTER, TRAINER, answer, ask
from .world import World, with_parts


class Backup:
    """The three parts at a moment, to be put back one by one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.parts = [
            {
                name: deepcopy(value) if name == "_macs" else value.copy()
                for name, value in vars(part).items()
                if isinstance(value, list | dict | set)
            }
            for part in (world.store, world.keyring)
        ]
        with world.engine.begin() as tx:
            self.rows = {
                table: [dict(row) for row in tx.execute(select(table)).mappings()]
                for table in t.metadata.sorted_tables
            }

    def put_back(self, *parts: str) -> None:
        if "database" in parts:
            self._database()
        if "keyring" in parts:
            for name, value in self.parts[1].items():
                setattr(self.world.keyring, name, deepcopy(value) if name == "_macs" else value.copy())
        if "recordings" in parts:
            self.world.store.versions = self.parts[0]["versions"].copy()

    def _database(self) -> None:
        with self.world.engine.begin() as tx:
            clock = tx.execute(select(t.clock)).one()._asdict()
            emptied = "; ".join(f"DELETE FROM {table.name}" for table in reversed(t.metadata.sorted_tables))
            tx.exec_driver_sql(emptied)
            for table, rows in (self.rows | {t.clock: [clock]}).items():
                if rows:
                    tx.execute(insert(table), rows)


@pytest.fixture
def backup(world: World) -> Backup:
    """A backup, after which a call was erased; another is kept."""
    world.deliver_trial("a")
    world.deliver("kept")
    world.ingest()
    seal(world.platform)
    publish(world.platform, asked=True)
    taken = Backup(world)
    world.pass_time(AFTER)
    world.expire()
    return taken


def states(world: World) -> set[tuple[str, str]]:
    return {(row.source_id, row.state) for row in world.artifacts()}


@pytest.mark.promise("P6")
def test_nothing_came_back_and_nothing_is_written(world: World, backup: Backup) -> None:
    before = world.register()
    assert bring_to_truth(world.platform) is None
    assert world.register() == before and world.rows(select(gone.restorations)) == []


@pytest.mark.promise("P6", "P8")
def test_a_part_that_somebody_says_was_put_back_is_looked_at_in_full(world: World, backup: Backup) -> None:
    world.store.versions = [one for one in world.store.versions if not one[0].startswith("training/")]
    assert bring_to_truth(world.platform, {"recordings"}) is not None
    assert {row.reason for row in world.rows(select(gone.losses))} == {"object_missing"}
    kept = world.artifacts("kept")[0]
    assert export(world.platform, TRAINER, kept.id, "coaching") == Denied("lost")
    assert world.register("listen:artifact:denied")[-1]["code"] == "lost"
    # A better backup brings it again, and it is no loss any more.
    backup.put_back("recordings")
    found = bring_to_truth(world.platform)
    assert found is not None and world.rows(select(gone.losses)) == []
    assert states(world) == {("a", "erased"), ("kept", "kept")}
    assert isinstance(export(world.platform, TRAINER, kept.id, "coaching"), Offered)
    assert [one for one in world.store.versions if one[0].startswith("trial/")] == []


@pytest.mark.promise("P6")
def test_an_unsigned_tombstone_takes_nothing_from_anybody(world: World, backup: Backup) -> None:
    """Whoever may publish evidence cannot have a kept recording erased by it."""
    world.store.evidence += forged(world, "kept")
    assert bring_to_truth(world.platform) is None
    backup.put_back("database")
    found = bring_to_truth(world.platform)
    assert found is not None and found.counts["doubted"] == 2 and found.counts["erased_again"] == 2
    assert states(world) == {("a", "erased"), ("kept", "kept")}
    assert all(world.content(row) for row in world.artifacts("kept"))


def forged(world: World, id: str, key_version: int = 1) -> list[tuple[str, str, bytes]]:
    at = "2027-01-01T00:00:00.000Z"
    lines = [
        {
            "artifact": str(row.id), "recording": str(row.recording), "purpose": row.purpose, "part": row.part,
            "epoch": row.epoch, "attempt": str(row.attempt), "object": row.object, "identity_digest": "00" * 32,
            "audio_digest": "00" * 32, "key_version": key_version, "ground": "period_ended", "erasing_at": at,
        }
        for row in world.artifacts(id)
    ]  # fmt: skip
    return [(f"{ROOM}{at}-{'0' * 32}", "forged", encode(lines) + b"\n")]


@pytest.mark.promise("P6")
def test_a_tombstone_written_while_the_keyring_was_away_is_believed_by_its_certificate(
    world: World,
) -> None:
    world.deliver_trial("a")
    world.ingest()
    taken = Backup(world)
    world.pass_time(AFTER)

    signs = world.keyring.sign
    world.keyring.sign = lambda message: signs(message) if message[:1] != b"[" else away()  # type: ignore[method-assign]
    world.expire()
    [data] = [data for name, _, data in world.store.evidence if name.startswith(ROOM)]
    found, is_signed = read_tombstones(data or b"", world.keyring.public_keys())
    assert len(found) == 2 and not is_signed
    taken.put_back("database", "recordings", "keyring")
    world.pass_time(timedelta(0))  # not due by its own clock
    assert bring_to_truth(world.platform) is not None
    assert states(world) == {("a", "erased")} and world.store.versions == []


def away() -> Any:
    from consigne.rules.errors import Unavailable

    raise Unavailable("keyring", "away")


class Told(NoWitness):
    def __init__(self, *notes: bytes) -> None:
        self.notes = list(notes)

    def told(self) -> list[bytes]:
        return self.notes


@pytest.mark.promise("P6", "P7")
def test_evidence_that_is_older_than_the_witness_keeps_all_shut(world: World, backup: Backup) -> None:
    old = list(world.store.evidence)
    seal(world.platform)
    publish(world.platform, asked=True)
    with world.platform.catalog.begin() as tx:
        newest = world.platform.catalog.newest_checkpoint(tx, published=True)
    assert newest is not None
    told = with_parts(world, witness=Told(newest["note"])).platform
    assert bring_to_truth(told) is None
    world.store.evidence = old
    with pytest.raises(Misconfigured, match="evidence_behind_witness"):
        bring_to_truth(told)
    stranger = with_parts(world, witness=Told(newest["note"]), keyring=MemoryKeyring()).platform
    with pytest.raises(Misconfigured, match="witness_unverified"):
        bring_to_truth(stranger)


@pytest.mark.promise("P6")
@pytest.mark.parametrize("name", ["signing", "tombstone", "blind-index"])
def test_a_keyring_from_before_a_rotation_keeps_all_shut(world: World, name: str) -> None:
    """It would recognise neither what was erased since nor what was published of it."""
    world.deliver_trial("a")
    world.ingest()
    taken = Backup(world)
    world.keyring.rotate(name)
    world.deliver_trial("b", seed=9)
    world.ingest()
    world.pass_time(AFTER)
    world.expire()
    seal(world.platform)
    assert bring_to_truth(world.platform) is None
    now = Backup(world)
    for parts in (("keyring",), ("database", "recordings", "keyring")):
        now.put_back("database", "recordings", "keyring")
        taken.put_back(*parts)
        if name == "blind-index" and "database" in parts:
            continue  # nothing that is left was made with it
        with pytest.raises(Misconfigured, match="keyring_behind") as fault:
            bring_to_truth(world.platform)
        assert fault.value.where == name
    if name == "tombstone":
        assert bring_to_truth(world.platform, {"keyring"}, is_older_keyring=True) is not None
        [entry] = world.register("restore:keyring:declared")
        assert entry["actor"] == "operator" and entry["keys"] == [name]


@pytest.mark.promise("P6", "P8")
def test_what_a_stranger_publishes_shuts_nobody_out(world: World, backup: Backup) -> None:
    """Only a later version of our own signing key says that the keyring is of before; and an operator may know
    better."""
    mine = MemoryKeyring()
    note = {
        name: sign_note(b"body\n", name, lambda body: mine.sign(body).bytes, *mine.public_keys().values())
        for name in ("stranger", "signing-1", "signing-2")
    }
    for name in ("stranger", "signing-1"):
        world.store.evidence.append(("checkpoints/000000099999", name, note[name]))
    world.store.evidence.append((f"{ROOM}2099", "forged", forged(world, "kept", key_version=99)[0][2]))
    world.store.evidence.append(("certificates/2099", "forged", b"{}"))
    assert bring_to_truth(world.platform) is None
    world.store.evidence.append(("checkpoints/000000099998", "forged", note["signing-2"]))
    with pytest.raises(Misconfigured, match="keyring_behind"):
        bring_to_truth(world.platform)
    assert bring_to_truth(world.platform, is_older_keyring=True) is None


@pytest.mark.promise("P7")
def test_a_version_of_a_key_that_was_used_is_never_made_again(world: World) -> None:
    taken = Backup(world)
    world.deliver("kept")
    for name in ("signing", "tombstone"):
        assert rotate_key(world.platform, "ops", name) == 2
    world.ingest()
    seal(world.platform)
    taken.put_back("keyring")
    for name in ("signing", "tombstone"):
        assert rotate_key(world.platform, "ops", name) == 3


@pytest.mark.promise("P6", "P7")
def test_a_database_put_back_under_a_running_platform_shuts_it(
    world: World, backup: Backup, engines: Callable[[str], Engine]
) -> None:
    seal(world.platform)
    publish(world.platform, asked=True)
    sealer = replace(world.platform, catalog=Catalog(engines("seal"), world.platform.random))
    assert notice_restored(sealer) is False
    backup.put_back("database")
    assert notice_restored(sealer) is True and notice_restored(sealer) is True
    for act in (
        lambda: discover_intake(world.platform, "later"),
        lambda: export(world.platform, TRAINER, world.artifacts()[0].id, "coaching"),
        lambda: world.expire(),
    ):
        with pytest.raises(Misconfigured, match="restored_unreplayed"):
            act()
    found = bring_to_truth(world.platform)
    assert found is not None and found.parts == ("database",)
    assert notice_restored(sealer) is False
    discover_intake(world.platform, "later")
    assert len(world.rows(select(gone.restorations))) == 1


@pytest.mark.promise("P7")
def test_the_register_goes_on_under_another_name_and_never_contradicts_what_was_published(
    world: World, backup: Backup
) -> None:
    """Twice put back to the same backup: two continuations, and each loss is declared."""
    for number in (1, 2):
        seal(world.platform)
        publish(world.platform, asked=True)
        backup.put_back("database")
        assert not check_register(world.platform).verified  # a dropped tail fails until it is declared
        found = bring_to_truth(world.platform, {"database"})
        assert found is not None and found.declared == ("database",)
        [row] = world.rows(select(gone.restorations))
        assert row.declared == ["database"] and row.origin == f"consigne.test/register/restored-{number}"
        report = check_register(world.platform)
        assert report.verified, report.findings
        assert sum("are lost" in one.sentence for one in report.findings) == number
    seal(world.platform)
    assert publish(world.platform, asked=True) is not None
    newest = newest_published(world.platform)
    assert newest is None  # nobody knows more than this database
    assert check_register(world.platform).verified
    # Certificates of before and after tie to it.
    with world.platform.catalog.begin() as tx:
        leaves = [bytes(row.leaf) for row in tx.execute(select(t.register)).all()]
    files = [
        *prove_entries(world.platform, leaves[:3]).items(),
        *((str(r.id), r.file) for r in world.certificates()),
    ]
    assert verify([*files, ("key.txt", write_public_keys(world.keyring.public_keys()))]).verified
    # A tail that is dropped now fails as ever.
    with world.engine.begin() as tx:
        last = max(
            row.leaf_index for row in tx.execute(select(t.register)).all() if row.leaf_index is not None
        )
        tx.execute(t.register.delete().where(t.register.c.leaf_index == last))
    assert not check_register(world.platform).verified


@pytest.mark.promise("P7")
@pytest.mark.parametrize("is_said_by_the_row", [False, True])
def test_who_drops_the_tail_and_starts_again_is_not_excused_by_the_replay(
    world: World, backup: Backup, is_said_by_the_row: bool
) -> None:
    """Whatever the database's superuser writes: only an operator declares a restoration."""
    seal(world.platform)
    size = publish(world.platform, asked=True)
    kept = drop_tail(world)
    if is_said_by_the_row:
        row = {
            "id": uuid4(),
            "parts": ["database"],
            "declared": ["database"],
            "began_at": world.now(),
            "counts": {},
        }
        with world.engine.begin() as tx:
            tx.execute(
                insert(gone.restorations).values(row | {"register_size": kept, "published_size": size})
            )
    found = bring_to_truth(world.platform)
    assert found is not None and found.parts == ("database",) and found.declared == ()
    assert bring_to_truth(world.platform) is None
    seal(world.platform)
    publish(world.platform, asked=True)
    [failed] = [one for one in check_register(world.platform).findings if one.level == "failed"]
    assert (
        failed.sentence.startswith(f"Entries {kept} to {(size or 0) - 1} ")
        and str(found.id) in failed.sentence
    )
    assert not declare(world.platform, uuid4())
    assert not check_register(world.platform).verified
    assert declare(world.platform, found.id)
    seal(world.platform)
    publish(world.platform, asked=True)
    report = check_register(world.platform)
    assert report.verified, report.findings
    notes = [name for name, *_ in world.store.evidence if name.startswith(RESTORATIONS)]
    assert declare(world.platform, found.id)  # again: nothing new is published
    assert notes == [name for name, *_ in world.store.evidence if name.startswith(RESTORATIONS)]
    if not is_said_by_the_row:
        [entry] = world.register("restore:backup:declared")
        assert entry["actor"] == "operator" and entry["subject"] == str(found.id)


@pytest.mark.promise("P7")
def test_a_start_takes_the_operators_word_from_the_state_folder(
    world: World, backup: Backup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply, "open_platform", lambda *_: world.platform)
    settings, said = Settings.make(tmp_path / "state"), list[str]()
    seal(world.platform)
    publish(world.platform, asked=True)
    drop_tail(world)
    apply._bring_to_truth(settings, said.append)
    [row] = world.rows(select(gone.restorations))
    assert row.declared == [] and f"restore --declare {row.id}" in said[-1]
    assert not check_register(world.platform).verified
    add_declared(settings, [str(row.id), str(uuid4())])
    apply._bring_to_truth(settings, said.append)
    assert f"restoration {row.id}: declared" in said and "evidence knows none" in said[-1] + said[-2]
    assert check_register(world.platform).verified
    assert not (settings.state_dir / "restored").exists()


@pytest.mark.promise("P7")
def test_no_note_is_signed_over_a_tree_that_was_not(world: World, backup: Backup) -> None:
    """A tail is dropped and what is left rewritten, so that the replay would sign the root of that."""
    seal(world.platform)
    publish(world.platform, asked=True)
    drop_tail(world)
    with world.engine.begin() as tx:
        tx.execute(t.checkpoints.update().values(root=b"r" * 32))
    with pytest.raises(Tampered, match="checkpoint_altered"):
        bring_to_truth(world.platform, {"database"})
    assert not any(name.startswith(RESTORATIONS) for name, *_ in world.store.evidence)


def drop_tail(world: World) -> int:
    """As a superuser of the database: the register ends at its first checkpoint, of this size."""
    with world.engine.begin() as tx:
        size = min(tx.execute(select(t.checkpoints.c.size)).scalars())
        tx.execute(t.register.delete().where(t.register.c.leaf_index >= size))
        tx.execute(t.checkpoints.delete().where(t.checkpoints.c.size > size))
    return size


@pytest.mark.promise("P6")
def test_a_new_database_over_old_evidence_keeps_all_shut(world: World, backup: Backup) -> None:
    with world.engine.begin() as tx:
        tx.execute(t.checkpoints.delete())
        tx.execute(t.installation.update().values(origin="consigne/another"))
    with pytest.raises(Misconfigured, match="evidence_of_another"):
        bring_to_truth(world.platform)


@pytest.mark.promise("P6")
def test_the_same_sound_under_another_name_is_refused_once_it_was_erased(world: World) -> None:
    world.deliver_trial("a", seed=7)
    world.deliver("leg", seed=7)  # another leg of the same call, while it is kept
    world.ingest()
    assert world.verdicts("leg") == {"training": "admitted"}
    world.pass_time(AFTER)
    world.expire()
    world.deliver("b", seed=7, ago=-AFTER / 2, purposes=["trial"])
    world.deliver("c", seed=8, ago=-AFTER / 2, purposes=["trial"])
    world.ingest()
    assert world.verdicts("b") == {"trial": "erased_before"}
    assert world.verdicts("c") == {"trial": "admitted"}


@pytest.mark.promise("P5", "P6")
def test_what_a_lost_decision_kept_is_named(world: World) -> None:
    """Its own time is up, others were erased since, and it was not: somebody had decided so."""
    for id in ("gone", "extended", "asked"):
        world.deliver_trial(id, left=timedelta(minutes=4 if id != "gone" else 2))
    world.ingest()
    taken = Backup(world)
    answer(world, ask(world, "extended"))
    ask(world, "asked")  # its epoch cannot close before somebody answered
    world.pass_time(AFTER)
    world.expire()
    assert states(world) == {("gone", "erased"), ("extended", "kept"), ("asked", "kept")}
    taken.put_back("database")
    assert bring_to_truth(world.platform) is not None
    lost = {(row.recording, row.reason) for row in world.rows(select(gone.losses))}
    assert lost == {
        (row.recording, "decision_missing") for row in world.artifacts() if row.source_id != "gone"
    }
    [heard, *_] = world.artifacts("extended")
    assert export(world.platform, TRAINER, heard.id, "coaching") == Denied("past_due")


@pytest.mark.promise("P6")
def test_the_roles_are_enough(world: World, backup: Backup, engines: Callable[[str], Engine]) -> None:
    """The replay runs as `expire`, which can neither wrap a key nor move a clock."""
    seal(world.platform)
    publish(world.platform, asked=True)
    backup.put_back("database", "recordings", "keyring")
    acting = replace(world.platform, catalog=Catalog(engines("expire"), world.platform.random))
    found = bring_to_truth(acting)
    assert found is not None and set(found.parts) == {"database", "recordings", "keyring"}
    assert bring_to_truth(acting) is None
    assert states(world) == {("a", "erased"), ("kept", "kept")}
    assert found.counts["erased_again"] == 2 and found.counts["destroyed_again"] == 1
    assert any(name.startswith(RESTORATIONS) for name, *_ in world.store.evidence)
