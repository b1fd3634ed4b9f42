"""Keyrings that are not ours: a token of SoftHSM2, and Transit engines of a server that the caller runs."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from uuid import uuid4

import hvac
import pytest

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "1234-only-here"
NUMBERS = count(1)


@dataclass(frozen=True)
class SoftHsm:
    """A token in a folder; `settings` is for SOFTHSM2_CONF."""

    folder: Path
    label: str

    @property
    def settings(self) -> Path:
        return self.folder / "softhsm2.conf"

    @property
    def tokens(self) -> Path:
        return self.folder / "tokens"

    @property
    def pin(self) -> Path:
        return self.folder / "pin"

    def url(self, prefix: str = "consigne") -> str:
        return f"pkcs11:token={self.label};object={prefix}?module-path={MODULE}&pin-source=file:{self.pin}"


def make_token(folder: Path) -> SoftHsm:
    """A new token in the folder, and the file with its PIN."""
    token = SoftHsm(folder, f"consigne-{next(NUMBERS)}")  # its own: a process knows tokens by their labels
    token.tokens.mkdir(mode=0o700)
    token.settings.write_text(
        f"directories.tokendir = {token.tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    token.pin.write_text(PIN + "\n")
    token.pin.chmod(0o600)
    command = ["softhsm2-util", "--init-token", "--free", "--label", token.label]
    command += ["--pin", PIN, "--so-pin", PIN]
    environment = {"SOFTHSM2_CONF": str(token.settings), "PATH": "/usr/bin:/bin"}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return token


def find_vault() -> tuple[str, str]:
    """Server and token as the environment names them; skips where it names none."""
    server, token = os.environ.get("CONSIGNE_TEST_VAULT"), os.environ.get("CONSIGNE_TEST_VAULT_TOKEN")
    if not server or not token:
        pytest.skip("CONSIGNE_TEST_VAULT and CONSIGNE_TEST_VAULT_TOKEN name no server")
    return server, token


def mount_transit(server: str, token: str, folder: Path) -> str:
    """A new engine; returns its keyring's URL."""
    mount = f"transit-{uuid4().hex}"
    hvac.Client(server, token=token).sys.enable_secrets_engine("transit", path=mount)
    file = folder / "vault-token"
    file.write_text(token)
    file.chmod(0o600)
    return f"vault:{server}/{mount}?token-file={file}"
