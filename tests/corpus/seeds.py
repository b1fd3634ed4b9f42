"""The two halves of the corpus: one that may be looked at while tuning, and one that nobody can have seen."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
CALLS = 1_000
LOOKED_AT = 1


def unseen() -> int:
    """A seed drawn from the very code that is judged: whatever is changed there to please these calls brings
    other calls. CONSIGNE_CORPUS_SEED brings back one that was printed."""
    if given := os.environ.get("CONSIGNE_CORPUS_SEED"):
        return int(given)
    rules = CHECKOUT / "include/consigne/rules"
    files = sorted([*(rules / "redaction").rglob("*.py"), *(rules / "audio").rglob("*.py")])
    return int(sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:8], 16)
