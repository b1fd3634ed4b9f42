"""A key server: in this process for what it answers, in one of its own for what outlives it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from consigne.adapters.keyring.open import Provider
from consigne.adapters.keyring.rights import IDENTITIES
from consigne.adapters.keyring.served import ServedKeyring, Server
from consigne.doors.keyserver import FRAME_S, Door, KeyServer, listen


@dataclass(frozen=True)
class Serving:
    """A running one; `keyring` is how an identity, with its own token, sees it."""

    folder: Path

    @property
    def socket(self) -> Path:
        return self.folder / "keyring.sock"

    def token(self, identity: str) -> Path:
        return self.folder / f"token-{identity}"

    def keyring(self, identity: str = "prepare") -> ServedKeyring:
        return ServedKeyring(Server(self.socket, self.token(identity)))


@contextmanager
def serving(
    folder: Path,
    behind: Provider,
    users: Mapping[str, tuple[int, ...]] | None = None,
    frame_s: float = FRAME_S,
) -> Iterator[Serving]:
    """A server in threads of this process, with a token for each identity."""
    folder.mkdir(parents=True, exist_ok=True)
    server, tokens = Serving(folder), {one: f"token of {one}" for one in IDENTITIES}
    for one, token in tokens.items():
        server.token(one).write_text(token)
        server.token(one).chmod(0o600)
    listening = listen(server.socket)
    answering = KeyServer(behind, Door(tokens, users or {}), frame_s)
    thread = threading.Thread(target=answering.serve, args=(listening,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        listening.close()
