"""Published vectors, and a certificate chunk made from fixed inputs: other implementations can use them too.

LEAVES, ROOTS: the reference tree of Certificate Transparency. NOTE: the example of Go's sumdb/note.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consigne.rules.evidence.canonical import Json
from consigne.rules.evidence.certificate import certificate_body, issue
from consigne.rules.evidence.entry import encode_payload, leaf
from consigne.rules.evidence.merkle import hash_leaf, root
from consigne.rules.evidence.signature import checkpoint_body, sign_note

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ROOTS = [
    EMPTY,
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
_A, _B, _C = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
_D, _E = (
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
)
_F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSIONS = {
    (0, 1): [],
    (0, 8): [_A, _B, _C],
    (5, 8): [_E, _D, ROOTS[4]],
    (2, 3): [ROOTS[2]],
    (1, 5): [ROOTS[1], _B, _E],
}
CONSISTENCIES = {(1, 1): [], (1, 8): [_A, _B, _C], (6, 8): [_F, _D, ROOTS[4]], (2, 5): [_B, _E]}

NOTE_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE_SEED = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"  # type byte ‖ seed
NOTE_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
NOTE = (
    f"{NOTE_TEXT}\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

ORIGIN = "consigne.example/register"
KEY_NAME = "consigne.example/signing-1"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes_raw()
KEYS = {KEY_NAME: PUBLIC}
AT = "2026-11-20T08:14:03.000Z"
LATER = "2026-11-27T08:14:03.000Z"

REGISTER = [
    leaf(
        bytes([number]) * 32,
        encode_payload(
            {"at": AT, "kind": "expire:artifact:erased", "actor": "consigne", "subject": str(number)}
        ),
    )
    for number in range(7)
]


def sign_checkpoint(leaves: Sequence[bytes], origin: str = ORIGIN) -> bytes:
    body = checkpoint_body(origin, len(leaves), root(map(hash_leaf, leaves)))
    return sign_note(body, KEY_NAME, PRIVATE.sign, PUBLIC)


def artifact_facts(number: int = 0, **changed: Json) -> dict[str, Json]:
    facts: dict[str, Json] = {
        "id": f"certificate-{number}",
        "provider": "file",
        "assurance": "logical",
        "issued_at": AT,
        "irrecoverable_after": LATER,
        "purpose": "training",
        "epoch": "training/2026-11-20/0",
        "entry": REGISTER[number].hex(),
        "clock": {"test": False, "offset_s": 0},
        "backups": {"database": "P7D", "keyring": "P7D"},
        "artifact": f"artifact-{number}",
        "recording": "recording-0",
        "part": "audio",
        "object": f"training/2026/05/20/recording-0/audio/{number}",
        "due_at": "2026-11-19T23:00:00.000Z",
        "ground": "period_ended",
        "earlier_epochs": [],
        "policy": {"version": "2026-01", "digest": "0" * 64},
        "steps": {
            "key_row_deleted_at": AT,
            "listing_empty_at": AT,
            "versions_deleted": 1,
            "uploads_aborted": 0,
        },
    }
    return facts | changed


def epoch_facts(**changed: Json) -> dict[str, Json]:
    facts: dict[str, Json] = {
        "id": "certificate-epoch",
        "provider": "file",
        "assurance": "logical",
        "issued_at": AT,
        "irrecoverable_after": "2026-12-20T08:14:03.000Z",
        "purpose": "training",
        "epoch": "training/2026-11-20/0",
        "entry": REGISTER[6].hex(),
        "clock": {"test": False, "offset_s": 0},
        "backups": {"database": "P7D", "keyring": "P7D"},
        "destroyed_at": AT,
        "artifacts": ["artifact-0", "artifact-1", "artifact-2"],
    }
    return facts | changed


def issue_chunk(bodies: list[dict[str, Json]], chunk: str = "chunk-1", origin: str = ORIGIN) -> list[bytes]:
    return issue(bodies, origin=origin, chunk=chunk, key_name=KEY_NAME, sign=PRIVATE.sign, public_key=PUBLIC)


def issue_artifacts(count: int = 3, **changed: Json) -> list[bytes]:
    return issue_chunk(
        [certificate_body("artifact", artifact_facts(number, **changed)) for number in range(count)]
    )


def issue_epoch(**changed: Json) -> bytes:
    return issue_chunk([certificate_body("epoch", epoch_facts(**changed))], "chunk-2")[0]
