"""What the contract tests run on: one real MinIO with SSE-KMS for the session."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from contract.servers import Server, start


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Starts servers, and stops them at the session's end."""
    servers: list[Server] = []

    def make(kms: bool = True) -> Server:
        servers.append(start(tmp_path_factory.mktemp("minio"), kms))
        return servers[-1]

    yield make
    for server in servers:
        server.process.terminate()
        server.process.wait(timeout=30)


@pytest.fixture(scope="session")
def server(started: Callable[..., Server]) -> Server:
    return started()
