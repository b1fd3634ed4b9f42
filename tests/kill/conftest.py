"""What the kill tests run on: the acts' PostgreSQL, and a MinIO in line with the demonstration's policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from acts.conftest import catalog, engine, server, world
from acts.world import TEXT
from consigne.adapters.store.access import configure_store, identities
from consigne.rules.policy.load import load
from contract.servers import REGION, Server, start

__all__ = ["catalog", "engine", "minio", "server", "world"]


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real MinIO with its buckets, identities and SSE-KMS."""
    started, policy = start(tmp_path_factory.mktemp("minio")), load(TEXT).policy
    try:
        pairs = {identity: started.credentials(identity) for identity in identities(policy)}
        configure_store(started.endpoint, REGION, False, started.root, policy, pairs)
        yield started
    finally:
        started.process.terminate()
        started.process.wait(timeout=30)
