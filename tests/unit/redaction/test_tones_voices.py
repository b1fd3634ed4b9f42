"""Keyed tones under people's voices, and hours of voices without any: Debian's Asterisk prompts in five
languages, remixed by the benchmark's own hands."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from consigne.rules.redaction import tones

pytestmark = [pytest.mark.voices, pytest.mark.promise("P2")]
CHECKOUT = Path(__file__).parents[3]
SEED = 4


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_tones", CHECKOUT / "bench/tones.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    if not module.VOICES.exists():
        pytest.skip("Debian's asterisk-core-sounds are not installed")
    return module


def test_masking_finds_keys_under_voices(bench: ModuleType) -> None:
    for name, how in bench.CONDITIONS.items():
        sound, places, _ = bench.keyed_calls(**how)
        found = bench.covered(bench.ours(tones.MASKING, bench.as_audio(sound)), places)
        assert found >= 0.99 * len(places), name


def test_the_proof_would_see_that_masking_is_missing(bench: ModuleType) -> None:
    found = keyed = 0
    for how in bench.CONDITIONS.values():
        sound, places, _ = bench.keyed_calls(**how)
        found += bench.covered(bench.ours(tones.PROOF, bench.as_audio(sound)), places)
        keyed += len(places)
    assert found >= 0.95 * keyed


@pytest.mark.parametrize("hours", [2, pytest.param(10, marks=pytest.mark.long)])
def test_voices_hold_no_key(bench: ModuleType, hours: int) -> None:
    print(f"seed {SEED}")
    for piece in bench.remix(hours, SEED):
        assert tones.find(piece) == ()
        assert tones.find(piece, tones.PROOF) == ()
