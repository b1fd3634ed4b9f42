"""A part that does not answer is away at once, and is not asked by two at a time."""

from __future__ import annotations

import threading

from consigne.doors.desk.probes import Probe


def test_an_answer_comes_with_the_time_that_it_took() -> None:
    took = Probe(lambda: "here").answered()
    assert took is not None and took[1] == "here" and took[0] >= 0


def test_a_fault_is_an_absence() -> None:
    assert Probe(lambda: 1 // 0).answered() is None


def test_a_part_that_hangs_is_away_and_asked_once() -> None:
    over, asked = threading.Event(), []

    def hang() -> str:
        asked.append(1)
        over.wait(30)
        return "late"

    probe = Probe(hang)
    try:
        assert probe.answered(0.01) is None
        assert probe.answered(0.01) is None
        assert len(asked) == 1
    finally:
        over.set()
    probe._asking.join(30)  # type: ignore[union-attr]
    assert probe.answered(30) is not None and len(asked) == 2
