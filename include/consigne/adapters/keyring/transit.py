"""A Transit engine of Vault or OpenBao: which one a URL means, and how it is spoken to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import hvac
import requests
from hvac import exceptions as faults

from consigne.adapters.keyring.files import read_credential
from consigne.rules.errors import Misconfigured, Unavailable

URL: Final = "vault:https://HOST:PORT/MOUNT?token-file=FILE[&ca-file=FILE]"
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_TIMEOUT_S: Final = 10
_REFUSED: Final = (faults.Forbidden, faults.Unauthorized)


@dataclass(frozen=True, slots=True)
class Engine:
    """The server, the engine's mount, the file that holds our token, and what the server's certificate is checked
    against ("" for the system's authorities)."""

    server: str
    mount: str
    token: Path
    authorities: str


def read_url(rest: str) -> Engine:
    """What follows `vault:`. Misconfigured('keyring_url') says the form; plain HTTP is for this machine alone."""
    parts = urlsplit(rest)
    given = dict(parse_qsl(parts.query))
    token, mount = given.get("token-file", ""), parts.path.strip("/")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not is_safe or not parts.hostname or parts.username or not mount:
        raise Misconfigured("keyring_url", "keyring", URL)
    if set(given) - {"token-file", "ca-file"} or not token.startswith("/"):
        raise Misconfigured("keyring_url", "keyring", URL)
    return Engine(f"{parts.scheme}://{parts.netloc}", mount, Path(token), given.get("ca-file", ""))


class Transit:
    """Nothing is contacted before the first call. The token is read at each: an agent may renew its file."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._clients: dict[int, hvac.Client] = {}  # by process: a child of a fork shares no connection

    def check(self) -> None:
        """Misconfigured where the token's file is missing."""
        self._token()

    @contextmanager
    def asked(self) -> Iterator[Any]:
        """hvac's Transit methods. Unavailable where nobody answers as he should, Misconfigured where we may not;
        `InvalidRequest` and `InvalidPath` (there is no such key) are for the caller."""
        client = self._client()
        client.token = self._token()
        try:
            yield client.secrets.transit
        except (faults.InvalidRequest, faults.InvalidPath):
            raise
        except _REFUSED:
            raise Misconfigured("keyring_denied", "vault", "its token may not do this") from None
        except (faults.VaultError, requests.RequestException) as fault:
            raise Unavailable("keyring", "vault", type(fault).__name__) from None

    @property
    def mount(self) -> str:
        """The engine's mount point."""
        return self._engine.mount

    def make_no_key_by_encrypting(self) -> None:
        """Else whoever may encrypt makes a key for a name that is reserved."""
        try:
            with self.asked() as transit:
                transit._adapter.post(f"/v1/{self.mount}/config/keys", json={"disable_upsert": True})
        except faults.InvalidPath:
            raise Unavailable("keyring", "vault", "no Transit engine is mounted there") from None

    def _client(self) -> hvac.Client:
        pid = os.getpid()
        if pid not in self._clients:
            session = requests.Session()
            session.trust_env = False  # neither a proxy nor another's password file
            verify = self._engine.authorities or True
            self._clients[pid] = hvac.Client(
                self._engine.server, verify=verify, timeout=_TIMEOUT_S, session=session, allow_redirects=False
            )
        return self._clients[pid]

    def _token(self) -> str:
        return read_credential(self._engine.token, "keyring_token", "the file with the token")
