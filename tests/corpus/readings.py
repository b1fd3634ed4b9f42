"""How a number is read out over the telephone: in groups, in every form, with all that gets in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from random import Random

from corpus import letters, numbers

NUMERALS = ("printed", "whole", "dashed", "single", "pairs", "uneven")
WORDS = ("words_one", "words_pairs", "words_threes", "words_fours", "words_mixed")
ALL_FORMS = (*NUMERALS, *WORDS, "words_double", "numerals_and_words")
IN_ONE_WORD = frozenset({"whole", "dashed"})
TURNS = (
    "fillers",
    "repeated",
    "corrected",
    "answered",
    "echoed",
    "speakers",
    "restarted",
    "resumed",
    "confirmed",
)
# PCI DSS 3.4.1 lets the first eight digits be shown; a false start up to there may stay.
SHOWN_DIGITS = 8

SAID = {
    "fr": {
        "fillers": ("euh", "alors", "hum", "ensuite", "puis", "et puis", "donc", "voilà", "et", "après"),
        "repeated": ("", "", "je répète", "je redis", "oui", "donc"),
        "corrected": ("non pardon", "pardon", "euh non", "non excusez-moi", "non je me trompe", "non"),
        "answered": ("oui", "d'accord", "ok", "très bien", "mm", "oui allez-y", "oui je note", "hum hum"),
        "interrupted": (
            "attendez je cherche mes lunettes", "pardon ma fille m'appelle", "excusez-moi on sonne à la porte",
            "attendez la carte est tombée", "une seconde je vois mal", "pardon je mets le haut-parleur",
        ),
        "restarted": ("je recommence", "je reprends depuis le début", "alors donc", "bon je reprends"),
        "resumed": ("alors la suite", "voilà donc ensuite", "donc je continue", "et la suite c'est"),
    },
    "en": {
        "fillers": ("uh", "um", "then", "and then", "so", "er", "and", "okay"),
        "repeated": ("", "", "I repeat", "again", "yes", "so that's"),
        "corrected": ("no sorry", "sorry", "no wait", "I mean", "oh sorry", "no"),
        "answered": ("yes", "okay", "uh huh", "go on", "right", "got it", "yep", "mm hmm"),
        "interrupted": (
            "hold on I need my glasses", "sorry my daughter is calling me", "excuse me there is someone at the door",
            "wait I dropped the card", "one moment I can't read it", "sorry let me put you on speaker",
        ),
        "restarted": ("let me start again", "I'll start over", "from the beginning", "right so again"),
        "resumed": ("so the rest is", "okay then", "and it goes on with", "right and then"),
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """A word as the transcript has it, and the pieces that speak it. `part`: `value` must be masked, `loose`
    may be, the rest must stay. `other`: said by the other party."""

    text: str = field(repr=False)
    pieces: tuple[str, ...] = field(repr=False)
    part: str = ""
    other: bool = False


Group = tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: language with its country, how recognition writes compounds, and the chance."""

    language: str
    style: str
    draw: Random

    @property
    def speech(self) -> str:
        return self.language[:2]

    def read(self, group: str, form: str) -> Group:
        """A group of digits and letters in a form, every word of it telling."""
        if form in NUMERALS or form == "letters":
            return (Said(group, self.pieces(group), "value"),)
        if form == "numerals_and_words":
            return self.read(group, self.draw.choice(("printed", "words_one", "words_fours")))
        if not group.isdigit():
            return self.spelled(group, "plain")
        if form in ("words_one", "words_double"):
            said = numbers.one_by_one(group, self.language, self.draw, twice=form == "words_double")
        else:
            said = numbers.as_number(group, self.language, self.draw)
        return self.words(said, "value")

    def spelled(self, group: str, style: str) -> Group:
        """Letters by a style of `letters`; digits among them as numerals."""
        said: list[Said] = []
        for char in group:
            if char.isdigit():
                said.append(Said(char, self.pieces(char), "value"))
                continue
            for word, tells in letters.spell(char, style, self.language, self.draw):
                said.append(Said(word, (word.lower(),), "value" if tells else "loose"))
        return tuple(said)

    def words(self, text: str, part: str = "", other: bool = False) -> Group:
        """Number words or any others."""
        style = self.style if part == "value" else "spelling"
        return tuple(
            Said(word, tuple(word.lower().replace("-", " ").split()), part, other)
            for word in numbers.written(text, style)
        )

    def remark(self, name: str, part: str = "loose", other: bool = False) -> Group:
        """A filler, a correction, an answer: what may be masked with the number that it stands in."""
        return self.words(self.draw.choice(SAID[self.speech][name]), part, other)

    def pieces(self, text: str) -> tuple[str, ...]:
        """What is heard where numerals and letters are written."""
        each = (
            numbers.say(int(char), "en" if self.speech == "en" else "fr-FR", self.draw) if char.isdigit() else char
            for char in text.lower()
            if char.isalnum()
        )  # fmt: skip
        return tuple(each)


def cut(number: str, form: str, draw: Random, printed: Sequence[int] = ()) -> list[str]:
    """The groups in which a form reads a number; `printed` is how it stands on paper."""
    if form == "whole":
        return [number]
    if form in ("single", "words_one", "words_double"):
        return _by(number, [4] * 8) if form != "single" else list(number)
    if form in ("pairs", "words_pairs"):
        return _by(number, [2] * 20)
    if form == "words_threes":
        return _by(number, [3] * 10)
    if form in ("uneven", "words_mixed"):
        return _by(number, [draw.randint(1, 5 if form == "uneven" else 4) for _ in range(30)])
    return _by(number, printed or [4] * 10)


def _by(number: str, sizes: Sequence[int]) -> list[str]:
    cuts = [0, *accumulate(sizes)]
    return [number[start:end] for start, end in pairwise(cuts) if start < len(number)]


def read_number(reader: Reader, number: str, form: str, turn: str, printed: Sequence[int] = ()) -> list[Said]:
    """A number of digits in a form, with a turn of conversation in it (`plain`: none)."""
    if turn == "confirmed":
        again = read_number(reader, number, reader.draw.choice(NUMERALS + WORDS), "plain", printed)
        said = [*reader.remark("repeated", other=True), *(replace(word, other=True) for word in again)]
        return [*read_number(reader, number, form, "plain", printed), *said]
    if form == "dashed":
        shape = reader.draw.choice(("printed", "printed", "pairs", "single"))
        joined = reader.draw.choice("-.").join(cut(number, shape, reader.draw, printed))
        return [Said(joined, reader.pieces(number), "value")]
    groups = cut(number, form, reader.draw, printed)
    return take_turns(reader, [(group, form) for group in groups], turn)


def take_turns(reader: Reader, groups: Sequence[tuple[str, str]], turn: str) -> list[Said]:
    """Groups, each with its form, read one after the other with all that a turn puts between."""
    draw, said = reader.draw, [reader.read(group, form) for group, form in groups]
    middle = draw.randrange(1, len(said)) if len(said) > 1 else 0
    if turn == "fillers":
        said = [(*(reader.remark("fillers") if draw.random() < 0.35 else ()), *group) for group in said]
    elif turn == "repeated" and middle:
        # Digit after digit nobody can tell a repetition from a number that holds the same digit twice.
        again = (*said[middle], *reader.remark("repeated"), *said[middle])
        said[middle] = again if len(groups[middle][0]) > 1 else said[middle]
    elif turn == "corrected" and middle:
        said.insert(middle, _wrong(reader, *groups[middle]))
    elif turn == "answered":
        said = [
            (*group, *(reader.remark("answered", other=True) if draw.random() < 0.5 else ()))
            for group in said
        ]
    elif turn == "echoed":
        said = [
            (*group, *(replace(word, other=True) for word in group)) if len(text) > 1 else group
            for (text, _), group in zip(groups, said, strict=True)
        ]
    elif turn == "speakers" and middle:
        said[middle:] = [tuple(replace(word, other=True) for word in group) for group in said[middle:]]
    elif turn in ("restarted", "resumed") and middle:
        said = _interrupted(reader, groups, said, middle, turn)
    return [word for group in said for word in group]


def _wrong(reader: Reader, group: str, form: str) -> Group:
    """A group misread and taken back at once."""
    at = reader.draw.randrange(len(group))
    other = reader.draw.choice([d for d in "123456789" if d != group[at]])
    wrong = reader.read(group[:at] + other + group[at + 1 :], form)
    return (*(replace(word, part="loose") for word in wrong), *reader.remark("corrected"))


def _interrupted(
    reader: Reader, groups: Sequence[tuple[str, str]], said: list[Group], middle: int, turn: str
) -> list[Group]:
    """Something else is said in the middle; then the number goes on, or begins again."""
    head = said[:middle]
    if turn == "restarted":
        digits = sum(len(group) for group, _ in groups[:middle])
        if digits <= SHOWN_DIGITS:
            head = [tuple(replace(word, part="loose") for word in group) for group in head]
    between = (*reader.remark("interrupted"), *reader.remark(turn))
    return [*head, between, *(said if turn == "restarted" else said[middle:])]
