from __future__ import annotations

from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.evidence.errors import EvidenceError, Malformed, Unproven
from consigne.rules.evidence.signature import (
    Checkpoint,
    checkpoint_body,
    fingerprint,
    open_note,
    public_key_line,
    read_checkpoint,
    read_public_keys,
    sign_note,
    write_public_keys,
)

from .vectors import (
    KEY_NAME,
    KEYS,
    NOTE,
    NOTE_KEY,
    NOTE_SEED,
    NOTE_TEXT,
    PRIVATE,
    PUBLIC,
    REGISTER,
    sign_checkpoint,
)

OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
OTHER_PUBLIC = OTHER.public_key().public_bytes_raw()


def test_the_note_of_the_reference_implementation_opens() -> None:
    keys = read_public_keys(NOTE_KEY.encode() + b"\n")
    assert open_note(NOTE.encode(), keys).body == NOTE_TEXT.encode()


def test_the_note_of_the_reference_implementation_is_signed_byte_for_byte() -> None:
    private = Ed25519PrivateKey.from_private_bytes(b64decode(NOTE_SEED)[1:])
    public = private.public_key().public_bytes_raw()
    assert sign_note(NOTE_TEXT.encode(), "PeterNeumann", private.sign, public) == NOTE.encode()
    assert public_key_line("PeterNeumann", public) == NOTE_KEY


def test_the_checkpoint_of_the_specification_reads() -> None:
    body = b"example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    checkpoint = read_checkpoint(body)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint_body(checkpoint.origin, checkpoint.size, checkpoint.root) == body


@given(st.integers(0, 2**53), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_comes_back(size: int, root: bytes) -> None:
    assert read_checkpoint(checkpoint_body("a.example/log", size, root)) == Checkpoint(
        "a.example/log", size, root
    )


ROOT64 = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


@pytest.mark.parametrize(
    "body",
    [
        f"a\n01\n{ROOT64}\n",
        f"a\n+1\n{ROOT64}\n",
        f"a\n-1\n{ROOT64}\n",
        f"a\n\n{ROOT64}\n",
        f"\n1\n{ROOT64}\n",
        f"a\n1\n{ROOT64}",
        f"a\n1\n{ROOT64}\n\n",
        f"a\n1\n{ROOT64}\nmore\n",
        f"a\n1\n{ROOT64[:-2]}J=\n",
        "a\n1\nAAAA\n",
        f"a b\n1\n{ROOT64}\n",
        f"a\n\u0661\n{ROOT64}\n",
        f"a\n1\n{ROOT64} \n",
        f"a\r\n1\n{ROOT64}\n",
        "",
        "a\n",
        f"a\n1\n\n{ROOT64}",
    ],
)
def test_other_bytes_are_no_checkpoint(body: str) -> None:
    with pytest.raises(Malformed):
        read_checkpoint(body.encode())


@pytest.mark.promise("P7")
def test_any_byte_of_a_checkpoint_changed_is_noticed() -> None:
    note = sign_checkpoint(REGISTER)
    for at in range(len(note)):
        for value in {note[at] ^ 1, note[at] ^ 0x20, 0x0A, 0x20, 0x3D, 0x00} - {note[at]}:
            with pytest.raises(EvidenceError):
                open_note(note[:at] + bytes([value]) + note[at + 1 :], KEYS)
    for changed in (note + b"\n", note[:-1], b"\n" + note, note.replace(b"\n", b"\r\n"), b""):
        with pytest.raises(EvidenceError):
            open_note(changed, KEYS)


def test_signatures_by_unknown_keys_are_passed_over_and_by_known_ones_must_hold() -> None:
    note = sign_checkpoint(REGISTER)
    body = open_note(note, KEYS).body
    second = sign_note(body, "witness.example", OTHER.sign, OTHER_PUBLIC).removeprefix(body + b"\n")
    both = KEYS | {"witness.example": OTHER_PUBLIC}
    assert open_note(note + second, KEYS).key_name == KEY_NAME
    assert open_note(note + second, both).key_name == KEY_NAME
    assert open_note(note + second, {"witness.example": OTHER_PUBLIC}).key_name == "witness.example"
    with pytest.raises(Unproven, match="bad_signature"):
        open_note(note + second.replace(b"A", b"B"), both)
    with pytest.raises(Unproven, match="unknown_key"):
        open_note(note, {"witness.example": OTHER_PUBLIC})
    with pytest.raises(Unproven, match="unknown_key"):
        open_note(note, {KEY_NAME: OTHER_PUBLIC})
    with pytest.raises(Malformed):
        open_note(body + b"\n" + second * 101, both)


def test_the_second_solution_of_a_signature_is_refused() -> None:
    """S + L satisfies the equation too (RFC 8032, 5.1.7, wants S < L)."""
    order = 2**252 + 27742317777372353535851937790883648493
    body = checkpoint_body("a", 0, bytes(32))
    signature = PRIVATE.sign(body)
    twin = signature[:32] + (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    with pytest.raises(Unproven, match="bad_signature"):
        sign_note(body, KEY_NAME, lambda _: twin, PUBLIC)


def test_a_note_is_not_handed_out_unless_its_signature_opens() -> None:
    with pytest.raises(Unproven):
        sign_note(b"text\n", KEY_NAME, OTHER.sign, PUBLIC)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b", "a\u202eb", "a\tb"])
def test_names_that_a_note_cannot_carry_are_refused(name: str) -> None:
    with pytest.raises(Malformed):
        sign_note(b"text\n", name, PRIVATE.sign, PUBLIC)
    with pytest.raises(Malformed):
        public_key_line(name, PUBLIC)


@pytest.mark.parametrize("body", [b"", b"no newline", b"tab\t\n", b"\xff\n"])
def test_text_that_a_note_cannot_carry_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        sign_note(body, KEY_NAME, PRIVATE.sign, PUBLIC)


def test_public_keys_come_back_and_any_changed_byte_is_noticed() -> None:
    keys = {KEY_NAME: PUBLIC, "other": OTHER_PUBLIC}
    text = write_public_keys(keys)
    assert read_public_keys(text) == keys
    assert fingerprint(KEY_NAME, PUBLIC)[:8] in text.decode()
    for at in range(len(text)):
        with pytest.raises(Malformed):
            read_public_keys(text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :])
    for changed in (text[:-1], text + b"\n", text + text, b""):
        with pytest.raises(Malformed):
            read_public_keys(changed)


@pytest.mark.parametrize(
    "line",
    [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",  # wrong length
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  # unknown type, fitting hash
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_public_keys_that_the_reference_implementation_refuses(line: str) -> None:
    with pytest.raises(Malformed):
        read_public_keys(line.encode() + b"\n")
