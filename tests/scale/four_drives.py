"""A MinIO of one erasure set over four drives, each a folder that can be taken away while it runs."""

from __future__ import annotations

import base64
import os
import secrets
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from minio import Minio
from urllib3 import PoolManager

from consigne.adapters.store.minio import RECORDINGS, connect
from consigne.doors.local.minio import find
from contract.servers import REGION, Server, wait_until_ready


@dataclass(slots=True)
class FourDrives(Server):
    """`lose` and `bring_back` a drive by its number, 0 to 3."""

    def drive(self, number: int) -> Path:
        return self.folder / f"drive-{number}"

    def lose(self, number: int) -> None:
        """A file in its place: MinIO would make a missing folder anew, as it would not an unmounted disk."""
        self.drive(number).rename(self.taken(number))
        self.drive(number).write_bytes(b"")

    def bring_back(self, number: int) -> None:
        self.drive(number).unlink()
        self.taken(number).rename(self.drive(number))

    def taken(self, number: int) -> Path:
        return self.folder / f"taken-{number}"

    def restart(self) -> None:
        """Killed, so that what it meant to heal is forgotten."""
        self.process.kill()
        self.process.wait(timeout=30)
        self.process = run(self.folder, self.endpoint)
        wait_until_ready(self)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)

    def held(self, folder: Path) -> set[str]:
        """Objects of `recordings` of which a drive's folder holds anything."""
        found = (folder / RECORDINGS).rglob("xl.meta")
        return {str(file.parent.relative_to(folder / RECORDINGS)) for file in found}

    @property
    def owner(self) -> Minio:
        """The store's root, who asks once."""
        return connect(self.endpoint, REGION, False, self.root, PoolManager(retries=False, timeout=30))


def start(folder: Path) -> FourDrives:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        endpoint = f"127.0.0.1:{probe.getsockname()[1]}"
    root = ("root-" + secrets.token_hex(4), secrets.token_hex(20))
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    folder.mkdir()
    env_file = folder / "minio.env"
    env_file.touch(mode=0o600)
    env_file.write_text(
        f"MINIO_ROOT_USER={root[0]}\nMINIO_ROOT_PASSWORD={root[1]}\nMINIO_BROWSER=off\n"
        f"MINIO_KMS_SECRET_KEY=test:{key}\n"
    )
    made = FourDrives(endpoint, folder, root, run(folder, endpoint))
    wait_until_ready(made)
    return made


def run(folder: Path, endpoint: str, say: Callable[[str], None] = print) -> subprocess.Popen[bytes]:
    drives = [folder / f"drive-{number}" for number in range(4)]
    for drive in drives:
        if not drive.exists():
            drive.mkdir()
    # Folders on the system's own disk are no drives, unless MinIO is told that this is a test.
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "MINIO_CONFIG_ENV_FILE": str(folder / "minio.env"),
        "MINIO_CI_CD": "1",
    }
    program = os.environ.get("CONSIGNE_TEST_MINIO") or str(find(say))
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [program, "server", "--quiet", "--address", endpoint, *map(str, drives)],
            env=environment,
            stdout=log,
            stderr=log,
        )
