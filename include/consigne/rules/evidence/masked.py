"""The masked intervals of an artifact, as they are signed: kinds and times, no values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consigne.rules.evidence.canonical import encode
from consigne.rules.evidence.errors import Malformed


def masked_statement(artifact: str, attempt: str, masked: Sequence[Mapping[str, object]]) -> bytes:
    """What is signed: canonical JSON {artifact, attempt, masked: [{start_ms, end_ms, kind}]}, identifiers as
    UUIDs in text. Malformed where `masked` holds what canonical JSON cannot."""
    return encode({"artifact": artifact, "attempt": attempt, "masked": list(masked)})


def is_signed(
    artifact: str, attempt: str, masked: Sequence[Mapping[str, object]], signature: bytes, key: bytes | None
) -> bool:
    """Whether the signature over them (Ed25519, 64 bytes) is by that public key (32 bytes); where it is known to
    nobody (None), it is not."""
    if key is None or not isinstance(masked, list | tuple):  # what the catalog holds may have been changed
        return False
    try:
        statement = masked_statement(artifact, attempt, masked)
        Ed25519PublicKey.from_public_bytes(key).verify(signature, statement)
    except (Malformed, InvalidSignature, ValueError):
        return False
    return True
