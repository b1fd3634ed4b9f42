"""Nothing planted lies in anything that the platform wrote: after the samples, what was killed, and what was
broken (issue 3, Shown by 7). Files of this folder run in the order of their names; `test_samples.py` sweeps
for the samples of `up` themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from minio.error import S3Error
from sqlalchemy import create_engine, inspect, text

from consigne.doors.samples.values import Planted, planted
from consigne.doors.settings import AIRFLOW_DATABASE
from system.conftest import Up
from system.inside import SEEDS, hand_in, processes, sample_calls, settings_of, store_as
from system.sweep import Finder, needles, sweep


def _all_planted() -> Planted:
    """What the calls hold that any test handed in: kept, refused, broken and failed ones."""
    each = [planted(seed, count) for seed, count in SEEDS.values()]
    return Planted(*(sum((getattr(one, name) for one in each), ()) for name in Planted.__slots__))


@pytest.fixture(scope="module")
def carried(platform_up: Up) -> Up:
    """Calls of every kind, refused and failed ones too, whatever ran before."""
    hand_in(platform_up, [call for call in sample_calls(platform_up, "leaks") if call[1].kind != "trial"])
    done = platform_up.consigne("ingest", "--wait")
    assert done.returncode == 0, done.stderr[-2_000:]
    return platform_up


@pytest.mark.promise("P2")
def test_nothing_planted_lies_outside_intake(carried: Up) -> None:
    """PostgreSQL's files and write-ahead log, MinIO's disk, Airflow's logs, temporary files: every byte."""
    swept = sweep(
        [carried.state_dir, carried.temporary_dir], needles(_all_planted()), exclude=[carried.intake_dir]
    )
    assert swept.bytes > 50_000_000
    assert swept.hits == frozenset()


@pytest.mark.promise("P2")
def test_what_is_swept_are_the_places_that_hold_something(carried: Up) -> None:
    for place in ("postgres/data/pg_wal", "postgres/data/base", "minio/data/recordings", "logs", "keyring"):
        held = [file for file in (carried.state_dir / place).rglob("*") if file.is_file()]
        assert held and sum(file.stat().st_size for file in held) > 100, place


@pytest.mark.promise("P2")
@pytest.mark.parametrize("place", ["postgres", "minio", "logs", "airflow", "run"])
def test_the_sweep_finds_each_sort_where_it_is_planted(carried: Up, place: str) -> None:
    """A file of the platform's own folders, with one value of each sort in it."""
    wanted = _all_planted()
    file = carried.state_dir / place / "planted"
    one = (wanted.cards[0], " ".join(wanted.codes[0]), wanted.callers[0], wanted.words[0])
    try:
        file.write_text("\n".join(("x" * 4_000, *one)))
        swept = sweep([carried.state_dir / place], needles(wanted))
    finally:
        file.unlink(missing_ok=True)
    assert {hit.kind for hit in swept.hits} == {"card", "code", "caller", "word"}
    assert {Path(hit.file).name for hit in swept.hits} == {"planted"}


@pytest.mark.promise("P2")
def test_nothing_planted_is_sent_by_the_store(carried: Up) -> None:
    """Objects as the server hands them out, its own encryption taken off: still noise."""
    root, finder = store_as(carried), Finder(needles(_all_planted()))
    read = 0
    for bucket in root.list_buckets():
        for one in root.list_objects(bucket.name, recursive=True, include_version=True):
            if one.is_delete_marker:
                continue
            try:
                with root.get_object(bucket.name, one.object_name or "", version_id=one.version_id) as answer:
                    data = answer.read()
            except S3Error as gone:
                assert gone.code == "NoSuchVersion", gone.code  # the trial's end came meanwhile
                continue
            assert finder.find(data + (one.object_name or "").encode()) == set(), one.object_name
            read += len(data)
    assert read > 1_000_000


@pytest.mark.promise("P2")
@pytest.mark.parametrize("database", ["consigne", AIRFLOW_DATABASE])
def test_nothing_planted_is_read_back_from_a_database(carried: Up, database: str) -> None:
    """Every row as text: PostgreSQL's disk may hold long values compressed. XCom and rendered fields too."""
    finder, rows = Finder(needles(_all_planted())), 0
    engine = create_engine(settings_of(carried).database_admin_url(database))
    with engine.connect() as connection:
        names = inspect(connection).get_table_names()
        assert len(names) > 10
        for name in names:
            for row in connection.execute(text(f'SELECT held::text FROM "{name}" AS held')).scalars():
                assert finder.find(row.encode()) == set(), name
                rows += 1
    engine.dispose()
    assert rows > 500


@pytest.mark.promise("P2")
def test_nothing_planted_is_told_to_prometheus(carried: Up) -> None:
    url, secret = (
        f"{carried.status['url']}/consigne/metrics",
        (carried.state_dir / "secrets" / "metrics").read_text(),
    )
    assert httpx.get(url, trust_env=False).status_code == 401
    told = httpx.get(url, headers={"Authorization": f"Bearer {secret}"}, timeout=30, trust_env=False)
    assert told.status_code == 200 and "consigne_received_total" in told.text
    assert 'consigne_last_run_age_seconds{act="expire"}' in told.text  # from Airflow's own table
    assert [
        line for line in told.text.splitlines() if "unreadable{" in line and not line.endswith(" 0.0")
    ] == []
    assert Finder(needles(_all_planted())).find(told.content) == set()


@pytest.mark.promise("P2")
def test_nothing_planted_is_in_metrics_and_traces(carried: Up) -> None:
    """All that Airflow sent to the collector since the start, whatever ran, failed or was answered meanwhile."""
    finder = Finder(needles(_all_planted()))
    assert [path for path, body in carried.collector.sent if finder.find(body)] == []
    spans = carried.collector.spans()
    assert {"worker.discover_intake", "dag_run.ingest_recordings"} <= spans.keys()
    assert "airflow.scheduler_heartbeat" in carried.collector.metrics()
    # Of a failed task its exception comes too: one line of ours (orchestration/task.py), and where it was raised.
    known = {"event exception", "event http.retry"}
    named = set().union(*spans.values())
    assert {one for one in named if not one.startswith("airflow.")} <= known


@pytest.mark.promise("P2")
def test_no_process_writes_elsewhere(carried: Up) -> None:
    """Open for writing are files of the state folder, of its temporary folder, and devices."""
    ours = (carried.state_dir.resolve(), carried.temporary_dir.resolve(), Path("/dev"))
    seen = list(_written(carried))
    assert len(seen) > 10
    assert [file for file in seen if not any(file.is_relative_to(place) for place in ours)] == []


def _written(up: Up) -> Iterator[Path]:
    for process in processes(up):
        try:
            for opened in process.open_files():
                if opened.mode not in ("r", "rb"):
                    yield Path(os.path.realpath(opened.path))
        except psutil.Error:
            continue
