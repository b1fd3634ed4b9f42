"""Sample calls: the same for the same seed, spoken where they say, and a manifest that gives nothing away."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import soundfile

from consigne.doors.samples.delivery import Delivery
from consigne.doors.samples.generate import calls, generate, manifest_file
from consigne.doors.samples.kinds import KINDS
from consigne.doors.samples.script import DIGITS, vocabulary
from consigne.doors.samples.sound import say
from consigne.doors.samples.values import planted, values
from consigne.rules.clock import parse_instant
from consigne.rules.errors import Misconfigured
from consigne.rules.gate import RULES
from consigne.rules.policy.model import Policy
from system.sweep import Finder, needles

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


def _samples(delivery: Delivery) -> tuple[np.ndarray, int]:
    assert delivery.audio is not None
    samples, rate_hz = soundfile.read(io.BytesIO(delivery.audio), always_2d=True)
    return samples, rate_hz


def test_a_seed_and_an_instant_make_the_same_calls(demo: Policy) -> None:
    first, second, other = (list(calls(40, seed, NOW, demo)) for seed in (7, 7, 8))
    for (one, told), (again, told_again) in zip(first, second, strict=True):
        assert (one.id, one.suffix, one.json, told) == (again.id, again.suffix, again.json, told_again)
        if one.suffix == ".opus":  # a stream's serial number is libsndfile's own draw
            assert np.array_equal(_samples(one)[0], _samples(again)[0])
        else:
            assert one.audio == again.audio
    assert not {one.json for one, _ in first} & {one.json for one, _ in other}


def test_what_is_said_does_not_depend_on_the_instant(demo: Policy) -> None:
    now, later = (list(calls(40, 1, at, demo)) for at in (NOW, NOW + timedelta(days=40)))
    assert [told for _, told in now] == [told for _, told in later]
    assert [one.audio for one, _ in now if one.suffix != ".opus"] == [
        one.audio for one, _ in later if one.suffix != ".opus"
    ]


@pytest.mark.parametrize("count", [1, 2, 17, 40, 95])
def test_any_count_in_the_same_proportions(demo: Policy, tmp_path: Path, count: int) -> None:
    manifest = generate(tmp_path / "intake", count, 3, NOW, demo)
    told = manifest.deliveries
    assert [each.kind for each in told] == [KINDS[index % len(KINDS)].name for index in range(count)]
    stems = [each.stem for each in told]
    assert stems == sorted(set(stems))
    files = {file.name for file in (tmp_path / "intake").iterdir()}
    assert {name.rpartition(".")[0] for name in files} == set(stems)
    assert len(files) == 2 * count
    written = json.loads(manifest_file(tmp_path / "intake", 3).read_text())
    assert [each["stem"] for each in written["deliveries"]] == stems


def test_a_call_that_comes_again_follows_the_first(demo: Policy) -> None:
    made = {told.stem: one for one, told in calls(40, 1, NOW, demo)}
    again = {stem: one for stem, one in made.items() if stem.endswith("_again")}
    codes = {told.stem: told.code for _, told in calls(40, 1, NOW, demo)}
    assert len(again) == 2
    for stem, one in again.items():
        first = made[stem.removesuffix("_again")]
        assert one.id == first.id
        same = (one.json, one.audio) == (first.json, first.audio)
        assert same == (codes[stem] == "delivered_before")


def test_each_reason_is_there(demo: Policy) -> None:
    """All that one delivery under the demonstration's policy can be refused or set aside for."""
    told = {told.code for _, told in calls(40, 1, NOW, demo)}
    needs_time_or_chance = {"erased_before", "no_policy_at_start", "not_drawn"}
    assert {code for code, _ in RULES} - needs_time_or_chance | {"no_purpose"} <= told
    assert {
        "bad_json", "bad_field", "missing_audio", "unreadable_audio", "format_mismatch", "duration_mismatch",
        "id_reused", "needs_transcript", "suspected_missed",
    } <= told  # fmt: skip


def test_trials_end_one_after_the_other_while_one_watches(demo: Policy) -> None:
    starts = [
        parse_instant(json.loads(one.json)["started_at"])
        for one, told in calls(40, 1, NOW, demo)
        if told.kind == "trial"
    ]
    retention_s = demo.notices["2026-01"].covers["trial"].seconds_exact()
    ends_in_s = sorted((start - NOW).total_seconds() + retention_s for start in starts)
    assert len(starts) == 5
    assert len(set(ends_in_s)) >= 4
    assert ends_in_s[0] >= 240
    assert all(start < NOW for start in starts)


def test_values_are_planted_where_the_manifest_says(demo: Policy) -> None:
    missing = []
    for index, (one, told) in enumerate(calls(40, 5, NOW, demo)):
        if told.code in ("delivered_before", "id_reused", "needs_transcript", "bad_json"):
            continue
        metadata, planted_here = json.loads(one.json), values(5, index)
        spoken = metadata["transcript"].get("words") or metadata["transcript"]["segments"]
        digits = {word: str(value) for value, word in enumerate(DIGITS[planted_here.language])}
        text = " ".join(digits.get(each["text"], each["text"]) for each in spoken)
        kinds = {span.kind for span in told.masked.get("transcript", ())}
        wanted = {
            "word": planted_here.word in text,
            "caller": metadata["caller"] == planted_here.caller or told.code == "bad_field",
            "card": "card" not in kinds or planted_here.card in text.replace(" ", "").replace("-", ""),
            "code": "code" not in kinds or planted_here.code in text,
            "expiry": "expiry" not in kinds or planted_here.expiry in text,
        }
        missing += [(told.stem, kind) for kind, is_there in wanted.items() if not is_there]
    assert missing == []


@pytest.mark.promise("P2")
def test_there_is_something_to_mask(demo: Policy) -> None:
    """A test of masks over silence would show nothing."""
    spans = 0
    for one, told in calls(40, 1, NOW, demo):
        for span in told.masked.get("audio", ()):
            samples, rate_hz = _samples(one)
            heard = samples[span.start_ms * rate_hz // 1000 : span.end_ms * rate_hz // 1000]
            assert np.sqrt(np.mean(heard.max(axis=1) ** 2)) > 0.01, (told.stem, span.kind)
            spans += 1
    assert spans > 20


def test_the_manifest_gives_no_value_away(demo: Policy, tmp_path: Path) -> None:
    manifest = generate(tmp_path / "intake", 40, 1, NOW, demo)
    finder = Finder(needles(planted(1, 40)))
    assert finder.find(manifest_file(tmp_path / "intake", 1).read_bytes()) == set()
    assert finder.find(repr((manifest, planted(1, 40), values(1, 3))).encode()) == set()
    assert finder.find(b"".join(file.read_bytes() for file in (tmp_path / "intake").glob("*.json")))


def test_missing_audio_is_a_link_to_nothing(demo: Policy, tmp_path: Path) -> None:
    told = generate(tmp_path / "intake", 40, 1, NOW, demo).deliveries
    stem = next(each.stem for each in told if each.code == "missing_audio")
    links = [file for file in (tmp_path / "intake").glob(f"{stem}.*") if file.is_symlink()]
    assert [link.exists() for link in links] == [False]


def test_a_policy_that_fits_no_call_is_told(demo: Policy, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no_sample_fits"):
        generate(
            tmp_path / "intake",
            1,
            1,
            NOW,
            replace(demo, notices=MappingProxyType({}), routing={"switchboard": ()}),
        )


def test_a_call_comes_again_only_where_the_first_came(demo: Policy) -> None:
    others = MappingProxyType({name: rule for name, rule in demo.purposes.items() if name != "training"})
    told = [
        told for _, told in calls(40, 1, NOW, replace(demo, purposes=others, routing=MappingProxyType({})))
    ]
    assert [each.stem for each in told if each.code == "delivered_before"] == []
    assert "training" not in {verdict.purpose for each in told for verdict in each.verdicts}
    for before, each in pairwise(told):
        assert each.code != "id_reused" or (before.id, before.code) == (each.id, None)
    assert all(each.verdicts for each in told if each.state == "cleared" and each.code is None)


def test_every_word_of_the_script_was_spoken() -> None:
    for language in ("fr", "en"):
        for speaker in ("agent", "caller"):
            for word in vocabulary(language, speaker):
                assert np.abs(say(language, speaker, (word,))).max() > 0.3
