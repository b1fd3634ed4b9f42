"""One platform on CeleryExecutor for all tests here: workers by queue, each with what its queue needs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from system.conftest import LONGEST_UP_S, Up


@pytest.fixture(scope="session")
def celery_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """`up --executor celery`, with no sample calls and a clock that can be advanced."""
    folder = tmp_path_factory.mktemp("celery")
    fresh = Up(folder / "state", folder / "tmp")
    fresh.temporary_dir.mkdir()
    asked = ("up", "--detach", "--executor", "celery", "--workers", "ingest=2,expire=1")
    try:
        began = fresh.consigne(*asked, "--test-clock", "--no-samples", timeout_s=LONGEST_UP_S)
        assert began.returncode == 0, began.stderr[-4_000:]
        yield Up(fresh.state_dir, fresh.temporary_dir, fresh.json("status", "--secrets"))
    finally:
        fresh.consigne("down")
