"""The key server: alone with the keys, it answers others over a socket, each within its rights.

`python -m consigne.doors.keyserver SOCKET`, in the share of the service `keyring`, whose settings name the keyring
behind it; `--ping SOCKET` ends with 0 where one answers. Who asks is known by a token: `secrets/keyring-token-<identity>`
of the share, and where `keyring-users.json` names system users for an identity, by the kernel's word on who connected.
"""

from __future__ import annotations

import ctypes
import errno
import hmac
import json
import logging
import os
import resource
import signal
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Final

from consigne.adapters.keyring.framing import (
    REQUEST_VALUES,
    TooLong,
    receive_body,
    receive_length,
    send,
    told,
)
from consigne.adapters.keyring.open import Provider
from consigne.adapters.keyring.rights import IDENTITIES, VERBS, may, most_bytes
from consigne.adapters.keyring.served import answers, short
from consigne.doors import logs
from consigne.doors.local.processes import no_core_dumps
from consigne.doors.logs import about
from consigne.doors.settings import Settings
from consigne.doors.wiring import keyring_of
from consigne.rules.errors import BadInput, ConsigneError, Misconfigured, place_of

log = logging.getLogger("consigne.keyserver")

GREETING_S: Final = 5.0
GREETING_BYTES: Final = 4 * 1024
UNGREETED: Final = 64
"""Connections of one system user that have not said yet who they are: no user can take another's."""
CONNECTIONS: Final = 128
"""Of one identity."""
FRAME_S: Final = 5.0
"""For the rest of a request that has begun, and for taking the answer."""
AT_ONCE: Final = 16
"""Requests of one identity that are read, done and answered at once, of the longest one; the next ones wait."""
AGAIN_S: Final = 0.1
M_ARENA_MAX: Final = -8
"""malloc.h, glibc."""
TOKEN_SECRET: Final = "keyring-token-"
USERS: Final = "keyring-users.json"


_VALUES: Final[Mapping[str, Any]] = {
    "name": str, "epoch": str, "key": bytes, "context": bytes, "wrapped": bytes, "message": bytes, "first": bool,
    "version": int | None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Door:
    """Token of each identity, and the system users that may use it (nobody named: whoever has it)."""

    tokens: Mapping[str, str]
    users: Mapping[str, tuple[int, ...]]

    def identity(self, token: str, user: int) -> str | None:
        """Whose token it is; None for nobody's, and for another user's."""
        own = [
            one for one, known in self.tokens.items() if hmac.compare_digest(known.encode(), token.encode())
        ]
        if not own or (user != 0 and self.users.get(own[0]) and user not in self.users[own[0]]):
            return None
        return own[0]


class Turns:
    """What requests of one identity may hold of memory at once; who comes first goes first."""

    def __init__(self, most_bytes: int) -> None:
        self._least, self._left = most_bytes // AT_ONCE, most_bytes
        self._front, self._room = threading.Lock(), threading.Condition()

    @contextmanager
    def of(self, length: int) -> Iterator[None]:
        """Once there is room for a frame of this length, until it is answered."""
        taken = max(length, self._least)
        with self._front, self._room:
            self._room.wait_for(lambda: self._left >= taken)
            self._left -= taken
        try:
            yield
        finally:
            with self._room:
                self._left += taken
                self._room.notify()


class KeyServer:
    """Serves a keyring on a listening socket, a thread a connection. A request has `frame_s` seconds."""

    def __init__(self, keyring: Provider, door: Door, frame_s: float = FRAME_S) -> None:
        self._keyring, self._door, self._frame_s = keyring, door, frame_s
        # Of each identity, not of all: else one could keep the others waiting.
        self._turns = {one: Turns(most_bytes(one)) for one in IDENTITIES}
        self._judging = threading.Lock()
        self._open: Counter[str | int] = Counter()
        self._lock = threading.Lock()

    def serve(self, listening: socket.socket) -> None:
        """Until the socket is shut down. What keeps one connection out (no descriptor or thread left) is logged, and
        the next is waited for."""
        while True:
            try:
                over, _ = listening.accept()
            except OSError as fault:
                if fault.errno in (errno.EINVAL, errno.EBADF):
                    return
                _wait_after(errno.errorcode.get(fault.errno or 0, "OSError"))
            else:
                self._begin(over)

    def _begin(self, over: socket.socket) -> None:
        _, user, _ = struct.unpack("3i", over.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if not self._enter(user, UNGREETED):
            over.close()
            return
        try:
            threading.Thread(target=self._attend, args=(over, user), daemon=True).start()
        except RuntimeError:
            self._leave(user)
            over.close()
            _wait_after("no_thread")

    def _attend(self, over: socket.socket, user: int) -> None:
        with over:
            try:
                identity = self._greeted(over, user)
                if identity is not None and self._enter(identity, CONNECTIONS):
                    try:
                        self._answer_all(over, identity)
                    finally:
                        self._leave(identity)
            except (OSError, ValueError):  # whoever asked has gone, or speaks something else
                return
            except ConsigneError as fault:
                _quietly(over, told(fault))
            except Exception as fault:
                _tell(fault)

    def _greeted(self, over: socket.socket, user: int) -> str | None:
        try:
            until_s = time.monotonic() + GREETING_S
            length = receive_length(over, GREETING_BYTES, until_s)
            if length is None:
                return None
            said = receive_body(over, length, until_s, REQUEST_VALUES)
            token = said.get("token") if isinstance(said, dict) else None
            identity = self._door.identity(token, user) if isinstance(token, str) and token else None
            if identity is None:
                if token:
                    log.warning(
                        "refused: a token that is nobody's, or another user's", extra=about(code=user)
                    )
                raise Misconfigured("keyring_denied", "token", "the key server does not know it")
        finally:
            self._leave(user)
        over.settimeout(self._frame_s)
        send(over, {"done": [self._keyring.provider, self._keyring.assurance]})
        return identity

    def _answer_all(self, over: socket.socket, identity: str) -> None:
        over.settimeout(None)  # a connection may rest, a request may not
        while over.recv(1, socket.MSG_PEEK):
            self._answer_next(over, identity)
            over.settimeout(None)

    def _answer_next(self, over: socket.socket, identity: str) -> None:
        most = most_bytes(identity)
        try:
            length = receive_length(over, most, time.monotonic() + self._frame_s)
        except TooLong:
            log.warning("refused: longer than it may be", extra=about(code=identity))
            raise BadInput("keyring_request", "request", f"{identity} may send {most} bytes") from None
        assert length is not None  # its first byte is there
        with self._turns[identity].of(length):
            request = receive_body(over, length, time.monotonic() + self._frame_s, REQUEST_VALUES)
            answer = self._answer(identity, request)
            over.settimeout(self._frame_s)
            send(over, answer)

    def _answer(self, identity: str, request: Any) -> dict[str, Any]:
        try:
            return {"done": self._do(identity, *_read(request))}
        except ConsigneError as fault:
            return told(fault)
        except (KeyError, TypeError, ValueError):
            return told(BadInput("keyring_request", "request"))
        except Exception as fault:
            _tell(fault)
            return told(Misconfigured("keyring_fault", "server", "see the key server's log"))

    def _do(self, identity: str, verb: str, values: dict[str, Any]) -> Any:
        with self._judging:  # a statement takes many times its bytes while it is read
            is_right = may(identity, verb, values.get("name", ""), values.get("message", b""))
        if not is_right:
            log.warning("refused: beyond its rights", extra=about(act=verb, code=identity))
            raise Misconfigured("keyring_denied", verb, f"{identity} may not do this")
        done = getattr(self._keyring, verb)(**values)
        return astuple(done) if verb in ("sign", "mac") else done

    def _enter(self, who: str | int, most: int) -> bool:
        """One connection more of an identity, or of a user not yet greeted; False where there are `most`."""
        with self._lock:
            if self._open[who] >= most:
                return False
            self._open[who] += 1
            return True

    def _leave(self, who: str | int) -> None:
        with self._lock:
            self._open[who] -= 1


def _read(request: Any) -> tuple[str, dict[str, Any]]:
    """Verb and values. KeyError, TypeError or ValueError for what is no request, whichever keyring stands behind."""
    verb, values = request["verb"], request["values"]
    if verb not in VERBS or not isinstance(values, dict):
        raise ValueError("no call")
    if not all(isinstance(value, _VALUES[name]) for name, value in values.items()):
        raise TypeError("another type")
    return verb, values


def _tell(fault: Exception) -> None:
    log.error("fault in our own code; please report it", extra=about(fault=place_of(fault)))


def _wait_after(code: str) -> None:
    log.error("a connection could not be taken", extra=about(code=code))
    time.sleep(AGAIN_S)


def _quietly(over: socket.socket, answer: object) -> None:
    try:
        send(over, answer)
    except OSError:
        return


def listen(path: Path) -> socket.socket:
    """The socket in its place, whatever lay there before; its folder says who may take that place."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with short(draft) as name:
        listening.bind(name)
    draft.chmod(0o666)  # the token decides
    listening.listen(64)
    draft.replace(path)
    return listening


def read_door(settings: Settings) -> Door:
    """Tokens and users as the share holds them. Misconfigured where there is no token at all."""
    files = {one: settings.state_dir / "secrets" / f"{TOKEN_SECRET}{one}" for one in IDENTITIES}
    tokens = {one: file.read_text().strip() for one, file in files.items() if file.exists()}
    if not tokens or not all(tokens.values()):
        raise Misconfigured("keyring_token", TOKEN_SECRET, "the key server's share has no tokens")
    named = settings.state_dir / USERS
    users = json.loads(named.read_text()) if named.exists() else {}
    return Door(tokens, {identity: tuple(found) for identity, found in users.items()})


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM."""
    if arguments[:1] == ["--ping"] and len(arguments) == 2:
        return 0 if answers(Path(arguments[1])) else 1
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    no_core_dumps()
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)  # else each thread keeps what its longest request took
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[
        1
    ]  # 1024, the usual soft limit, is less than may be open
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    settings = Settings.from_environment()
    logs.begin("keyring", settings.json_logs)
    server = KeyServer(keyring_of(settings), read_door(settings))
    listening = listen(Path(arguments[0]))
    for word in (signal.SIGTERM, signal.SIGINT):
        signal.signal(word, lambda *_: listening.shutdown(socket.SHUT_RDWR))
    log.info("serving", extra=about(code=settings.keyring_url.partition(":")[0]))
    server.serve(listening)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
