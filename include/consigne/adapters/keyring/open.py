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

    def prepare(self, first: bool) -> None:
        """Finish what a kill interrupted; with `first`, make a keyring where there is none."""


_PROVIDERS: Final[dict[str, Callable[[str], Provider]]] = {
    "file": lambda rest: FileKeyring(Path(rest)),
}


def open_keyring(url: str) -> Provider:
    """The keyring behind `scheme:rest`; nothing is contacted yet. Misconfigured for an unknown scheme."""
    scheme, _, rest = url.partition(":")
    if scheme not in _PROVIDERS or not rest:
        raise Misconfigured("keyring_url", "keyring", f"known schemes: {', '.join(_PROVIDERS)}")
    return _PROVIDERS[scheme](rest)
