"""The leak sweep sees what it looks for: each form of each planted value, wherever it lies."""

from __future__ import annotations

import base64
import os
import random
from pathlib import Path

import pytest

from consigne.doors.samples.values import Planted, planted
from system import sweep as sweeping
from system.sweep import Hit, needles, sweep

PLANTED = planted(1, 3)
WANTED = needles(PLANTED)
CARD, CALLER, WORD = PLANTED.cards[0], PLANTED.callers[0], PLANTED.words[0]
CONTEXT, CODE = PLANTED.codes[0]


def _grouped(mark: str) -> str:
    cuts = [(0, 4), (4, 8), (8, 12), (12, 16)] if len(CARD) == 16 else [(0, 4), (4, 10), (10, 15)]
    return mark.join(CARD[start:end] for start, end in cuts)


def _kinds(folder: Path) -> set[str]:
    return {hit.kind for hit in sweep([folder], WANTED).hits}


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("card", CARD), ("card", _grouped(" ")), ("card", _grouped("-")), ("card", " ".join(CARD)),
        ("card", "-".join(CARD)), ("card", _grouped(" ")[5:]), ("caller", CALLER), ("caller", CALLER[1:]),
        ("caller", "0" + CALLER[3:]), ("word", WORD), ("word", WORD.upper()), ("word", " ".join(WORD)),
        ("code", f"{CONTEXT} {CODE}"), ("code", f'{{"text": "{CODE}", "start_s": 1.2}}'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "hex", "base64", "base64url"])
@pytest.mark.parametrize("before", [0, 1, 2, 3])
def test_each_form_is_found(tmp_path: Path, kind: str, text: str, encoding: str, before: int) -> None:
    around = "xyz"[:before].encode()
    match encoding:
        case "hex":
            data = (around + text.encode()).hex().encode()
        case "base64":
            data = base64.b64encode(around + text.encode() + b" and more")
        case "base64url":
            data = base64.urlsafe_b64encode(around + text.encode() + b" and more")
        case _:
            data = around + text.encode(encoding)
    (tmp_path / "log").write_bytes(b"noise " + data + b" noise")
    assert _kinds(tmp_path) == {kind}


@pytest.mark.promise("P2")
def test_every_needle_is_found_in_noise_and_across_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "BLOCK_BYTES", 4096)
    noise = random.Random(1)
    for data, needle in WANTED.items():
        at = 4096 - noise.randint(0, len(data))
        (tmp_path / "noise").write_bytes(noise.randbytes(at) + b" " + data + b" " + noise.randbytes(500))
        assert (needle.kind, needle.form) in {(hit.kind, hit.form) for hit in sweep([tmp_path], WANTED).hits}


def test_noise_and_near_misses_are_no_hits(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(random.Random(2).randbytes(3_000_000))
    near = [
        CARD[:-1],
        "1" + CALLER[3:] + "1",
        CALLER[:-2],
        WORD[:-1],
        CODE,
        f"code {CODE}",
        '"text": "',
    ] * 500
    (tmp_path / "near").write_text("\n".join(near))
    (tmp_path / "counter").write_text(f"9{CALLER[1:]}5 10{CALLER[3:]}77")
    swept = sweep([tmp_path], WANTED)
    assert swept.hits == frozenset()
    assert (swept.files, swept.bytes > 3_000_000) == (3, True)


def test_names_are_swept_and_what_is_left_out_is_not(tmp_path: Path) -> None:
    (tmp_path / "intake").mkdir()
    (tmp_path / "intake" / "call.json").write_text(CARD)
    (tmp_path / "logs").mkdir()
    assert sweep([tmp_path], WANTED, exclude=[tmp_path / "intake"]).hits == frozenset()
    (tmp_path / "logs" / f"{WORD}.log").write_text("")
    hits = sweep([tmp_path], WANTED, exclude=[tmp_path / "intake"]).hits
    assert hits == {Hit("word", "plain, in a name", "logs")}


def test_links_pipes_and_vanishing_files_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "tiny").write_bytes(b"x")
    assert sweep([tmp_path, tmp_path / "gone"], WANTED) == sweeping.Swept(frozenset(), 1, 1)


def test_a_hit_shows_no_value(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f"{CARD} {CALLER} {WORD} {CONTEXT} {CODE}")
    shown = repr(sweep([tmp_path], WANTED))
    assert all(value not in shown for value in (CARD, CALLER, WORD, CODE))


def test_a_value_too_short_to_look_for_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        needles(Planted(cards=(), codes=(), callers=(), words=("abc",)))
