"""Deliveries that are not as they should be: each gets its code, stays where it is, and stops no other
(issue 3, how it must behave)."""

from __future__ import annotations

import io
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from consigne.doors.cli.runs import Runs
from consigne.doors.samples.delivery import Delivery
from consigne.doors.samples.generate import write
from consigne.doors.samples.manifest import Foretold
from system.conftest import Up
from system.inside import deliveries, hand_in, in_intake, recordings, sample_calls, settings_of, wait_until

KINDS = ("plain", "card", "order", "complaint", "emergency", "contract")


@dataclass(frozen=True)
class Broken:
    """One call, broken; `outside` lies beside intake and must not be touched."""

    up: Up
    outside: Path
    calls: dict[str, tuple[Delivery, Foretold]]

    def ends(self, name: str) -> list[tuple[str, str | None, str | None]]:
        """State, code and detail of the deliveries with this call's identifier or stem."""
        id = self.calls[name][1].id
        return [(one["state"], one["code"], one["detail"]) for one in deliveries(self.up, id)]

    def is_kept(self, name: str) -> bool:
        found = recordings(self.up, self.calls[name][1].id)
        return bool(found) and all(one["state"] == "kept" for one in found[0]["artifacts"])

    def files(self, name: str) -> list[str]:
        stem = self.calls[name][1].stem
        return [file for file in in_intake(self.up) if file.startswith(f"{stem}.")]


def _json(delivery: Delivery, **changes: Any) -> Delivery:
    return replace(delivery, json=json.dumps(json.loads(delivery.json) | changes).encode())


def _nan_sound(delivery: Delivery) -> Delivery:
    """The same call as a WAV of floats, one of which is no number."""
    samples, rate_hz = soundfile.read(io.BytesIO(delivery.audio or b""), dtype="float32", always_2d=True)
    samples[len(samples) // 2] = np.nan
    out = io.BytesIO()
    soundfile.write(out, samples, rate_hz, format="WAV", subtype="FLOAT")
    return replace(delivery, suffix=".wav", audio=out.getvalue())


BREAKS: dict[str, Callable[[Delivery], Delivery]] = {
    "unreadable json": lambda d: replace(d, json=d.json[: len(d.json) // 2]),
    "no json at all": lambda d: replace(d, json=b"\x00\xff\xfe" * 40),
    "nested json": lambda d: replace(d, json=b"[" * 100_000),
    "json nan": lambda d: replace(d, json=d.json.replace(b'"objection": null', b'"objection": NaN')),
    "json infinity": lambda d: replace(d, json=d.json.replace(b'"objection": null', b'"objection": 1e999')),
    "missing audio": lambda d: replace(d, audio=None),
    "text as wav": lambda d: replace(d, suffix=".wav", audio=b"bonjour " * 4_000),
    "wav as flac": lambda d: replace(d, suffix=".flac", audio=b"RIFF\x00\x00\x00\x00WAVE" + bytes(4_000)),
    "cut off": lambda d: replace(d, suffix=".flac", audio=b"fLaC" + bytes(40)),
    "empty audio": lambda d: replace(d, audio=b""),
    "nan in the sound": _nan_sound,
    "unknown field": lambda d: _json(d, extra="x"),
}
CODES = {
    "unreadable json": "bad_json", "no json at all": "bad_json", "nested json": "bad_json", "json nan": "bad_json",
    "json infinity": "bad_field", "missing audio": "missing_audio", "text as wav": "format_mismatch",
    "wav as flac": "format_mismatch", "cut off": "unreadable_audio", "empty audio": "format_mismatch",
    "nan in the sound": "unreadable_audio", "unknown field": "bad_field", "huge": "too_large",
    "linked audio": "missing_audio", "alone": "missing_audio",
}  # fmt: skip
SOUND = ("sound before", "sound after", "newlines")


@pytest.fixture(scope="module")
def broken(platform_up: Up, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    """All of them handed in at once, and one run of the Dag; two are not complete while it runs."""
    names = [*SOUND, *BREAKS, "huge", "linked audio", "alone", "growing", "linked json", "twice", "reused"]
    made = [call for call in sample_calls(platform_up, "broken", *KINDS) if len(call[1].verdicts) == 1]
    assert len(made) >= len(names)
    calls = dict(zip(names, made, strict=False))
    one = Broken(platform_up, tmp_path_factory.mktemp("outside"), calls)
    _hand_in(one)
    audio = _file(one, "growing", calls["growing"][0].suffix)
    stop = threading.Event()
    source = threading.Thread(target=_grow, args=(audio, calls["growing"][0].audio or b"", stop))
    source.start()
    try:
        wait_until(audio.exists, "the source to begin")
        runs = Runs(settings_of(platform_up))
        wait_until(lambda: len(_run(one, runs)) >= len(CODES), "every broken delivery to be judged", 240)
        growing = one.ends("growing")
    finally:
        stop.set()
        source.join()
    assert growing == [], "it was taken before it was complete"
    yield one
    for name in names:
        for file in one.files(name):
            (platform_up.intake_dir / file).unlink()


def _run(one: Broken, runs: Runs) -> list[str]:
    """Run the Dag once; the broken ones that are judged by now. A run fails for none of them."""
    assert runs.wait("ingest_recordings", runs.start("ingest_recordings", {}), patience_s=300) == "success"
    return [name for name in CODES if any(state == "quarantined" for state, _, _ in one.ends(name))]


def _file(one: Broken, name: str, suffix: str) -> Path:
    return one.up.intake_dir / f"{one.calls[name][1].stem}{suffix}"


def _grow(audio: Path, data: bytes, stop: threading.Event) -> None:
    """A source that is still writing: it goes on until told to stop, then leaves the file whole."""
    while True:
        with audio.open("ab") as file:
            file.write(bytes(8))
        if stop.wait(0.3):
            break
    audio.write_bytes(data)


def _hand_in(one: Broken) -> None:
    intake = one.up.intake_dir
    for name, how in BREAKS.items():
        delivery, told = one.calls[name]
        write(intake, told.stem, how(delivery))
    hand_in(
        one.up, [one.calls["sound before"], one.calls["sound after"], one.calls["twice"], one.calls["reused"]]
    )
    delivery, told = one.calls["newlines"]
    write(intake, f"{told.stem}\n.json\n", delivery)
    delivery, told = one.calls["huge"]
    with _file(one, "huge", ".wav").open("wb") as file:
        file.truncate(10 << 30)  # sparse
    _file(one, "huge", ".json").write_bytes(delivery.json)
    delivery, told = one.calls["linked audio"]
    write(one.outside, told.stem, delivery)
    _file(one, "linked audio", delivery.suffix).symlink_to(one.outside / f"{told.stem}{delivery.suffix}")
    _file(one, "linked audio", ".json").write_bytes(delivery.json)
    delivery, told = one.calls["linked json"]
    write(one.outside, told.stem, delivery)
    _file(one, "linked json", ".json").symlink_to(one.outside / f"{told.stem}.json")
    _file(one, "linked json", delivery.suffix).symlink_to(one.outside / f"{told.stem}{delivery.suffix}")
    _file(one, "alone", ".json").write_bytes(one.calls["alone"][0].json)
    _file(one, "growing", ".json").write_bytes(one.calls["growing"][0].json)


@pytest.mark.promise("P8")
@pytest.mark.parametrize("name", CODES)
def test_each_has_its_code_and_is_not_lost(broken: Broken, name: str) -> None:
    [(state, code, detail)] = broken.ends(name)
    assert (state, code) == ("quarantined", CODES[name])
    assert detail
    assert broken.files(name), "its source still holds it"


@pytest.mark.promise("P2")
@pytest.mark.parametrize("name", CODES)
def test_nothing_is_stored_of_what_could_not_be_judged(broken: Broken, name: str) -> None:
    assert recordings(broken.up, broken.calls[name][1].id) == []


@pytest.mark.promise("P8")
@pytest.mark.parametrize("name", SOUND)
def test_the_others_are_kept(broken: Broken, name: str) -> None:
    assert [state for state, _, _ in broken.ends(name)] == ["cleared"]
    assert broken.is_kept(name)
    assert broken.files(name) == []


def test_a_name_with_newlines_is_shown_nowhere(broken: Broken) -> None:
    assert not any("\n" in one["id"] for one in deliveries(broken.up, ""))
    assert not any("\n" in name for name in in_intake(broken.up))


@pytest.mark.promise("P8")
def test_a_link_out_of_intake_is_not_followed(broken: Broken) -> None:
    """Neither read, nor removed: what lies outside is as it was, and a link alone is nobody's delivery."""
    assert broken.ends("linked json") == []
    for name in ("linked audio", "linked json"):
        delivery, told = broken.calls[name]
        assert (broken.outside / f"{told.stem}.json").read_bytes() == delivery.json
        assert (broken.outside / f"{told.stem}{delivery.suffix}").read_bytes() == delivery.audio


@pytest.mark.promise("P8")
def test_what_was_still_growing_is_kept_once_it_is_whole(broken: Broken) -> None:
    runs = Runs(settings_of(broken.up))

    def is_cleared() -> bool:
        _run(broken, runs)
        return [state for state, _, _ in broken.ends("growing")] == ["cleared"]

    wait_until(is_cleared, "the whole file to be taken", 120)
    assert broken.is_kept("growing")


@pytest.mark.promise("P1")
@pytest.mark.promise("P8")
def test_the_same_call_twice_is_kept_once(broken: Broken) -> None:
    hand_in(broken.up, [broken.calls["twice"]])
    delivery, told = broken.calls["reused"]
    other = _json(delivery, customer_ref="another")
    hand_in(broken.up, [(other, told)])
    runs = Runs(settings_of(broken.up))

    def are_judged() -> bool:
        _run(broken, runs)
        return min(len(broken.ends(name)) for name in ("twice", "reused")) == 2

    wait_until(are_judged, "both to be judged again", 120)
    ends = Counter((state, code) for state, code, _ in broken.ends("twice"))
    assert ends == Counter({("cleared", None): 1, ("cleared", "delivered_before"): 1})
    ends = Counter((state, code) for state, code, _ in broken.ends("reused"))
    assert ends == Counter({("cleared", None): 1, ("quarantined", "id_reused"): 1})
    for name in ("twice", "reused"):
        assert [len(one["artifacts"]) for one in recordings(broken.up, broken.calls[name][1].id)] == [2]
    assert broken.files("twice") == []
    assert broken.files("reused") != []


@pytest.mark.promise("P8")
def test_what_is_mended_at_its_source_is_kept(broken: Broken) -> None:
    """Written anew it is tried again by itself; as it was, only at an operator's word, and found as before."""
    mended, told = broken.calls["unreadable json"]
    write(broken.up.intake_dir, told.stem, mended)
    again = broken.calls["cut off"][1].id
    tried = broken.up.consigne("retry", again)
    assert tried.returncode == 0, tried.stderr
    unknown = broken.up.consigne("retry", "nobody")
    assert unknown.returncode == 1
    runs = Runs(settings_of(broken.up))

    def is_cleared() -> bool:
        _run(broken, runs)
        return [state for state, _, _ in broken.ends("unreadable json")] == ["cleared"]

    wait_until(is_cleared, "the mended delivery to be taken", 120)
    assert broken.is_kept("unreadable json")
    assert [(state, code) for state, code, _ in broken.ends("cut off")] == [
        ("quarantined", "unreadable_audio")
    ]
