"""No input, however damaged, crashes a reader, holds it up or fills the memory (issue 4, Shown by 5)."""

from __future__ import annotations

import os
import resource
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

TESTS = Path(__file__).parents[1]
STANDSTILL_S = 2
# A cold start imports numpy and pydantic.
START_S = 60
MOST_MEMORY_BYTES = 1_000_000_000
TEN_MINUTES_S = 600
SEED, COUNT = 20261122, 200


def feed(target: str, seed: int, seconds: float, count: int, standstill_s: float) -> tuple[int, int]:
    """(inputs done, peak memory in bytes) of one child."""
    with tempfile.TemporaryFile() as complaints:
        child = subprocess.Popen(
            [sys.executable, "-m", "fuzz.child", target, str(seed), str(seconds), str(count)],
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=os.environ | {"PYTHONPATH": f"{TESTS.parent / 'include'}{os.pathsep}{TESTS}"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
        )
        try:
            said = _listen(child, f"{target}, seed {seed}", time.monotonic() + 3 * seconds, standstill_s)
        finally:
            child.kill()
            code = child.wait()
        complaints.seek(0)
        assert code == 0, f"{said[-200:].decode()}\n{complaints.read()[-3_000:].decode(errors='replace')}"
    done, peak_kib = said.split()[-2:]
    return int(done), int(peak_kib) * 1024


def _listen(child: subprocess.Popen[bytes], name: str, until_s: float, standstill_s: float) -> bytes:
    """What the child says. Its own time counts, for other work on the machine is not its fault."""
    assert child.stdout
    said, process, worked_s = b"", psutil.Process(child.pid), float(START_S)
    while True:
        ready, _, _ = select.select([child.stdout], [], [], 0.5)
        assert time.monotonic() < until_s, f"{name}: no end"
        spent_s = process.cpu_times().user + process.cpu_times().system
        if not ready:
            limit_s = worked_s + standstill_s if said else START_S
            assert spent_s < limit_s, f"{name}: stands still at input {said.count(b'.')}"
            continue
        piece = os.read(child.stdout.fileno(), 65_536)
        if not piece:
            return said
        said, worked_s = said + piece, spent_s


@pytest.mark.promise("P8")
@pytest.mark.parametrize("target", ["audio", "transcript", "numbers"])
def test_damaged_inputs_are_read_or_refused(target: str) -> None:
    done, peak_bytes = feed(target, SEED, seconds=600, count=COUNT, standstill_s=10)
    assert done == COUNT
    assert peak_bytes < MOST_MEMORY_BYTES


@pytest.mark.long
@pytest.mark.promise("P8")
@pytest.mark.parametrize("target", ["audio", "transcript", "numbers"])
def test_ten_minutes_of_damaged_inputs(target: str) -> None:
    """The seed is the time's, and a failure prints it."""
    done, peak_bytes = feed(target, time.time_ns(), TEN_MINUTES_S, 1 << 40, STANDSTILL_S)
    assert done > 1_000
    assert peak_bytes < MOST_MEMORY_BYTES
