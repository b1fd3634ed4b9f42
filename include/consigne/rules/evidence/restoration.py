"""A database that came back from a backup: the register goes on under another origin, and a signed note says
which published entries are lost.

restoration  a signed note whose body is one line of canonical JSON and one newline:
             {"at", "counts": {…}, "declared": […], "format", "id", "parts": […], "register": null or
              {"kept": {"root", "size"}, "new", "old", "published": {"root", "size"}}}
declaration  the same, for one that was declared afterwards:
             {"at", "format", "parts": […], "restoration"}
The register `new` begins with the `kept` entries of `old`, whose newest published checkpoint is `published`.
`parts` came back, of which an operator had said so of the `declared`: who may write the database alone cannot. What
is lost of the register without that is lost to somebody who dropped it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from consigne.rules.evidence.canonical import Json, decode, encode
from consigne.rules.evidence.certificate import has_shape, is_count, is_digest
from consigne.rules.evidence.entry import is_instant
from consigne.rules.evidence.errors import Malformed
from consigne.rules.evidence.report import Finding
from consigne.rules.evidence.signature import Checkpoint, open_note

FORMAT = "consigne-restoration/1"
DECLARATION = "consigne-declaration/1"
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
    """An opened restoration note; of its `parts` these were `declared` when it was written."""

    id: str
    at: str
    parts: tuple[str, ...]
    declared: tuple[str, ...]
    counts: Mapping[str, int]
    register: Continued | None


@dataclass(frozen=True, slots=True)
class Declared:
    """An opened declaration: an operator says of these parts of a restoration that a backup was put back."""

    restoration: str
    at: str
    parts: tuple[str, ...]


def restoration_body(restored: Restored) -> bytes:
    """The text to sign."""
    register: Json = None
    if restored.register is not None:
        published, kept = restored.register.published, restored.register.kept
        register = {
            "old": published.origin, "new": kept.origin, "published": _tree(published), "kept": _tree(kept)
        }  # fmt: skip
    body: dict[str, Json] = {
        "format": FORMAT, "id": restored.id, "at": restored.at, "parts": [*restored.parts],
        "declared": [*restored.declared], "counts": dict(restored.counts), "register": register,
    }  # fmt: skip
    _check(body, _RESTORATION)
    return encode(body) + b"\n"


def declaration_body(declared: Declared) -> bytes:
    """The text to sign."""
    body: dict[str, Json] = {
        "format": DECLARATION, "restoration": declared.restoration, "at": declared.at, "parts": [*declared.parts],
    }  # fmt: skip
    _check(body, _DECLARATION)
    return encode(body) + b"\n"


def open_restoration(note: bytes, keys: Mapping[str, bytes]) -> Restored | Declared:
    """What a restoration note or a declaration says, signed by a known key. Malformed; Unproven."""
    body = decode(open_note(note, keys).body[:-1])
    if _DECLARATION(body):
        assert isinstance(body, dict)
        return Declared(str(body["restoration"]), str(body["at"]), _words(body["parts"]))
    _check(body, _RESTORATION)
    assert isinstance(body, dict) and isinstance(body["counts"], dict)
    register = body["register"]
    continued = None
    if isinstance(register, dict):
        continued = Continued(_read(register, "published", "old"), _read(register, "kept", "new"))
    counts = {name: int(str(count)) for name, count in body["counts"].items()}
    parts, declared = _words(body["parts"]), _words(body["declared"])
    return Restored(str(body["id"]), str(body["at"]), parts, declared, counts, continued)


def declared_parts(notes: Iterable[Restored | Declared], id: str) -> set[str]:
    """The parts of a restoration of which somebody said so, in its own note or in one of these."""
    own = [one.declared if isinstance(one, Restored) else one.parts for one in notes if _id(one) == id]
    return set().union(*own)


def _id(note: Restored | Declared) -> str:
    return note.id if isinstance(note, Restored) else note.restoration


def in_order(restorations: Sequence[Restored]) -> list[Continued]:
    """The register's continuations from its beginning on, each named by its number, once however often it was noted.
    Malformed where they do not follow one another."""
    found = {restored.register for restored in restorations if restored.register}
    chain = sorted(found, key=lambda one: generation(one.kept.origin))
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
    checkpoints: Sequence[Named], notes: Sequence[tuple[str, Restored | Declared]]
) -> tuple[list[Named], list[Finding]]:
    """The checkpoints that the register is still held to, those of its kept beginnings among them, and what is to be
    said of the others: lost by a declared restoration (not proven), by one that nobody declared, or contradicting it
    (failed)."""
    restorations = [(name, note) for name, note in notes if isinstance(note, Restored)]
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
    said = [note for _, note in notes]
    # Of two notes of one continuation, by two starts at once, the one that was declared.
    in_turn = sorted(restorations, key=lambda named: "database" in declared_parts(said, named[1].id))
    noted = {restored.register: (name, restored) for name, restored in in_turn}
    beginnings = [(noted[one][0], one.kept) for one in chain if one.kept.size]
    held, base = list[Named](), base_of(chain[0].kept.origin)
    findings = [*unnoted, *(tell_continued(*noted[one], one, said) for one in chain)]
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


def tell_continued(
    name: str, restored: Restored, one: Continued, said: Sequence[Restored | Declared]
) -> Finding:
    """What of the register is lost by this restoration; failed where something is that nobody of these declared."""
    published, kept = one.published, one.kept
    goes_on = f"it goes on as {kept.origin} after its first {kept.size}"
    lost = f"entries {kept.size} to {published.size - 1} of the register {published.origin}"
    if published.size <= kept.size:
        return Finding.not_proven(
            name,
            f"The database came back, as of {restored.at}: of the register nothing published is lost; {goes_on}.",
        )
    if "database" in declared_parts(said, restored.id):
        return Finding.not_proven(
            name,
            f"The database came back from a backup, as declared at {restored.at}: {lost} are lost; {goes_on}.",
        )
    return Finding.failed(
        name,
        f"{lost[0].upper()}{lost[1:]} are gone since {restored.at}, and nobody declared that a backup was put back; "
        f"{goes_on}. Where an operator did it: `consigne restore --declare {restored.id}`.",
    )


def _tree(checkpoint: Checkpoint) -> dict[str, Json]:
    return {"size": checkpoint.size, "root": checkpoint.root.hex()}


def _read(register: Mapping[str, Json], tree: str, origin: str) -> Checkpoint:
    found = register[tree]
    assert isinstance(found, dict)
    generation(str(register[origin]))
    return Checkpoint(str(register[origin]), int(str(found["size"])), bytes.fromhex(str(found["root"])))


def _check(body: Json, has_form: Callable[[Json], bool]) -> None:
    if not has_form(body):
        raise Malformed("not_a_restoration")


def _is_word(value: Json) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 256 and value.isprintable() and " " not in value


def _words(value: Json) -> tuple[str, ...]:
    assert isinstance(value, list)
    return tuple(str(word) for word in value)


def _is_subset(value: Json) -> bool:
    return isinstance(value, list) and value == [part for part in PARTS if part in value]


def _is_parts(value: Json) -> bool:
    return bool(value) and _is_subset(value)


def _is_counts(value: Json) -> bool:
    return isinstance(value, dict) and all(map(is_count, value.values()))


_SIZED = has_shape({"size": is_count, "root": is_digest})
_REGISTER = has_shape({"old": _is_word, "new": _is_word, "published": _SIZED, "kept": _SIZED})
_DECLARATION = has_shape({
    "format": lambda value: value == DECLARATION, "restoration": _is_word, "at": is_instant, "parts": _is_parts,
})  # fmt: skip
_RESTORATION = has_shape({
    "format": lambda value: value == FORMAT,
    "id": _is_word,
    "at": is_instant,
    "parts": _is_parts,
    "declared": _is_subset,
    "counts": _is_counts,
    "register": lambda value: value is None or _REGISTER(value),
})  # fmt: skip
