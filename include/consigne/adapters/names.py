"""People's names by Presidio over spaCy models on this machine's disk. Neither is asked to fetch anything: the
models are loaded here, by their paths, and Presidio gets them ready made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from consigne.rules.errors import Misconfigured
from consigne.rules.recording import Transcript
from consigne.rules.values import Private, Quarantined

SETTING: Final = "CONSIGNE_NAMES_MODEL"
ANY_LANGUAGE: Final = "xx"
WORDS_AT_ONCE: Final = 500


class PresidioNames:
    """`folders`: of spaCy pipelines, one a language, separated by `:` as in PATH; empty for none."""

    def __init__(self, folders: str) -> None:
        self._folders = [Path(folder) for folder in folders.split(":") if folder]

    def prepare(self) -> None:
        """Misconfigured where there is no model, or a package or a model's file is missing."""
        if not self._folders:
            raise Misconfigured(
                "no_names_model", SETTING, "a profile masks names: name a spaCy model's folder"
            )
        if find_spec("presidio_analyzer") is None or find_spec("spacy") is None:
            raise Misconfigured("not_installed", "presidio-analyzer", "start with CONSIGNE_EXTRAS=names")
        if not all(one.is_absolute() and (one / "meta.json").is_file() for one in self._folders):
            raise Misconfigured(
                "no_names_model", SETTING, "each is the absolute path of a folder with meta.json"
            )

    def find(self, transcript: Private[Transcript], language: str) -> Private[tuple[str, ...]] | Quarantined:
        """By the model of the language, or one of any language."""
        self.prepare()
        known = [language.partition("-")[0], ANY_LANGUAGE]
        model = next((each for each in known if each in self._languages), None)
        if model is None:
            return Quarantined("not_proven", "names_language")
        found: set[str] = set()
        for text in _texts(transcript.reveal()):
            for one in self._analyzer.analyze(text, language=model, entities=["PERSON"]):
                found.add(text[one.start : one.end])
        return Private(tuple(sorted(found)))

    @cached_property
    def _languages(self) -> dict[str, Path]:
        """Each model by its language, as it says itself."""
        try:
            return {json.loads((one / "meta.json").read_text("utf-8"))["lang"]: one for one in self._folders}
        except (ValueError, KeyError, TypeError):
            raise Misconfigured("no_names_model", SETTING, "a model's meta.json names no language") from None

    @cached_property
    def _analyzer(self) -> Any:
        import spacy
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
        from presidio_analyzer.nlp_engine import SpacyNlpEngine
        from presidio_analyzer.predefined_recognizers import SpacyRecognizer

        languages = list(self._languages)
        engine = SpacyNlpEngine(
            [{"lang_code": code, "model_name": str(at)} for code, at in self._languages.items()]
        )
        try:
            # Its own load() would go and download what it does not find.
            engine.nlp = {code: spacy.load(folder) for code, folder in self._languages.items()}
        except Exception:  # of many kinds
            raise Misconfigured(
                "no_names_model", SETTING, "spaCy cannot load a model: of another version?"
            ) from None
        readers = [
            SpacyRecognizer(supported_language=code, supported_entities=["PERSON"]) for code in languages
        ]
        registry = RecognizerRegistry(readers, supported_languages=languages)
        return AnalyzerEngine(registry, engine, supported_languages=languages)


def _texts(transcript: Transcript) -> Iterator[str]:
    """What each speaker says in one go, in pieces that a model takes."""
    turns = groupby(enumerate(transcript.words), lambda each: (each[1].speaker, each[0] // WORDS_AT_ONCE))
    return (" ".join(word.text for _, word in turn) for _, turn in turns)
