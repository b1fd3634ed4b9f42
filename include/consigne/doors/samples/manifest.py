"""What must become of the sample calls: states, codes and masked intervals, and no value of any call."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from consigne.doors.samples.conversation import Conversation
from consigne.doors.samples.kinds import Kind
from consigne.rules.clock import iso
from consigne.rules.values import MaskedInterval


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says for one purpose, in the words of `deliveries --json`."""

    purpose: str
    verdict: str
    code: str | None


@dataclass(frozen=True, slots=True)
class Foretold:
    """One delivery's end, as `deliveries --json` shows it: what was refused is cleared, with its code. Of a
    quarantined one no verdicts are foretold. `masked` gives, by part, the true
    spans of what must be silent or gone: masks cover them, padded, and merge where they touch."""

    stem: str
    id: str
    kind: str
    state: str
    code: str | None
    verdicts: tuple[Verdict, ...]
    masked: dict[str, tuple[MaskedInterval, ...]]


@dataclass(frozen=True, slots=True)
class Manifest:
    """All deliveries of one generation, by stem."""

    seed: int
    generated_at: datetime
    deliveries: tuple[Foretold, ...]

    def write(self, file: Path) -> None:
        """As JSON, instants as everywhere."""
        document = {
            "seed": self.seed,
            "generated_at": iso(self.generated_at),
            "count": len(self.deliveries),
            "deliveries": [asdict(each) for each in self.deliveries],
        }
        file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def foretell(stem: str, id: str, kind: Kind, purposes: Iterable[str], call: Conversation) -> Foretold:
    """The end of a call that is judged for these purposes."""
    verdicts: tuple[Verdict, ...] = ()
    if kind.outcome != "quarantined":
        objected = dict.fromkeys(kind.objects_to, "objected")
        codes = {name: kind.code or objected.get(name) for name in purposes}
        verdicts = tuple(
            Verdict(name, "refused" if code else "admitted", code) for name, code in codes.items()
        )
    state = "quarantined" if kind.outcome == "quarantined" else "cleared"
    masked = _true_spans(kind, call) if kind.outcome == "kept" else {}
    return Foretold(stem, id, kind.name, state, kind.code, verdicts, masked)


def _true_spans(kind: Kind, call: Conversation) -> dict[str, tuple[MaskedInterval, ...]]:
    said = []
    for line in call.lines:
        for data in sorted({word.kind for word in line.said if word.kind}):
            # Without word times a whole segment goes.
            words = [word for word in line.said if kind.form == "segments" or word.kind == data]
            said.append(MaskedInterval(words[0].start_ms, words[-1].end_ms, data))
    tones = [MaskedInterval(each.start_ms, each.end_ms, "tone") for each in call.tones]
    audio = sorted(said + tones, key=lambda span: (span.start_ms, span.end_ms, span.kind))
    return {"audio": tuple(audio), "transcript": tuple(said)}
