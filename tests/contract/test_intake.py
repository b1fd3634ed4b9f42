"""Intake: what is taken for a delivery, what never is, and that clearing ends right."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.acts.ports import Intake, Waiting
from consigne.adapters.intake.folder import FolderIntake
from consigne.rules.errors import Conflict, Unavailable
from contract.killing import killed_everywhere
from contract.memory import MemoryIntake

CAP = 1000
LONG_AGO = 10_000_000.0


def blind(stem: bytes) -> bytes:
    return hashlib.sha256(b"test" + stem).digest()


def intake_of(folder: Path, later_s: float = 10, **limits: float) -> FolderIntake:
    """An intake whose clock runs `later_s` ahead, so that nothing has to be waited for."""
    return FolderIntake(folder, blind, now=lambda: time.time() + later_s, **limits)  # type: ignore[arg-type]


def deliver(
    folder: Path, stem: str, audio: bytes = b"sound", metadata: bytes = b"{}", suffix: str = "wav"
) -> None:
    (folder / f"{stem}.{suffix}").write_bytes(audio)
    (folder / f"{stem}.json").write_bytes(metadata)


def found(intake: Intake) -> dict[str, Waiting]:
    return {place.stem: place for place in intake.waiting(CAP)}


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "intake").mkdir()
    return tmp_path / "intake"


@pytest.fixture(params=["memory", "folder"])
def place(
    request: pytest.FixtureRequest, folder: Path
) -> tuple[Intake, Callable[..., None], Callable[[], None]]:
    """An intake, a way to deliver into it, and a way to take it away."""
    if request.param == "memory":
        memory = MemoryIntake()
        return memory, memory.deliver, lambda: setattr(memory, "away", True)

    def take_away() -> None:
        folder.rename(folder.with_name("away"))

    return intake_of(folder), partial(deliver, folder), take_away


Place = tuple[Intake, Callable[..., None], Callable[[], None]]


def test_a_pair_waits_is_read_and_cleared(place: Place) -> None:
    intake, give, _ = place
    give("call-1", b"sound", b"{}")
    give("call-2", b"noise", b"{ }")
    waiting = found(intake)
    assert {stem: at.trouble for stem, at in waiting.items()} == {"call-1": None, "call-2": None}
    one = waiting["call-1"]
    assert (one.label, one.audio, one.json) == ("call-1", "call-1.wav", "call-1.json")
    assert (intake.read_audio(one).reveal(), intake.read_json(one).reveal()) == (b"sound", b"{}")
    for _ in range(2):
        intake.clear(one)
        assert list(found(intake)) == ["call-2"]
    with pytest.raises(Conflict, match="changed"):
        intake.read_audio(one)


def test_the_oldest_comes_first_and_only_what_is_asked_for(place: Place) -> None:
    intake, give, _ = place
    for stem in ("c", "a", "b"):
        give(stem, b"sound", b"{}")
    waiting = list(intake.waiting(CAP))
    assert [at.stem for at in waiting] == ["c", "a", "b"]
    wanted = {waiting[0].fingerprint, waiting[2].fingerprint}
    assert [at.stem for at in intake.waiting(CAP, wanted)] == ["c", "b"]
    give("c", b"other", b"{}")
    assert [at.stem for at in intake.waiting(CAP, wanted)] == ["b"]
    assert list(intake.waiting(CAP, set())) == []


def test_what_changed_is_neither_read_nor_cleared(place: Place) -> None:
    intake, give, _ = place
    give("call", b"sound", b"{}")
    before = found(intake)["call"]
    give("call", b"other", b"{}")
    for read in (intake.read_audio, intake.read_json):
        with pytest.raises(Conflict, match="changed"):
            read(before)
    intake.clear(before)
    after = found(intake)["call"]
    assert after.fingerprint != before.fingerprint
    assert intake.read_audio(after).reveal() == b"other"


def test_what_is_too_large_is_named_and_can_be_cleared(place: Place) -> None:
    intake, give, _ = place
    give("long", bytes(CAP + 1), b"{}")
    give("fits", bytes(CAP), b"{}")
    waiting = found(intake)
    assert (waiting["long"].trouble, waiting["fits"].trouble) == (("too_large", "audio"), None)
    intake.clear(waiting["long"])
    assert list(found(intake)) == ["fits"]


def test_an_intake_that_is_away_is_unavailable(place: Place) -> None:
    intake, give, take_away = place
    give("call", b"sound", b"{}")
    at = found(intake)["call"]
    take_away()
    for call in (lambda: found(intake), lambda: intake.read_audio(at), lambda: intake.clear(at)):
        with pytest.raises(Unavailable):
            call()


# The real folder


def test_arrival_is_when_the_pair_was_complete(folder: Path) -> None:
    earlier = datetime.now(UTC) - timedelta(seconds=1)
    deliver(folder, "call")
    os.utime(folder / "call.json", (0, 0))
    assert earlier <= found(intake_of(folder))["call"].arrived_at <= datetime.now(UTC)


def test_growing_files_are_left_alone(folder: Path) -> None:
    """Also where the writer sets the modification time back, or into the future."""
    deliver(folder, "call")
    for age in (None, 0.0, LONG_AGO, time.time() + 1e6):
        if age is not None:
            os.utime(folder / "call.wav", (age, age))
            os.utime(folder / "call.json", (age, age))
        assert found(intake_of(folder, later_s=1, settle_s=2)) == {}
        assert list(found(intake_of(folder, later_s=3, settle_s=2))) == ["call"]


def test_a_file_that_grows_while_it_is_read_is_a_conflict(folder: Path) -> None:
    deliver(folder, "call")
    intake = intake_of(folder)
    at = found(intake)["call"]
    with (folder / "call.wav").open("ab") as more:
        more.write(b"more")
    with pytest.raises(Conflict, match="changed"):
        intake.read_audio(at)
    assert intake.read_json(at).reveal() == b"{}"


def test_a_huge_file_is_never_read(folder: Path) -> None:
    deliver(folder, "call")
    os.truncate(folder / "call.wav", 10 << 30)
    deliver(folder, "talk", audio=b"x")
    os.truncate(folder / "talk.json", (32 << 20) + 1)
    waiting = found(intake_of(folder))
    assert waiting["call"].trouble == ("too_large", "audio")
    assert waiting["talk"].trouble == ("too_large", "json")


def test_halves_are_reported_after_their_age_limit(folder: Path) -> None:
    (folder / "alone.json").write_bytes(b"{}")
    (folder / "silent.wav").write_bytes(b"sound")
    limits = {"lone_json_s": 60.0, "lone_audio_s": 3600.0}
    assert found(intake_of(folder, 50, **limits)) == {}
    assert {s: at.trouble for s, at in found(intake_of(folder, 70, **limits)).items()} == {
        "alone": ("missing_audio", "audio")
    }
    assert {s: at.trouble for s, at in found(intake_of(folder, 3700, **limits)).items()} == {
        "alone": ("missing_audio", "audio"), "silent": ("bad_json", "json"),
    }  # fmt: skip
    late = intake_of(folder, 3700, **limits)
    for at in found(late).values():
        late.clear(at)
    assert content(folder) == {}


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "opus", "mp3", "m4a", "webm", "WAV"])
def test_audio_is_known_by_its_suffix(folder: Path, suffix: str) -> None:
    deliver(folder, "call", suffix=suffix)
    assert found(intake_of(folder))["call"].audio == f"call.{suffix}"


def test_what_is_not_a_delivery_is_left_alone(folder: Path) -> None:
    (folder / "sub.wav").mkdir()
    deliver(folder / "sub.wav", "inner")
    os.mkfifo(folder / "pipe.wav")
    for name in ("json", "wav", "notes.txt", "readme", ".wav.part"):
        (folder / name).write_bytes(b"x")
    assert found(intake_of(folder, LONG_AGO)) == {}
    assert (folder / "sub.wav/inner.json").exists()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    secret = tmp_path / "secret"
    secret.write_bytes(b"not yours")
    return secret


def test_a_linked_audio_is_never_opened_and_its_target_never_removed(folder: Path, outside: Path) -> None:
    (folder / "call.wav").symlink_to(outside)
    (folder / "call.json").write_bytes(b"{}")
    intake = intake_of(folder)
    at = found(intake)["call"]
    assert (at.trouble, at.audio) == (("missing_audio", "audio"), None)
    with pytest.raises(Conflict):
        intake.read_audio(at)
    intake.clear(at)
    assert (list(folder.iterdir()), outside.read_bytes()) == ([], b"not yours")


def test_a_linked_json_is_nobodys(folder: Path, outside: Path) -> None:
    (folder / "call.json").symlink_to(outside)
    assert found(intake_of(folder, LONG_AGO)) == {}
    (folder / "call.wav").write_bytes(b"sound")
    assert found(intake_of(folder)) == {}


def test_a_link_put_there_after_the_look_is_not_followed(folder: Path, outside: Path) -> None:
    deliver(folder, "call")
    intake = intake_of(folder)
    at = found(intake)["call"]
    for name in ("call.wav", "call.json"):
        (folder / name).unlink()
        (folder / name).symlink_to(outside)
    for read in (intake.read_audio, intake.read_json):
        with pytest.raises(Conflict, match="changed"):
            read(at)
    intake.clear(at)
    assert outside.read_bytes() == b"not yours"


def test_a_pipe_put_there_after_the_look_does_not_block(folder: Path) -> None:
    deliver(folder, "call")
    intake = intake_of(folder)
    at = found(intake)["call"]
    (folder / "call.wav").unlink()
    os.mkfifo(folder / "call.wav")
    with pytest.raises(Conflict, match="changed"):
        intake.read_audio(at)


@pytest.mark.parametrize(
    "stem", ["two\nlines", "tab\t", "bell\a", os.fsdecode(b"latin-\xe9"), "é", "a b", "", "x" * 200]
)
def test_any_name_is_carried_and_none_is_shown(folder: Path, stem: str) -> None:
    deliver(folder, stem)
    intake = intake_of(folder)
    at = found(intake)[stem]
    assert re.fullmatch("stem-[0-9a-f]{12}", at.label)
    assert intake.read_audio(at).reveal() == b"sound"
    intake.clear(at)
    assert content(folder) == {}


@pytest.mark.parametrize("stem", ["pbx1-2026-000123", "call-0001", "a.b_c-2026.11.20", "x" * 100])
def test_plain_stems_are_their_own_label(folder: Path, stem: str) -> None:
    deliver(folder, stem)
    assert found(intake_of(folder))[stem].label == stem


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    "stem",
    [
        "0612345678", "33612345678", "x-06-12-34-56-78", "06.12.34.56.78", "call_0033612345678", "33-6-12-34-56-78",
        "4111111111111111", "4111-1111-1111-1111", "4111_1111_1111_1111-a", "378.282.246.310.005",
    ],
)  # fmt: skip
def test_a_number_in_a_name_is_not_shown(folder: Path, stem: str) -> None:
    deliver(folder, stem)
    assert found(intake_of(folder))[stem].label == "stem-" + blind(stem.encode()).hex()[:12]


@given(st.from_regex(r"[A-Za-z0-9._-]{1,40}", fullmatch=True))
def test_no_label_holds_a_long_number(stem: str) -> None:
    label = FolderIntake(Path("nowhere"), blind)._label(stem)
    if not label.startswith("stem-"):
        assert max((len(run) for run in re.findall(r"\d+", label)), default=0) < 9


def test_of_two_sounds_the_first_belongs_to_the_json(folder: Path) -> None:
    deliver(folder, "call", suffix="wav")
    (folder / "call.flac").write_bytes(b"other")
    intake = intake_of(folder)
    at = found(intake)["call"]
    assert at.audio == "call.flac"
    intake.clear(at)
    assert content(folder) == {"call.wav": b"sound"}


@pytest.mark.parametrize("replaced", ["call.wav", "call.json"])
def test_half_a_new_delivery_keeps_the_other_half(folder: Path, replaced: str) -> None:
    deliver(folder, "call")
    intake = intake_of(folder)
    at = found(intake)["call"]
    (folder / replaced).write_bytes(b"new")
    intake.clear(at)
    assert content(folder) == {"call.wav": b"sound", "call.json": b"{}"} | {replaced: b"new"}


@pytest.mark.promise("P8")
def test_killed_while_it_clears(folder: Path) -> None:
    """Whole still, or finished by the next look: a half never stays to be taken for something else."""
    intake = intake_of(folder, LONG_AGO)
    ends = set()
    at: list[Waiting] = []

    def afresh() -> None:
        for path in folder.iterdir():
            path.unlink()
        deliver(folder, "call")
        at[:] = found(intake).values()

    for _ in killed_everywhere(afresh, lambda: intake.clear(at[0])):
        again = found(intake)
        ends.add(bool(again))
        assert again in ({}, {"call": at[0]})
        intake.clear(at[0])
        assert content(folder) == {}
    assert ends == {False, True}


def test_what_may_not_be_read_is_named(folder: Path) -> None:
    deliver(folder, "call")
    deliver(folder, "talk")
    (folder / "call.wav").chmod(0)
    (folder / "talk.json").chmod(0)
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        if os.geteuid() == 0:  # root reads everything
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        troubles = {stem: at.trouble for stem, at in found(intake_of(Path())).items()}
        os._exit(troubles != {"call": ("missing_audio", "audio"), "talk": ("bad_json", "json")})
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
