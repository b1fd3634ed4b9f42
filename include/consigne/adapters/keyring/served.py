"""The keyring as a key server answers for it (doors/keyserver.py): this process holds a token and no key.

`served:<socket>?token-file=<file>`. The wire is described in docs/formats.md. One connection a thread, kept;
where the server was started anew meanwhile, the call is made once more, which changes nothing (but `rotate`).
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from consigne.acts.ports import Mac, Signature
from consigne.adapters.keyring.files import read_credential
from consigne.adapters.keyring.framing import ANSWER_BYTES, opened, receive, send
from consigne.rules.errors import Misconfigured, Unavailable

_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """The socket, and the file (mode 0600) with the token."""

    socket: Path
    token: Path


def read_url(rest: str) -> Server:
    """What stands behind `served:`. Misconfigured('keyring_url') names what is missing."""
    path, _, query = rest.partition("?")
    options = dict(parse_qsl(query))
    if not path.startswith("/") or options.keys() != {"token-file"}:
        raise Misconfigured("keyring_url", "keyring", "served:/path/of/socket?token-file=/path")
    return Server(Path(unquote(path)), Path(options["token-file"]))


@contextmanager
def short(path: Path) -> Iterator[str]:
    """A socket's name as the kernel takes it: it may be 107 bytes long, a path longer."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def answers(path: Path) -> bool:
    """Whether a key server answers there, to whoever asks."""
    try:
        with _connect(path, 5.0) as over:
            send(over, {"token": ""})
            return receive(over, ANSWER_BYTES) is not None
    except (OSError, ValueError):
        return False


def _connect(path: Path, timeout_s: float) -> socket.socket:
    over = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        over.settimeout(timeout_s)
        with short(path) as name:
            over.connect(name)
    except OSError:
        over.close()
        raise
    return over


class ServedKeyring:
    """Nothing is contacted before the first call."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._of_thread = threading.local()
        self._named: tuple[str, str] | None = None

    @property
    def provider(self) -> str:
        """Of the keyring that the server holds."""
        return self._who()[0]

    @property
    def assurance(self) -> str:
        """Of the keyring that the server holds."""
        return self._who()[1]

    def check(self) -> None:
        """Misconfigured where the token is missing or others may read it."""
        self._token()

    def prepare(self, first: bool) -> None:
        self._ask("prepare", first=first)

    def open_epoch(self, name: str) -> None:
        self._ask("open_epoch", name=name)

    def epoch_lives(self, name: str) -> bool:
        return bool(self._ask("epoch_lives", name=name))

    def epochs(self) -> list[str]:
        return list(self._ask("epochs"))

    def destroy_epoch(self, name: str) -> None:
        self._ask("destroy_epoch", name=name)

    def wrap(self, epoch: str, key: bytes, context: bytes) -> bytes:
        return bytes(self._ask("wrap", epoch=epoch, key=key, context=context))

    def unwrap(self, epoch: str, wrapped: bytes, context: bytes) -> bytes:
        return bytes(self._ask("unwrap", epoch=epoch, wrapped=wrapped, context=context))

    def sign(self, message: bytes) -> Signature:
        return Signature(*self._ask("sign", message=message))

    def public_keys(self) -> dict[str, bytes]:
        return dict(self._ask("public_keys"))

    def mac(self, name: str, message: bytes, version: int | None = None) -> Mac:
        return Mac(*self._ask("mac", name=name, message=message, version=version))

    def versions(self, name: str) -> list[int]:
        return list(self._ask("versions", name=name))

    def rotate(self, name: str) -> int:
        return int(self._ask("rotate", name=name))

    def _who(self) -> tuple[str, str]:
        if self._named is None:
            with _reachable():
                self._connection(fresh=False)
        assert self._named is not None
        return self._named

    def _ask(self, verb: str, **values: Any) -> Any:
        request = {"verb": verb, "values": values}
        with _reachable():
            over, is_kept = self._connection(fresh=False)
            try:
                answer = self._exchange(over, request)
            except OSError:
                if not is_kept or verb == "rotate":
                    raise
                over, _ = self._connection(fresh=True)
                answer = self._exchange(over, request)
            try:
                return opened(answer)
            except ValueError:
                self._drop()
                raise

    def _exchange(self, over: socket.socket, request: object) -> Any:
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # why it was not read stands in the answer
                send(over, request)
            answer = receive(over, ANSWER_BYTES)
            if answer is None:
                raise ConnectionError("ended")
            return answer
        except BaseException:  # whatever comes later over this connection answers something else
            self._drop()
            raise

    def _connection(self, fresh: bool) -> tuple[socket.socket, bool]:
        """This thread's, and whether it was there before. A child that was forked makes its own."""
        known: tuple[int, socket.socket] | None = getattr(self._of_thread, "connection", None)
        if known is not None and known[0] == os.getpid() and not fresh:
            return known[1], True
        token = self._token()
        over = _connect(self._server.socket, _TIMEOUT_S)
        try:
            self._named = self._greet(over, token)
        except BaseException:
            over.close()
            raise
        self._of_thread.connection = os.getpid(), over
        return over, False

    def _greet(self, over: socket.socket, token: str) -> tuple[str, str]:
        send(over, {"token": token})
        answer = receive(over, ANSWER_BYTES)
        if answer is None:
            raise ConnectionError("ended")
        provider, assurance = opened(answer)
        return str(provider), str(assurance)

    def _drop(self) -> None:
        known: tuple[int, socket.socket] | None = getattr(self._of_thread, "connection", None)
        if known is not None:
            known[1].close()
            self._of_thread.connection = None

    def _token(self) -> str:
        return read_credential(self._server.token, "keyring_token", "the file with the token")


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except PermissionError:
        raise Misconfigured("keyring_denied", "socket", "this user may not reach the key server") from None
    except (OSError, ValueError) as fault:
        raise Unavailable("keyring", "server", type(fault).__name__) from None
