"""Faults of this package. It stands alone in the verifier, so it has its own.

Messages are codes and fields.
"""

from __future__ import annotations


class EvidenceError(Exception):
    """`code` is stable; `where` names a field or a part, never a value."""

    def __init__(self, code: str, where: str = "") -> None:
        self.code, self.where = code, where
        super().__init__(": ".join(part for part in (code, where) if part))


class Malformed(EvidenceError):
    """Not in the documented form, byte for byte."""


class Unproven(EvidenceError):
    """Well formed, but the signature or the proof does not hold."""
