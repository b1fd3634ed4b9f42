"""What the checks found of a delivery reaches the people who must act: on the row, in the batch's report, on the
command line and on the desk; and no value goes with it. The list of masked intervals is checked when shown."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))  # before Airflow is imported

import numpy as np
import pytest
import soundfile
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from sqlalchemy import select

from consigne.acts import ingest as acts
from consigne.acts import report
from consigne.acts.draw import keep_months
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.tables_people import draw_months
from consigne.adapters.expectations import Expectations
from consigne.adapters.keyring.file import FileKeyring
from consigne.doors.cli.app import main
from consigne.doors.desk import session
from consigne.doors.desk.app import make_desk
from consigne.doors.samples.generate import calls
from consigne.doors.settings import Settings
from consigne.rules.checks import CHECKS
from consigne.rules.errors import Conflict
from consigne.rules.values import Actor

from .world import World, metadata, with_parts

CALLER, WORD, AGENT = "+33698765432", "tramontane", "q.quelquun"
CARD = "4970 1000 0000 0006"
REMARKS = {check.id for check in CHECKS if check.code is None}


def wav(*channels: Any) -> bytes:
    """WAV, 8 kHz, 16 bits."""
    out = io.BytesIO()
    soundfile.write(out, np.stack(channels, axis=1), 8_000, format="WAV", subtype="PCM_16")
    return out.getvalue()


def noise(level: float = 0.2, seed: int = 0, seconds: float = 2) -> Any:
    return level * np.random.default_rng(seed).uniform(-1, 1, int(8_000 * seconds))


def hand_in(world: World, id: str, *channels: Any, **changes: Any) -> None:
    """A call of two seconds whose values are planted: none of them may be seen again."""
    words = [{"text": WORD, "start_s": 0.2, "end_s": 0.5, "speaker": "agent"}]
    planted = {"caller": CALLER, "agent": AGENT, "transcript": {"words": words}} | changes
    sound = channels or (noise(),)
    named = ["mixed"] if len(sound) == 1 else [f"c{number}" for number in range(len(sound))]
    started_at = world.base - timedelta(days=1)
    world.intake.deliver(id, wav(*sound), metadata(id, started_at, **({"channels": named} | planted)))


def findings(world: World) -> dict[str, list[str]]:
    return {row.source_id: row.findings for row in world.rows(select(t.deliveries))}


def test_what_is_found_stands_on_the_delivery(world: World) -> None:
    loud = np.clip(8 * noise(), -1, 1)
    late = [{"text": "a", "start_s": 0.2, "end_s": 9, "speaker": "agent"}]
    hand_in(world, "right")
    hand_in(
        world, "early", transcript={"words": [{"text": WORD, "start_s": 0, "end_s": 1, "speaker": "caller"}]}
    )
    hand_in(world, "twins", noise(), noise())
    hand_in(world, "silent", 0 * noise())
    hand_in(world, "half", noise(), 0 * noise())
    hand_in(world, "clipped", loud)
    hand_in(world, "late_words", transcript={"words": late})
    hand_in(world, "short_and_mono", noise(seconds=9), channels=["a", "b"])
    hand_in(world, "two_faults", language="french", channels=["a", "a"], direction="sideways")
    world.intake.deliver("broken", b"RIFF0000WAVE", metadata("broken", world.base - timedelta(days=1)))
    with_parts(world, checker=Expectations()).ingest()
    assert findings(world) == {
        "right": [],
        "early": ["notice_precedes_caller"],
        "twins": ["channels_differ"],
        "silent": ["sound_is_heard", "words_have_sound"],
        "half": ["channels_are_heard"],
        "clipped": ["sound_is_not_clipped"],
        "late_words": ["words_are_within_call"],
        "short_and_mono": ["length_is_as_stated", "channels_are_as_stated"],
        "two_faults": ["fields_are_right"],  # the form stops at its first fault
        "broken": ["sound_is_readable"],
    }
    states = world.deliveries()
    kept = {id for id, found in findings(world).items() if set(found) <= REMARKS}
    assert {id for id, end in states.items() if end == ("cleared", None)} == kept
    assert states["late_words"] == ("quarantined", "bad_field")
    assert states["short_and_mono"] == ("quarantined", "duration_mismatch")
    assert states["broken"] == ("quarantined", "unreadable_audio")


def test_the_shipped_samples_give_cause_for_no_remark(world: World) -> None:
    for delivery, foretold in calls(60, 3, world.base, world.policy):
        world.intake.deliver(foretold.stem, delivery.audio, delivery.json, delivery.suffix.removeprefix("."))
    world.ingest()
    remarked = {id: found for id, found in findings(world).items() if REMARKS.intersection(found)}
    assert {world.deliveries()[id] for id in remarked} == {("cleared", "start_in_future")}


def test_what_was_found_goes_when_the_files_change(world: World) -> None:
    hand_in(world, "a", noise(), channels=["a", "b"])
    world.ingest()
    assert findings(world) == {"a": ["channels_are_as_stated"]}
    hand_in(world, "a", noise(), noise())
    world.ingest()
    assert findings(world) == {"a": ["channels_differ"]}


def test_the_report_counts_states_codes_and_checks(world: World) -> None:
    hand_in(world, "a", noise(), noise())
    hand_in(world, "b", noise(), channels=["a", "b"])
    hand_in(world, "c", language="french")
    hand_in(world, "d", notice=None)
    found = world.ingest("first")
    assert found == {
        "states": {"cleared": 2, "quarantined": 2},
        "codes": {"format_mismatch": 1, "bad_field": 1, "not_announced": 1},
        "checks": {"channels_differ": 1, "channels_are_as_stated": 1, "fields_are_right": 1},
    }
    [entry] = world.register("ingest:batch:reported")
    assert {key: entry[key] for key in found} == found


def test_an_unfinished_run_is_reported_and_fails(world: World) -> None:
    hand_in(world, "a")
    chunks = acts.discover_intake(world.platform, "first")
    acts.validate_metadata(world.platform, chunks)
    with pytest.raises(Conflict, match="unfinished"):
        report.report_batch(world.platform, "first")
    [entry] = world.register("ingest:batch:reported")
    assert entry["states"] == {"valid": 1}


# The command line


@pytest.fixture
def state(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A state folder with a keyring of its own, whose catalog is the world's clone."""
    settings = Settings.make(tmp_path / "state")
    url = world.engine.url.render_as_string(hide_password=False)
    monkeypatch.setattr(Settings, "database_url", lambda self, role: url)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    yield settings


@pytest.fixture
def signed(world: World, state: Settings) -> World:
    """A world that signs with that keyring, and has kept a call in which a card was read out."""
    keyring = FileKeyring(state.state_dir / "keyring")
    keyring.prepare(first=True)
    world = with_parts(world, keyring=keyring)
    with world.engine.begin() as tx:  # what was committed under other keys
        tx.execute(draw_months.delete())
        tx.execute(t.register.delete())
    keep_months(world.platform)
    spoken = ["ma", "carte", *CARD.split(), "merci"]
    words = [
        {"text": text, "start_s": 62 + place, "end_s": 62.8 + place, "speaker": "caller"}
        for place, text in enumerate(spoken)
    ]
    started_at = world.base - timedelta(days=1)
    ended_at = (started_at + timedelta(seconds=80)).isoformat()
    world.intake.deliver(
        "a",
        wav(noise(seconds=80)),
        metadata("a", started_at, ended_at=ended_at, caller=CALLER, transcript={"words": words}),
    )
    world.ingest()
    assert world.deliveries() == {"a": ("cleared", None)}
    return world


def say(capsys: pytest.CaptureFixture[str], settings: Settings, *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main([*arguments, "--state", str(settings.state_dir)])
    return code, capsys.readouterr().out


def tamper(world: World, **values: Any) -> None:
    with world.engine.begin() as tx:
        tx.execute(t.artifacts.update().where(t.artifacts.c.part == "audio").values(**values))


@pytest.mark.promise("P2")
def test_the_masked_intervals_are_shown_with_who_signed_them(
    signed: World, state: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = say(capsys, state, "show", "a")
    assert code == 0
    [audio] = [row for row in signed.artifacts("a") if row.part == "audio"]
    [span] = audio.masked
    first, last = (
        f"{at_ms // 60_000}:{at_ms % 60_000 / 1000:06.3f}" for at_ms in (span["start_ms"], span["end_ms"])
    )
    assert first.startswith("1:0") and f"{first}–{last} card" in out
    assert out.count("signing-1: verifies") == 2
    assert CARD.split()[0] not in out and CALLER not in out
    code, out = say(capsys, state, "show", str(audio.id), "--json")
    document = json.loads(out)
    assert [one["masked_signature"] for one in document["artifacts"]] == [
        {"key": "signing-1", "valid": True}
    ] * 2
    assert document["deliveries"][0]["state"] == "cleared"


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    "values",
    [
        {"masked": []},
        {"masked": [{"start_ms": 0, "end_ms": 1, "kind": "card"}]},
        {"masked": [{"start_ms": 0.5}]},
        {"masked": {"anything": []}},
        {"masked_signature": bytes(64)},
        {"masked_signature": b"short"},
        {"masked_key": "signing-9"},
        {"attempt": "00000000-0000-4000-8000-000000000000"},
    ],
)
def test_a_list_that_was_tampered_with_does_not_verify(
    signed: World, state: Settings, capsys: pytest.CaptureFixture[str], values: dict[str, Any]
) -> None:
    tamper(signed, **values)
    code, out = say(capsys, state, "show", "a")
    assert code == 5
    assert (out.count("does not verify"), out.count(": verifies")) == (1, 1)
    code, out = say(capsys, state, "show", "a", "--json")
    assert code == 5
    valid = {one["part"]: one["masked_signature"]["valid"] for one in json.loads(out)["artifacts"]}
    assert valid == {"audio": False, "transcript": True}


def test_an_operator_reads_why_in_their_language(
    world: World, state: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_in(world, "stereo", noise(), channels=["a", "b"], purposes=["training"])
    hand_in(world, "unannounced", notice=None)
    hand_in(world, "twins", noise(), noise())
    world.ingest()
    _, out = say(capsys, state, "deliveries")
    assert "The sound does not have as many channels as “channels” names." in out
    assert "The caller heard no announcement: have the telephone system checked today." in out
    assert "Two channels carry the same sound: the source does not keep the voices apart." in out
    code, french = say(capsys, state, "show", "stereo", "--language", "fr")
    assert code == 0
    assert "Le son n’a pas autant de canaux que « channels » en nomme." in french
    assert "channels_are_as_stated" in french
    delivery = str(world.delivery("stereo").id)
    assert "n’a pas autant de canaux" in say(capsys, state, "show", delivery, "--language", "fr")[1]
    assert json.loads(say(capsys, state, "show", delivery, "--json")[1])["deliveries"][0]["findings"] == [
        "channels_are_as_stated"
    ]
    for value in (CALLER, CALLER[3:], WORD):
        assert value not in out + french
    assert say(capsys, state, "show", "nothing")[0] == 2
    assert say(capsys, state, "deliveries", "--language", "de")[0] == 2


# The desk


@pytest.fixture
def browse(world: World) -> Callable[..., Any]:
    """The desk over the world's catalog, as somebody who is signed in."""

    def get(path: str, role: str, language: str = "en") -> Any:
        desk = make_desk(lambda _: world.platform, lambda: "a secret")

        def reader(request: Request) -> session.Reader:
            request.state.reader = session.Reader(None, Actor(role, frozenset({role})))  # type: ignore[arg-type]
            return request.state.reader  # type: ignore[no-any-return]

        desk.dependency_overrides[session.page_reader] = reader
        outer = FastAPI()
        outer.mount("/consigne", desk)
        return TestClient(outer).get(path, headers={"accept-language": language})

    return get


RUN = "manual__2026-11-22T10:00:00.123+00:00"
PAGE = "/consigne/batches/manual__2026-11-22T10%3A00%3A00.123%2B00%3A00"


@pytest.mark.promise("P2")
@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_report_of_a_run_holds_reasons_and_no_value(
    world: World, browse: Callable[..., Any], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__API__SECRET_KEY", "a key of this test")
    hand_in(world, "twins", noise(), noise())
    hand_in(world, "bad", direction=WORD, language=WORD)
    hand_in(world, "unannounced", notice=None, queue=WORD)
    hand_in(world, "card", transcript={"words": [{"text": CARD, "start_s": 0, "end_s": 1, "speaker": "x"}]})
    hand_in(world, "fine")
    with_parts(world, checker=Expectations()).ingest(RUN)
    shown = browse(PAGE, "ops", language)
    assert shown.status_code == 200
    page = shown.text
    listed = browse("/consigne/batches", "ops", language).text
    assert PAGE in listed and RUN.replace("+", "&#43;") in listed.replace("+", "&#43;")
    assert {"fr": "ne sépare pas les voix", "en": "does not keep the voices apart"}[language] in page
    assert all(f"<code>{check.id}</code>" in page for check in CHECKS)
    assert all(f"<td>{id}</td>" in page for id in ("twins", "bad", "unannounced"))
    assert "<td>fine</td>" not in page
    for value in (CALLER, CALLER[3:], WORD, AGENT, CARD, *CARD.split()[:2], "+33123456789"):
        assert value not in page + listed


@pytest.mark.parametrize(
    ("role", "status"),
    [("ops", 200), ("dpo", 200), ("auditor", 200), ("trainer", 403), ("analyst", 403), ("adviser", 403)],
)
def test_who_reads_the_reports(
    world: World, browse: Callable[..., Any], role: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__API__SECRET_KEY", "a key of this test")
    hand_in(world, "a")
    world.ingest(RUN)
    assert [browse(path, role).status_code for path in ("/consigne/batches", PAGE)] == [status, status]
    if status == 200:
        assert "This run found nothing." in browse("/consigne/batches/nothing", role).text
