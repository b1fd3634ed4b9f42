"""Real MinIO servers on loopback, their secrets in a file of mode 0600."""

from __future__ import annotations

import base64
import os
import secrets
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from consigne.adapters.store.access import configure_store, identities
from consigne.doors.local.minio import find
from consigne.rules.policy.model import Policy

REGION = "us-east-1"


@dataclass(slots=True)
class Server:
    """A running MinIO; `credentials(identity)` makes a pair once and remembers it. The binary is
    $CONSIGNE_TEST_MINIO, else what `up` would run: a missing service fails, it is not left out."""

    endpoint: str
    folder: Path
    root: tuple[str, str]
    process: subprocess.Popen[bytes]
    pairs: dict[str, tuple[str, str]] = field(default_factory=dict)

    def credentials(self, identity: str) -> tuple[str, str]:
        return self.pairs.setdefault(identity, (f"{identity}-{secrets.token_hex(4)}", secrets.token_hex(20)))

    def bring_in_line(self, policy: Policy) -> list[str]:
        """Buckets, identities and SSE-KMS as a policy asks for them; what was changed."""
        pairs = {identity: self.credentials(identity) for identity in identities(policy)}
        return configure_store(self.endpoint, REGION, False, self.root, policy, pairs)


def start(folder: Path, kms: bool = True) -> Server:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    root = ("root-" + secrets.token_hex(4), secrets.token_hex(20))
    lines = [f"MINIO_ROOT_USER={root[0]}", f"MINIO_ROOT_PASSWORD={root[1]}", "MINIO_BROWSER=off"]
    if kms:
        lines.append(f"MINIO_KMS_SECRET_KEY=test:{base64.b64encode(secrets.token_bytes(32)).decode()}")
    (folder / "data").mkdir(parents=True)
    env_file = folder / "minio.env"
    env_file.touch(mode=0o600)
    env_file.write_text("\n".join(lines) + "\n")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "MINIO_CONFIG_ENV_FILE": str(env_file)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [os.environ.get("CONSIGNE_TEST_MINIO") or find(print), "server", "--quiet", "--address", f"127.0.0.1:{port}", str(folder / "data")],
            env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    server = Server(f"127.0.0.1:{port}", folder, root, process)
    wait_until_ready(server)
    return server


def wait_until_ready(server: Server) -> None:
    for _ in range(300):
        if server.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://{server.endpoint}/minio/health/ready", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"MinIO did not come up, see {server.folder / 'log'}")
