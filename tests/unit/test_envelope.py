"""The envelope opens only whole, in order, under its own key and name."""

from __future__ import annotations

import hashlib
import struct
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from consigne.rules.envelope import (
    CHUNK_BYTES,
    HEADER_BYTES,
    TAG_BYTES,
    _derive,
    open_range,
    open_sealed,
    seal,
    sealed_bytes,
)
from consigne.rules.errors import BadInput, Tampered
from consigne.rules.values import ArtifactName

KEY = bytes(range(32))
NAME = ArtifactName(UUID(int=0xA1), UUID(int=0xB2), "training")
OTHER_ATTEMPT = ArtifactName(NAME.artifact, UUID(int=0xB3), "training")
OTHER_ARTIFACT = ArtifactName(UUID(int=0xA2), NAME.attempt, "training")
SIZES = [0, 1, 15, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 7]


def pattern(length: int) -> bytes:
    return hashlib.shake_128(b"consigne").digest(length)


def replace(sealed: bytes, offset: int, by: bytes) -> bytes:
    return sealed[:offset] + by + sealed[offset + len(by) :]


def chunk_of(sealed: bytes, index: int) -> bytes:
    start = HEADER_BYTES + index * (CHUNK_BYTES + TAG_BYTES)
    return sealed[start : start + CHUNK_BYTES + TAG_BYTES]


THREE = bytes(seal(KEY, NAME, pattern(2 * CHUNK_BYTES + 7)))
SMALL = bytes(seal(KEY, NAME, b"bonjour"))


def seal_by_the_book(key: bytes, name: ArtifactName, plaintext: bytes) -> bytes:
    """docs/formats.md written again from its text, on other primitives."""
    form = b"CNSG\x01\x01\x14"

    def derive(word: bytes, length: int) -> bytes:
        info = word + name.artifact.bytes + name.attempt.bytes
        return HKDF(algorithm=SHA256(), length=length, salt=form, info=info).derive(key)

    content, commitment = derive(b"content", 39), derive(b"commit", 32)
    header = form + name.artifact.bytes + name.attempt.bytes + struct.pack(">Q", len(plaintext))
    header += commitment
    sealed, pieces = header, [plaintext[i : i + 2**20] for i in range(0, len(plaintext), 2**20)] or [b""]
    for index, piece in enumerate(pieces):
        nonce = content[32:] + struct.pack(">IB", index, index == len(pieces) - 1)
        encryptor = Cipher(algorithms.AES(content[:32]), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(header)
        sealed += encryptor.update(piece) + encryptor.finalize() + encryptor.tag
    return sealed


@pytest.mark.parametrize("length", SIZES)
def test_it_is_what_the_format_page_says(length: int) -> None:
    sealed = bytes(seal(KEY, NAME, pattern(length)))
    assert sealed == seal_by_the_book(KEY, NAME, pattern(length))
    assert len(sealed) == sealed_bytes(length)
    assert open_sealed(KEY, NAME, sealed) == pattern(length)


@pytest.mark.parametrize(
    ("plaintext", "expected"),
    [
        (
            b"",
            "434e5347010114000000000000000000000000000000a1000000000000000000000000000000b200000000"
            "00000000443a4c5c90f971e0eb76f4f0fd2187f8315e63c49e3f1626d9066e23f1e54efc1c2b3e5860c727"
            "58244fdd41d353bc30",
        ),
        (
            b"bonjour",
            "434e5347010114000000000000000000000000000000a1000000000000000000000000000000b200000000"
            "00000007443a4c5c90f971e0eb76f4f0fd2187f8315e63c49e3f1626d9066e23f1e54efc1d85d1300388e1"
            "70978a2adb08e38a851551b2b5fc060a",
        ),
    ],
)
def test_known_answers(plaintext: bytes, expected: str) -> None:
    """The bytes of version 1 never change: what lies in a store must open for five years."""
    assert bytes(seal(KEY, NAME, plaintext)).hex() == expected


def test_known_answer_of_several_chunks() -> None:
    digest = "2e0f246133b14dbdaca24c2367dfb65f2b6ba520099f70a1e4bc505c601564cc"
    assert hashlib.sha256(THREE).hexdigest() == digest


def flips(sealed: bytes) -> list[int]:
    """Every header byte, and in each chunk its first, a middle and its last byte and its tag's ends."""
    places = list(range(HEADER_BYTES))
    for start in range(HEADER_BYTES, len(sealed), CHUNK_BYTES + TAG_BYTES):
        end = min(start + CHUNK_BYTES + TAG_BYTES, len(sealed))
        places += [start, (start + end) // 2, end - TAG_BYTES, end - 1]
    return sorted(set(places))


@pytest.mark.promise("P3")
@pytest.mark.parametrize("sealed", [SMALL, THREE], ids=["one chunk", "three chunks"])
def test_any_byte_changed_is_seen(sealed: bytes) -> None:
    for place in flips(sealed):
        with pytest.raises(Tampered):
            open_sealed(KEY, NAME, replace(sealed, place, bytes([sealed[place] ^ 1])))


def test_every_byte_of_a_small_one() -> None:
    for place in range(len(SMALL)):
        with pytest.raises(Tampered):
            open_sealed(KEY, NAME, replace(SMALL, place, bytes([SMALL[place] ^ 0x80])))


@pytest.mark.parametrize(
    "altered",
    [
        b"",
        THREE[: HEADER_BYTES - 1],
        THREE[:HEADER_BYTES],
        THREE[:-1],
        THREE[: HEADER_BYTES + CHUNK_BYTES + TAG_BYTES],
        THREE[: HEADER_BYTES + 2 * (CHUNK_BYTES + TAG_BYTES)],
        THREE + b"\0",
        THREE + chunk_of(THREE, 2),
        THREE[:HEADER_BYTES] + chunk_of(THREE, 1) + chunk_of(THREE, 0) + chunk_of(THREE, 2),
        THREE[:HEADER_BYTES] + chunk_of(THREE, 0) * 2 + chunk_of(THREE, 2),
    ],
    ids=[
        "nothing", "cut header", "header only", "last byte", "one chunk left", "two chunks left",
        "a byte more", "a chunk more", "exchanged chunks", "repeated chunk",
    ],
)  # fmt: skip
def test_cut_lengthened_or_moved(altered: bytes) -> None:
    with pytest.raises(Tampered):
        open_sealed(KEY, NAME, altered)


@pytest.mark.parametrize("kept", [1, 2])
def test_a_cut_with_a_header_that_agrees_is_seen(kept: int) -> None:
    """Cut at a chunk's end and the length in the header corrected: the header is authenticated."""
    cut = THREE[: HEADER_BYTES + kept * (CHUNK_BYTES + TAG_BYTES)]
    with pytest.raises(Tampered, match="envelope_chunk"):
        open_sealed(KEY, NAME, replace(cut, 39, struct.pack(">Q", kept * CHUNK_BYTES)))


@pytest.mark.promise("P3")
def test_a_cut_is_seen_when_only_the_first_chunk_is_read() -> None:
    cut = THREE[: HEADER_BYTES + CHUNK_BYTES + TAG_BYTES]
    for told in (len(cut), sealed_bytes(CHUNK_BYTES)):
        with pytest.raises(Tampered):
            open_range(lambda start, length: cut[start : start + length], told, KEY, NAME, 0, 10)
    agreeing = replace(cut, 39, struct.pack(">Q", CHUNK_BYTES))
    with pytest.raises(Tampered):
        open_range(lambda start, length: agreeing[start : start + length], len(cut), KEY, NAME, 0, 10)


RANGES = [
    (0, 0),
    (0, 1),
    (CHUNK_BYTES - 1, 2),
    (CHUNK_BYTES + 3, 9),
    (2 * CHUNK_BYTES, 7),
    (0, 3 * CHUNK_BYTES),
]
CHUNKS = [chunk_of(THREE, index) for index in range(3)]


def read_of(sealed: bytes, start: int, length: int) -> bytes:
    return open_range(lambda at, count: sealed[at : at + count], len(sealed), KEY, NAME, start, length)


@pytest.mark.promise("P3")
@pytest.mark.parametrize(("start", "length"), RANGES)
def test_with_any_header_byte_changed_no_range_is_read(start: int, length: int) -> None:
    for place in range(HEADER_BYTES):
        with pytest.raises(Tampered):
            read_of(replace(THREE, place, bytes([THREE[place] ^ 1])), start, length)


@pytest.mark.promise("P3")
@pytest.mark.parametrize(("start", "length"), RANGES)
@pytest.mark.parametrize(
    "chunks",
    [
        [0], [1], [2], [0, 1], [0, 2], [1, 2], [], [0, 0, 1, 2], [0, 1, 1, 2], [0, 1, 2, 2], [0, 0, 0, 2],
    ],
    ids=str,
)  # fmt: skip
def test_with_chunks_dropped_doubled_or_cut_off_no_range_is_read(
    chunks: list[int], start: int, length: int
) -> None:
    altered = THREE[:HEADER_BYTES] + b"".join(CHUNKS[index] for index in chunks)
    with pytest.raises(Tampered):
        read_of(altered, start, length)


@pytest.mark.promise("P3")
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_chunk_in_another_s_place_or_of_another_artifact_is_never_read(place: int) -> None:
    """And what is read beside it is what was stored: `safe.take_out` refuses the object as a whole."""
    foreign = [
        bytes(seal(key, name, pattern(2 * CHUNK_BYTES + 7)))
        for key, name in [(KEY, OTHER_ARTIFACT), (KEY, OTHER_ATTEMPT), (bytes(32), NAME)]
    ]
    others = [chunk_of(sealed, place) for sealed in foreign]
    others += [CHUNKS[index] for index in (0, 1) if place < 2 and index != place]
    for other in others:
        altered = replace(THREE, HEADER_BYTES + place * (CHUNK_BYTES + TAG_BYTES), other)
        for index in range(3):
            if index == place:
                with pytest.raises(Tampered):
                    read_of(altered, index * CHUNK_BYTES, 1)
            else:
                assert (
                    read_of(altered, index * CHUNK_BYTES, 1)
                    == pattern(2 * CHUNK_BYTES + 7)[index * CHUNK_BYTES : index * CHUNK_BYTES + 1]
                )


@pytest.mark.promise("P3")
@given(st.binary(min_size=32, max_size=32), st.uuids(), st.uuids(), st.uuids())
@settings(deadline=None)
def test_two_attempts_share_neither_key_nor_nonce(key: bytes, artifact: UUID, one: UUID, other: UUID) -> None:
    """Not even where both were given the same data key, which `safe.put_in` draws anew for each."""
    assume(one != other)
    derived = [_derive(key, ArtifactName(artifact, attempt, "training")) for attempt in (one, other)]
    for mine, its in zip(*derived, strict=True):
        assert mine != its


@pytest.mark.promise("P3")
def test_a_chunk_of_another_attempt_does_not_fit() -> None:
    other = bytes(seal(KEY, OTHER_ATTEMPT, pattern(2 * CHUNK_BYTES + 7)))
    for index in range(3):
        mixed = replace(THREE, HEADER_BYTES + index * (CHUNK_BYTES + TAG_BYTES), chunk_of(other, index))
        with pytest.raises(Tampered):
            open_sealed(KEY, NAME, mixed)


@pytest.mark.promise("P3")
@pytest.mark.parametrize(
    ("key", "name"),
    [(bytes(32), NAME), (KEY, OTHER_ATTEMPT), (KEY, OTHER_ARTIFACT)],
    ids=["another key", "another attempt", "another artifact"],
)
def test_it_opens_under_its_own_key_and_name_only(key: bytes, name: ArtifactName) -> None:
    with pytest.raises(Tampered):
        open_sealed(key, name, SMALL)


def test_a_renamed_header_does_not_open() -> None:
    """The other name written into the header, so that only the key commitment stands between."""
    for name, offset, value in [
        (OTHER_ARTIFACT, 7, OTHER_ARTIFACT.artifact.bytes),
        (OTHER_ATTEMPT, 23, OTHER_ATTEMPT.attempt.bytes),
    ]:
        with pytest.raises(Tampered, match="envelope_key"):
            open_sealed(KEY, name, replace(SMALL, offset, value))


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(BadInput):
        seal(bytes(16), NAME, b"")


LONG = pattern(3 * CHUNK_BYTES + 100)
LONG_SEALED = bytes(seal(KEY, NAME, LONG))


@given(st.integers(0, len(LONG) + 50), st.integers(0, len(LONG) + 50))
@settings(max_examples=60, deadline=None)
def test_a_range_is_the_slice(start: int, length: int) -> None:
    asked: list[int] = []

    def read(offset: int, count: int) -> bytes:
        asked.append(count)
        return LONG_SEALED[offset : offset + count]

    assert open_range(read, len(LONG_SEALED), KEY, NAME, start, length) == LONG[start : start + length]
    assert sum(asked) <= HEADER_BYTES + length + 2 * (CHUNK_BYTES + TAG_BYTES)


@given(st.binary(max_size=200), st.binary(min_size=32, max_size=32), st.uuids(), st.uuids())
@settings(deadline=None)
def test_what_is_sealed_opens(plaintext: bytes, key: bytes, artifact: UUID, attempt: UUID) -> None:
    name = ArtifactName(artifact, attempt, "quality")
    assert open_sealed(key, name, seal(key, name, plaintext)) == plaintext


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_noise_never_opens(noise: bytes) -> None:
    with pytest.raises(Tampered):
        open_sealed(KEY, NAME, noise)
    with pytest.raises(Tampered):
        open_sealed(KEY, NAME, SMALL[:7] + noise)


@pytest.mark.parametrize(("start", "length"), [(-1, 1), (0, -1)])
def test_a_negative_range_is_refused(start: int, length: int) -> None:
    with pytest.raises(BadInput):
        open_range(lambda offset, count: SMALL[offset : offset + count], len(SMALL), KEY, NAME, start, length)
