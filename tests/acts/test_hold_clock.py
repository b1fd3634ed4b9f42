"""Lifting gives each artifact exactly the clock that it would have had, whatever was set in between (P5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consigne.acts.held import keep_up
from consigne.rules.hold import Hold

from .stage import Stage
from .test_hold import confirm, lift, place
from .world import World


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world.platform, world.policy, world.engine)


DAYS = st.integers(1, 60)
# What comes while a hold lasts: the artifact's own clock set (an extension, another policy), a review confirmed,
# time passing, the sweep at work, a second hold placed and lifted.
EVENTS = st.one_of(
    st.tuples(st.just("clock"), DAYS),
    st.tuples(st.just("confirm"), DAYS),
    st.tuples(st.just("sweep"), st.just(0)),
    st.tuples(st.just("second"), DAYS),
    st.tuples(st.just("lift second"), st.just(0)),
)


def set_clock(stage: Stage, artifact: Any, days: int) -> None:
    with stage.platform.catalog.begin() as tx:
        catalog = stage.platform.catalog
        row = catalog.artifact(tx, artifact, lock=True)
        assert row is not None
        catalog.set_clock(tx, artifact, stage.row(artifact).clock_start + timedelta(days=days))


@pytest.mark.promise("P5")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(left=DAYS, review=DAYS, events=st.lists(EVENTS, max_size=8))
def test_lifting_restores_the_clock(
    stage: Stage,
    left: int,
    review: int,
    events: list[tuple[str, int]],
) -> None:
    held, free = (stage.keep(left=timedelta(days=left)) for _ in range(2))
    recording = stage.row(held).recording
    hold = place(stage, review, recording=recording)
    second: object = None
    assert isinstance(hold, Hold)
    for what, days in events:
        if what == "clock":
            set_clock(stage, held, days)
            set_clock(stage, free, days)
        elif what == "confirm":
            hold = confirm(stage, hold, days)
            assert isinstance(hold, Hold)
        elif what == "second":
            second = second or place(stage, days, recording=recording)
        elif what == "lift second" and isinstance(second, Hold):
            lift(stage, second)
            second = None
        else:
            keep_up(stage.platform)
        row = stage.row(held)
        if row.hold == hold.id:
            own = stage.row(free).due_at - stage.row(free).clock_start
            assert row.due_at == max(hold.review_at, row.clock_start + own)
    for one in (hold, second):
        if isinstance(one, Hold):
            lift(stage, one)
    keep_up(stage.platform)
    after, undisturbed = stage.row(held), stage.row(free)
    assert after.due_at - after.clock_start == undisturbed.due_at - undisturbed.clock_start
    assert (after.hold, after.unheld_due_at, after.restricted) == (None, None, False)
    assert stage.key_of(held) == b"k" * 32
    assert not stage.register("hold:hold:denied")
