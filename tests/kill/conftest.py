"""What the kill tests run on: the acts' PostgreSQL, and a MinIO in line with the demonstration's policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from acts.conftest import catalog, engine, server, world
from acts.world import TEXT
from consigne.rules.policy.load import load
from contract.servers import Server, start

__all__ = ["catalog", "engine", "minio", "server", "world"]


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real MinIO with its buckets, identities and SSE-KMS."""
    started, policy = start(tmp_path_factory.mktemp("minio")), load(TEXT).policy
    try:
        started.bring_in_line(policy)
        yield started
    finally:
        started.process.terminate()
        started.process.wait(timeout=30)
