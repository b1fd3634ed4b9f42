"""Presidio's analyzer over texts, run by a Python of its own that has it: `redaction.py` starts it.

Reads a JSON list of texts from standard input; writes for each way of setting it up the seconds that it took and,
for each text, the stretches (start, end) that it takes for card or account numbers. Blank spaCy pipelines only:
nothing is downloaded.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence

import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry, RecognizerResult
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import CreditCardRecognizer, IbanRecognizer

KINDS = {"CREDIT_CARD", "IBAN_CODE"}


class BlankEngine(SpacyNlpEngine):
    """A pipeline without a model."""

    def __init__(self) -> None:
        super().__init__()
        self.nlp = {"en": spacy.blank("en")}

    def load(self) -> None:
        """Nothing to load."""


def main() -> None:
    texts = json.load(sys.stdin)
    both = [CreditCardRecognizer(), IbanRecognizer()]
    two = RecognizerRegistry(recognizers=both, supported_languages=["en"])
    every = RecognizerRegistry(supported_languages=["en"])
    every.load_predefined_recognizers(languages=["en"], nlp_engine=BlankEngine())
    ways = {
        "Presidio's AnalyzerEngine, 2 recognizers": engine(two),
        f"Presidio's AnalyzerEngine, {len(every.recognizers)} recognizers": engine(every),
        "Presidio's 2 recognizers without an engine": lambda text: [
            found for each in both for found in each.analyze(text, each.supported_entities, None) or ()
        ],
    }
    json.dump({name: timed(way, texts) for name, way in ways.items()}, sys.stdout)


def engine(registry: RecognizerRegistry) -> Callable[[str], Sequence[RecognizerResult]]:
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=BlankEngine(), supported_languages=["en"])
    return lambda text: analyzer.analyze(text, language="en")


def timed(way: Callable[[str], Sequence[RecognizerResult]], texts: Sequence[str]) -> dict[str, object]:
    """The quickest of three passes."""
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        found = [way(text) for text in texts]
        seconds.append(time.perf_counter() - started)
    spans = [[(r.start, r.end) for r in results if r.entity_type in KINDS] for results in found]
    return {"seconds": min(seconds), "spans": spans}


if __name__ == "__main__":
    main()
