"""The keyring gone for an hour of the clock: what falls due is inaudible at once and its objects go; certificates and
ingest wait, and all catches up by itself (issue 6, Shown by 9)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from consigne.acts import expire as acts
from consigne.acts import tombstones
from consigne.acts.close import close_epochs
from consigne.acts.listen import export
from consigne.rules.access import Denied
from consigne.rules.errors import Unavailable
from consigne.rules.values import Actor

from .world import World

TRAINER = Actor("trainer", frozenset({"trainer"}))


@pytest.mark.promise("P5", "P6", "P8")
def test_an_hour_without_the_keyring(world: World) -> None:
    world.deliver_trial("a")
    world.deliver_trial("b", left=timedelta(minutes=3))
    world.ingest()
    world.deliver("c")
    due = [*world.artifacts("a"), *world.artifacts("b")]
    assert due and all(world.content(row) for row in due)
    world.keyring.away = True
    world.pass_time(timedelta(minutes=6))

    for row in due:
        assert export(world.platform, TRAINER, row.id, "coaching") == Denied("past_due")
    with pytest.raises(Unavailable):
        world.ingest()
    acts.freeze_manifest(world.platform, "away", dry_run=False)
    [chunk] = acts.measure_volume(world.platform, "away")
    for step in (acts.recheck, acts.destroy_keys, acts.delete_objects, acts.verify_absent):
        step(world.platform, chunk)
    assert world.keys() == {} and not any(world.under(row) for row in due)
    with pytest.raises(Unavailable):
        acts.sign_certificate(world.platform, chunk)
    with pytest.raises(Unavailable):
        close_epochs(world.platform, False)

    world.pass_time(timedelta(minutes=66))
    with pytest.raises(Unavailable):
        world.ingest()
    assert {*world.states("a").values(), *world.states("b").values()} == {"erasing"}
    assert world.certificates() == []
    assert [found.stem for found in world.intake.waiting(1 << 30)] == ["c"], "a source was cleared"

    world.keyring.away = False
    world.expire()
    world.ingest()
    assert {*world.states("a").values(), *world.states("b").values()} == {"erased"}
    assert len(world.certificates("artifact")) == len(due) and world.verified().verified
    assert len(world.certificates("epoch")) == len({row.epoch for row in due})
    assert set(world.states("c").values()) == {"kept"} and list(world.intake.waiting(1 << 30)) == []


@pytest.mark.promise("P6")
@pytest.mark.parametrize("is_away", [False, True])
def test_tombstones_are_signed_in_statements_that_a_key_server_takes(
    world: World, monkeypatch: pytest.MonkeyPatch, is_away: bool
) -> None:
    most = 1500
    monkeypatch.setattr(tombstones, "STATEMENT_BYTES", most)
    world.deliver_trial("a")
    world.deliver_trial("b")
    world.ingest()
    due = {row.id for row in world.artifacts()}
    world.keyring.away = is_away
    world.pass_time(timedelta(minutes=6))
    acts.freeze_manifest(world.platform, "one", dry_run=False)
    [chunk] = acts.measure_volume(world.platform, "one")
    acts.recheck(world.platform, chunk)
    acts.destroy_keys(world.platform, chunk)
    world.keyring.away = False
    tombstones.sign_tombstones(world.platform, acts.EVIDENCE_KEPT)

    keys = world.keyring.public_keys()
    published = [
        data
        for name, _, data in world.store.evidence
        if name.startswith(tombstones.ROOM) and data is not None
    ]
    assert all(len(data.partition(b"\n")[0]) <= most for data in published)
    signed = [
        found
        for found, is_signed in (tombstones.read_tombstones(one, keys) for one in published)
        if is_signed
    ]
    assert sorted(one.artifact for some in signed for one in some) == sorted(due)
    assert 1 < len(signed) < len(due)
    before = len(world.store.evidence)
    tombstones.sign_tombstones(world.platform, acts.EVIDENCE_KEPT)
    assert len(world.store.evidence) == before
