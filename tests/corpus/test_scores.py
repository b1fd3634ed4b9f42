"""The scores of two thousand labelled calls stand above their floors. `bench redaction` prints them as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from corpus import floors
from corpus.judge import Judged
from corpus.score import judge_calls, over_masking, scores
from corpus.seeds import CALLS, LOOKED_AT, unseen

pytestmark = pytest.mark.voices


@pytest.fixture(scope="module")
def judged() -> list[Judged]:
    """Both halves: of either alone a kind has so few numbers that one miss would be too many."""
    return [one for seed in (LOOKED_AT, unseen()) for one in judge_calls(seed, CALLS)]


@pytest.fixture(scope="module")
def failing(judged: list[Judged]) -> Callable[..., str]:
    """Which calls brought a kind's score down, as `call(seed, index)` of `corpus.build` makes them again."""

    def name(kind: str, end: str) -> str:
        return "\n".join(
            f"call({one.seed}, {one.index}): {fate.form}, {fate.turn}, {one.language}, {one.container}"
            for one in judged
            for fate in one.fates
            if (fate.kind, fate.end) == (kind, end)
        )

    return name


def test_the_seeds_are_said(judged: list[Judged], capsys: pytest.CaptureFixture[str]) -> None:
    seeds = Counter(one.seed for one in judged)
    with capsys.disabled():
        print(f" [calls by seed: {dict(seeds)}]", end="")
    assert seeds == {LOOKED_AT: CALLS, unseen(): CALLS}


@pytest.mark.promise("P2")
@pytest.mark.parametrize("kind", sorted(floors.RECALL))
def test_what_is_said_and_keyed_is_found(
    kind: str, judged: list[Judged], failing: Callable[..., str]
) -> None:
    score = scores(judged)[kind, ""]
    assert score.recall >= floors.RECALL[kind], failing(kind, "leaked")
    assert score.kept >= floors.FOUND_OF_ALL, failing(kind, "withheld")


@pytest.mark.parametrize("kind", sorted(floors.PRECISION))
def test_what_is_masked_was_there(kind: str, judged: list[Judged]) -> None:
    wrong = [f"call({one.seed}, {one.index})" for one in judged if (kind, False) in one.findings]
    assert scores(judged)[kind, ""].precision >= floors.PRECISION[kind], wrong


def test_other_speech_is_left(judged: list[Judged]) -> None:
    share = over_masking(judged)
    assert share <= floors.OVER_MASKING


def test_calls_without_a_number_are_kept(judged: list[Judged]) -> None:
    clean = [one for one in judged if one.is_clean]
    held = [f"call({one.seed}, {one.index}): {one.quarantined}" for one in clean if one.quarantined]
    assert len(clean) > 100
    assert len(held) <= floors.CLEAN_QUARANTINED * len(clean), held
