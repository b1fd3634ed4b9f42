"""A restoration note: what it says to the byte, and what the register is still held to afterwards."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consigne.rules.evidence.errors import Malformed, Unproven
from consigne.rules.evidence.merkle import Frontier, hash_leaf
from consigne.rules.evidence.register import SealedRow, verify_register
from consigne.rules.evidence.report import FAILED, NOT_PROVEN, Report
from consigne.rules.evidence.restoration import (
    Continued,
    Declared,
    Restored,
    base_of,
    declaration_body,
    generation,
    in_order,
    open_restoration,
    restoration_body,
)
from consigne.rules.evidence.signature import Checkpoint, checkpoint_body, sign_note

BASE = "consigne.example/register"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
KEYS = {"signing-1": PUBLIC}
AT = "2026-11-22T10:00:00.000Z"

Note = tuple[str, bytes]


def entry(number: int, life: str) -> SealedRow:
    salt, payload = sha256(f"{life}{number}".encode()).digest(), f"{life} {number}".encode()
    return SealedRow(number, sha256(salt + payload).digest(), salt, payload)


def life(*parts: tuple[str, int]) -> list[SealedRow]:
    """Entries up to each size, told apart by the life in which they were written."""
    rows: list[SealedRow] = []
    for name, size in parts:
        rows += [entry(number, name) for number in range(len(rows), size)]
    return rows


def tree(origin: str, rows: list[SealedRow]) -> Checkpoint:
    return Checkpoint(origin, len(rows), Frontier().extend(hash_leaf(row.leaf) for row in rows).root())


def signed(body: bytes) -> bytes:
    return sign_note(body, "signing-1", KEY.sign, PUBLIC)


def checkpoint(tree: Checkpoint) -> Note:
    return f"checkpoints/{tree.size:012d}", signed(checkpoint_body(tree.origin, tree.size, tree.root))


def note(number: int, published: Checkpoint, kept: list[SealedRow], **changes: Any) -> Note:
    continued = Continued(published, tree(f"{BASE}/restored-{number}", kept))
    restored = Restored(f"id-{number}", AT, ("database",), ("database",), {"erased_again": 2}, continued)
    return f"restorations/{number}", signed(restoration_body(replace(restored, **changes)))


FIRST = life(("a", 30), ("b", 50))
SECOND = [*FIRST[:30], *life(("c", 60))[30:]]  # put back at 30, and gone on
THIRD = [*FIRST[:20], *life(("d", 70))[20:]]  # put back at 20, older than the first time
OLD = [checkpoint(tree(BASE, FIRST[:size])) for size in (10, 30, 50)]
ONE = note(1, tree(BASE, FIRST), FIRST[:30])
NEWER = checkpoint(tree(f"{BASE}/restored-1", SECOND[:45]))
TWO = note(2, tree(f"{BASE}/restored-1", SECOND[:45]), FIRST[:20])
NOTICED = note(1, tree(BASE, FIRST), FIRST[:30], declared=())


def declaration(id: str, *parts: str) -> Note:
    return f"restorations/{id}-declared", signed(declaration_body(Declared(id, AT, parts)))


def levels(report: Report) -> list[str]:
    return [one.level for one in report.findings if one.level != "ok"]


def check(rows: list[SealedRow], notes: list[Note], restorations: list[Note]) -> Report:
    return verify_register(rows, notes, KEYS, (), restorations)


def opened(note: Note) -> Restored:
    read = open_restoration(note[1], KEYS)
    assert isinstance(read, Restored)
    return read


def test_a_note_is_read_as_it_was_written() -> None:
    restored = opened(ONE)
    assert restored.parts == ("database",) and restored.counts == {"erased_again": 2}
    assert restored.declared == ("database",) and opened(NOTICED).declared == ()
    said = Declared("id-1", AT, ("database", "recordings"))
    assert open_restoration(signed(declaration_body(said)), KEYS) == said
    assert restored.register == Continued(tree(BASE, FIRST), tree(f"{BASE}/restored-1", FIRST[:30]))
    plain = replace(restored, register=None)
    assert b'"declared":["database"],"format":"consigne-restoration/1","id":"id-1"' in restoration_body(plain)
    assert open_restoration(signed(restoration_body(plain)), KEYS) == plain
    assert (base_of(f"{BASE}/restored-2"), generation(f"{BASE}/restored-2"), generation(BASE)) == (BASE, 2, 0)


def test_what_is_altered_or_of_another_form_is_no_note() -> None:
    with pytest.raises(Unproven):
        open_restoration(ONE[1].replace(b'"size":30', b'"size":40'), KEYS)
    with pytest.raises(Unproven):
        open_restoration(ONE[1], {"signing-1": bytes(32)})
    body, said = restoration_body(opened(ONE)), declaration_body(Declared("id-1", AT, ("database",)))
    for wrong in (
        body.replace(b"consigne-restoration/1", b"consigne-restoration/2"),
        body.replace(b'"database"', b'"evidence"'),
        body.replace(b'{"erased_again":2}', b'{"erased_again":-2}'),
        body.replace(AT.encode(), b"today"),
        body.replace(b'"declared":["database"],', b""),
        body.replace(b'"declared":["database"]', b'"declared":["evidence"]'),
        said.replace(b'["database"]', b"[]"),
        said.replace(b'"restoration":"id-1"', b'"restoration":""'),
        said.replace(b"declaration/1", b"declaration/2"),
        b"[]\n",
    ):
        with pytest.raises(Malformed):
            open_restoration(signed(wrong), KEYS)
    with pytest.raises(Malformed):
        restoration_body(Restored("id", AT, (), (), {}, None))


@pytest.mark.promise("P7")
def test_a_dropped_tail_fails_and_a_declared_one_is_not_proven() -> None:
    assert FAILED in levels(check(SECOND, OLD, []))
    report = check(SECOND, OLD, [ONE])
    assert report.verified and levels(report) == [NOT_PROVEN, NOT_PROVEN]
    assert "entries 30 to 49" in report.findings[0].sentence
    assert check(SECOND, [*OLD, NEWER], [ONE]).verified
    twin = note(1, tree(BASE, FIRST), FIRST[:30], id="id-9", declared=())  # by two starts at once
    for again in (ONE, twin):
        assert check(SECOND, [*OLD, NEWER], [ONE, again]).verified
        assert check(SECOND, [*OLD, NEWER], [again, ONE]).verified


@pytest.mark.promise("P7")
def test_twice_put_back_each_time_is_declared() -> None:
    assert check(THIRD, [*OLD, NEWER], [ONE, TWO]).verified
    assert not check(THIRD, [*OLD, NEWER], [ONE]).verified
    assert not check(THIRD, [*OLD, NEWER], [TWO]).verified  # the first was taken away
    with pytest.raises(Malformed):
        in_order([opened(TWO)])


@pytest.mark.promise("P7")
def test_what_nobody_declared_fails_until_somebody_does() -> None:
    """Who drops the tail of the register and starts the platform again gets a note, and no excuse by it."""
    report = check(SECOND, [*OLD, NEWER], [NOTICED])
    assert not report.verified
    [failed] = [one for one in report.findings if one.level == FAILED]
    assert failed.file == NOTICED[0] and failed.sentence.startswith(
        f"Entries 30 to 49 of the register {BASE} "
    )
    assert "nobody declared" in failed.sentence and "--declare id-1" in failed.sentence
    assert check(SECOND, [*OLD, NEWER], [NOTICED, declaration("id-1", "database")]).verified
    for other in (declaration("id-1", "keyring", "recordings"), declaration("id-2", "database")):
        assert not check(SECOND, [*OLD, NEWER], [NOTICED, other]).verified
    forged = declaration("id-2", "database")[1].replace(b"id-2", b"id-1")
    assert not check(SECOND, [*OLD, NEWER], [NOTICED, ("restorations/x", forged)]).verified
    # One that is declared later excuses no earlier one.
    assert not check(THIRD, [*OLD, NEWER], [NOTICED, TWO]).verified
    assert check(THIRD, [*OLD, NEWER], [NOTICED, TWO, declaration("id-1", "database")]).verified


@pytest.mark.promise("P7")
def test_where_nothing_published_is_lost_nothing_is_to_be_declared() -> None:
    nothing = note(1, tree(BASE, FIRST[:30]), FIRST[:30], declared=())
    report = check(SECOND, OLD[:2], [nothing])
    assert report.verified and "nothing published is lost" in report.findings[0].sentence
    assert not check(SECOND, OLD, [nothing]).verified  # entry 30 and more were published


@pytest.mark.promise("P7")
def test_put_back_again_before_anything_was_published_under_the_new_name() -> None:
    """The beginning that the first note kept is published by it, and lost with the second."""
    again = note(2, tree(f"{BASE}/restored-1", SECOND[:30]), FIRST[:20])
    report = check(THIRD, OLD, [ONE, again])
    assert report.verified and "entries 20 to 29" in report.findings[1].sentence


@pytest.mark.promise("P7")
def test_a_note_excuses_nothing_else() -> None:
    changed = [*SECOND[:5], entry(5, "forged"), *SECOND[6:]]
    assert not check(changed, OLD, [ONE]).verified  # below what was kept
    assert not check(
        [*FIRST[:29], *SECOND[29:30], entry(30, "x")], [], [note(1, tree(BASE, FIRST), FIRST[:31])]
    ).verified
    later = checkpoint(tree(BASE, life(("a", 30), ("b", 55))))
    assert not check(SECOND, [*OLD, later], [ONE]).verified  # the ended register was signed on
    other = checkpoint(tree(BASE, life(("a", 30), ("x", 50))))
    assert not check(SECOND, [*OLD, other], [ONE]).verified
    assert not check(SECOND[:44], [*OLD, NEWER], [ONE]).verified  # a tail of the new one
    unnoted = checkpoint(tree(f"{BASE}/restored-1", SECOND[:45]))
    assert not check(SECOND, [unnoted], []).verified
    for size in (10, 50):
        stranger = checkpoint(tree("somebody/else", FIRST[:size]))
        assert not check(SECOND, [*OLD, stranger], [ONE]).verified
    assert not check(SECOND, OLD, [(ONE[0], ONE[1].replace(b'"size":30', b'"size":10'))]).verified
