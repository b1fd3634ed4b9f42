"""The list of masked intervals holds only as it was signed."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consigne.rules.evidence.masked import is_signed, masked_statement

ARTIFACT, ATTEMPT = "6c9ed1d8-7c42-5d0b-9d8f-5a3b7c1e2f40", "0c9ed1d8-7c42-5d0b-9d8f-5a3b7c1e2f41"
SPANS = [{"start_ms": 10, "end_ms": 20, "kind": "card"}]
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC, SIGNATURE = KEY.public_key().public_bytes_raw(), KEY.sign(masked_statement(ARTIFACT, ATTEMPT, SPANS))


def test_what_was_signed_holds() -> None:
    assert is_signed(ARTIFACT, ATTEMPT, SPANS, SIGNATURE, PUBLIC)


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    "changed", [[], [*SPANS, *SPANS], [{**SPANS[0], "end_ms": 19}], None, 7, "", {"a": 1}, [1.5]]
)
def test_what_was_changed_does_not(changed: Any) -> None:
    assert not is_signed(ARTIFACT, ATTEMPT, changed, SIGNATURE, PUBLIC)
