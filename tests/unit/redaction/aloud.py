"""People reading numbers out: a generator of its own, which knows nothing of the detectors.

Everything is drawn from the `random.Random` given, so that Hypothesis can hold it.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from unit.redaction.speaking import MONTHS, TENS, UNITS

FR_UNITS, EN_UNITS, EN_TENS = UNITS["fr"], UNITS["en"], TENS["en"]
FR_TENS = {2: "vingt", 3: "trente", 4: "quarante", 5: "cinquante", 6: "soixante"}
LANGUAGES = ("fr", "be", "ch", "en")
FILLERS = {
    "fr": ["euh", "alors", "oui", "et puis", "ensuite", "donc", "voilà", "hum", "d'accord", "très bien"],
    "en": ["uh", "then", "yes", "and then", "okay", "right", "um", "got it", "yeah", "so"],
}
CORRECTIONS = {
    "fr": ["non pardon", "non", "pardon", "euh non", "attendez non", "non c'est plutôt", "pardon je répète"],
    "en": ["no sorry", "sorry", "no wait", "no", "correction", "sorry I mean", "no actually"],
}
AGAIN = {
    "fr": ["attendez", "non pardon je répète", "non", "pardon alors", "oui donc je répète"],
    "en": ["wait", "no sorry again", "sorry", "no wait", "okay so again"],
}
NOTES = {
    "fr": [
        "oui",
        "d'accord",
        "très bien",
        "oui allez-y",
        "ok",
        "hm hm",
        "je note la suite",
        "oui je vous écoute",
    ],
    "en": ["yes", "okay", "got it", "go ahead", "right", "uh huh", "I have that much", "yes I am listening"],
}
BEFORE = {
    "fr": ["bonjour", "alors voilà", "je cherche", "un instant s'il vous plaît", "oui bien sûr", "c'est une"],
    "en": ["hello", "okay so here", "let me look", "just one moment please", "sure thing", "it is a"],
}
ASKED = {
    "fr": ["le numéro de votre carte", "par carte bancaire", "ma carte bleue est le", "les seize chiffres"],
    "en": ["your card number please", "by credit card", "my visa is", "the long number on the front"],
}
AFTER = {
    "fr": ["c'est tout", "merci beaucoup", "au revoir madame", "je vous remercie", ""],
    "en": ["that is everything", "thanks a lot", "goodbye now", "my pleasure", ""],
}


def below_100(number: int, language: str) -> list[str]:
    if language == "en":
        tens, unit = divmod(number, 10)
        if number < 20:
            return [EN_UNITS[number]]
        return [EN_TENS[tens], *([EN_UNITS[unit]] if unit else [])]
    if number < 17:
        return [FR_UNITS[number]]
    if number < 20:
        return ["dix", FR_UNITS[number - 10]]
    tens, unit = divmod(number, 10)
    names = dict(FR_TENS)
    if language in ("be", "ch"):
        names |= {7: "septante", 9: "nonante"}
    if language == "ch":
        names[8] = "huitante"
    if tens in names:
        return [names[tens], *(["et", "un"] if unit == 1 else [FR_UNITS[unit]] if unit else [])]
    if tens == 7:
        return ["soixante", *(["et", "onze"] if unit == 1 else below_100(10 + unit, "fr"))]
    if tens == 8:
        return ["quatre", *(["vingt", FR_UNITS[unit]] if unit else ["vingts"])]
    return ["quatre", "vingt", *below_100(10 + unit, "fr")]


def below_10000(number: int, language: str, rng: Random) -> list[str]:
    """100 to 9999 as one number."""
    if language == "en":
        if number >= 1000 and number % 1000 >= 100 and rng.random() < 0.6:
            head, rest = [*below_100(number // 100, "en"), "hundred"], number % 100
        elif number >= 1000:
            head, rest = [EN_UNITS[number // 1000], "thousand"], number % 1000
            if rest >= 100:
                return head + below_10000(rest, "en", rng)
        else:
            head, rest = [EN_UNITS[number // 100], "hundred"], number % 100
        link = ["and"] if rest and rng.random() < 0.5 else []
        return head + (link + below_100(rest, "en") if rest else [])
    thousands, rest = divmod(number, 1000)
    said = [*([FR_UNITS[thousands]] if thousands > 1 else []), "mille"] if thousands else []
    hundreds, rest = divmod(rest, 100)
    if hundreds:
        said += [
            *([FR_UNITS[hundreds]] if hundreds > 1 else []),
            "cents" if hundreds > 1 and not rest else "cent",
        ]
    return said + (below_100(rest, language) if rest else [])


def hyphened(said: list[str], rng: Random, language: str) -> list[str]:
    """As people write it: without hyphens, with all of 1990, or the usual ones."""
    style = rng.choice(["none", "none", "all", "usual"])
    if style == "none" or len(said) < 2:
        return said
    if style == "all" and language != "en":
        return ["-".join(said)]
    joined: list[str] = []
    for word in said:
        big = ("cent", "cents", "mille", "hundred", "thousand", "et", "and")
        before = joined[-1].rsplit("-", 1)[-1] if joined else "et"
        if before not in big and word not in big and joined:
            joined[-1] += "-" + word
        else:
            joined.append(word)
    return joined


def singles(digits: str, rng: Random, language: str) -> list[str]:
    if language != "en":
        return [FR_UNITS[int(digit)] for digit in digits]
    said: list[str] = []
    zero, at = rng.choice(["zero", "oh"]), 0
    while at < len(digits):
        length = next(n for n in (3, 2, 1) if digits[at : at + n] == digits[at] * n)
        if length > 1 and rng.random() < 0.6:
            said.append({2: "double", 3: "triple"}[length])
        else:
            length = 1
        said.append(zero if digits[at] == "0" else EN_UNITS[int(digits[at])])
        at += length
    return said


def as_number(digits: str, rng: Random, language: str) -> list[str]:
    """A group as one number; zeros before it are said."""
    rest = digits.lstrip("0")
    zeros = ["oh" if language == "en" and rng.random() < 0.5 else FR_UNITS[0] if language != "en" else "zero"]
    said = zeros * (len(digits) - len(rest))
    if rest:
        number = int(rest)
        words = below_100(number, language) if number < 100 else below_10000(number, language, rng)
        said = said + hyphened(words, rng, language)
    return said


def chunk(digits: str, rng: Random, language: str, style: str) -> list[str]:
    """A printed group, or a part of one, as words."""
    if style == "numerals":
        return [digits]
    if style == "singles":
        return singles(digits, rng, language)
    if style == "split":
        return [*map(str, digits)]
    size = {"pairs": 2, "threes": 3, "fours": 4}[style]
    return [
        word
        for at in range(0, len(digits), size)
        for word in as_number(digits[at : at + size], rng, language)
    ]


def printed(digits: str) -> list[str]:
    ends = {14: (4, 10, 14), 15: (4, 10, 15)}.get(len(digits), (4, 8, 12, 16, 19))
    return [digits[a:b] for a, b in zip((0, *ends), ends, strict=False) if digits[a:b]]


STYLES = ("singles", "pairs", "threes", "fours", "mixed", "with numerals")


def groups_of(digits: str, style: str) -> list[str]:
    size = {"threes": 3, "fours": 4}.get(style)
    return [digits[at : at + size] for at in range(0, len(digits), size)] if size else printed(digits)


def mistaken(digits: str, rng: Random) -> str:
    """A group with one digit wrong, broken off there or later."""
    at = rng.randrange(len(digits))
    wrong = digits[:at] + rng.choice("0123456789".replace(digits[at], "")) + digits[at + 1 :]
    return wrong[: rng.randint(at + 1, len(digits))]


def chunks(digits: str, rng: Random, language: str, style: str) -> list[list[str]]:
    """What is said in one breath each."""
    groups = groups_of(digits, style)
    if style == "mixed":
        return [chunk(g, rng, language, rng.choice(["singles", "pairs", "fours"])) for g in groups]
    if style == "with numerals":
        return [
            chunk(g, rng, language, rng.choice(["singles", "pairs", "numerals", "split"])) for g in groups
        ]
    return [chunk(g, rng, language, style) for g in groups]


@dataclass(frozen=True)
class Spoken:
    """(speaker, word) in their order; the indices of the words that must not stay."""

    words: list[tuple[str, str]]
    secret: frozenset[int]
    form: str


FORMS = ("plain", "fillers", "again", "corrected", "echoed", "noted", "begun")


def aloud(digits: str, rng: Random, language: str, style: str, form: str, asked: bool) -> Spoken:
    """A number within some talk. Between the parts of one that are noted, the other party speaks."""
    tongue = "en" if language == "en" else "fr"
    words: list[tuple[str, str]] = []
    secret: set[int] = set()

    def say(speaker: str, said: str | list[str], hide: bool = False) -> None:
        for word in said.split() if isinstance(said, str) else said:
            if hide:
                secret.add(len(words))
            words.append((speaker, word))

    say("agent", rng.choice(ASKED[tongue] if asked else BEFORE[tongue]))
    say("caller", rng.choice(BEFORE[tongue][: 5 if form == "plain" else 6]))
    parts = chunks(digits, rng, language, style)
    if form == "begun":
        for part in parts[: rng.randint(1, len(parts) - 1)]:
            say("caller", part)
        say("caller", rng.choice(AGAIN[tongue]))
    special = rng.randrange(len(parts))
    for place, part in enumerate(parts):
        if form == "corrected" and place == special:
            wrong = mistaken(groups_of(digits, style)[place], rng)
            wrong = chunk(
                wrong, rng, language, "singles" if len(wrong) == 1 else rng.choice(["singles", "pairs"])
            )
            say("caller", wrong, hide=True)
            say("caller", rng.choice(CORRECTIONS[tongue]))
        say("caller", part, hide=True)
        if place == len(parts) - 1:
            break
        if form == "fillers" and rng.random() < 0.6:
            say("caller", rng.choice(FILLERS[tongue]))
        if form == "again" and place == special:
            say("caller", rng.choice([*FILLERS[tongue], ""]))
            say("caller", part, hide=True)
        if form == "echoed":
            say("agent", part)
        if form == "noted":
            say("agent", rng.choice(NOTES[tongue]))
    say("agent", rng.choice(AFTER[tongue]))
    return Spoken(words, frozenset(secret), f"{language} {style} {form}")


ISSUED = (
    ("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15), ("36", 14), ("305", 14),
    ("6011", 16), ("65", 16), ("3528", 16), ("3589", 16), ("50", 16), ("67", 16), ("62", 16), ("62", 19), ("9792", 16),
)  # fmt: skip


def holds(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        total += digit if place % 2 == 0 else sum(divmod(2 * digit, 10))
    return total % 10 == 0


def card(rng: Random) -> str:
    prefix, length = rng.choice(ISSUED)
    body = prefix + "".join(str(rng.randrange(10)) for _ in range(length - len(prefix) - 1))
    return next(body + str(last) for last in range(10) if holds(body + str(last)))


OTHER_NAMES = {
    "fr": [
        "mon numéro de commande est le",
        "le numéro de suivi du colis",
        "la référence client c'est",
        "dossier",
        "",
    ],
    "en": [
        "my order number is",
        "the tracking number of the parcel",
        "the customer reference is",
        "case",
        "",
    ],
}
TALK = {
    "fr": [
        "j'en ai commandé deux et il en manque une", "ça fait trois fois que j'appelle en quatre jours",
        "une personne sur deux me répond et les deux autres non", "il y a deux ou trois semaines",
        "quatre personnes dont deux enfants de six et huit ans", "un deux trois test", "au deuxième étage porte cinq",
        "dans un premier temps oui puis dans un second temps non", "le deux ou le trois ça dépend",
    ],
    "en": [
        "I ordered two and one of them is missing", "that is three times in four days that I have called",
        "one or two weeks ago", "four people two of them are six and eight years old", "one two three testing",
        "second floor door five", "oh one more thing for the three of us", "at nine or ten it depends on one of you",
    ],
}  # fmt: skip


def digits_of(rng: Random, length: int) -> str:
    return "".join(str(rng.randrange(10)) for _ in range(length))


def failing(rng: Random, length: int) -> str:
    """Digits that fail Luhn's check."""
    return next(each for each in iter(lambda: digits_of(rng, length), "") if not holds(each))


def number_decoy(rng: Random, language: str, plain: bool) -> list[str]:
    """An order, a parcel, a client: 6 to 22 digits that are no card's, in numerals or words; `plain` where they
    can be read in one way only."""
    digits = failing(rng, rng.choice([6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 16, 17, 18, 20, 22]))
    style = rng.choice(["singles", "whole", "numerals", "split", *([] if plain else STYLES)])
    if style == "whole":
        return [digits]
    size = rng.choice([2, 3, 4, 5])
    groups = [digits[at : at + size] for at in range(0, len(digits), size)]
    if style == "numerals":
        return groups
    if style in ("mixed", "with numerals"):
        styles = (
            ["singles", "pairs", "fours"] if style == "mixed" else ["singles", "pairs", "numerals", "split"]
        )
        return [word for g in groups for word in chunk(g[:4], rng, language, rng.choice(styles))]
    return chunk(digits, rng, language, style)


def phone_decoy(rng: Random, language: str) -> list[str]:
    digits = "0" + str(rng.randrange(1, 10)) + digits_of(rng, 8)
    style = rng.choice(["pairs", "pairs", "singles", "numerals", "whole"])
    if style == "numerals":
        return [digits[at : at + 2] for at in range(0, 10, 2)]
    return [digits] if style == "whole" else chunk(digits, rng, language, style)


def date_decoy(rng: Random, language: str) -> list[str]:
    day, month, year = rng.randint(1, 31), rng.randrange(12), rng.randint(1950, 2030)
    name = MONTHS["en" if language == "en" else "fr"][month]
    if rng.random() < 0.4:
        return [f"{day}/{month + 1}/{year}"] if rng.random() < 0.5 else [str(day), name, str(year)]
    if language == "en":
        said = [*below_100(year // 100, "en"), *below_100(year % 100, "en")] if year % 100 else [str(year)]
        return [name, *below_100(day, "en"), *said]
    return [*below_100(day, language), name, *below_10000(year, language, rng)]


def amount_decoy(rng: Random, language: str) -> list[str]:
    whole, cents = rng.choice([rng.randrange(1, 100), rng.randrange(100, 10000)]), rng.randrange(1, 100)
    units = ("pounds", "pence") if language == "en" else ("euros", "centimes")
    if rng.random() < 0.4:
        return [f"{whole},{cents:02}", units[0]]
    said = below_100(whole, language) if whole < 100 else below_10000(whole, language, rng)
    return [*said, units[0], *(below_100(cents, language) if rng.random() < 0.5 else [])]


def time_decoy(rng: Random, language: str) -> list[str]:
    hour, minute = rng.randrange(1, 24), rng.randrange(60)
    if language == "en":
        return ["at", *below_100(hour, "en"), *below_100(minute, "en")]
    return ["à", *below_100(hour, language), "heures", *(below_100(minute, language) if minute else [])]


def decoy(rng: Random, language: str, plain: bool) -> list[str]:
    """One of them, with what it is called where it would be."""
    tongue = "en" if language == "en" else "fr"
    kind = rng.choice(["number", "number", "number", "phone", "date", "amount", "time"])
    if kind == "number":
        name = rng.choice(OTHER_NAMES[tongue][: -1 if plain else None])
        return [*name.split(), *number_decoy(rng, language, plain)]
    if kind == "phone":
        second = [OTHER_LINK[tongue], *phone_decoy(rng, language)] if rng.random() < 0.3 else []
        return [*PHONE_NAMES[tongue].split(), *phone_decoy(rng, language), *second]
    return {"date": date_decoy, "amount": amount_decoy, "time": time_decoy}[kind](rng, language)


OTHER_LINK = {"fr": "et", "en": "and"}
APART = {"fr": "madame", "en": "listen"}
PHONE_NAMES = {"fr": "rappelez le", "en": "call me on"}


def decoy_call(rng: Random, language: str, plain: bool = False) -> list[tuple[str, str]]:
    """Talk full of numbers, of which none is a card's."""
    tongue = "en" if language == "en" else "fr"
    words: list[tuple[str, str]] = []
    for _ in range(rng.randint(1, 3)):
        words += [("agent", word) for word in rng.choice([*BEFORE[tongue], *NOTES[tongue]]).split()]
        then = f"{APART[tongue]} {rng.choice([*TALK[tongue], *FILLERS[tongue], ''])}"
        said = [*decoy(rng, language, plain), *then.split()]
        words += [("caller", word) for word in said]
    return words
