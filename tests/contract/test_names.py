"""The finder of names, on a stub of Presidio and spaCy that knows one name; the model's folder is real."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from consigne.acts.ports import Names
from consigne.adapters.names import WORDS_AT_ONCE, PresidioNames
from consigne.doors.settings import Settings
from consigne.rules.errors import Misconfigured
from consigne.rules.recording import Transcript, Word
from consigne.rules.values import Private, Quarantined

SPACY = """
def load(folder):
    assert folder.is_dir()
    if (folder / "broken").exists():
        raise OSError
    return folder
"""
PRESIDIO = """
from types import SimpleNamespace


class RecognizerRegistry:
    def __init__(self, recognizers, supported_languages):
        assert [one.language for one in recognizers] == supported_languages


class AnalyzerEngine:
    def __init__(self, registry, nlp_engine, supported_languages):
        assert set(nlp_engine.nlp) == set(supported_languages)
        self.nlp = nlp_engine.nlp

    def analyze(self, text, language, entities):
        assert language in self.nlp and entities == ["PERSON"]
        at = text.find("Dupont")
        return [SimpleNamespace(start=at, end=at + 6)] if at >= 0 else []
"""
ENGINE = """
class SpacyNlpEngine:
    nlp = None

    def __init__(self, models):
        assert {one["lang_code"] for one in models}

    def load(self):
        raise SystemExit("it would download")
"""
RECOGNIZERS = """
class SpacyRecognizer:
    def __init__(self, supported_language, supported_entities):
        assert supported_entities == ["PERSON"]
        self.language = supported_language
"""
STUBS = {
    "spacy.py": SPACY,
    "presidio_analyzer/__init__.py": PRESIDIO,
    "presidio_analyzer/nlp_engine.py": ENGINE,
    "presidio_analyzer/predefined_recognizers.py": RECOGNIZERS,
}


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """A pipeline's folder, by its language; the stubs are importable."""
    for name, text in STUBS.items():
        file = tmp_path / "stubs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.syspath_prepend(tmp_path / "stubs")
    for name in [name for name in sys.modules if name.partition(".")[0] in ("spacy", "presidio_analyzer")]:
        monkeypatch.delitem(sys.modules, name)

    def make(language: str) -> Path:
        folder = tmp_path / language
        folder.mkdir()
        (folder / "meta.json").write_text(json.dumps({"lang": language}))
        return folder

    yield make
    for name in [name for name in sys.modules if name.partition(".")[0] in ("spacy", "presidio_analyzer")]:
        del sys.modules[name]


def said(text: str, speaker: str = "caller") -> tuple[Word, ...]:
    return tuple(Word(word, 0, 0, speaker) for word in text.split())


def find(folders: str, language: str, *words: Word) -> Private[tuple[str, ...]] | Quarantined:
    names: Names = PresidioNames(folders)
    return names.find(Private(Transcript(words)), language)


def test_names_are_found_in_each_speakers_words(model: Callable[[str], Path]) -> None:
    words = said("ici Madame Dupont merci") + said("Dupont avec un t", "agent")
    assert find(f"{model('en')}:{model('fr')}", "fr-CH", *words) == Private(("Dupont",))
    assert find(f"{model('de')}", "de", *said("niemand")) == Private(())


def test_a_long_turn_is_read_in_pieces(model: Callable[[str], Path]) -> None:
    words = said("oui " * (WORDS_AT_ONCE + 3) + "Dupont")
    assert find(str(model("fr")), "fr", *words) == Private(("Dupont",))


def test_a_model_of_any_language_reads_all(model: Callable[[str], Path]) -> None:
    assert find(str(model("xx")), "br", *said("Dupont")) == Private(("Dupont",))


@pytest.mark.promise("P2")
def test_a_language_without_a_model_is_set_aside(model: Callable[[str], Path]) -> None:
    assert find(str(model("fr")), "en", *said("Dupont")) == Quarantined("not_proven", "names_language")


@pytest.mark.promise("P2")
@pytest.mark.parametrize("wrong", ["", "fr_core_news_sm", "absent", "no_meta", "no_language", "broken"])
def test_without_a_model_nothing_goes_on_without_names(
    model: Callable[[str], Path], tmp_path: Path, wrong: str
) -> None:
    folder = model("fr")
    if wrong == "no_meta":
        (folder / "meta.json").unlink()
    if wrong == "no_language":
        (folder / "meta.json").write_text("[]")
    if wrong == "broken":
        (folder / "broken").touch()
    folders = {"absent": str(tmp_path / "absent"), "": "", "fr_core_news_sm": wrong}.get(wrong, str(folder))
    with pytest.raises(Misconfigured, match="CONSIGNE_NAMES_MODEL") as told:
        find(folders, "fr", *said("Dupont"))
    assert "Dupont" not in str(told.value) and str(folder) not in str(told.value)


@pytest.mark.parametrize("package", ["spacy", "presidio_analyzer"])
def test_a_package_that_is_not_installed_is_named_with_what_to_do(
    model: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(Misconfigured, match="CONSIGNE_EXTRAS=names"):
        find(str(model("fr")), "fr", *said("Dupont"))


def test_up_refuses_a_model_that_is_not_there_and_keeps_one_that_is(
    model: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.make(tmp_path / "state")
    monkeypatch.setenv("CONSIGNE_NAMES_MODEL", str(model("fr")))
    assert settings.remember_servers().names_model == str(tmp_path / "fr")
    monkeypatch.delenv("CONSIGNE_NAMES_MODEL")
    (tmp_path / "fr" / "meta.json").unlink()
    with pytest.raises(Misconfigured, match="CONSIGNE_NAMES_MODEL"):
        Settings.open(tmp_path / "state").remember_servers()
