from __future__ import annotations

import json
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consigne.rules.evidence.canonical import Json, decode, encode
from consigne.rules.evidence.certificate import (
    DRIVES,
    ROOM,
    STATEMENTS,
    certificate_body,
    check_body,
    issue,
    open_certificate,
)
from consigne.rules.evidence.errors import EvidenceError, Malformed, Unproven
from consigne.rules.evidence.merkle import hash_leaf
from consigne.rules.evidence.report import NOT_PROVEN
from consigne.rules.evidence.signature import checkpoint_body, sign_note, write_public_keys
from consigne.rules.evidence.verify import verify

from .vectors import (
    KEY_NAME,
    KEYS,
    ORIGIN,
    PRIVATE,
    PUBLIC,
    artifact_facts,
    epoch_facts,
    issue_artifacts,
    issue_epoch,
)


def parse(file: bytes) -> dict[str, Json]:
    parts = decode(file[:-1])
    assert isinstance(parts, dict)
    return parts


@pytest.mark.promise("P6")
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_each_certificate_of_a_chunk_opens_by_itself(count: int) -> None:
    for number, file in enumerate(issue_artifacts(count)):
        certificate = open_certificate(file, KEYS)
        assert certificate.body["artifact"] == f"artifact-{number}"
        assert certificate.body["statement"] == STATEMENTS["artifact"]
        assert (certificate.chunk.origin, certificate.chunk.size) == (f"{ORIGIN}/certificates/chunk-1", count)
        assert (certificate.origin, certificate.key_name) == (ORIGIN, KEY_NAME)


def test_a_chunk_is_signed_once() -> None:
    signed = []

    def sign(message: bytes) -> bytes:
        signed.append(message)
        return PRIVATE.sign(message)

    bodies = [certificate_body("artifact", artifact_facts(number)) for number in range(5)]
    issue(bodies, origin=ORIGIN, chunk="c", key_name=KEY_NAME, sign=sign, public_key=PUBLIC)
    assert len(signed) == 1


@pytest.mark.promise("P6")
@pytest.mark.parametrize("file", [issue_artifacts(3)[1], issue_epoch()], ids=["artifact", "epoch"])
def test_no_byte_of_a_certificate_can_be_changed(file: bytes) -> None:
    open_certificate(file, KEYS)
    for at, byte in enumerate(file):
        for value in {
            byte ^ 1,
            byte ^ 0x20,
            byte ^ 0x80,
            (byte + 1) % 256,
            0x20,
            0x0A,
            0x30,
            0x3D,
            0x41,
            0x61,
        } - {byte}:
            with pytest.raises(EvidenceError):
                open_certificate(file[:at] + bytes([value]) + file[at + 1 :], KEYS)


@pytest.mark.promise("P6")
def test_no_byte_of_a_certificate_can_be_put_in_or_left_out() -> None:
    file = issue_artifacts(2)[0]
    for at in range(len(file) + 1):
        for changed in (
            file[:at] + file[at + 1 :],
            file[:at] + b" " + file[at:],
            file[:at] + b"\n" + file[at:],
        ):
            if changed != file:
                with pytest.raises(EvidenceError):
                    open_certificate(changed, KEYS)


@pytest.mark.promise("P6")
def test_looser_writings_of_the_same_certificate_are_refused() -> None:
    file = issue_artifacts(3)[0]
    parts = parse(file)
    inclusion = parts["inclusion"]
    assert (
        isinstance(inclusion, dict) and isinstance(inclusion["path"], list) and isinstance(parts["note"], str)
    )
    note = parts["note"]
    upper = parts | {"inclusion": inclusion | {"path": [str(node).upper() for node in inclusion["path"]]}}
    padded = parts | {"note": note.removesuffix("=\n") + "\n"}
    twice = parts | {"note": note + note.rpartition("\n\n")[2].replace(KEY_NAME, "someone.example")}
    for loose in (
        encode(parts),
        encode(parts) + b"\r\n",
        encode(parts) + b"\n\n",
        json.dumps(parts).encode() + b"\n",
        json.dumps(parts, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode() + b"\n",
        b"\xef\xbb\xbf" + file,
        *(encode(changed) + b"\n" for changed in (upper, padded, twice, parts | {"more": 1})),
        encode(parts | {"inclusion": inclusion | {"index": True}}) + b"\n",
        encode(parts | {"inclusion": inclusion | {"size": 4}}) + b"\n",
        encode(parts | {"inclusion": inclusion | {"index": -1}}) + b"\n",
    ):
        assert loose != file
        with pytest.raises(EvidenceError):
            open_certificate(loose, KEYS)


@pytest.mark.promise("P6")
def test_a_body_cannot_be_moved_into_another_chunk() -> None:
    mine, other = parse(issue_artifacts(2)[0]), parse(issue_epoch())
    for changed in (
        mine | {"note": other["note"]},
        other | {"body": mine["body"]},
        mine | {"body": other["body"]},
    ):
        with pytest.raises(Unproven, match="not_included"):
            open_certificate(encode(changed) + b"\n", KEYS)


def test_only_a_known_key_signs() -> None:
    file = issue_artifacts(1)[0]
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    for keys in ({}, {"another": PUBLIC}, {KEY_NAME: stranger.public_key().public_bytes_raw()}):
        with pytest.raises(Unproven, match="unknown_key"):
            open_certificate(file, keys)


def test_a_checkpoint_of_the_register_is_no_signature_for_a_certificate() -> None:
    """Else whoever can write entries could have one signed that reads as a certificate's digest."""
    file = issue_artifacts(1)[0]
    parts = parse(file)
    assert isinstance(parts["note"], str)
    body = parts["note"].partition("\n\n")[0].replace(f"{ROOM}chunk-1", "").encode() + b"\n"
    forged = parts | {"note": sign_note(body, KEY_NAME, PRIVATE.sign, PUBLIC).decode()}
    with pytest.raises(Malformed):
        open_certificate(encode(forged) + b"\n", KEYS)


@pytest.mark.parametrize(
    ("scope", "facts", "field"),
    [
        *((scope, {name: None}, name)
          for scope, facts in (("artifact", artifact_facts()), ("epoch", epoch_facts()))
          for name in facts),
        ("artifact", {"assurance": "certain"}, "assurance"),
        ("artifact", {"issued_at": "2026-11-20T08:14:03Z"}, "issued_at"),
        ("artifact", {"entry": "A" * 64}, "entry"),
        ("artifact", {"object": "line\nOK"}, "object"),
        ("artifact", {"purpose": "\x1b[2K"}, "purpose"),
        ("artifact", {"id": ""}, "id"),
        ("artifact", {"clock": {"test": 0, "offset_s": 0}}, "clock"),
        ("artifact", {"clock": {"test": False}}, "clock"),
        ("artifact", {"steps": {"versions_deleted": 1}}, "steps"),
        ("artifact", {"earlier_epochs": ["b", "a"]}, "earlier_epochs"),
        ("artifact", {"caller": "x"}, "caller"),
        ("epoch", {"artifacts": ["a", "a"]}, "artifacts"),
        ("epoch", {"artifact": "a"}, "artifact"),
        ("other", {}, "scope"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_and_nothing_is_signed(scope: str, facts: dict[str, Json], field: str) -> None:
    right = epoch_facts() if scope == "epoch" else artifact_facts()
    with pytest.raises(Malformed) as fault:
        certificate_body(scope, right | facts)
    assert fault.value.where == field


@pytest.mark.parametrize("scope", ["artifact", "epoch"])
def test_no_fact_can_be_missing(scope: str) -> None:
    body = certificate_body(scope, artifact_facts() if scope == "artifact" else epoch_facts())
    check_body(body)
    for name in body:
        with pytest.raises(Malformed):
            check_body({key: value for key, value in body.items() if key != name})


@pytest.mark.parametrize(
    "changed", [{"purpose": "\x1b[2K"}, {"clock": None}, {"scope": "other"}, {"more": 1}]
)
def test_a_body_of_another_form_is_refused_though_signed(changed: dict[str, Json]) -> None:
    body = certificate_body("artifact", artifact_facts()) | changed
    digest = hash_leaf(sha256(encode(body)).digest())
    note = sign_note(checkpoint_body(f"{ORIGIN}{ROOM}c", 1, digest), KEY_NAME, PRIVATE.sign, PUBLIC)
    inclusion: Json = {"index": 0, "path": [], "size": 1}
    with pytest.raises(Malformed):
        open_certificate(encode({"body": body, "inclusion": inclusion, "note": note.decode()}) + b"\n", KEYS)


def test_facts_cannot_replace_what_the_format_says() -> None:
    body = certificate_body(
        "artifact", artifact_facts() | {"proof": "cryptographic", "statement": "all bytes gone"}
    )
    assert (body["proof"], body["statement"]) == ("logical", STATEMENTS["artifact"])


FIRST = (
    b'{"body":{"artifacts":["artifact-0","artifact-1","artifact-2"],"assurance":"logical","clock":{"offset_s":0,"test":false},"destroyed_at":"2026-11-20T08:14:03.000Z","entry":"645fe3240348adf0d07224c78569759152b9d787a35caf6caa7d2d6658efb2dc","epoch":"training/2026-11-20/0","format":"consigne-certificate/1","id":"certificate-epoch","irrecoverable_after":"2026-12-20T08:14:03.000Z","issued_at":"2026-11-20T08:14:03.000Z","proof":"cryptographic","provider":"file","purpose":"training","scope":"epoch","statement":"When destroyed_at was read, the provider reported that it had destroyed the epoch\'s key, under which the data keys of the artifacts named here were wrapped. That no copy of the key is left anywhere is not claimed; those in backups are gone after irrecoverable_after if the declared horizons are kept."},"inclusion":{"index":0,"path":[],"size":1},"note":"consigne.example/register/certificates/chunk-2\\n1\\n3Og1JMrCLhh33VK1xc6Key/Ysm0UPYmGYGixZ6t63iA=\\n\\n\\u2014 consigne.example/signing-1 lIfAKqBy8y8D71QyQCgk4Aj9Qz4rKkIWmVfPKZdpVO8zBxoQG3GKkihkZABcVJdDTkR6Bt1WqGPHLZIX2qnpDKONbQo=\\n"}'
    + b"\n"
)
"""Issued before the second format: what an auditor may hold."""


@pytest.mark.promise("P6")
def test_a_certificate_of_the_first_format_still_opens() -> None:
    opened = open_certificate(FIRST, KEYS)
    assert opened.body["format"] == "consigne-certificate/1"
    assert "backups" not in opened.body


@pytest.mark.promise("P6")
def test_drives_that_were_away_are_said_and_not_proven() -> None:
    """And alone then: everything else stays in the format that older verifiers know."""
    facts = [artifact_facts(0) | {"drives_away": 1}, artifact_facts(1)]
    bodies = [certificate_body("artifact", one) for one in facts]
    assert [body["format"] for body in bodies] == ["consigne-certificate/3", "consigne-certificate/2"]
    assert bodies[0]["drives_statement"] == DRIVES
    files = issue(bodies, origin=ORIGIN, chunk="c", key_name=KEY_NAME, sign=PRIVATE.sign, public_key=PUBLIC)
    told = verify([("one", files[0]), ("two", files[1]), ("key", write_public_keys(KEYS))])
    said = [(one.file, one.level) for one in told.findings if "drives" in one.sentence.lower()]
    assert told.verified and said == [("one", NOT_PROVEN)]
    for changed in ({"drives_away": 0}, {"drives_statement": "gone"}, {"format": "consigne-certificate/2"}):
        with pytest.raises(Malformed):
            check_body(bodies[0] | changed)
    with pytest.raises(Malformed):
        certificate_body("epoch", epoch_facts() | {"drives_away": 1})


@pytest.mark.promise("P6")
def test_an_assurance_has_its_own_statement_and_no_other_s() -> None:
    body = certificate_body("artifact", artifact_facts())
    with pytest.raises(Malformed, match="assurance_statement"):
        check_body(body | {"assurance": "hsm"})
