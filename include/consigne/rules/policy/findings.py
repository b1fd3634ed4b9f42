"""What is wrong with a policy file, by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from consigne.rules.errors import BadInput


@dataclass(frozen=True, slots=True)
class Finding:
    """One error, or one breach of the CNIL's limits; line and column count from 1, `field` is a dotted path.

    A `warning` is a breach in a policy that calls itself a demonstration, or what a notice should say and cannot.
    """

    line: int
    column: int
    field: str
    code: str
    message: str
    severity: Literal["error", "warning"] = "error"


class PolicyInvalid(BadInput):
    """A policy file that cannot be used; `findings` says everything that is wrong with it."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(sorted(findings, key=lambda found: (found.line, found.column)))
        first = self.findings[0]
        super().__init__("policy_invalid", f"line {first.line}", first.code)
