"""What exceeds the forecast is set aside for a person's word, inaudible; silence deletes it after 24 hours (P5)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, update

from consigne.acts import expire as expiry
from consigne.acts.configure import decide_draft, draft_policy
from consigne.acts.foretell import make_forecast, measured
from consigne.acts.held import keep_up
from consigne.acts.listen import export
from consigne.acts.reclock import reclock
from consigne.acts.turn import turn_over
from consigne.acts.volume import answer_volume, lapse_volumes, load_volume, record_answer
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.tables_gone import forecasts, volume_items, volumes
from consigne.rules.access import Denied
from consigne.rules.clock import local_date
from consigne.rules.errors import BadInput
from consigne.rules.evidence.entry import leaf as leaf_of
from consigne.rules.policy.draft import Draft, DraftAnswer
from consigne.rules.values import Actor
from consigne.rules.volume import Volume, VolumeAnswer, VolumeState, Word, run_of_volume

from .test_hold import lift, placed
from .test_policy import SIX, version
from .test_turn import proofs
from .world import World, expire

DPO, TRAINER = Actor("dpo", frozenset({"dpo"})), Actor("trainer", frozenset({"trainer"}))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DELETE = Word(VolumeAnswer.DELETE, "Checked with the operators.")


def hold(world: World, days: int = 10, **changes: Any) -> Word:
    day = local_date(world.now(), world.policy.zone) + timedelta(days=days)
    said: dict[str, Any] = {"reason": "Dates look wrong.", "day": day, "ground": "wrong_policy"} | changes
    return Word(VolumeAnswer.HOLD, **said)


def ends(world: World, ids: Sequence[str], after: timedelta, **values: Any) -> None:
    """These calls end so long after the stage was set, whatever the policy said."""
    due_at = world.base + after
    rows = [row for id in ids for row in world.artifacts(id)]
    with world.engine.begin() as tx:
        mine = t.artifacts.c.id.in_([row.id for row in rows])
        tx.execute(update(t.artifacts).where(mine).values(due_at=due_at, **values))
        tx.execute(
            update(t.epochs).where(t.epochs.c.name.in_([row.epoch for row in rows])).values(due_at=due_at)
        )


def foresee(world: World) -> None:
    """`a` and `b` were to go the next day, and the register holds it; `c`, `d` and `e` go then without warning."""
    for seed, id in enumerate("abcde"):
        world.deliver(id, seed=seed)
    world.ingest()
    ends(world, "ab", 20 * HOUR)
    world.expire()
    ends(world, "cde", 23 * HOUR)
    world.pass_time(DAY)


@pytest.fixture
def foreseen(world: World) -> World:
    foresee(world)
    return world


@pytest.mark.promise("P6")
def test_what_a_volumes_hold_keeps_does_not_keep_its_neighbours_key(foreseen: World) -> None:
    """`a` and `b` went on their day, with `c`, `d` and `e` in one epoch: it closes at the next daily closing."""
    epochs = {row.epoch for id in "abcde" for row in foreseen.artifacts(id)}
    with foreseen.engine.begin() as tx:
        tx.execute(
            update(t.epochs).where(t.epochs.c.name.in_(epochs)).values(due_at=foreseen.base + 20 * HOUR)
        )
    foreseen.expire()
    assert isinstance(answer(foreseen, hold(foreseen, 25)), Volume)
    before = {row.id: foreseen.content(row) for id in "cde" for row in foreseen.artifacts(id)}
    foreseen.pass_time(DAY + timedelta(days=1))
    assert turn_over(foreseen.platform) == len(before) and turn_over(foreseen.platform) == 0
    foreseen.expire("next")
    gone = {str(row.id) for id in "ab" for row in foreseen.artifacts(id)}
    assert {proof for id, proof in proofs(foreseen).items() if id in gone} == {"cryptographic"}
    assert {row.id: foreseen.content(row) for id in "cde" for row in foreseen.artifacts(id)} == before
    # And they go with their own when the hold is over.
    foreseen.pass_time(30 * DAY)
    foreseen.expire("last")
    assert states(foreseen) == {id: {"erased"} for id in "abcde"}
    assert set(proofs(foreseen).values()) == {"cryptographic"}


def states(world: World) -> dict[str, set[str]]:
    return {id: {row.state for row in world.artifacts(id)} for id in "abcde"}


def volume(world: World) -> Any:
    [found] = world.rows(select(volumes))
    return found


def answer(world: World, said: Word, actor: Actor = DPO, **changes: Any) -> Volume | Denied:
    found = volume(world)
    return answer_volume(world.platform, actor, found.id, changes.get("digest", found.digest), said)


GONE, KEPT = {"erased"}, {"kept"}


def test_a_forecast_is_made_once_a_local_day_and_stands_in_the_register(foreseen: World) -> None:
    [made] = foreseen.rows(select(forecasts))
    assert sum(sum(places.values()) for places in made.expected.values()) == 4
    assert set(made.expected) == {"training"}
    [row] = [row for row in foreseen.rows(select(t.register)) if "expire:forecast:made" in row.subjects]
    assert made.leaf == row.leaf == leaf_of(row.salt, row.payload)
    [entry] = foreseen.register("expire:forecast:made")
    assert entry["expected"] == made.expected and entry["subject"] == made.made_on
    foreseen.expire()
    foreseen.expire()
    assert [row.made_on for row in foreseen.rows(select(forecasts).order_by(forecasts.c.made_on))] == [
        local_date(foreseen.base + days * DAY, foreseen.policy.zone).isoformat() for days in (0, 1)
    ]


@pytest.mark.promise("P5")
def test_the_ordinary_goes_at_once_and_the_excess_waits(foreseen: World) -> None:
    assert foreseen.expire() == {"left": 0}
    assert states(foreseen) == {"a": GONE, "b": GONE, "c": KEPT, "d": KEPT, "e": KEPT}
    found = volume(foreseen)
    assert found.counts == {"training": {"foretold": 4, "gone": 0, "due": 10, "set_aside": 6}}
    assert (found.state, found.lapses_at) == ("pending", found.set_aside_at + DAY)
    waiting = {row.id for id in "cde" for row in foreseen.artifacts(id)}
    assert {row.artifact for row in foreseen.rows(select(volume_items))} == waiting
    told = foreseen.register("expire:artifact:set_aside")
    assert {UUID(entry["subject"]) for entry in told} == waiting
    [entry] = foreseen.register("expire:volume:set_aside")
    assert entry["counts"] == found.counts and entry["digest"] == found.digest
    # all of one epoch: its key waits with them
    assert set(foreseen.keys()) == waiting
    assert {foreseen.epochs()[row.epoch] for row in foreseen.artifacts()} == {"open"}
    foreseen.expire()
    assert states(foreseen)["c"] == KEPT and len(foreseen.rows(select(volumes))) == 1


@pytest.mark.promise("P4", "P5")
def test_what_waits_and_what_is_held_is_inaudible(foreseen: World) -> None:
    id = foreseen.artifacts("c")[0].id

    def heard() -> object:
        return export(foreseen.platform, TRAINER, id, "coaching")

    foreseen.expire()
    assert heard() == Denied("past_due")
    assert isinstance(answer(foreseen, hold(foreseen)), Volume)
    assert heard() == Denied("past_due")
    foreseen.pass_time(5 * DAY)
    assert heard() == Denied("past_due")


@pytest.mark.promise("P5")
def test_delete_lets_it_go_at_the_next_run(foreseen: World) -> None:
    foreseen.expire()
    decided = answer(foreseen, DELETE)
    assert isinstance(decided, Volume) and (decided.answer, decided.until) == (VolumeAnswer.DELETE, None)
    assert answer(foreseen, DELETE) == decided  # sent twice, it counts once
    assert foreseen.expire() == {"left": 0}
    assert set().union(*states(foreseen).values()) == GONE and not foreseen.keys()
    assert {foreseen.epochs()[row.epoch] for row in foreseen.artifacts()} == {"destroyed"}
    assert len(foreseen.rows(select(volumes))) == len(foreseen.register("expire:volume:decided")) == 1
    assert foreseen.verified().verified


@pytest.mark.promise("P5")
def test_silence_lets_it_go_after_24_hours_whether_or_not_anybody_notes_it(foreseen: World) -> None:
    foreseen.expire()
    foreseen.pass_time(2 * DAY - HOUR)
    foreseen.expire()
    assert states(foreseen)["c"] == KEPT and lapse_volumes(foreseen.platform) == 0
    foreseen.pass_time(2 * DAY + HOUR)
    assert foreseen.expire() == {"left": 0}
    assert set().union(*states(foreseen).values()) == GONE
    assert (lapse_volumes(foreseen.platform), lapse_volumes(foreseen.platform)) == (1, 0)
    assert volume(foreseen).state == "lapsed"
    assert answer(foreseen, hold(foreseen)) == Denied("lapsed")
    assert [entry["outcome"] for entry in foreseen.register("expire:volume:lapsed")] == ["lapsed"]
    assert len(foreseen.rows(select(volumes))) == 1  # the second run sets nothing aside again


@pytest.mark.promise("P5")
def test_a_hold_keeps_until_its_day_then_it_goes_without_another_question(foreseen: World) -> None:
    foreseen.expire()
    decided = answer(foreseen, hold(foreseen, 3))
    assert isinstance(decided, Volume) and decided.until is not None and decided.ground == "wrong_policy"
    due = {row.id: row.due_at for row in foreseen.artifacts()}
    for days in (2, 3):
        foreseen.pass_time(days * DAY)
        turn_over(foreseen.platform)
        assert foreseen.expire() == {"left": 0}
        assert states(foreseen)["c"] == KEPT
    assert {row.id: row.due_at for row in foreseen.artifacts()} == due
    foreseen.pass_time(decided.until - foreseen.base + HOUR)
    foreseen.expire()
    assert set().union(*states(foreseen).values()) == GONE and len(foreseen.rows(select(volumes))) == 1


@pytest.mark.promise("P5")
def test_a_hold_ends_at_each_artifacts_cap(foreseen: World) -> None:
    foreseen.expire()
    ends(foreseen, "c", 23 * HOUR, cap_at=foreseen.base + 2 * DAY)
    assert isinstance(answer(foreseen, hold(foreseen)), Volume)
    foreseen.pass_time(3 * DAY)
    turn_over(foreseen.platform)
    foreseen.expire()
    assert (states(foreseen)["c"], states(foreseen)["d"]) == (GONE, KEPT)


@pytest.mark.promise("P5")
def test_what_has_reached_its_cap_cannot_be_held(foreseen: World) -> None:
    ends(foreseen, "cde", 23 * HOUR, cap_at=foreseen.base + 23 * HOUR)
    foreseen.expire()
    assert answer(foreseen, hold(foreseen)) == Denied("past_cap")
    assert isinstance(answer(foreseen, DELETE), Volume)


@pytest.mark.promise("P5")
def test_only_the_designated_answer_and_only_on_what_stands_there(foreseen: World) -> None:
    foreseen.expire()
    cases = [
        (TRAINER, volume(foreseen).digest, "role_missing"),
        (Actor("ops", frozenset({"ops"})), volume(foreseen).digest, "role_missing"),
        (Actor("dpo2", frozenset({"dpo"})), volume(foreseen).digest, "not_designated"),
        (DPO, "0" * 64, "digest_differs"),
    ]
    for actor, digest, code in cases:
        assert answer(foreseen, DELETE, actor, digest=digest) == Denied(code)
        entry = foreseen.register("expire:volume:answer_denied")[-1]
        assert (entry["actor"], entry["code"], entry["subject"]) == (
            actor.user,
            code,
            str(volume(foreseen).id),
        )
    assert (volume(foreseen).state, volume(foreseen).answer) == ("pending", None)


@pytest.mark.promise("P5")
def test_an_owner_does_not_decide_on_their_own_purpose(foreseen: World) -> None:
    foreseen.expire()
    own = replace(foreseen.policy.purposes["training"], owner="dpo")
    policy = replace(foreseen.policy, purposes={**foreseen.policy.purposes, "training": own})
    foreseen.platform.catalog.policy_at = lambda tx, instant: policy  # type: ignore[method-assign,assignment]
    assert answer(foreseen, DELETE) == Denied("is_owner")


def test_a_volume_whose_rows_were_altered_takes_no_answer(foreseen: World) -> None:
    foreseen.expire()
    gone = foreseen.artifacts("c")[0].id
    with foreseen.engine.begin() as tx:
        tx.execute(volume_items.delete().where(volume_items.c.artifact == gone))
    assert answer(foreseen, hold(foreseen)) == Denied("digest_differs")


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"days": 0}, "until_passed", "until"),
    ({"days": 32}, "until_too_far", "until"),
    ({"day": None}, "bad_field", "until"),
    ({"ground": "curiosity"}, "bad_field", "ground"),
    ({"reason": " "}, "bad_field", "reason"),
    ({"reason": "card 4111 1111 1111 1111"}, "bad_field", "reason"),
]


def test_a_hold_has_a_ground_a_reason_and_a_near_end(foreseen: World) -> None:
    foreseen.expire()
    for changes, code, where in WRONG:
        with pytest.raises(BadInput) as fault:
            answer(foreseen, hold(foreseen, **changes))
        assert (fault.value.code, fault.value.where) == (code, where)
    assert volume(foreseen).state == "pending"


def test_the_other_answer_after_one_was_given_is_refused(foreseen: World) -> None:
    foreseen.expire()
    assert isinstance(answer(foreseen, DELETE), Volume)
    assert answer(foreseen, hold(foreseen)) == Denied("already_decided")


@pytest.mark.promise("P5")
def test_a_mandates_hold_keeps_what_an_answer_lets_go(foreseen: World) -> None:
    foreseen.expire()
    mandated = placed(foreseen, recording=foreseen.artifacts("c")[0].recording)
    assert isinstance(answer(foreseen, DELETE), Volume)
    foreseen.expire()
    keep_up(foreseen.platform)
    assert (states(foreseen)["c"], states(foreseen)["d"]) == (KEPT, GONE)
    assert all(row.restricted for row in foreseen.artifacts("c"))  # inaudible before, and after
    lift(foreseen, mandated)
    foreseen.expire()
    assert states(foreseen)["c"] == GONE and len(foreseen.rows(select(volumes))) == 1


@pytest.mark.promise("P5")
def test_what_a_recorded_act_ended_is_never_set_aside_nor_kept_back(foreseen: World) -> None:
    ends(foreseen, "c", 23 * HOUR, ended_for="objected")
    foreseen.expire()
    assert (states(foreseen)["c"], states(foreseen)["d"]) == (GONE, KEPT)
    assert isinstance(answer(foreseen, hold(foreseen)), Volume)
    ends(foreseen, "d", 23 * HOUR, ended_for="objected")
    foreseen.expire()
    assert (states(foreseen)["d"], states(foreseen)["e"]) == (GONE, KEPT)


@pytest.mark.promise("P5")
def test_what_a_visa_ended_at_once_goes_at_once(foreseen: World) -> None:
    """The DPO saw the impact before; and it spends nothing of what was foretold."""
    text = version((SIX, "retention: P1D, cap: P2D"))
    draft = draft_policy(foreseen.platform, Actor("ops", frozenset({"ops"})), text, "Less will do.")
    assert isinstance(draft, Draft)
    ends(foreseen, "cd", 100 * DAY)
    said = DraftAnswer.VISA, "Less will do.", foreseen.policy.digest
    assert isinstance(decide_draft(foreseen.platform, DPO, draft.id, draft.digest, *said), Draft)
    foreseen.pass_time(DAY + HOUR)
    assert reclock(foreseen.platform) > 0
    foreseen.expire()
    assert states(foreseen) == {"a": GONE, "b": GONE, "c": GONE, "d": GONE, "e": KEPT}
    assert volume(foreseen).counts["training"] == {"foretold": 4, "gone": 0, "due": 6, "set_aside": 2}


@pytest.mark.promise("P5")
def test_an_outage_of_days_is_no_excess(world: World) -> None:
    for seed, id in enumerate("abcde"):
        world.deliver(id, seed=seed)
    world.ingest()
    for days, id in enumerate("abcde", 1):
        ends(world, id, days * DAY)
    world.expire()
    world.pass_time(7 * DAY)
    assert world.expire() == {"left": 0}
    assert set().union(*states(world).values()) == GONE and not world.rows(select(volumes))


@pytest.mark.promise("P5")
@pytest.mark.parametrize("ago", [None, 36 * DAY])
def test_without_a_forecast_of_late_all_is_ordinary(foreseen: World, ago: timedelta | None) -> None:
    with foreseen.engine.begin() as tx:
        if ago:
            tx.execute(update(forecasts).values(made_at=foreseen.now() - ago))
        else:
            tx.execute(forecasts.delete())
    foreseen.expire()
    assert set().union(*states(foreseen).values()) == GONE


@pytest.mark.promise("P5")
def test_a_forecast_of_today_excuses_nothing(foreseen: World) -> None:
    """What was moved today is not ordinary because it was foretold after that."""
    with foreseen.platform.catalog.begin() as tx:
        assert make_forecast(foreseen.platform, tx, foreseen.now())
    foreseen.expire()
    assert states(foreseen)["c"] == KEPT


@pytest.mark.promise("P5")
def test_what_went_is_not_counted_twice(foreseen: World) -> None:
    """What the day's first run took of the forecast is spent; the day's second finds none of it left."""
    ends(foreseen, "cde", 25 * HOUR)
    foreseen.expire()
    assert not foreseen.rows(select(volumes))
    foreseen.pass_time(26 * HOUR)
    foreseen.expire()
    if local_date(foreseen.now(), foreseen.policy.zone) == local_date(
        foreseen.base + DAY, foreseen.policy.zone
    ):
        assert volume(foreseen).counts["training"] == {"foretold": 4, "gone": 4, "due": 6, "set_aside": 6}
    else:  # midnight between them: the first run's forecast has them
        assert not foreseen.rows(select(volumes))


def test_a_purpose_that_ends_by_the_minute_is_never_set_aside(world: World) -> None:
    world.expire()
    world.pass_time(DAY)
    world.base += DAY
    world.deliver_trial("a")
    world.ingest()
    world.pass_time(DAY + HOUR)
    assert world.expire() == {"left": 0}
    assert world.artifacts("a")[0].state == "erased" and not world.rows(select(volumes))


def test_a_hold_that_is_lifted_was_foretold(foreseen: World) -> None:
    """What a hold keeps counts at its own end."""
    with foreseen.platform.catalog.begin() as tx:
        counted = foreseen.platform.catalog.ends_ahead(tx, foreseen.now() + 400 * DAY)
    ids = [row.id for row in foreseen.artifacts("c")]
    with foreseen.engine.begin() as tx:
        mine = t.artifacts.c.id.in_(ids)
        values = {"hold": ids[0], "unheld_due_at": t.artifacts.c.due_at, "due_at": foreseen.base + 900 * DAY}
        tx.execute(update(t.artifacts).where(mine).values(values))
    with foreseen.platform.catalog.begin() as tx:
        assert sorted(foreseen.platform.catalog.ends_ahead(tx, foreseen.now() + 400 * DAY)) == sorted(counted)


def test_a_dry_run_sets_nothing_aside_and_can_say_what_would_be(foreseen: World) -> None:
    foreseen.expire("dry", dry_run=True)
    assert not foreseen.rows(select(volumes))
    with foreseen.platform.catalog.begin() as tx:
        manifest = foreseen.platform.catalog.manifest_of(tx, "dry")
        assert manifest is not None
        due = foreseen.platform.catalog.due_of(tx, manifest["id"])
        assert len(measured(foreseen.platform, tx, due, foreseen.now()).set_aside) == 6


@pytest.mark.promise("P8")
def test_measured_twice_it_is_set_aside_once(foreseen: World) -> None:
    expiry.freeze_manifest(foreseen.platform, "run", False)
    chunks = expiry.measure_volume(foreseen.platform, "run")
    assert expiry.measure_volume(foreseen.platform, "run") == chunks
    assert len(foreseen.rows(select(volumes))) == 1


@pytest.mark.promise("P5")
def test_the_manifest_that_set_it_aside_never_authorises_it(foreseen: World) -> None:
    expiry.freeze_manifest(foreseen.platform, "run", False)
    [chunk] = expiry.measure_volume(foreseen.platform, "run")
    assert isinstance(answer(foreseen, DELETE), Volume)
    expiry.recheck(foreseen.platform, chunk)
    assert {row.source_id for row in foreseen.artifacts() if row.state == "erasing"} == {"a", "b"}
    foreseen.expire()
    assert set().union(*states(foreseen).values()) == GONE


def at_once(*acts: Callable[[], object]) -> list[object]:
    """All of them begin together; what each returned."""
    gate = threading.Barrier(len(acts))

    def begin(act: Callable[[], object]) -> object:
        gate.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(begin, acts))


@pytest.mark.promise("P5")
def test_nothing_begins_to_be_erased_under_an_accepted_hold(foreseen: World) -> None:
    """A hold committed in the second in which the 24 hours end, beside the run that takes what lapsed; in all orders."""
    foreseen.expire()
    ids = [row.id for id in "cde" for row in foreseen.artifacts(id)]
    outcomes = set()
    for turn in range(40):
        lapses_at = foreseen.now() + timedelta(milliseconds=4 * (turn % 10))
        blank = dict.fromkeys(("answer", "until", "ground", "decided_by", "reason", "decided_at"))
        with foreseen.engine.begin() as tx:
            tx.execute(update(volumes).values(blank | {"state": "pending", "lapses_at": lapses_at}))
            tx.execute(t.tombstones.delete().where(t.tombstones.c.artifact.in_(ids)))
            tx.execute(update(t.artifacts).where(t.artifacts.c.id.in_(ids)).values(state="kept"))
        said = at_once(lambda: answer(foreseen, hold(foreseen)), *[lambda: take(foreseen, ids)] * 2)[0]
        taken = {row.state for row in foreseen.artifacts() if row.id in set(ids)}
        outcomes.add((type(said), *taken))
        assert not (isinstance(said, Volume) and "erasing" in taken)
    assert {(Volume, "kept"), (Denied, "erasing")} <= outcomes


def take(world: World, ids: Sequence[UUID]) -> None:
    """What `recheck` does."""
    with world.platform.catalog.begin() as tx:
        world.platform.catalog.start_erasing(tx, ids, world.platform.catalog.now(tx), "period_ended")


@pytest.mark.promise("P5")
def test_a_run_that_is_made_up_does_nothing(foreseen: World) -> None:
    foreseen.expire()
    found = volume(foreseen)
    id, run = str(found.id), run_of_volume(found.id)
    platform = foreseen.platform
    for made_up in (
        (id, found.digest, "manual__1"),
        (id, "0" * 64, run),
        (str(UUID(int=1)), found.digest, run),
    ):
        assert load_volume(platform, *made_up) == "record_answer"
    assert volume(foreseen).run is None
    told = [entry["code"] for entry in foreseen.register("expire:volume:run_refused")]
    assert told == ["not_its_run", "digest_differs", "unknown_volume"]
    assert load_volume(platform, id, found.digest, run) == "announce_volume"
    assert volume(foreseen).run == run
    assert record_answer(platform, id, "manual__1") == "made_up"
    assert record_answer(platform, id, run) == "pending"
    assert isinstance(answer(foreseen, DELETE), Volume)
    assert record_answer(platform, id, run) == "delete"


@pytest.mark.promise("P5")
def test_the_database_roles_do_it(foreseen: World, engines: Callable[[str], Engine]) -> None:
    """`expire` sets aside and cannot answer; `decide` answers."""
    seen = {
        role: replace(foreseen.platform, catalog=Catalog(engines(role), os.urandom))
        for role in ("expire", "decide")
    }
    expire(seen["expire"], "by role")
    found = volume(foreseen)
    word = hold(foreseen)
    decided = answer_volume(seen["decide"], DPO, found.id, found.digest, word)
    assert isinstance(decided, Volume) and decided.state is VolumeState.DECIDED
    assert lapse_volumes(seen["decide"]) == 0
    assert (
        load_volume(seen["decide"], str(found.id), found.digest, run_of_volume(found.id)) == "announce_volume"
    )
    assert record_answer(seen["decide"], str(found.id), run_of_volume(found.id)) == "hold"
