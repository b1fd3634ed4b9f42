"""What a verification found, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consigne.rules.evidence.errors import EvidenceError

OK, FAILED, NOT_PROVEN = "ok", "failed", "not_proven"

_REASONS = {
    "unknown_key": "none of the known keys signed it",
    "bad_signature": "its signature is wrong",
    "not_included": "it is not part of the tree that was signed",
    "not_consistent": "the older register is not the beginning of the newer one",
}


def explain(error: EvidenceError) -> str:
    """Why, as the end of a sentence."""
    return _REASONS.get(error.code, "its bytes are not as they were issued")


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one file (its name, or empty): what is proven, fails, or is not proven."""

    level: str
    file: str
    sentence: str

    @classmethod
    def ok(cls, file: str, sentence: str) -> Finding:
        """Proven."""
        return cls(OK, file, sentence)

    @classmethod
    def failed(cls, file: str, sentence: str) -> Finding:
        """Contradicted: the whole does not verify."""
        return cls(FAILED, file, sentence)

    @classmethod
    def not_proven(cls, file: str, sentence: str) -> Finding:
        """Neither proven nor contradicted by what was given."""
        return cls(NOT_PROVEN, file, sentence)


@dataclass(frozen=True, slots=True)
class Report:
    """Findings in order; each verified certificate's facts, with `proof` as the certificates together
    establish it; each key that was used, with its fingerprint and whether the caller pinned it."""

    findings: tuple[Finding, ...]
    certificates: tuple[Mapping[str, Any], ...] = ()
    keys: tuple[Mapping[str, Any], ...] = ()

    @property
    def verified(self) -> bool:
        """Whether nothing failed."""
        return all(finding.level != FAILED for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "verified": self.verified,
            "keys": [dict(key) for key in self.keys],
            "certificates": [dict(facts) for facts in self.certificates],
            "findings": [
                {"level": finding.level, "file": finding.file, "sentence": finding.sentence}
                for finding in self.findings
            ],
        }
