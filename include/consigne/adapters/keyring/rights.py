"""Who may ask the key server for what: an identity, its verbs, and of `mac` and `sign` what it may have done.

A right to sign would let its holder sign anything; so statements are told apart by what they are (docs/formats.md),
and each identity signs its own kind. What no kind fits is signed for nobody but `prepare`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

CERTIFICATE, CHECKPOINT, MASKED, TOMBSTONES, NOTE, NOTHING, OTHER = (
    "certificate", "checkpoint", "masked", "tombstones", "note", "nothing", "other",
)  # fmt: skip
KINDS: Final = (CERTIFICATE, CHECKPOINT, MASKED, TOMBSTONES, NOTE, NOTHING, OTHER)
VERBS: Final = (
    "destroy_epoch", "epoch_lives", "epochs", "mac", "open_epoch", "prepare", "public_keys", "rotate", "sign",
    "unwrap", "versions", "wrap",
)  # fmt: skip
REQUEST_BYTES: Final = 64 * 1024
"""The longest request, as a frame: of keys, contexts, names and short statements, all below 2 KiB, with room."""
LONG_REQUEST_BYTES: Final = {
    MASKED: 1024 * 1024,  # fourteen thousand intervals
    TOMBSTONES: 1536 * 1024,  # acts/tombstones.py signs 1 MiB at once, in base64 1.4
}
"""For who signs these."""
_PARTS: Final = 16 * 1024
"""Lists and objects within a statement: more than any of ours has. Parsed, `{},` takes thirty times its bytes."""
_NOTES: Final = ("consigne-restoration/1", "consigne-declaration/1")


@dataclass(frozen=True, slots=True)
class Right:
    """Verbs of a keyring; the keys that `mac` may use, and the kinds of statements that `sign` may sign."""

    verbs: frozenset[str]
    macs: frozenset[str] = frozenset()
    signs: frozenset[str] = frozenset()


def _right(verbs: str, macs: str = "", signs: str = "") -> Right:
    return Right(*(frozenset(names.split()) for names in (verbs, macs, signs)))


RIGHTS: Final = {
    "prepare": _right(" ".join(VERBS), "blind-index tombstone draw", " ".join(KINDS)),
    # Listens, files and finds; and the clockwork moves what was decided to its epoch.
    "desk": _right(
        "mac open_epoch public_keys sign unwrap versions wrap", "blind-index tombstone draw", MASKED
    ),
    "seal": _right("public_keys sign", signs=CHECKPOINT),
    "ingest": _right("mac open_epoch sign versions wrap", "blind-index tombstone draw", MASKED),
    "prove": _right("epoch_lives epochs"),
    "decide": _right("mac open_epoch sign unwrap versions wrap", "tombstone", MASKED),
    # It asks for a signature of nothing to learn the newest key's name.
    "expire": _right(
        "destroy_epoch epoch_lives epochs public_keys sign", signs=f"{CERTIFICATE} {TOMBSTONES} {NOTHING}"
    ),
}
"""Identity → what it may. What is not here is refused. `provider` and `assurance` anybody learns who may connect."""
IDENTITIES: Final = tuple(RIGHTS)


def most_bytes(identity: str) -> int:
    """The longest frame that an identity may send."""
    return max([REQUEST_BYTES, *(LONG_REQUEST_BYTES.get(kind, 0) for kind in RIGHTS[identity].signs)])


def may(identity: str, verb: str, name: str = "", message: bytes = b"") -> bool:
    """Whether an identity may have this done: `name` is the key of `mac`, `message` what `sign` shall sign."""
    right = RIGHTS[identity]
    if verb not in right.verbs:
        return False
    if verb == "mac":
        return name in right.macs
    return verb != "sign" or kind_of(message) in right.signs


def kind_of(message: bytes) -> str:
    """What a statement is that is to be signed. A text that some reader takes for one kind is never told as another:
    checkpoints begin with an origin, and no origin begins with `{` or `[`."""
    if not message:
        return NOTHING
    if message[:1] in (b"{", b"["):
        return _kind_of_json(message)
    lines = message.split(b"\n")
    if len(lines) != 4 or lines[3] or not lines[1].isdigit():
        return OTHER
    return CERTIFICATE if b"/certificates/" in lines[0] else CHECKPOINT


def _kind_of_json(message: bytes) -> str:
    if message.count(b"{") + message.count(b"[") > _PARTS:
        return OTHER
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        return OTHER
    if isinstance(found, list):
        return TOMBSTONES if found and all(_is_tombstone(one) for one in found) else OTHER
    if found.keys() == {"artifact", "attempt", "masked"}:
        return MASKED
    return NOTE if found.get("format") in _NOTES else OTHER


def _is_tombstone(found: object) -> bool:
    return isinstance(found, dict) and {"artifact", "erasing_at", "identity_digest"} <= found.keys()
