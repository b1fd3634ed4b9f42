"""Numbers as people say them and as recognition writes them down: French of France, Belgium and Switzerland,
and English. An independent judge: nothing here comes from the detectors' vocabulary.
"""

from __future__ import annotations

from random import Random


def _list(words: str) -> list[str]:
    return words.split()


FR_UNITS = _list(
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"
)
FR_TENS = {2: "vingt", 3: "trente", 4: "quarante", 5: "cinquante", 6: "soixante"}
OWN_TENS = {
    "fr-FR": {},
    "fr-BE": {7: "septante", 9: "nonante"},
    "fr-CH": {7: "septante", 8: "huitante", 9: "nonante"},
}
EN_UNITS = _list(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen"
)
EN_TENS = _list("? ? twenty thirty forty fifty sixty seventy eighty ninety")
MONTHS = {
    "fr": _list("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
    "en": _list("January February March April May June July August September October November December"),
}


def say(number: int, language: str, draw: Random) -> str:
    """A number below ten thousand in words, compounds hyphenated as spelling has it."""
    return _english(number, draw) if language == "en" else _french(number, language)


def _french(number: int, language: str) -> str:
    if number < 17:
        return FR_UNITS[number]
    if number < 100:
        return _french_tens(number, language)
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        head = "cent" if hundreds == 1 else f"{FR_UNITS[hundreds]} cent" + ("s" if not rest else "")
        return head + (f" {_french(rest, language)}" if rest else "")
    thousands, rest = divmod(number, 1000)
    head = "mille" if thousands == 1 else f"{FR_UNITS[thousands]} mille"
    return head + (f" {_french(rest, language)}" if rest else "")


def _french_tens(number: int, language: str) -> str:
    ten, unit = divmod(number, 10)
    names = FR_TENS | OWN_TENS[language]
    if ten == 1:
        return f"dix-{FR_UNITS[unit]}"
    if ten in names:
        if not unit:
            return names[ten]
        return f"{names[ten]} et un" if unit == 1 else f"{names[ten]}-{FR_UNITS[unit]}"
    if ten in (7, 9):
        unit += 10
        ten -= 1
    head = "soixante" if ten == 6 else "quatre-vingt"
    if not unit:
        return f"{head}s"
    if ten == 6 and unit == 11:
        return "soixante et onze"
    return f"{head}-{_french(unit, language)}"


def _english(number: int, draw: Random) -> str:
    if number < 20:
        return EN_UNITS[number]
    if number < 100:
        ten, unit = divmod(number, 10)
        return EN_TENS[ten] + (f"-{EN_UNITS[unit]}" if unit else "")
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        link = draw.choice((" and ", " "))
        return f"{EN_UNITS[hundreds]} hundred" + (f"{link}{_english(rest, draw)}" if rest else "")
    thousands, rest = divmod(number, 1000)
    link = " and " if 0 < rest < 100 else " "
    return f"{EN_UNITS[thousands]} thousand" + (f"{link}{_english(rest, draw)}" if rest else "")


def one_by_one(digits: str, language: str, draw: Random, twice: bool = False) -> str:
    """Digit by digit; with `twice`, what repeats is doubled and tripled."""
    zero = draw.choice(("zero", "oh", "oh", "nought")) if language == "en" else "zéro"
    said, at = [], 0
    while at < len(digits):
        digit = digits[at]
        word = zero if digit == "0" else (EN_UNITS if language == "en" else FR_UNITS)[int(digit)]
        alike = len(digits[at:]) - len(digits[at:].lstrip(digit))
        if twice and alike >= 2:
            times = min(alike, 3)
            said.append(f"{'double' if times == 2 else 'triple'} {word}")
            at += times
        else:
            said.append(word)
            at += 1
    return " ".join(said)


def as_number(digits: str, language: str, draw: Random) -> str:
    """A group read as a number, its leading zeros one by one; English also cuts it into pairs. Longer groups
    than four digits are read in threes."""
    if len(digits) > 4:
        return f"{as_number(digits[:3], language, draw)} {as_number(digits[3:], language, draw)}"
    zeros = len(digits) - len(digits.lstrip("0"))
    if zeros:
        rest = digits[zeros:]
        said = one_by_one(digits[:zeros], language, draw)
        return said + (f" {as_number(rest, language, draw)}" if rest else "")
    if language == "en" and len(digits) in (3, 4) and draw.random() < 0.6:
        head, tail = digits[:-2], digits[-2:]
        if tail == "00":
            return f"{_english(int(head), draw)} hundred"
        return f"{_english(int(head), draw)} {as_number(tail, language, draw)}"
    return say(int(digits), language, draw)


def written(said: str, style: str) -> list[str]:
    """Words as a transcript holds them: `spelling` (compounds hyphenated), `spaced`, `joined` (the spelling of
    1990: hyphens throughout)."""
    if style == "spaced":
        return said.replace("-", " ").split()
    if style == "joined":
        for link in (" et ", " cent ", " cents", " mille ", " and ", " hundred ", " thousand "):
            said = said.replace(link, link.replace(" ", "-"))
    return said.split()
