"""docs/formats.md is what the code writes: its examples are these vectors."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from consigne.rules.evidence.certificate import ASSURED, STATEMENTS
from consigne.rules.evidence.entry import encode_payload, leaf
from consigne.rules.evidence.merkle import hash_leaf
from consigne.rules.evidence.proofs import write_consistency_proof, write_register_proofs
from consigne.rules.evidence.signature import write_public_keys

from .vectors import AT, KEYS, REGISTER, issue_epoch, sign_checkpoint

PAGE = (Path(__file__).parents[3] / "docs" / "formats.md").read_text("utf-8")
CHECKPOINT = sign_checkpoint(REGISTER)
PAYLOAD = encode_payload(
    {"at": AT, "kind": "expire:artifact:erased", "actor": "consigne", "subject": "0"}
)  # fmt: skip


@pytest.mark.parametrize(
    "example",
    [
        PAYLOAD,
        CHECKPOINT,
        write_public_keys(KEYS),
        issue_epoch(),
        write_register_proofs(REGISTER, [2], CHECKPOINT)[0],
        write_consistency_proof(REGISTER, sign_checkpoint(REGISTER[:4]), CHECKPOINT),
    ],
    ids=["payload", "checkpoint", "public key", "certificate", "register proof", "consistency proof"],
)
def test_the_page_shows_what_is_written(example: bytes) -> None:
    assert indent(example.decode(), "    ") in PAGE


def test_the_page_shows_the_hashes() -> None:
    assert leaf(bytes(32), PAYLOAD) == REGISTER[0]
    assert REGISTER[0].hex() in PAGE
    assert hash_leaf(REGISTER[0]).hex() in PAGE


def test_the_page_has_the_fixed_texts() -> None:
    for assurance, text in ASSURED.items():
        assert f"| `{assurance}` | {text} |" in PAGE
    for text in STATEMENTS.values():
        assert text in PAGE
