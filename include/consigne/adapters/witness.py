"""Where published checkpoints are told to somebody outside: a file that only grows, or a mailbox.

none:               nobody is told
file:<path>         a file (absolute path), best on another machine's disk
mailto:<address>    by the mail server of CONSIGNE_MAIL_URL; what was told cannot be asked back

The file holds the notes as they were signed, each followed by a line `.`, which no note contains. Nothing here
protects it: it is held against the evidence bucket and the catalog by `verify --register`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from consigne.acts.ports import Letter, Mailer, Witness
from consigne.rules.errors import Misconfigured, Unavailable

_END = b"\n.\n"
TITLE = "Consigne: checkpoint of the register / point de contrôle du journal"


class NoWitness:
    """Nobody outside."""

    listens = False

    def tell(self, note: bytes) -> bool:
        """See the port."""
        return False

    def told(self) -> list[bytes] | None:
        """See the port."""
        return None


class FileWitness:
    """Appended under a lock and synced. Killed in the middle of a note, the next one takes its half away."""

    listens = True

    def __init__(self, path: Path) -> None:
        self._path = path

    def tell(self, note: bytes) -> bool:
        """See the port. Unavailable where the file cannot be written."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                whole = _whole(file.read())
                if note not in _split(whole):
                    file.truncate(len(whole))
                    file.seek(len(whole))
                    file.write(note.removesuffix(b"\n") + _END)
                    file.flush()
                    os.fsync(file.fileno())
        except OSError as fault:
            raise Unavailable("witness", type(fault).__name__, "can its file be written?") from None
        return True

    def told(self) -> list[bytes] | None:
        """See the port. None yet where there is no file."""
        try:
            return _split(_whole(self._path.read_bytes()))
        except FileNotFoundError:
            return []
        except OSError as fault:
            raise Unavailable("witness", type(fault).__name__, "can its file be read?") from None


class MailWitness:
    """One letter a checkpoint, the note as its body; told twice, it carries the same identifier."""

    listens = True

    def __init__(self, address: str, mailer: Mailer | None, now: Callable[[], datetime]) -> None:
        self._address, self._mailer, self._now = address, mailer, now

    def tell(self, note: bytes) -> bool:
        """See the port. Misconfigured('no_mail_server'), Unavailable('witness') where the letter was not taken."""
        if self._mailer is None:
            raise Misconfigured("no_mail_server", "CONSIGNE_MAIL_URL", "the witness is told by mail")
        id = UUID(bytes=sha256(note).digest()[:16], version=4)
        trouble = self._mailer.send(Letter(id, self._address, TITLE, note.decode(), self._now()))
        if trouble:
            raise Unavailable("witness", trouble, "does the mail server take letters to the witness?")
        return True

    def told(self) -> list[bytes] | None:
        """See the port."""
        return None


def open_witness(url: str, mailer: Mailer | None, now: Callable[[], datetime]) -> Witness:
    """The witness behind a URL; nothing is contacted yet. Misconfigured for anything but the forms above."""
    scheme, _, rest = url.partition(":")
    if scheme == "none":
        return NoWitness()
    if scheme == "file" and Path(rest).is_absolute():
        return FileWitness(Path(rest))
    if scheme == "mailto" and "@" in rest:
        return MailWitness(rest, mailer, now)
    raise Misconfigured("witness_url", "witness", "none:, file:<absolute path> or mailto:<address>")


def _whole(data: bytes) -> bytes:
    """Without the half of a note whose writer was killed."""
    return data[: data.rfind(_END) + len(_END)] if _END in data else b""


def _split(whole: bytes) -> list[bytes]:
    return [note + b"\n" for note in whole.split(_END)[:-1]]
