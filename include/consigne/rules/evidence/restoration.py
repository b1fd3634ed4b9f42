"""A database that came back from a backup: the register goes on under another origin, and a signed note says
which published entries are lost.

restoration  a signed note whose body is one line of canonical JSON and one newline:
             {"at", "counts": {…}, "format", "id", "parts": […], "register": null or
              {"kept": {"root", "size"}, "new", "old", "published": {"root", "size"}}}
The register `new` begins with the `kept` entries of `old`, whose newest published checkpoint is `published`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consigne.rules.evidence.canonical import Json, decode, encode
from consigne.rules.evidence.certificate import has_shape, is_count, is_digest
from consigne.rules.evidence.entry import is_instant
from consigne.rules.evidence.errors import Malformed
from consigne.rules.evidence.report import Finding
from consigne.rules.evidence.signature import Checkpoint, open_note

FORMAT = "consigne-restoration/1"
PARTS = ("database", "keyring", "recordings")
CONTINUED = "/restored-"

Named = tuple[str, Checkpoint]


@dataclass(frozen=True, slots=True)
class Continued:
    """How a register goes on: `kept.origin` is the new one, `published.origin` the old one."""

    published: Checkpoint
    kept: Checkpoint


@dataclass(frozen=True, slots=True)
class Restored:
    """An opened restoration note."""

    id: str
    at: str
    parts: tuple[str, ...]
    counts: Mapping[str, int]
    register: Continued | None


def restoration_body(restored: Restored) -> bytes:
    """The text to sign."""
    register: Json = None
    if restored.register is not None:
        published, kept = restored.register.published, restored.register.kept
        register = {
            "old": published.origin, "new": kept.origin, "published": _tree(published), "kept": _tree(kept)
        }  # fmt: skip
    parts: list[Json] = [*restored.parts]
    body: dict[str, Json] = {
        "format": FORMAT, "id": restored.id, "at": restored.at, "parts": parts, "counts": dict(restored.counts),
        "register": register,
    }  # fmt: skip
    _check(body)
    return encode(body) + b"\n"


def open_restoration(note: bytes, keys: Mapping[str, bytes]) -> Restored:
    """What a restoration note says, signed by a known key. Malformed; Unproven."""
    body = decode(open_note(note, keys).body[:-1])
    _check(body)
    assert isinstance(body, dict)
    register = body["register"]
    continued = None
    if isinstance(register, dict):
        continued = Continued(_read(register, "published", "old"), _read(register, "kept", "new"))
    parts, counts = body["parts"], body["counts"]
    assert isinstance(parts, list) and isinstance(counts, dict)
    told = tuple(str(part) for part in parts)
    return Restored(
        str(body["id"]), str(body["at"]), told, {n: int(str(c)) for n, c in counts.items()}, continued
    )


def in_order(restorations: Sequence[Restored]) -> list[Continued]:
    """The register's continuations from its beginning on, each named by its number. Malformed where they do not
    follow one another."""
    found = {restored.id: restored.register for restored in restorations if restored.register}
    chain = sorted(found.values(), key=lambda one: generation(one.kept.origin))
    for number, one in enumerate(chain, 1):
        follows = number == 1 or chain[number - 2].kept.origin == one.published.origin
        if generation(one.kept.origin) != number or not follows:
            raise Malformed("bad_field", "register")
    return chain


def generation(origin: str) -> int:
    """How often the register of this origin was continued; 0 for its first name."""
    number = origin.rpartition(CONTINUED)[2] if CONTINUED in origin else "0"
    if not number.isdecimal():
        raise Malformed("bad_field", "origin")
    return int(number)


def base_of(origin: str) -> str:
    """The register's first name, under which certificates are signed."""
    return origin.partition(CONTINUED)[0]


def common_size(chain: Sequence[Continued], origin: str) -> Checkpoint | None:
    """The shortest beginning that was kept since the register of this origin: as far as it agrees with the newest."""
    later = [one.kept for one in chain if generation(one.kept.origin) > generation(origin)]
    return min(later, key=lambda kept: kept.size, default=None)


def set_aside_lost(
    checkpoints: Sequence[Named], restorations: Sequence[tuple[str, Restored]]
) -> tuple[list[Named], list[Finding]]:
    """The checkpoints that the register is still held to, those of its kept beginnings among them, and what is to be
    said of the others: lost by a declared restoration (not proven), or contradicting it (failed)."""
    try:
        chain = in_order([restored for _, restored in restorations])
        begun = [(name, one) for name, one in checkpoints if generation(one.origin) > len(chain)]
    except Malformed:
        return [*checkpoints], [
            Finding.failed(
                "", "The restoration notes do not follow one another: one was put in or taken away."
            )
        ]
    unnoted = [
        Finding.failed(name, "No restoration note began the register that it is of.") for name, _ in begun
    ]
    if not chain:
        return [*checkpoints], unnoted
    names = {restored.register: name for name, restored in restorations if restored.register}
    beginnings = [(names[one], one.kept) for one in chain if one.kept.size]
    held, base = list[Named](), base_of(chain[0].kept.origin)
    findings = [*unnoted, *(_tell(names[one], one, at) for one, at in _dated(chain, restorations))]
    for name, checkpoint in [*beginnings, *checkpoints]:
        limit = common_size(chain, checkpoint.origin)
        if limit is None or checkpoint.size <= limit.size or base_of(checkpoint.origin) != base:
            held.append((name, checkpoint))
        elif _is_beyond(chain, checkpoint):
            findings.append(
                Finding.failed(
                    name, "It was published for a register that a restoration had declared to be ended."
                )
            )
    return held, findings


def _is_beyond(chain: Sequence[Continued], checkpoint: Checkpoint) -> bool:
    ended = [one.published for one in chain if one.published.origin == checkpoint.origin]
    return any(
        checkpoint.size > one.size or (checkpoint.size == one.size and checkpoint.root != one.root)
        for one in ended
    )


def _dated(
    chain: Sequence[Continued], restorations: Sequence[tuple[str, Restored]]
) -> list[tuple[Continued, str]]:
    at = {restored.register: restored.at for _, restored in restorations}
    return [(one, at[one]) for one in chain]


def _tell(name: str, one: Continued, at: str) -> Finding:
    published, kept = one.published, one.kept
    return Finding.not_proven(
        name,
        f"The database came back from a backup, as declared at {at}: entries {kept.size} to {published.size - 1} of "
        f"the register {published.origin} are lost; it goes on as {kept.origin} after its first {kept.size}.",
    )


def _tree(checkpoint: Checkpoint) -> dict[str, Json]:
    return {"size": checkpoint.size, "root": checkpoint.root.hex()}


def _read(register: Mapping[str, Json], tree: str, origin: str) -> Checkpoint:
    found = register[tree]
    assert isinstance(found, dict)
    return Checkpoint(str(register[origin]), int(str(found["size"])), bytes.fromhex(str(found["root"])))


def _check(body: Json) -> None:
    if not _BODY(body):
        raise Malformed("not_a_restoration")


def _is_word(value: Json) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 256 and value.isprintable() and " " not in value


def _is_parts(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and value == [part for part in PARTS if part in value]


def _is_counts(value: Json) -> bool:
    return isinstance(value, dict) and all(map(is_count, value.values()))


_SIZED = has_shape({"size": is_count, "root": is_digest})
_REGISTER = has_shape({"old": _is_word, "new": _is_word, "published": _SIZED, "kept": _SIZED})
_BODY = has_shape({
    "format": lambda value: value == FORMAT,
    "id": _is_word,
    "at": is_instant,
    "parts": _is_parts,
    "counts": _is_counts,
    "register": lambda value: value is None or _REGISTER(value),
})  # fmt: skip
