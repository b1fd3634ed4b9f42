"""One matter of a call: a number that must go, or one that must stay, in the sentences around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from corpus import letters, numbers, values
from corpus.readings import (
    ALL_FORMS,
    IN_ONE_WORD,
    TURNS,
    Group,
    Reader,
    Said,
    cut,
    read_number,
    take_turns,
)
from corpus.talk import ASKED, DECOYS

# How many of a card's sentences name the card; the others give no context.
NAMED_CARDS = 5
LIGHT_TURNS = ("plain", "plain", "plain", "fillers", "answered", "speakers")
OTHER = {"a": "c", "c": "a"}
WORDS_FORMS = ("words_one", "words_pairs", "words_threes", "words_fours", "words_mixed")


@dataclass(frozen=True, slots=True)
class Topic:
    """`said` are (speaker, word) in order. `kind` is the label's, or the decoy's."""

    kind: str
    form: str
    turn: str
    said: tuple[tuple[str, Said], ...] = field(repr=False)
    is_decoy: bool = False
    keys: str = field(default="", repr=False)


def expand(sentence: str, slots: Sequence[Sequence[Said]], reader: Reader) -> tuple[tuple[str, Said], ...]:
    """A sentence of `talk` with the numbers in their places."""
    said: list[tuple[str, Said]] = []
    left = iter(slots)
    for line in sentence.split("|"):
        speaker, _, text = line.strip().partition(": ")
        for word in text.split():
            words = next(left) if word == "{}" else reader.words(word)
            said += [(OTHER[speaker] if one.other else speaker, one) for one in words]
    return tuple(said)


def _ask(
    kind: str,
    reader: Reader,
    said: Sequence[Said],
    label: str,
    form: str,
    turn: str = "plain",
    first: int = 99,
) -> Topic:
    """One of the first sentences that ask for it; where it holds the number twice, somebody repeats it."""
    sentence = reader.draw.choice(ASKED[kind][reader.speech][:first])
    return Topic(label, form, turn, expand(sentence, [said] * sentence.count("{}"), reader))


def card(reader: Reader, ask: str = "card") -> Topic:
    draw = reader.draw
    number = values.card(draw)
    printed = values.PRINTED.get(len(number), (4, 4, 4, 4))
    forms = [f for f in ALL_FORMS if f != "words_double" or reader.speech == "en"]
    form = draw.choice(forms)
    fate = draw.random()
    if fate < 0.1:
        said = read_number(reader, values.mangled(draw, number), form, "plain", printed)
        return _ask("card", reader, said, "card", form, "mangled", NAMED_CARDS)
    turn = "plain" if fate < 0.45 else draw.choice(("confirmed",) if form in IN_ONE_WORD else TURNS)
    return _ask(ask, reader, read_number(reader, number, form, turn, printed), "card", form, turn)


def code(reader: Reader, ask: str = "code") -> Topic:
    draw = reader.draw
    if ask == "code" and draw.random() < 0.2:
        number = values.digits(draw, draw.choice((4, 6, 6)))
        form = draw.choice(("whole", "single", "words_one", "words_pairs"))
        return _ask("sms", reader, read_number(reader, number, form, "plain"), "code", form)
    number = values.digits(draw, draw.choice((3, 3, 3, 4)))
    form = draw.choice(("whole", "whole", "single", "words_one", "words_fours", "words_pairs"))
    return _ask(ask, reader, read_number(reader, number, form, "plain"), "code", form)


def pin(reader: Reader) -> Topic:
    form = reader.draw.choice(("whole", "single", "pairs", "words_one", "words_pairs", "words_fours"))
    number = values.digits(reader.draw, 4)
    return _ask("pin", reader, read_number(reader, number, form, "plain"), "pin", form)


def expiry(reader: Reader, ask: str = "expiry") -> Topic:
    draw, language = reader.draw, reader.language
    month, year = draw.randint(1, 12), draw.randint(26, 34)
    name = numbers.MONTHS[reader.speech][month - 1]
    form = draw.choice(("slash", "pair", "name_year", "words", "name_words"))
    if form == "slash":
        year = draw.choice((year, 2000 + year))
        said: Group = (Said(f"{month:02d}/{year}", reader.pieces(f"{month}{year}"), "value"),)
    elif form == "pair":
        said = (*reader.read(f"{month:02d}", "pairs"), *reader.read(str(year), "pairs"))
    elif form == "name_year":
        said = (*reader.words(name, "value"), *reader.read(str(draw.choice((year, 2000 + year))), "printed"))
    else:
        spoken = numbers.say(year, language, draw)
        if draw.random() < 0.3:
            spoken = ("deux mille " if reader.speech == "fr" else "twenty ") + spoken
        head = name if form == "name_words" else numbers.as_number(f"{month:02d}"[draw.randint(0, month < 10) :],
                                                                     language, draw)  # fmt: skip
        said = reader.words(f"{head} {spoken}", "value")
    return _ask(ask, reader, said, "expiry", form)


def iban(reader: Reader) -> Topic:
    draw, number = reader.draw, values.iban(reader.draw)
    form = draw.choice(("printed", "printed", "whole", "lower", "spelled", "spelled_words", "spelled_words"))
    if form in ("printed", "whole", "lower"):
        text = number.lower() if form == "lower" else number
        turn = draw.choice(LIGHT_TURNS) if form != "whole" else "plain"
        groups = cut(text, "whole" if form == "whole" else "printed", draw)
        said = take_turns(reader, [(group, "letters") for group in groups], turn)
        return _ask("iban", reader, said, "iban", form, turn)
    style, turn = draw.choice(letters.STYLES), draw.choice(("plain", "fillers", "answered"))
    digits = (
        draw.choice(WORDS_FORMS) if form == "spelled_words" else draw.choice(("printed", "pairs", "single"))
    )
    said = []
    for place, run in enumerate(_runs(number)):
        if run.isdigit():
            # The check digits are a group of their own.
            groups = [run[:2], *cut(run[2:], digits, draw)] if place == 1 else cut(run, digits, draw)
            said += take_turns(reader, [(group, digits) for group in groups], turn)
        else:
            said += reader.spelled(run, style)
    return _ask("iban", reader, said, "iban", f"{form}_{style}", turn)


def _runs(text: str) -> list[str]:
    """Letters and digits apart."""
    runs: list[str] = []
    for char in text:
        if runs and runs[-1].isdigit() == char.isdigit():
            runs[-1] += char
        else:
            runs.append(char)
    return runs


def bic(reader: Reader) -> Topic:
    text = reader.draw.choice(values.BICS)
    style = reader.draw.choice(("whole", "whole", "lower", *letters.STYLES))
    if style in ("whole", "lower"):
        said: Group = reader.read(text.lower() if style == "lower" else text, "letters")
    else:
        said = reader.spelled(text, style)
    return _ask("bic", reader, said, "bic", style)


def rib(reader: Reader) -> Topic:
    draw = reader.draw
    parts = values.rib(draw)
    form = draw.choice(("printed", "whole", "named", "words_one", "words_pairs", "named_words"))
    if form == "whole":
        return _ask("rib", reader, reader.read("".join(parts), "letters"), "rib", form)
    read_as = {"printed": "whole", "named": "whole", "named_words": draw.choice(("words_one", "words_pairs"))}
    named = form.startswith("named")
    said: list[Said] = []
    for name, part in zip(("code banque", "code guichet", "numéro de compte", "clé"), parts, strict=True):
        said += reader.words(name, "loose") if named else ()
        said += read_number(reader, part, read_as.get(form, form), "plain")
    return _ask("rib", reader, said, "rib", form)


def nir(reader: Reader) -> Topic:
    draw, parts = reader.draw, values.nir(reader.draw)
    form = draw.choice(("printed", "printed", "whole", "words_fours", "words_one", "numerals_and_words"))
    if form == "whole":
        said = [*reader.read("".join(parts[:-1]), "letters"), *reader.read(parts[-1], "letters")]
        return _ask("nir", reader, said, "nir", form)
    turn = draw.choice(("plain", "plain", "fillers", "answered"))
    groups = [(part, "letters" if form == "printed" else form) for part in parts]
    return _ask("nir", reader, take_turns(reader, groups, turn), "nir", form, turn)


def email(reader: Reader) -> Topic:
    draw, french = reader.draw, reader.speech == "fr"
    name = draw.choice(("jean", "marie", "paul", "claire", "tom", "anna"))
    family = draw.choice(("dupont", "martin", "leroy", "smith", "moreau", "keller"))
    link = draw.choice((".", ".", "-", "_", ""))
    number = draw.choice(("", "", "42", "7", "1985"))
    domain, ending = (
        draw.choice(("exemple", "orange", "gmail", "example", "laposte")),
        draw.choice(("fr", "com", "net")),
    )
    form = draw.choice(("written", "read_out", "spelled"))
    if form == "written":
        text = f"{name}{link}{family}{number}@{domain}.{ending}"
        return _ask("email", reader, reader.read(text, "letters"), "email", form)
    names = {".": "point" if french else "dot", "-": "tiret" if french else "dash",
             "_": "underscore", "": ""}  # fmt: skip
    first = " ".join(name) if form == "spelled" else name
    middle = names[link] or names["."]
    at = "arobase" if french else "at"
    text = f"{first} {middle} {family} {number} {at} {domain} {names['.']} {ending}"
    return _ask("email", reader, reader.words(text, "value"), "email", form)


def phone(reader: Reader, is_decoy: bool = False) -> Topic:
    draw = reader.draw
    digits = values.digits(draw, 10)
    number, sizes = {
        "fr-FR": ("0" + draw.choice("123456789") + digits[:8], (2, 2, 2, 2, 2)),
        "fr-BE": ("04" + draw.choice("6789") + digits[:7], (4, 2, 2, 2)),
        "fr-CH": ("07" + draw.choice("6789") + digits[:7], (3, 3, 2, 2)),
        "en": ("07" + draw.choice("345789") + digits[:8], (5, 6)),
    }[reader.language]
    form = draw.choice(("printed", "whole", "pairs", "plus", "words_pairs", "words_one"))
    if form == "plus":
        country = {"fr-FR": "33", "fr-BE": "32", "fr-CH": "41", "en": "44"}[reader.language]
        said = [Said(f"+{country}", reader.pieces(country), "value")]
        said += read_number(reader, number[1:], "printed", "plain", (sizes[0] - 1, *sizes[1:]))
    else:
        said = read_number(reader, number, form, "plain", sizes)
    topic = _ask("phone", reader, said, "phone", form)
    return as_decoy(topic) if is_decoy else topic


def as_decoy(topic: Topic) -> Topic:
    """What its profile doesn't ask to find stays."""
    said = tuple((who, replace(word, part="decoy") if word.part else word) for who, word in topic.said)
    return replace(topic, said=said, is_decoy=True)


def checkout(reader: Reader) -> tuple[Topic, ...]:
    """Card, expiry and code in one breath, in this order or with the code first."""
    said = card(reader, "card_next"), expiry(reader, "expiry_next"), code(reader, "code_next")
    return said if reader.draw.random() < 0.8 else (said[0], said[2], said[1])


def decoy(reader: Reader, kind: str) -> Topic:
    draw = reader.draw
    forms = ("whole", "printed", "single", "words_one", "words_pairs", "words_threes", "words_fours")
    form = draw.choice(forms)
    if kind in ("order", "customer", "tracking", "contract", "siret"):
        said = [read_number(reader, _reference(draw, kind), form, "plain")]
    else:
        form, texts = _everyday(reader, kind)
        said = [[*reader.words(text, "decoy")] for text in texts]
    topic = Topic(kind, form, "plain", expand(draw.choice(DECOYS[kind][reader.speech]), said, reader))
    return as_decoy(topic)


def _reference(draw: Random, kind: str) -> str:
    if kind == "siret":
        # A SIRET passes Luhn's check by law; its beginnings here are no card issuer's of 14 digits.
        number = draw.choice("4578") + values.digits(draw, 12)
        return next(number + d for d in "0123456789" if values.luhn(number + d))
    low, high = {"order": (5, 10), "customer": (6, 12), "tracking": (11, 18), "contract": (13, 19)}[kind]
    return values.decoy(draw, draw.randint(low, high))


def _everyday(reader: Reader, kind: str) -> tuple[str, list[str]]:
    """Amounts, dates, hours, places and counts, in numerals or words."""
    draw, french, spoken = reader.draw, reader.speech == "fr", reader.draw.random() < 0.5
    form = "words" if spoken else "numerals"

    def say(number: int) -> str:
        return numbers.say(number, reader.language, draw) if spoken else str(number)

    if kind == "amount":
        cents = draw.choice((0, 0, draw.randint(1, 99)))
        unit = ("euros", "francs")[reader.language == "fr-CH"] if french else "pounds"
        whole = say(draw.randint(3, 2500))
        return form, [f"{whole} {unit}" + (f" {say(cents)}" if cents else "")]
    if kind == "date":
        day, month, year = draw.randint(2, 28), draw.randint(1, 12), draw.randint(1940, 2026)
        if not spoken and draw.random() < 0.5:
            return "slash", [f"{day:02d}/{month:02d}/{year}"]
        said_year = str(year) if not spoken else numbers.as_number(str(year), reader.language, draw)
        name = numbers.MONTHS[reader.speech][month - 1]
        return form, [f"{say(day)} {name} {said_year}" if french else f"{name} {say(day)} {said_year}"]
    if kind == "time":
        hour, minute = draw.randint(7, 20), draw.choice((0, 15, 30, 45))
        link = "heures" if french else ""
        return form, [f"{say(hour)} {link} {say(minute) if minute else ''}"]
    if kind == "postcode":
        return "numerals", [str(draw.randint(1, 150)), f"69{values.digits(draw, 3)}" if french else "M4 5DE"]
    return form, [say(draw.randint(2, 60)), say(draw.randint(2, 900))]


def keyed(reader: Reader) -> Topic:
    """Keys pressed on the telephone; what stands in their place in the talk is no word."""
    draw = reader.draw
    keys = "".join(draw.choices("0123456789", k=draw.randint(3, 10))) + draw.choice(("#", "", "*"))
    form = draw.choice(("alone", "alone", "under_speech", "in_noise"))
    marker = Said("", (), "keys")
    return replace(_ask("tone", reader, (marker,), "tone", form), keys=keys)
