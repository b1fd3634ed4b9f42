"""Which keyring a URI means: a provider is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from consigne.acts.ports import Keyring
from consigne.adapters.keyring.file import FileKeyring
from consigne.rules.errors import Misconfigured


class Provider(Keyring, Protocol):
    """A keyring that can also be set up."""

    def check(self) -> None:
        """Misconfigured where something is missing that `prepare` will not make: said before anything starts."""

    def prepare(self, first: bool) -> None:
        """Finish what a kill interrupted; with `first`, make a keyring where there is none."""


def _open_pkcs11(rest: str) -> Provider:
    # Imported only where it is used: it loads a C library.
    from consigne.adapters.keyring.pkcs11 import Pkcs11Keyring
    from consigne.adapters.keyring.token import read_uri

    return Pkcs11Keyring(read_uri(rest))


def _open_vault(rest: str) -> Provider:
    from consigne.adapters.keyring.transit import read_url
    from consigne.adapters.keyring.vault import VaultKeyring

    return VaultKeyring(read_url(rest))


def _open_served(rest: str) -> Provider:
    from consigne.adapters.keyring.served import ServedKeyring, read_url

    return ServedKeyring(read_url(rest))


_PROVIDERS: Final[dict[str, Callable[[str], Provider]]] = {
    "file": lambda rest: FileKeyring(Path(rest)),
    "pkcs11": _open_pkcs11,
    "vault": _open_vault,
    "served": _open_served,
}


def open_keyring(url: str) -> Provider:
    """The keyring behind `scheme:rest`; nothing is contacted yet. Misconfigured for an unknown scheme."""
    scheme, _, rest = url.partition(":")
    if scheme not in _PROVIDERS or not rest:
        raise Misconfigured("keyring_url", "keyring", f"known schemes: {', '.join(_PROVIDERS)}")
    return _PROVIDERS[scheme](rest)
