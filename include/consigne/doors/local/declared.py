"""`restored` in the state folder: what an operator says came back from a backup, for the next start.

One word a line: a part (`database`, `recordings`, `keyring`), the id of a restoration that was only noticed, or
`older-keyring` where no keyring is left that knows every key that was in use. It lies in the state folder because no
role of the database may write there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from consigne.doors.settings import Settings, write_private
from consigne.rules.errors import BadInput, Misconfigured
from consigne.rules.evidence.restoration import PARTS

OLDER_KEYRING = "older-keyring"
WORDS = f"{', '.join(PARTS)}, a restoration's id, or {OLDER_KEYRING}"


@dataclass(frozen=True, slots=True)
class Said:
    """What the operator says: parts that were put back, restorations by id."""

    parts: tuple[str, ...]
    restorations: tuple[str, ...]
    is_older_keyring: bool


def add_declared(settings: Settings, words: Iterable[str]) -> None:
    """Add to what is said already. BadInput('unknown_part')."""
    given = set(words)
    if unknown := sorted(given - _known(given)):
        raise BadInput("unknown_part", unknown[0], f"one of {WORDS}")
    text = "".join(f"{word}\n" for word in sorted(given | _read(settings)))
    write_private(settings.state_dir / "restored", text)


def read_declared(settings: Settings) -> Said:
    """Misconfigured where the file says anything else."""
    words = _read(settings)
    if words - _known(words):
        raise Misconfigured("unknown_part", str(settings.state_dir / "restored"), f"one a line of {WORDS}")
    ids = tuple(sorted(filter(_is_id, words)))
    return Said(tuple(part for part in PARTS if part in words), ids, OLDER_KEYRING in words)


def forget_declared(settings: Settings) -> None:
    """It is in the register and in the evidence bucket."""
    file = settings.state_dir / "restored"
    if file.is_file():  # a share in a container cannot be written
        file.unlink()


def _read(settings: Settings) -> set[str]:
    file = settings.state_dir / "restored"
    return set(file.read_text().split()) if file.is_file() else set()


def _known(words: set[str]) -> set[str]:
    return {word for word in words if word in (*PARTS, OLDER_KEYRING) or _is_id(word)}


def _is_id(word: str) -> bool:
    try:
        return str(UUID(word)) == word
    except ValueError:
        return False
