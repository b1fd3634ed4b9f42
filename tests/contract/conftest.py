"""What the contract tests run on: one real MinIO with SSE-KMS and one token for the session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract.keyrings import NUMBERS, SoftHsm, find_vault, make_token, mount_transit
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
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    """A token of SoftHSM2, for this process and its children."""
    token = make_token(tmp_path_factory.mktemp("softhsm"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(token.settings))
        yield token


@pytest.fixture
def token_url(softhsm: SoftHsm) -> str:
    """A keyring of its own in the token."""
    return softhsm.url(f"test{next(NUMBERS)}")


@pytest.fixture
def vault_url(tmp_path: Path) -> str:
    """A Transit engine of its own on the server that CONSIGNE_TEST_VAULT names."""
    return mount_transit(*find_vault(), tmp_path)


@pytest.fixture(scope="session")
def server(started: Callable[..., Server]) -> Server:
    return started()
