"""What an authority's mandate keeps, and for how long: on a real PostgreSQL (P5)."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from consigne.acts import held as acts_held
from consigne.acts import hold as acts
from consigne.acts.held import keep_up
from consigne.acts.hold import Mandate
from consigne.acts.listen import Offered, export
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.tables_decided import held, holds
from consigne.rules.access import Denied
from consigne.rules.clock import local_date, midnight_of
from consigne.rules.errors import BadInput
from consigne.rules.hold import Hold
from consigne.rules.values import Actor, Private

from .stage import Stage
from .test_expire import AFTER, DPO, TRAINER, WHY
from .world import World

CALLER = "+33612345678"
OTHER = "+33699999999"
DAY = timedelta(days=1)


def day_in(world: World | Stage, days: int) -> date:
    """The policy's local day, so many from now."""
    return local_date(world.now() + days * DAY, world.policy.zone)


def place(world: World | Stage, days: int = 30, actor: Actor = DPO, **scope: Any) -> Hold | Denied:
    if isinstance(scope.get("caller"), str):
        scope["caller"] = Private(scope["caller"])
    wanted = Mandate("Parquet 2026/11-7", "Parquet de Paris", WHY, day_in(world, days), **scope)
    return acts.place_hold(world.platform, world.policy, actor, wanted)


def placed(world: World | Stage, days: int = 30, **scope: Any) -> Hold:
    hold = place(world, days, **scope)
    assert isinstance(hold, Hold), hold
    return hold


def lift(world: World | Stage, hold: Hold, actor: Actor = DPO) -> Hold | Denied:
    return acts.lift_hold(world.platform, world.policy, actor, hold.id, "The court needs it no more.")


def confirm(world: World | Stage, hold: Hold, days: int, actor: Actor = DPO) -> Hold | Denied:
    review = day_in(world, days)
    return acts.confirm_hold(world.platform, world.policy, actor, hold.id, review, "The case goes on.")


def states(world: World) -> set[tuple[str, str]]:
    return {(row.source_id, row.state) for row in world.artifacts()}


@pytest.mark.promise("P5")
def test_a_hold_over_a_caller_from_its_placing_to_its_lifting(world: World) -> None:
    world.deliver_trial("a")
    world.deliver_trial("other", caller=OTHER, seed=1)
    world.ingest()
    before = {row.id: row for row in world.artifacts("a")}
    hold = placed(world, caller=CALLER)
    assert keep_up(world.platform) == len(before)
    world.deliver_trial("b", seed=2)  # a later call of theirs
    world.ingest()
    assert keep_up(world.platform) == len(world.artifacts("b")) == 2
    caught = [*world.artifacts("a"), *world.artifacts("b")]
    assert {row.hold for row in caught} == {hold.id}
    assert {row.epoch for row in caught} == {f"trial/hold-{hold.id.hex}/0"}
    assert {row.due_at for row in caught} == {hold.review_at}
    assert all(row.unheld_due_at == before[row.id].due_at for row in world.artifacts("a"))
    world.pass_time(AFTER)
    world.expire()
    assert states(world) == {("a", "kept"), ("b", "kept"), ("other", "erased")}
    ordinary = {row.epoch for row in before.values()}
    assert {world.epochs()[name] for name in ordinary} == {"destroyed"}  # it closed without them
    assert all(world.content(row) for row in caught)
    assert isinstance(export(world.platform, TRAINER, caught[0].id, "coaching"), Offered)
    assert isinstance(lift(world, hold), Hold)
    assert all(row.due_at == row.unheld_due_at for row in world.artifacts("a"))  # before any key has moved
    keep_up(world.platform)
    assert {(row.hold, row.unheld_due_at) for row in world.artifacts("a")} == {(None, None)}
    world.expire()
    assert {state for _, state in states(world)} == {"erased"}
    assert world.epochs()[f"trial/hold-{hold.id.hex}/0"] == "destroyed"
    report = world.verified()
    assert report.verified and {each["proof"] for each in report.certificates} == {"cryptographic"}
    kinds = ["hold:hold:placed", "hold:artifact:caught", "hold:hold:lifted", "hold:artifact:released"]
    assert [len(world.register(kind)) for kind in kinds] == [1, 4, 1, 4]
    assert CALLER[1:] not in str(world.register()) + str(world.rows(select(holds)))


@pytest.mark.promise("P5")
def test_a_review_date_that_passes_unanswered_ends_it(world: World) -> None:
    world.deliver_trial("a")
    world.deliver("c", seed=1)
    world.ingest()
    clocks = {row.id: (row.due_at, row.epoch) for row in world.artifacts()}
    hold = placed(world, days=3, caller=CALLER)
    keep_up(world.platform)
    world.pass_time(4 * DAY)
    # Nobody has noted it yet: time decides.
    [artifact, *_] = world.artifacts("a")
    assert export(world.platform, TRAINER, artifact.id, "coaching") == Denied("past_due")
    assert confirm(world, hold, 30) == Denied("hold_over")
    world.expire()
    assert states(world) == {("a", "erased"), ("c", "kept")}
    assert keep_up(world.platform) == 1 + 2
    assert [entry["subject"] for entry in world.register("hold:hold:lapsed")] == [str(hold.id)]
    assert {row.id: (row.due_at, row.epoch) for row in world.artifacts("c")}.items() <= clocks.items()
    assert keep_up(world.platform) == 0
    assert all(world.content(row) for row in world.artifacts("c"))
    world.expire()
    assert world.epochs()[f"trial/hold-{hold.id.hex}/0"] == "destroyed"
    assert world.verified().verified


@pytest.mark.promise("P5")
def test_what_fits_is_spared_before_it_is_caught(world: World) -> None:
    world.deliver_trial("a")
    world.ingest()
    world.pass_time(AFTER)
    placed(world, caller=CALLER)  # nothing catches: the sweep is away
    world.expire()
    assert states(world) == {("a", "kept")}
    world.pass_time(31 * DAY)
    world.expire()
    assert states(world) == {("a", "erased")}


@pytest.mark.promise("P5")
def test_what_was_past_its_end_when_placed_is_kept_and_stays_inaudible(world: World) -> None:
    world.deliver_trial("a")
    world.deliver_trial("b", seed=1)
    world.ingest()
    first = placed(world, agent="a.martin", days=10)
    keep_up(world.platform)
    world.deliver_trial("c", seed=2, agent="b.petit")
    world.ingest()
    world.pass_time(AFTER)
    placed(world, caller=CALLER, days=20)
    keep_up(world.platform)
    assert {(row.source_id, row.restricted) for row in world.artifacts()} == {
        ("a", False),
        ("b", False),
        ("c", True),
    }
    lift(world, first)
    keep_up(world.platform)  # the other hold has them now: they were audible, and stay so
    assert {(row.source_id, row.restricted) for row in world.artifacts()} == {
        ("a", False),
        ("b", False),
        ("c", True),
    }
    assert len({row.hold for row in world.artifacts()}) == 1 and first.id not in {
        row.hold for row in world.artifacts()
    }


@pytest.mark.promise("P5")
def test_a_hold_that_commits_while_an_erasing_is_on_its_way(world: World) -> None:
    """One of them comes first: the hold waits for an erasing that began, and one that comes later sees it."""
    world.deliver_trial("a")
    world.ingest()
    world.pass_time(AFTER)
    [first, second] = [row.id for row in world.artifacts("a")]
    catalog = world.platform.catalog
    done: list[object] = []
    thread = threading.Thread(target=lambda: done.append(place(world, caller=CALLER)))
    with catalog.begin() as tx:
        assert catalog.start_erasing(tx, [first], catalog.now(tx), "period_ended") == [first]
        thread.start()
        thread.join(0.3)
        assert not done and not world.rows(select(holds.c.id))
    thread.join()
    assert isinstance(done[0], Hold)
    with catalog.begin() as tx:
        assert catalog.start_erasing(tx, [second], catalog.now(tx), "period_ended") == []
    keep_up(world.platform)
    world.expire()
    assert {row.id: row.state for row in world.artifacts("a")} == {first: "erased", second: "kept"}


def test_a_confirmed_hold_lasts_until_its_new_date(world: World) -> None:
    world.deliver_trial("a")
    world.ingest()
    hold = placed(world, days=3, caller=CALLER)
    keep_up(world.platform)
    later = confirm(world, hold, 9)
    assert isinstance(later, Hold)
    assert {row.due_at for row in world.artifacts()} == {later.review_at} != {hold.review_at}
    world.pass_time(4 * DAY)
    keep_up(world.platform)
    world.expire()
    assert states(world) == {("a", "kept")}
    assert isinstance(confirm(world, hold, 1), Hold)  # sooner, too
    world.pass_time(6 * DAY)
    world.expire()
    assert states(world) == {("a", "erased")}


@pytest.mark.promise("P4")
def test_where_it_says_so_nobody_listens_while_it_lasts(world: World) -> None:
    world.deliver("c")
    world.ingest()
    [artifact, *_] = world.artifacts("c")
    hold = placed(world, caller=CALLER, restrict=True)  # before anything is caught
    assert export(world.platform, TRAINER, artifact.id, "coaching") == Denied("restricted")
    keep_up(world.platform)
    assert export(world.platform, TRAINER, artifact.id, "coaching") == Denied("restricted")
    lift(world, hold)
    assert isinstance(export(world.platform, TRAINER, artifact.id, "coaching"), Offered)


@pytest.mark.parametrize(
    ("scope", "caught"),
    [
        ({"caller": "06 12 34 56 77"}, set()),
        ({"caller": "+33 6 12 34 56 78"}, {"near", "far"}),
        ({"agent": "b.petit"}, {"agent"}),
        ({"since": -2, "until": 0}, {"near", "agent", "other"}),
        ({"caller": CALLER, "since": -2}, {"near"}),
        ({"agent": "b.petit", "until": -2}, set()),
        ({"recording": "far"}, {"far"}),
    ],
)
def test_a_hold_catches_what_it_is_over(world: World, scope: dict[str, Any], caught: set[str]) -> None:
    world.deliver("near")
    world.deliver("far", ago=5 * DAY, seed=1)
    world.deliver("agent", agent="b.petit", caller=OTHER, seed=2)
    world.deliver("other", caller=OTHER, seed=3)
    world.ingest()
    for name in ("since", "until"):
        if name in scope:
            scope = scope | {name: world.base + scope[name] * DAY}
    if "recording" in scope:
        scope = {"recording": world.artifacts(scope["recording"])[0].recording}
    hold = placed(world, **scope)
    keep_up(world.platform)
    assert {row.source_id for row in world.artifacts() if row.hold == hold.id} == caught
    # Sparing and catching agree.
    with world.engine.begin() as tx:
        tx.execute(update(t.artifacts).values(due_at=world.base - DAY))
    with world.platform.catalog.begin() as tx:
        due = set(world.platform.catalog.due_artifacts(tx, world.platform.catalog.now(tx), 100))
    assert {row.source_id for row in world.artifacts() if row.id not in due} == caught


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({}, "bad_field", "scope"),
        ({"agent": "a", "caller": CALLER}, "bad_field", "scope"),
        ({"recording": uuid.uuid4(), "since": 0}, "bad_field", "scope"),
        ({"recording": uuid.uuid4()}, "unknown_recording", "recording"),
        ({"since": 0}, "bad_field", "until"),
        ({"until": 0}, "bad_field", "since"),
        ({"since": 0, "until": 0}, "bad_field", "until"),
        ({"caller": "anonymous"}, "bad_field", "caller"),
        ({"caller": "Dupont"}, "bad_field", "caller"),
        ({"agent": "<b>"}, "bad_field", "agent"),
        ({"agent": "a", "days": 0}, "review_passed", "review"),
        ({"agent": "a", "days": 367}, "review_too_far", "review"),
    ],
)
def test_what_cannot_be_held(world: World, changes: dict[str, Any], code: str, field: str) -> None:
    given = {name: world.base if value == 0 and name != "days" else value for name, value in changes.items()}
    with pytest.raises(BadInput) as fault:
        place(world, **given)
    assert (fault.value.code, fault.value.where) == (code, field)
    assert not world.rows(select(holds.c.id))


@pytest.mark.promise("P2")
@pytest.mark.parametrize("field", ["mandate", "authority", "reason"])
def test_what_is_typed_carries_no_number_and_is_needed(world: World, field: str) -> None:
    wanted = Mandate("m", "a", "r", day_in(world, 30), agent="a.martin")
    for text in ("", "Card 4000 0000 0000 0002", "x" * 2001):
        typed: dict[str, Any] = {field: text}
        with pytest.raises(BadInput, match=field):
            acts.place_hold(world.platform, world.policy, DPO, replace(wanted, **typed))
    assert not world.rows(select(holds.c.id))


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    ("actor", "code"),
    [
        (Actor("ops", frozenset({"ops"})), "role_missing"),
        (TRAINER, "role_missing"),
        (Actor("root", frozenset({"Admin", "dpo"})), "not_designated"),
        (Actor("auditor", frozenset({"auditor"})), "role_missing"),
    ],
)
def test_only_a_designated_dpo_holds(world: World, actor: Actor, code: str) -> None:
    hold = placed(world, agent="a.martin")
    attempts: list[Callable[[], object]] = [
        lambda: place(world, actor=actor, agent="a.martin"),
        lambda: confirm(world, hold, 60, actor),
        lambda: lift(world, hold, actor),
    ]
    assert [attempt() for attempt in attempts] == [Denied(code)] * 3
    denied = world.register("hold:hold:denied")
    assert [(entry["actor"], entry["code"], entry["wanted"]) for entry in denied] == [
        (actor.user, code, wanted) for wanted in ("place", "confirm", "lift")
    ]
    [row] = world.rows(select(holds))
    assert (row.state, row.review_at) == ("open", hold.review_at)


def test_what_ended_is_over(world: World) -> None:
    hold = placed(world, agent="a.martin")
    lift(world, hold)
    assert [lift(world, hold), confirm(world, hold, 60)] == [Denied("hold_over")] * 2
    unknown = replace(hold, id=uuid.uuid4())
    assert lift(world, unknown) == Denied("unknown_hold")


def test_of_two_holds_the_other_takes_over(world: World) -> None:
    world.deliver_trial("a")
    world.ingest()
    own = {row.id: row.due_at for row in world.artifacts()}
    short, long = placed(world, days=3, caller=CALLER), placed(world, days=9, agent="a.martin")
    keep_up(world.platform)
    assert {row.hold for row in world.artifacts()} == {short.id}
    world.pass_time(4 * DAY)
    world.expire()
    keep_up(world.platform)
    assert {(row.hold, row.due_at, row.state) for row in world.artifacts()} == {
        (long.id, long.review_at, "kept")
    }
    assert {row.id: row.unheld_due_at for row in world.artifacts()} == own
    rows = world.rows(select(held.c.hold, held.c.released_at))
    assert (
        sorted((row.hold == long.id, row.released_at is None) for row in rows)
        == [(False, False)] * 2 + [(True, True)] * 2
    )
    world.pass_time(10 * DAY)
    keep_up(world.platform)
    world.expire()
    assert states(world) == {("a", "erased")}


@pytest.mark.promise("P8")
def test_what_one_call_leaves_the_next_takes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts_held, "CHUNK", 1)
    for number in range(3):
        world.deliver(f"c{number}", seed=number)
    world.ingest()
    hold = placed(world, caller=CALLER)
    assert [keep_up(world.platform, 4) for _ in range(3)] == [4, 2, 0]
    lift(world, hold)
    assert [keep_up(world.platform, 4) for _ in range(3)] == [4, 2, 0]
    assert all(world.content(row) for row in world.artifacts())


@pytest.mark.promise("P8")
def test_a_key_that_does_not_open_stops_no_other(world: World) -> None:
    world.deliver("c")
    world.ingest()
    [broken, sound] = world.artifacts()
    with world.engine.begin() as tx:
        tx.execute(update(t.data_keys).where(t.data_keys.c.artifact == broken.id).values(wrapped=b"x"))
    hold = placed(world, caller=CALLER)
    assert keep_up(world.platform) == 2
    rows = {row.id: row for row in world.artifacts()}
    assert (rows[broken.id].epoch, rows[broken.id].hold) == (broken.epoch, hold.id)
    assert rows[sound.id].epoch != sound.epoch and world.content(rows[sound.id])
    lift(world, hold)
    assert keep_up(world.platform) == 2
    assert {row.epoch for row in world.artifacts()} == {sound.epoch, broken.epoch}


def test_the_local_day_of_a_review_is_the_policy_s(world: World) -> None:
    hold = placed(world, days=3, agent="a.martin")
    assert hold.review_at == midnight_of(day_in(world, 3), world.policy.zone)


@pytest.mark.promise("P2")
def test_an_agent_is_no_card_number(world: World) -> None:
    with pytest.raises(BadInput) as fault:
        place(world, agent="4970 1000 0000 0006")
    assert fault.value.where == "agent"
    assert world.rows(select(holds)) == [] and "4970" not in str(world.register())


@pytest.mark.promise("P5")
def test_what_one_hold_left_past_its_end_stays_inaudible_under_the_next(world: World) -> None:
    world.deliver("a")
    world.ingest()
    row = world.artifacts("a")[0]
    ends_in = row.due_at - world.base
    world.pass_time(ends_in - timedelta(days=5))
    placed(world, 10, recording=row.recording)
    keep_up(world.platform)
    world.pass_time(ends_in + timedelta(days=8))  # both ends have passed, and nothing was erased yet
    assert export(world.platform, TRAINER, row.id, "coaching") == Denied("past_due")
    placed(world, 20, recording=row.recording)
    keep_up(world.platform)
    assert export(world.platform, TRAINER, row.id, "coaching") == Denied("restricted")


@pytest.mark.promise("P8")
def test_confirming_and_lifting_lock_artifacts_in_the_order_of_everybody(world: World) -> None:
    for number in range(8):
        world.deliver(f"c{number}", seed=number)
    world.ingest()
    hold = placed(world, agent="a.martin")
    keep_up(world.platform)
    first = min(row.id for row in world.artifacts())
    lock = select(t.artifacts.c.id).with_for_update(nowait=True)
    for act in (lambda: confirm(world, hold, 20), lambda: lift(world, hold)):
        acting = threading.Thread(target=act)
        with world.engine.begin() as tx:
            tx.execute(lock.where(t.artifacts.c.id == first))
            acting.start()
            _until_somebody_waits(world)
            with world.engine.begin() as other:
                other.execute(
                    lock.where(t.artifacts.c.id != first)
                )  # it holds none beyond the one it waits for
        acting.join()
    assert world.rows(select(holds.c.state))[0].state == "lifted"


def _until_somebody_waits(world: World) -> None:
    for _ in range(2000):
        with world.engine.begin() as tx:
            if tx.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar():
                return
        time.sleep(0.005)
    raise AssertionError("nobody waits")
