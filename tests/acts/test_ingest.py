"""The life of a delivery, on a real PostgreSQL: how each kind ends, and that nothing half done is left."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from consigne.acts import ingest as acts
from consigne.acts import protect, report
from consigne.acts.deliveries import retry_delivery
from consigne.acts.ports import Mac, Waiting
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.tables_stock import unclaimed
from consigne.doors.samples.generate import calls
from consigne.doors.samples.manifest import Foretold
from consigne.rules.acknowledgements import acknowledged_at, read_acknowledgements
from consigne.rules.errors import Conflict, Tampered, Unavailable
from consigne.rules.policy.load import load

from .world import TEXT, UNINFORMED, World, sound, with_parts

BOTH = {("training", "audio"): "kept", ("training", "transcript"): "kept"}
WEEK = timedelta(days=7)


@pytest.mark.promise("P1", "P8")
def test_every_sample_ends_as_foretold(world: World, request: pytest.FixtureRequest) -> None:
    agents = read_acknowledgements(
        (request.config.rootpath / "config/agents.csv").read_text(), world.policy.zone
    )
    informed = with_parts(world, acknowledged=lambda policy, agent: acknowledged_at(agents, agent, policy))
    told: dict[str, Foretold] = {}
    for delivery, foretold in calls(40, 1, world.base, world.policy):
        world.intake.deliver(foretold.stem, delivery.audio, delivery.json, delivery.suffix.removeprefix("."))
        told[foretold.stem] = foretold
    informed.ingest()
    stems = {world.keyring.mac("tombstone", b"stem" + stem.encode()).digest: stem for stem in told}
    rows = {stems[row.stem_digest]: row for row in world.rows(select(t.deliveries))}
    assert {stem: (row.state, row.code) for stem, row in rows.items()} == {
        stem: (one.state, one.code) for stem, one in told.items()
    }
    judged: dict[str, set[tuple[str, str, str | None]]] = {stem: set() for stem in told}
    for row in world.rows(select(t.verdicts, t.deliveries.c.stem_digest).join(t.deliveries)):
        judged[stems[row.stem_digest]].add((row.purpose, row.verdict, row.code))
    for stem, one in told.items():
        if one.state == "cleared":
            assert judged[stem] == {(each.purpose, each.verdict, each.code) for each in one.verdicts}, stem
    kept = {one.id for one in told.values() if one.state == "cleared" and one.code is None}
    assert {row.source_id for row in world.artifacts()} == kept
    assert set(world.states().values()) == {"kept"}
    assert {place.stem for place in world.intake.waiting(1 << 30)} == {
        stem for stem, one in told.items() if one.state == "quarantined"
    }
    assert len({entry["subject"] for entry in world.register("ingest:delivery:claimed")}) == 40


@pytest.mark.promise("P3")
def test_two_purposes_are_two_sets_of_artifacts_with_keys_and_clocks_of_their_own(world: World) -> None:
    world.deliver("a", purposes=["training", "trial"], ago=timedelta(minutes=2))
    world.ingest()
    assert world.deliveries() == {"a": ("cleared", None)}
    artifacts = world.artifacts("a")
    assert [(row.purpose, row.part) for row in artifacts] == [
        (purpose, part) for purpose in ("training", "trial") for part in ("audio", "transcript")
    ]
    assert len({row.due_at for row in artifacts}) == 2
    assert len({row.attempt for row in artifacts}) == len({row.object for row in artifacts}) == 4
    assert len({bytes(row.wrapped) for row in world.keys().values()}) == 4
    assert all(world.epochs()[row.epoch] == "open" and row.epoch.startswith(row.purpose) for row in artifacts)
    assert len({world.content(row) for row in artifacts}) == 2  # one sound, one text, each stored twice


@pytest.mark.promise("P1")
def test_one_purpose_refused_does_not_stop_the_other(world: World) -> None:
    objection = {"at_s": 0.5, "purposes": ["training"], "alternative": "not_recorded"}
    world.deliver("a", purposes=["training", "quality"], objection=objection)
    world.ingest()
    assert world.verdicts("a") == {"training": "objected", "quality": "admitted"}
    assert {row.purpose for row in world.artifacts("a")} == {"quality"}


def _step(name: str) -> Callable[[World, str], object]:
    module = protect if hasattr(protect, name) else acts
    return lambda world, chunk: getattr(module, name)(world.platform, chunk)


@pytest.mark.promise("P1")
@pytest.mark.parametrize("state", ["claimed", "valid", "admitted", "quarantined"])
def test_files_that_change_are_judged_anew(world: World, state: str) -> None:
    if state == "quarantined":
        world.deliver("a", transcript=None)
    else:
        world.deliver("a")
    chunks = acts.discover_intake(world.platform, "first")
    if state != "claimed":
        acts.validate_metadata(world.platform, chunks)
    if state in ("admitted", "quarantined"):
        acts.admit_recordings(world.platform, chunks[0])
    if state == "quarantined":
        protect.protect_recordings(world.platform, chunks[0])
    assert world.rows(select(t.deliveries.c.state)) == [(state,)]
    received_at = world.rows(select(t.deliveries.c.received_at))[0][0]
    world.deliver("a", seed=2, purposes=["quality"])
    world.ingest()
    assert {row.purpose for row in world.artifacts("a")} == {"quality"}
    assert world.deliveries() == {"a": ("cleared", None)}
    assert world.delivery("a").received_at == received_at  # no clock starts anew


@pytest.mark.parametrize("after", ["validate_metadata", "admit_recordings", "protect_recordings"])
def test_files_that_change_under_a_task_wait_for_the_next_run_and_stop_nobody(
    world: World, after: str
) -> None:
    world.deliver("a")
    world.deliver("b")
    chunks = acts.discover_intake(world.platform, "first")
    order = ("validate_metadata", "admit_recordings", "protect_recordings", "confirm_stored", "clear_source")
    for name in order:
        if name == after:
            world.deliver("a", seed=3)
        _step(name)(world, chunks if name == "validate_metadata" else chunks[0])  # type: ignore[arg-type]
    assert world.deliveries()["b"] == ("cleared", None)
    assert world.artifacts("a") == []
    with pytest.raises(Conflict, match="unfinished"):
        report.report_batch(world.platform, "first")
    world.ingest()
    assert world.states("a") == BOTH


def test_files_exchanged_after_storing_are_a_delivery_of_their_own(world: World) -> None:
    world.deliver("a")
    [chunk] = acts.validate_metadata(world.platform, acts.discover_intake(world.platform, "first"))
    for name in ("admit_recordings", "protect_recordings", "confirm_stored"):
        _step(name)(world, chunk)
    world.deliver("b", stem="a")  # another call under the same file name: not ours to remove
    acts.clear_source(world.platform, chunk)
    assert [place.stem for place in world.intake.waiting(1 << 30)] == ["a"]
    world.ingest()
    assert world.deliveries() == {"a": ("cleared", None), "b": ("cleared", None)}


def test_what_is_quarantined_waits_for_its_deadline_and_is_then_cleared(world: World) -> None:
    world.intake.deliver("broken", sound(0), b"{")
    world.ingest()
    assert world.deliveries() == {"broken": ("quarantined", "bad_json")}
    world.pass_time(WEEK - timedelta(minutes=1))
    world.ingest()
    assert world.deliveries() == {"broken": ("quarantined", "bad_json")}
    world.pass_time(WEEK + timedelta(minutes=1))
    world.ingest()
    assert world.deliveries() == {"broken": ("cleared", "bad_json")}
    assert list(world.intake.waiting(1 << 30)) == []


def test_a_retry_judges_again_and_gains_no_time(world: World) -> None:
    world.intake.deliver("broken", sound(0), b"{")
    world.ingest()
    before = world.delivery("broken")
    assert retry_delivery(world.platform, before.id)
    assert world.deliveries() == {"broken": ("claimed", None)}
    assert not retry_delivery(world.platform, before.id)  # it is not quarantined now
    assert not retry_delivery(world.platform, uuid.uuid4())
    world.ingest()
    after = world.delivery("broken")
    assert (after.state, after.code, after.deadline) == ("quarantined", "bad_json", before.deadline)


def test_the_audio_that_comes_later_is_taken(world: World) -> None:
    world.deliver("a")
    whole = world.intake._held["a"]
    world.intake.deliver("a", None, whole[1])
    world.ingest()
    assert world.deliveries() == {"a": ("quarantined", "missing_audio")}
    world.intake.deliver("a", whole[0], whole[1])
    world.ingest()
    assert world.states("a") == BOTH


@pytest.mark.promise("P1")
@pytest.mark.parametrize("later", [False, True])
def test_the_same_call_twice_is_kept_once(world: World, later: bool) -> None:
    world.deliver("a")
    if later:
        world.ingest()
    world.deliver("a", stem="z")
    world.ingest()
    ends = sorted((row.state, row.code or "") for row in world.rows(select(t.deliveries)))
    assert ends == [("cleared", ""), ("cleared", "delivered_before")]
    assert world.states() == BOTH
    assert list(world.intake.waiting(1 << 30)) == []


@pytest.mark.parametrize("later", [False, True])
def test_the_same_id_with_another_content_is_set_aside(world: World, later: bool) -> None:
    world.deliver("a")
    if later:
        world.ingest()
    world.deliver("a", stem="z", seed=5)
    world.ingest()
    ends = sorted((row.state, row.code or "") for row in world.rows(select(t.deliveries)))
    assert ends == [("cleared", ""), ("quarantined", "id_reused")]
    assert world.states() == BOTH


@pytest.mark.promise("P1", "P6")
def test_what_was_erased_does_not_come_back(world: World) -> None:
    world.deliver_trial("a")
    world.ingest()
    world.pass_time(timedelta(minutes=6))
    world.expire()
    assert set(world.states("a").values()) == {"erased"}
    for stem, changes in (("same", {}), ("other", {"seed": 7})):
        world.deliver_trial("a", stem=stem, left=timedelta(minutes=4), **changes)
    world.deliver("a", stem="wider", purposes=["trial", "training"], ago=timedelta(minutes=3))
    world.ingest()
    codes = sorted(
        row.code or "" for row in world.rows(select(t.deliveries).where(t.deliveries.c.code.is_not(None)))
    )
    assert codes == ["erased_before"] * 3
    assert set(world.states("a").values()) == {"erased"}
    assert world.keys() == {}


@pytest.mark.promise("P1", "P6")
def test_another_call_under_the_id_of_a_half_erased_one_is_set_aside(world: World) -> None:
    world.deliver("a", purposes=["trial", "training"], ago=timedelta(minutes=6))
    world.ingest()
    world.pass_time(timedelta(minutes=6))
    world.expire()
    assert set(world.states("a").values()) == {"erased", "kept"}
    for stem, purposes in (("one", ["training"]), ("both", ["trial", "training"])):
        world.deliver("a", stem=stem, seed=7, purposes=purposes, ago=timedelta(minutes=6))
    world.deliver("a", stem="gone", seed=7, purposes=["trial"], ago=timedelta(minutes=6))
    world.deliver("a", stem="same", purposes=["trial", "training"], ago=timedelta(minutes=6))
    world.ingest()
    ends = sorted(
        (row.state, row.code)
        for row in world.rows(select(t.deliveries).where(t.deliveries.c.code.is_not(None)))
    )
    assert ends == [("cleared", "erased_before")] * 2 + [("quarantined", "id_reused")] * 2
    assert {place.stem for place in world.intake.waiting(1 << 30)} == {"one", "both"}


@pytest.mark.promise("P1", "P5")
def test_what_falls_due_between_gate_and_store_is_not_stored(world: World) -> None:
    world.deliver_trial("a", left=timedelta(minutes=2))
    world.deliver("b", purposes=["trial", "training"], ago=timedelta(minutes=8))
    [chunk] = acts.validate_metadata(world.platform, acts.discover_intake(world.platform, "first"))
    acts.admit_recordings(world.platform, chunk)
    assert {*world.verdicts("a").values(), *world.verdicts("b").values()} == {"admitted"}
    world.pass_time(timedelta(minutes=3))
    for name in ("protect_recordings", "confirm_stored", "clear_source"):
        _step(name)(world, chunk)
    assert world.deliveries() == {"a": ("cleared", "past_due"), "b": ("cleared", None)}
    assert world.verdicts("b") == {"trial": "past_due", "training": "admitted"}
    assert world.states() == BOTH
    assert len(world.store.versions) == 2
    told = world.register("ingest:delivery:refused")
    assert [(entry["purpose"], entry["outcome"]) for entry in told] == [("trial", "past_due")] * 2


@pytest.mark.promise("P1")
def test_a_purpose_removed_meanwhile_is_not_stored(world: World) -> None:
    world.deliver("a", purposes=["training", "quality"])
    [chunk] = acts.validate_metadata(world.platform, acts.discover_intake(world.platform, "first"))
    acts.admit_recordings(world.platform, chunk)
    start, end = TEXT.index("  quality:\n    title"), TEXT.index("  # Réclamation")
    shorter = (TEXT[:start] + TEXT[end:]).replace("support: [training, quality]", "support: [training]")
    shorter = shorter.replace("      quality: P6M\n", "").replace(
        "covers: {quality: P6M}", "covers: {training: P6M}"
    )
    shorter = shorter.replace("2026-01-01T00:00:00+01:00", (world.base - timedelta(hours=1)).isoformat())
    with world.platform.catalog.begin() as tx:
        assert world.platform.catalog.add_policy(tx, load(shorter).policy, shorter, world.base)
    _step("protect_recordings")(world, chunk)
    assert world.verdicts("a") == {"training": "admitted", "quality": "past_due"}
    assert {row.purpose for row in world.artifacts("a")} == {"training"}


@pytest.mark.promise("P8")
def test_an_object_that_vanished_before_it_was_confirmed_is_stored_anew(world: World) -> None:
    world.deliver("a")
    [chunk] = acts.validate_metadata(world.platform, acts.discover_intake(world.platform, "first"))
    for name in ("admit_recordings", "protect_recordings"):
        _step(name)(world, chunk)
    gone = world.store.versions.pop(0)
    for name in ("confirm_stored", "clear_source"):
        _step(name)(world, chunk)
    assert len(world.artifacts("a")) == len(world.keys()) == 1
    assert world.deliveries() == {"a": ("admitted", None)}
    assert [place.stem for place in world.intake.waiting(1 << 30)] == ["a"]
    # its files are touched meanwhile: still the same call, and not one that came before
    audio, text, _ = world.intake._held["a"]
    world.intake.deliver("a", audio, text)
    world.ingest()
    assert world.states("a") == BOTH
    assert world.deliveries() == {"a": ("cleared", None)}
    assert gone[0] not in {row.object for row in world.artifacts("a")}
    assert all(world.content(row) for row in world.artifacts("a"))


@pytest.mark.promise("P8")
@pytest.mark.parametrize("part", ["store", "keyring", "intake"])
@pytest.mark.parametrize("task", ["admit_recordings", "protect_recordings", "confirm_stored", "clear_source"])
def test_a_part_that_is_away_leaves_nothing_half_done(world: World, part: str, task: str) -> None:
    for id in ("a", "b"):
        world.deliver(id)
    world.deliver("c", notice=None)
    [chunk] = acts.validate_metadata(world.platform, acts.discover_intake(world.platform, "first"))
    away = getattr(world, part)
    for name in ("admit_recordings", "protect_recordings", "confirm_stored", "clear_source"):
        away.away = name == task
        try:
            _step(name)(world, chunk)
        except Unavailable:
            break
        finally:
            away.away = False
    assert {row.state for row in world.artifacts()} <= {"storing", "kept"}
    assert set(world.keys()) == {row.id for row in world.artifacts()}
    world.ingest()
    assert world.deliveries() == {
        "a": ("cleared", None),
        "b": ("cleared", None),
        "c": ("cleared", "not_announced"),
    }
    assert world.states("a") == world.states("b") == BOTH
    assert list(world.intake.waiting(1 << 30)) == []


@pytest.mark.promise("P8")
def test_what_is_away_in_the_middle_of_a_chunk_is_tried_again_by_the_task(world: World) -> None:
    for id in ("a", "b", "c"):
        world.deliver(id)
    [chunk] = acts.validate_metadata(world.platform, acts.discover_intake(world.platform, "first"))
    acts.admit_recordings(world.platform, chunk)
    puts = 0

    class Failing:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.store, name)

        def put(self, object: str, data: bytes, sha256: bytes) -> Any:
            nonlocal puts
            puts += 1
            if puts == 4:  # the second part of the second call
                raise Unavailable("store", "put")
            return world.store.put(object, data, sha256)

    broken = with_parts(world, store=Failing())
    with pytest.raises(Unavailable, match="2 rows"):
        protect.protect_recordings(broken.platform, chunk)
    assert {row.source_id for row in world.artifacts()} == {"a"}
    protect.protect_recordings(broken.platform, chunk)
    protect.confirm_stored(broken.platform, chunk)
    assert set(world.states().values()) == {"kept"} and len(world.artifacts()) == 6
    assert len(world.store.versions) == 7  # one was stored and never recorded: noise without a key
    assert {row.attempt for row in world.keys().values()} == {row.attempt for row in world.artifacts()}


@pytest.mark.promise("P3")
def test_what_the_server_did_not_encrypt_is_not_kept(world: World) -> None:
    class Bare:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.store, name)

        def inspect(self, object: str, version: str) -> Any:
            facts = world.store.inspect(object, version)
            return facts and replace(facts, encryption=None)

    world.deliver("a")
    with pytest.raises(Conflict, match="unfinished"):
        with_parts(world, store=Bare()).ingest()
    assert world.artifacts() == [] and world.keys() == {}
    world.ingest()
    assert world.states("a") == BOTH


def test_a_run_takes_the_oldest_and_leaves_the_rest_to_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "LIMIT", 2)
    monkeypatch.setattr(acts, "CHUNK", 1)
    for id in ("a", "b", "c"):
        world.deliver(id)
    assert world.ingest("first")["states"] == {"cleared": 2}
    assert world.deliveries().keys() == {"a", "b"}
    assert [(row.source, row.number) for row in world.rows(select(unclaimed))] == [("memory", 1)]
    assert acts.take_rest(world.platform, "first")
    world.ingest("second")
    assert [(row.number, row.oldest_at) for row in world.rows(select(unclaimed))] == [(0, None)]
    assert len(world.artifacts()) == 6
    assert not acts.take_rest(world.platform, "second")


@pytest.mark.promise("P8")
def test_what_is_stuck_keeps_nothing_out_and_begins_no_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "LIMIT", 4)
    monkeypatch.setattr(acts, "CHUNK", 2)
    cleared, stuck = world.intake.clear, {f"stuck-{number}" for number in range(6)}

    def clear(place: Waiting) -> None:
        if place.stem in stuck:
            raise Tampered("cannot_be_unlinked", "files")
        cleared(place)

    monkeypatch.setattr(world.intake, "clear", clear)

    def run(name: str) -> bool:
        with suppress(Conflict):  # something is left: it says so
            world.ingest(name)
        return acts.take_rest(world.platform, name)

    for number, id in enumerate(sorted(stuck)):
        world.deliver(id, ago=timedelta(minutes=9 - number))
    assert not run("nothing moves")
    assert not run("nor now")
    assert world.deliveries().keys() == stuck
    for id in ("a", "b", "c"):
        world.deliver(id)
    assert run("two of three")
    assert not run("the third")
    ended = {id for id, (state, _) in world.deliveries().items() if state == "cleared"}
    assert ended == {"a", "b", "c"}
    stuck.clear()
    run("most of them")
    run("the others")
    assert {state for state, _ in world.deliveries().values()} == {"cleared"}


def test_no_more_is_claimed_where_very_much_is_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "LIMIT", 2)
    for number in range(acts.MOST_OPEN * 2 + 3):
        world.deliver(f"call-{number}")
        acts.discover_intake(world.platform, f"looks only {number}")
    assert len(world.deliveries()) == acts.MOST_OPEN * 2


def test_what_waits_behind_a_chunk_costs_it_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood must not be looked through for each chunk: each stem goes to the keyring once, and `only` the chunk's
    files are asked for."""
    monkeypatch.setattr(acts, "CHUNK", 2)
    stems, asked = Counter[bytes](), list[int]()
    mac, waiting = world.keyring.mac, world.intake.waiting

    def counted(name: str, message: bytes, version: int | None = None) -> Mac:
        stems.update([message] if message.startswith(b"stem") else [])
        return mac(name, message, version)

    def looked(size_cap_bytes: int, only: Collection[str] | None = None) -> Iterator[Waiting]:
        asked.append(-1 if only is None else len(only))
        return waiting(size_cap_bytes, only)

    monkeypatch.setattr(world.keyring, "mac", counted)
    monkeypatch.setattr(world.intake, "waiting", looked)
    for number in range(8):
        world.deliver(f"call-{number}")
    assert world.ingest()["states"] == {"cleared": 8}
    assert set(stems.values()) == {1} and len(stems) == 8
    assert asked.count(-1) == 1 and set(asked) == {-1, 2, 8}


def test_an_agent_who_was_not_informed_is_not_recorded(world: World) -> None:
    world.deliver("a", agent=UNINFORMED)
    world.ingest()
    assert world.deliveries() == {"a": ("cleared", "agent_not_informed")}


def test_the_register_tells_each_step_and_no_value(world: World) -> None:
    world.deliver("a")
    world.ingest()
    told = [entry["kind"] for entry in world.register() if not entry["kind"].startswith("draw:month:")]
    kinds = [kind.removeprefix("ingest:") for kind in told]
    assert [kind for kind in kinds if not kind.endswith("-intended")] == [
        "delivery:claimed", "delivery:valid", "delivery:judged", "artifact:stored", "artifact:stored",
        "artifact:confirmed", "artifact:confirmed", "delivery:cleared", "batch:reported",
    ]  # fmt: skip
    assert [kind for kind in kinds if kind.endswith("-intended")] == [
        "delivery:protect-intended", "delivery:clear-intended",
    ]  # fmt: skip
    told = json.dumps(world.register())
    assert not any(value in told for value in ("33612345678", "bonjour", "a.martin"))


def test_without_a_policy_in_force_nothing_is_judged(world: World) -> None:
    world.deliver("a")
    with world.engine.begin() as tx:
        tx.execute(delete(t.policies))
    with pytest.raises(Conflict, match="no_policy"):
        world.ingest()
    assert world.rows(select(t.deliveries)) == []


def test_a_wrong_delivery_is_found_by_its_own_id(world: World) -> None:
    world.deliver("pbx1-2026-000123", stem="other-name", direction="sideways")
    world.ingest()
    assert world.deliveries() == {"pbx1-2026-000123": ("quarantined", "bad_field")}
