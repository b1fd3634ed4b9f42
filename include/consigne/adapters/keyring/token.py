"""A PKCS#11 token: which one a URI means (RFC 7512), and one session with it for the whole process.

A module is the process's, not ours: log in once, from one thread at a time, and anew in a child after fork.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import unquote

import pkcs11
from pkcs11 import exceptions as faults
from pkcs11.types import Session

from consigne.adapters.keyring.files import read_credential
from consigne.rules.errors import Misconfigured, Unavailable

URI: Final = "pkcs11:token=LABEL[;object=PREFIX]?module-path=FILE&pin-source=file:FILE"
_KNOWN: Final = {"token", "object", "module-path", "pin-source"}
_NO_PIN: Final = (
    faults.PinIncorrect,
    faults.PinInvalid,
    faults.PinLenRange,
    faults.PinLocked,
    faults.PinExpired,
)
_UNFIT: Final = (faults.MechanismInvalid, faults.MechanismParamInvalid, faults.TemplateInconsistent)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the keys lie: a module of the token's maker, the token's label, the file that holds the user's PIN, and
    what the labels of our objects begin with."""

    module: str
    token: str
    pin: Path
    prefix: str


def read_uri(rest: str) -> Place:
    """What follows `pkcs11:`. Misconfigured('keyring_url') says the form; a PIN in a URL is refused."""
    path, _, query = rest.partition("?")
    pairs = [part.partition("=") for part in [*path.split(";"), *query.split("&")] if part]
    given = {name: unquote(value) for name, _, value in pairs}
    pin = given.get("pin-source", "").removeprefix("file:").removeprefix("//")
    if set(given) - _KNOWN or len(given) < len(pairs) or not pin.startswith("/"):
        raise Misconfigured("keyring_url", "keyring", URI)
    if not given.get("token") or not given.get("module-path", "").startswith("/"):
        raise Misconfigured("keyring_url", "keyring", URI)
    return Place(given["module-path"], given["token"], Path(pin), given.get("object", "consigne"))


@dataclass(frozen=True, slots=True)
class Opened:
    """A session, and what was found in it: searching a token takes as long as it holds objects."""

    session: Session
    found: dict[str, Any] = field(default_factory=dict)


class Token:
    """Nothing is loaded before the first call."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def check(self) -> None:
        """Misconfigured where the module, the token or its PIN is missing or wrong."""
        self._read_pin()
        with self._alone():
            self._forget()
        try:
            self.run(lambda _: None)
        except Unavailable as fault:
            raise Misconfigured("keyring_token", self._place.token, fault.advice) from None

    def run(self, act: Callable[[Opened], T]) -> T:
        """Do something in the session, alone; once more in a new one where the old one is lost. Unavailable where the
        token is away, Misconfigured where it cannot do what is asked of it."""
        with self._alone():
            try:
                return self._once(act)
            except faults.PKCS11Error:  # NoSuchToken too: perhaps it came back since the module began
                pass
            try:
                return self._once(act)
            except _UNFIT as fault:
                raise Misconfigured(
                    "keyring_token", type(fault).__name__, "the token cannot do this"
                ) from None
            except faults.PKCS11Error as fault:
                raise Unavailable("keyring", "token", type(fault).__name__) from None

    def _once(self, act: Callable[[Opened], T]) -> T:
        try:
            return act(self._session())
        except (faults.PKCS11Error, Unavailable):
            self._forget()
            raise

    def _alone(self) -> threading.RLock:
        return _LOCKS.setdefault(os.getpid(), threading.RLock())

    def _session(self) -> Opened:
        key = (os.getpid(), self._place.module, self._place.token)
        if key not in _SESSIONS:
            _SESSIONS[key] = Opened(self._open())
        return _SESSIONS[key]

    def _open(self) -> Session:
        pin = self._read_pin()
        try:
            token = self._load().get_token(token_label=self._place.token)
        except faults.MultipleTokensReturned:
            raise Misconfigured("keyring_token", self._place.token, "two tokens have this label") from None
        try:
            return token.open(rw=True, user_pin=pin)
        except faults.UserAlreadyLoggedIn:
            return token.open(rw=True)
        except _NO_PIN as fault:
            raise Misconfigured("keyring_pin", self._place.pin.name, type(fault).__name__) from None

    def _load(self) -> pkcs11.lib:
        module, pid = self._place.module, os.getpid()
        if not Path(module).is_file():
            raise Misconfigured("keyring_module", Path(module).name, "no such PKCS#11 module")
        if _LOADED_BY.get(module, pid) != pid:
            _end(module)
        try:
            loaded = pkcs11.lib(module)
        except faults.PKCS11Error as fault:
            raise Misconfigured("keyring_module", Path(module).name, type(fault).__name__) from None
        _LOADED_BY[module] = pid
        return loaded

    def _read_pin(self) -> str:
        return read_credential(self._place.pin, "keyring_pin", "the file that holds the PIN")

    def _forget(self) -> None:
        """The next session begins with the module: a token that came back is seen only then."""
        for key in [key for key in _SESSIONS if key[1] == self._place.module]:
            del _SESSIONS[key]
        _end(self._place.module)


def _end(module: str) -> None:
    for key in [key for key in _SESSIONS if key[1] == module]:
        del _SESSIONS[key]
    if module in _LOADED_BY:
        with suppress(faults.PKCS11Error):  # a child of a fork never began; what is broken need not end well
            pkcs11.lib(module).finalize()


# Of the process, as the modules are: (process, module, token) → session, module → the process that loaded it.
_SESSIONS: dict[tuple[int, str, str], Opened] = {}
_LOADED_BY: dict[str, int] = {}
_LOCKS: dict[int, threading.RLock] = {}
