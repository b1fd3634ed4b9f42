"""Numbers as people say them in French and English; knows nothing of how they are read."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

_UNITS = {
    "fr": "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize",
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen",
}
_TENS = {
    "fr": "vingt trente quarante cinquante soixante soixante quatre-vingt quatre-vingt",
    "fr-BE": "vingt trente quarante cinquante soixante septante quatre-vingt nonante",
    "fr-CH": "vingt trente quarante cinquante soixante septante huitante nonante",
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
}
_MONTHS = {
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "en": "January February March April May June July August September October November December",
}
UNITS = {language: names.split() for language, names in _UNITS.items()}
TENS = {language: ["", "", *names.split()] for language, names in _TENS.items()}
MONTHS = {language: names.split() for language, names in _MONTHS.items()}
LANGUAGES = ("fr", "fr", "fr-BE", "fr-CH", "en")
FILLERS = {"fr": ("euh", "oui", "d'accord", "alors"), "en": ("uh", "then", "okay", "and")}


def below_hundred(number: int, language: str) -> str:
    units, tens, one = UNITS[language[:2]], TENS[language], number % 10
    if number < len(units):
        return units[number]
    if language == "en":
        return tens[number // 10] + (f"-{units[one]}" if one else "")
    if language == "fr" and number // 10 in (1, 7, 9):
        rest, head = number % 10 + 10, tens[number // 10]
        joint = "-et-" if number == 71 else "-"
        return (f"{head}{joint}" if head else "") + (units[rest] if rest < 17 else f"dix-{units[rest - 10]}")
    if number < 20:
        return f"dix-{units[number - 10]}"
    if not one:
        return tens[number // 10] + ("s" if tens[number // 10] == "quatre-vingt" else "")
    return tens[number // 10] + (
        "-et-un" if one == 1 and "quatre" not in tens[number // 10] else f"-{units[one]}"
    )


def say(number: int, language: str) -> str:
    """0 to 9999 as one number."""
    if number < 100:
        return below_hundred(number, language)
    french = language != "en"
    for size, name in ((1000, "mille" if french else "thousand"), (100, "cent" if french else "hundred")):
        if number >= size:
            head, rest = divmod(number, size)
            lead = "" if french and head == 1 else say(head, language) + " "
            return f"{lead}{name}" + (f" {say(rest, language)}" if rest else "")
    raise ValueError(number)


def one_by_one(digits: str, language: str, chance: Random) -> list[str]:
    """Digit after digit; in English "oh" and "double"."""
    units, words, at = UNITS[language[:2]], [], 0
    while at < len(digits):
        again = len(digits[at:]) - len(digits[at:].lstrip(digits[at]))
        digit = (
            "oh"
            if language == "en" and digits[at] == "0" and chance.random() < 0.5
            else units[int(digits[at])]
        )
        if language == "en" and again > 1 and chance.random() < 0.5:
            words += ["double" if again == 2 else "triple", digit]
            at += min(again, 3)
        else:
            words.append(digit)
            at += 1
    return words


def group(digits: str, language: str, chance: Random) -> list[str]:
    """A group read as one number, its leading zeros one by one."""
    number = digits.lstrip("0")
    words = one_by_one(digits[: len(digits) - len(number)], language, chance)
    words += say(int(number), language).split() if number else []
    if chance.random() < 0.3:
        words = [part for word in words for part in word.split("-")]
    return words


def speak(digits: str, language: str, chance: Random, sizes: Sequence[int] = ()) -> list[str]:
    """Digits in words: in groups of these sizes, of two, three or four, one by one, or mixed with numerals."""
    style = chance.choice(["single", "groups", "mixed"])
    if style == "single":
        return one_by_one(digits, language, chance)
    sizes = sizes or [chance.choice([2, 2, 3, 4])] * len(digits)
    words: list[str] = []
    for size in sizes:
        part, digits = digits[:size], digits[size:]
        if part and style == "mixed" and chance.random() < 0.4:
            words.append(part)
        elif part:
            words += group(part, language, chance) if size < 5 else speak(part, language, chance)
    return words


def with_fillers(
    groups: Sequence[Sequence[str]], language: str, chance: Random
) -> tuple[list[str], list[int]]:
    """The words, with fillers between the groups, and where those of the groups are."""
    words: list[str] = []
    held: list[int] = []
    for each in groups:
        words += chance.choices(FILLERS[language[:2]], k=chance.choice([0, 0, 0, 1, 2])) if held else []
        held += range(len(words), len(words) + len(each))
        words += each
    return words, held
