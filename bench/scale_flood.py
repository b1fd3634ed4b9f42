"""A flood: CONSIGNE_BENCH_FLOOD deliveries (fifty thousand unless said) at once in the intake of a real `up`, on two cores
where `taskset` is there. Until the last of them has ended: the memory of every process (PSS), the desk's pages once a
second, and how late artifacts are erased that fall due minute by minute meanwhile. Wanted: nothing lost, memory flat, 95 %
of the pages under a second, ordinary expiry on time. CONSIGNE_BENCH_UP gives further arguments of `up`."""

from __future__ import annotations

import io
import json
import os
import random
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, text

from consigne.adapters.catalog.session import open_engine
from consigne.doors.settings import Settings

NUMBER = int(os.environ.get("CONSIGNE_BENCH_FLOOD", "50000"))
MORE = shlex.split(os.environ.get("CONSIGNE_BENCH_UP", ""))
CORES = os.environ.get("CONSIGNE_BENCH_CORES", "0,1")
PAGES = ("", "recordings", "calendar", "destruction", "register")
LENGTH_S = 2
SEEDS = 300
"""Calls that are kept before the flood, so that something falls due in each minute of it."""
EACH_MINUTE = 5


def run() -> None:
    """Print the tables."""
    with standing() as (settings, engine):
        ended = deliver(settings, "seed", SEEDS)
        begin(settings)
        wait_for(engine, SEEDS, ended)
        fall_due(engine)
        desk, memory = Sampled(lambda: ask(settings, engine)), Sampled(lambda: weigh(settings), 10.0)
        began = time.monotonic()
        expected = deliver(settings, "flood", NUMBER)
        begin(settings)
        print(f"delivered in {time.monotonic() - began:.0f} s", flush=True)
        wait_for(engine, SEEDS + NUMBER, expected + ended)
        took_s = time.monotonic() - began
        tell(took_s, desk.stop(), memory.stop())
        tell_lateness(engine)


@contextmanager
def standing(more: list[str] = MORE) -> Iterator[tuple[Settings, Engine]]:
    """A state folder with everything up, and the catalog as its owner sees it."""
    with tempfile.TemporaryDirectory(prefix="consigne-bench-") as folder:
        state = Path(folder) / "state"
        control("up", "--detach", "--no-samples", "--state", str(state), *more)
        try:
            settings = Settings.open(state)
            yield settings, open_engine(settings.database_admin_url())
        finally:
            control("down", "--state", str(state))


def begin(settings: Settings) -> None:
    """A run of the ingest now, not at the next five minutes."""
    time.sleep(3)  # until intake takes the files for complete
    control("ingest", "--state", str(settings.state_dir))


def control(*args: str) -> None:
    pinned = ["taskset", "-c", CORES] if CORES and shutil.which("taskset") else []
    command = [*pinned, sys.executable, "-m", "consigne.doors.cli", *args]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def deliver(settings: Settings, name: str, number: int) -> Counter[tuple[str, str | None]]:
    """So many calls, a hundredth of them broken and a hundredth for a purpose that is not ours; what must become of
    them, by state and code."""
    expected: Counter[tuple[str, str | None]] = Counter()
    noise = random.Random(name)
    now = datetime.now(UTC)
    for each in range(number):
        id, started_at = f"{name}-{each:06d}", now - timedelta(hours=20, seconds=each % 3600)
        fields: dict[str, Any] = {
            "id": id, "started_at": started_at.isoformat(), "ended_at": (started_at + timedelta(seconds=LENGTH_S)).isoformat(),
            "direction": "inbound", "caller": f"+336{each:08d}", "callee": "+33123456789", "agent": "a.martin",
            "queue": "support", "language": "fr", "purposes": ["unknown" if each % 100 == 1 else "training"],
            "notice": {"version": "2026-01", "played_at_s": 0.1}, "channels": ["mixed"],
            "transcript": {"words": [{"text": "bonjour", "start_s": 0.2, "end_s": 0.5, "speaker": "agent"}]},
        }  # fmt: skip
        metadata = "{" if each % 100 == 0 else json.dumps(fields)
        (settings.intake_dir / f"{id}.wav").write_bytes(sound(noise))
        (settings.intake_dir / f"{id}.json").write_text(metadata)
        ends = {0: ("quarantined", "bad_json"), 1: ("cleared", "unknown_purpose")}
        expected[ends.get(each % 100, ("cleared", None))] += 1
    return expected


def sound(noise: random.Random) -> bytes:
    """Two seconds of faint noise, WAV, 8 kHz, one channel."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(
            bytes(
                byte & 0x3F if place % 2 == 0 else 0
                for place, byte in enumerate(noise.randbytes(16000 * LENGTH_S))
            )
        )
    return file.getvalue()


def wait_for(engine: Engine, number: int, expected: Counter[tuple[str, str | None]]) -> None:
    """Until so many deliveries have ended; then each state and code must be there as often as was asked for."""
    done, told = 0, time.monotonic()
    while done < number:
        time.sleep(2)
        with engine.begin() as tx:
            rows = tx.execute(text("SELECT state, code, count(*) FROM deliveries GROUP BY state, code")).all()
        found = Counter({(row[0], row[1]): row[2] for row in rows})
        done = sum(count for (state, _), count in found.items() if state in ("cleared", "quarantined"))
        if time.monotonic() - told > 30:
            told = time.monotonic()
            print(f"  {datetime.now():%H:%M:%S} {done} of {number} ended", flush=True)
    assert found == expected, (found, expected)
    with engine.begin() as tx:
        kept = tx.execute(text("SELECT count(*) FROM artifacts")).scalar_one()
    assert kept == 2 * expected[("cleared", None)], kept


def fall_due(engine: Engine) -> None:
    """Some of what is kept, so that a few are due in each minute from now on. The day's forecast goes, for it knows
    nothing of that: what it did not foretell is set aside for the DPO."""
    with engine.begin() as tx:
        tx.execute(text("DELETE FROM forecasts"))
        tx.execute(
            text(
                "UPDATE artifacts SET due_at = now() + (1 + place / :each) * interval '1 minute' FROM "
                "(SELECT id, row_number() OVER (ORDER BY id) AS place FROM artifacts WHERE state = 'kept') AS few "
                "WHERE few.id = artifacts.id"
            ),
            {"each": EACH_MINUTE},
        )


class Sampled:
    """What a look gives, again and again, in a thread of its own, until it is stopped."""

    def __init__(self, look: Callable[[], dict[str, float]], every_s: float = 1.0) -> None:
        self._look, self._every_s, self._over = look, every_s, threading.Event()
        self._seen: list[dict[str, float]] = []
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        while not self._over.wait(self._every_s):
            self._seen.append(self._look())

    def stop(self) -> list[dict[str, float]]:
        """All that was seen."""
        self._over.set()
        self._thread.join()
        return self._seen


_reader: dict[str, httpx.Client] = {}


def ask(settings: Settings, engine: Engine) -> dict[str, float]:
    """Seconds that one of the desk's pages takes, each in its turn."""
    if not _reader:
        login = {"username": "dpo", "password": settings.account_password("dpo")}
        answer = httpx.post(f"{settings.airflow_url}/auth/token", json=login, timeout=60)
        cookies = {"_token": answer.json()["access_token"]}
        _reader["dpo"] = httpx.Client(
            base_url=settings.airflow_url, cookies=cookies, timeout=60, trust_env=False
        )
        _reader["turn"] = _reader["dpo"]
    page = PAGES[int(time.monotonic()) % len(PAGES)]
    began = time.perf_counter()
    answer = _reader["dpo"].get(f"/consigne/{page}")
    assert answer.status_code == 200, (page, answer.status_code)
    return {page or "first page": time.perf_counter() - began}


def weigh(settings: Settings) -> dict[str, float]:
    """MB (PSS) of each component with the processes under it."""
    parts = json.loads((settings.state_dir / "run" / "supervisor.json").read_text())["parts"]
    parents = dict(_parents())
    names = {part["pid"]: name for name, part in parts.items() if part["pid"]}
    weights: Counter[str] = Counter()
    for pid in parents:
        above: int | None = pid
        while above is not None and above not in names:
            above = parents.get(above)
        if above is not None:
            weights[names[above]] += _pss_kb(pid)
    return {name: kb / 1024 for name, kb in weights.items()}


def _parents() -> Iterator[tuple[int, int]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield int(entry.name), int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def tell(took_s: float, desk: list[dict[str, float]], memory: list[dict[str, float]]) -> None:
    """What the flood did to time, pages and memory."""
    print(f"\n{NUMBER} deliveries in {took_s:.0f} s: {NUMBER / took_s:.1f} a second; nothing lost\n")
    print("| page | asked | median, ms | 95 %, ms | slowest, ms |\n| --- | --- | --- | --- | --- |")
    for page in sorted({name for seen in desk for name in seen}):
        _tell_page(page, sorted(seen[page] * 1000 for seen in desk if page in seen))
    _tell_page("all", sorted(value * 1000 for seen in desk for value in seen.values()))
    third = max(1, len(memory) // 3)
    print(
        "\n| component | first third, median MB | last third, median MB | most |\n| --- | --- | --- | --- |"
    )
    for name in sorted({name for seen in memory for name in seen}):
        values = [seen.get(name, 0.0) for seen in memory]
        first, last = statistics.median(values[:third]), statistics.median(values[-third:])
        print(f"| {name} | {first:.0f} | {last:.0f} | {max(values):.0f} |")


def _tell_page(page: str, times_ms: list[float]) -> None:
    middle, most = statistics.median(times_ms), times_ms[int(0.95 * (len(times_ms) - 1))]
    print(f"| {page} | {len(times_ms)} | {middle:.0f} | {most:.0f} | {times_ms[-1]:.0f} |")


def tell_lateness(engine: Engine) -> None:
    """How long after its end each artifact was erased."""
    with engine.begin() as tx:
        query = (
            "SELECT extract(epoch FROM erased_at - due_at) FROM artifacts WHERE state = 'erased' ORDER BY 1"
        )
        late_s = [float(value) for value in tx.execute(text(query)).scalars()]
        overdue = (
            "SELECT count(*) FROM artifacts WHERE state <> 'erased' AND due_at < now() - interval '2 minutes'"
        )
        left = tx.execute(text(overdue)).scalar_one()
    if late_s:
        most = late_s[int(0.95 * (len(late_s) - 1))]
        print(
            f"\nerased meanwhile: {len(late_s)}, after their end by {statistics.median(late_s):.0f} s, 95 % {most:.0f} s, ",
            end="",
        )
        print(f"at most {late_s[-1]:.0f} s; left overdue for two minutes: {left}")


if __name__ == "__main__":
    run()
