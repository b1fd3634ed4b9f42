"""What a tombstone is worth that nobody signed: silence until the DPO answers, never an erasure (P6, P8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine, select

from consigne.acts import expire as acts
from consigne.acts.answer_finding import answer_finding
from consigne.acts.listen import export
from consigne.acts.protect import artifact_id
from consigne.acts.replay import bring_to_truth
from consigne.acts.tombstones import ROOM, read_tombstones
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog import tables_gone as gone
from consigne.adapters.catalog.open import Catalog
from consigne.rules.access import Denied
from consigne.rules.errors import Unavailable
from consigne.rules.evidence.canonical import encode
from consigne.rules.findings import Finding
from consigne.rules.values import Part

from .test_expire import AFTER, DPO, TRAINER, answer, ask, chunks_of
from .test_replay import Backup, forged, states
from .test_turn import end_now
from .world import World

PARTS = ("database", "recordings", "keyring")
STEPS = (acts.recheck, acts.destroy_keys, acts.delete_objects, acts.verify_absent)


def heard(world: World, id: str) -> set[str]:
    """What becomes of an attempt to hear the parts of a call."""
    found = [export(world.platform, TRAINER, row.id, "coaching") for row in world.artifacts(id)]
    return {one.code if isinstance(one, Denied) else "offered" for one in found}


def erase_without_keyring(world: World, *ids: str) -> str:
    """As far as it goes; the chunk."""
    for id in ids:
        end_now(world, id)
    world.keyring.away = True
    chunk: str = chunks_of(world, "away")[0]
    for step in STEPS:
        step(world.platform, chunk)
    return chunk


def test_what_was_objected_to_while_the_keyring_was_away_is_not_heard_again(
    world: World, engines: Callable[[str], Engine]
) -> None:
    """The machine dies in that hour, and nobody says that a backup was put back."""
    world.deliver("b")
    world.deliver("kept", seed=3)
    world.ingest()
    taken = Backup(world)
    erase_without_keyring(world, "b")
    world.keyring.away = False
    taken.put_back(*PARTS)
    acting = replace(world.platform, catalog=Catalog(engines("expire"), world.platform.random))
    listening = replace(world.platform, catalog=Catalog(engines("listen"), world.platform.random))
    for declared in ((), PARTS):
        bring_to_truth(acting, declared)
        assert states(world) == {("b", "kept"), ("kept", "kept")}
        assert heard(world, "b") == {"lost"} and heard(world, "kept") == {"offered"}
        [row, *_] = world.artifacts("b")
        assert export(listening, TRAINER, row.id, "coaching") == Denied("lost")
        found = world.rows(select(gone.findings))
        assert {(one.kind, one.state, one.artifact) for one in found} == {
            ("doubted_tombstone", "open", row.id) for row in world.artifacts("b")
        }
    for one in found:
        done = answer_finding(
            world.platform, world.policy, DPO, one.id, "acknowledged", "Rien ne l’explique."
        )
        assert isinstance(done, Finding)
    bring_to_truth(acting)  # an answer stays one
    assert heard(world, "b") == {"offered"}


@pytest.mark.promise("P6")
def test_a_tombstone_of_2099_hides_no_later_one(world: World) -> None:
    at, recording = "2099-01-01T00:00:00.000Z", uuid4()
    line = {
        "artifact": str(artifact_id(recording, "trial", Part.AUDIO)), "recording": str(recording), "purpose": "trial",
        "part": "audio", "epoch": "trial/x/0", "attempt": str(uuid4()),
        "object": f"trial/2026/11/22/{recording}/audio/{uuid4()}", "identity_digest": "00" * 32,
        "audio_digest": "00" * 32, "key_version": 1, "ground": "period_ended", "erasing_at": at,
    }  # fmt: skip
    world.deliver("b")
    world.deliver("kept", seed=3)
    world.ingest()
    world.store.evidence += [(f"{ROOM}{at}-{'0' * 32}", "forged", encode([line]) + b"\n")]
    assert bring_to_truth(world.platform) is None
    assert world.rows(select(t.tombstones)) == [] and world.rows(select(gone.findings)) == []
    taken = Backup(world)
    end_now(world, "b")
    world.expire()
    taken.put_back(*PARTS)
    with world.engine.begin() as tx:  # as a clock that once ran ahead left it
        early = {"artifact": uuid4(), "recording": uuid4(), "attempt": uuid4(), "key_version": 1, "purpose": "trial",
                 "part": "audio", "epoch": "trial/x/0", "object": line["object"], "ground": "period_ended",
                 "identity_digest": b"0" * 32, "audio_digest": b"0" * 32, "erasing_at": world.now()}  # fmt: skip
        tx.execute(t.tombstones.insert().values(early | {"erasing_at": world.now() + timedelta(days=2)}))
        tx.execute(t.tombstones.insert().values(early | {"artifact": uuid4()}))
    world.pass_time(timedelta(days=3))
    assert bring_to_truth(world.platform, PARTS) is not None
    assert states(world) == {("b", "erased"), ("kept", "kept")}


@pytest.mark.promise("P5")
def test_who_may_publish_evidence_cannot_end_what_a_request_keeps(world: World) -> None:
    world.deliver_trial("a")
    world.ingest()
    answer(world, ask(world, "a"))
    world.pass_time(AFTER)
    world.store.evidence += forged(world, "a")
    assert bring_to_truth(world.platform) is None
    assert states(world) == {("a", "kept")} and world.keys()


@pytest.mark.promise("P6")
def test_the_signed_tombstone_counts_whatever_stands_beside_it(world: World) -> None:
    """Else a forged one would let the same sound in again."""
    world.deliver("b", seed=7)
    world.ingest()
    taken = Backup(world)
    end_now(world, "b")
    world.expire()
    [row, *_] = world.rows(select(t.tombstones))
    lie = [
        (f"{ROOM}2000{name[len(ROOM) + 4 :]}", version, data) for name, version, data in forged(world, "b")
    ]
    world.store.evidence = lie + world.store.evidence
    taken.put_back(*PARTS)
    assert bring_to_truth(world.platform, PARTS) is not None
    assert states(world) == {("b", "erased")}
    assert row.audio_digest in {one.audio_digest for one in world.rows(select(t.tombstones))}
    assert b"\0" * 32 not in {one.audio_digest for one in world.rows(select(t.tombstones))}


@pytest.mark.promise("P6")
def test_what_went_out_unsigned_is_published_again_signed(world: World) -> None:
    world.deliver("b")
    world.ingest()
    taken = Backup(world)
    chunk = erase_without_keyring(world, "b")
    with pytest.raises(Unavailable):
        acts.sign_certificate(world.platform, chunk)
    world.keyring.away = False
    assert is_signed(world) == [False]
    puts = world.store.publish

    def dies(name: str, data: bytes, retain_until: datetime) -> str:
        puts(name, data, retain_until)
        raise Unavailable("store", "died")

    world.store.publish = dies  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        acts.sign_certificate(world.platform, chunk)
    world.store.publish = puts  # type: ignore[method-assign]
    acts.sign_certificate(world.platform, chunk)
    acts.sign_certificate(world.platform, chunk)
    assert is_signed(world) == [False, True, True]  # once more than it must: the first may not be there
    assert all(row.signed_at for row in world.rows(select(t.tombstones)))
    # Its certificates are gone with the last hour of the evidence bucket's disk: it is believed all the same.
    world.store.evidence = [one for one in world.store.evidence if one[0].startswith(ROOM)]
    taken.put_back(*PARTS)
    assert bring_to_truth(world.platform) is not None
    assert states(world) == {("b", "erased")}


def is_signed(world: World) -> list[bool]:
    """Of each object of tombstones, in order."""
    keys = world.keyring.public_keys()
    return [
        read_tombstones(data or b"", keys)[1]
        for name, _, data in world.store.evidence
        if name.startswith(ROOM)
    ]
