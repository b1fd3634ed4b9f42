"""Verification codes, PINs and expiry dates, in numerals or words: by what is asked for, or beside a card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise

from consigne.rules.redaction.asked import CODE, EXPIRY, LINKS, MONTHS, Asked, asked
from consigne.rules.redaction.number_words import ARTICLES, WORDS, Said
from consigne.rules.redaction.numerals import FILLERS, MAX_FILLERS, UNITS, Hit, Role, Token, Tokens, words
from consigne.rules.redaction.readings import walk

CARD = "card"
REACH_OF_CARD, REACH_OF_CARD_FOR_DATES, REACH_OF_CARD_FOR_MONTHS = 12, 25, 60
REACH_BEFORE_CARD, REACH_OF_ECHO = 6, 30
MAX_NUMBERS, MIN_DIGITS, MAX_DIGITS = 12, 3, 8
LONGEST_READING = 10
CODES_OF_CARDS = (3, 4)
MIN_YEAR, MAX_YEAR = 20, 49
ONE_DIGIT_MONTHS = frozenset(str(month) for month in range(1, 10))
DAYS = frozenset(str(day) for day in range(1, 32))
TWO_DIGIT_MONTHS = frozenset(f"{month:02}" for month in range(1, 13))
DATE_LINKS = words("slash barre sur oblique stroke of de en l an annee year point tiret virgule dash")
PASSED = FILLERS | DATE_LINKS
# A number before one of these, or before a plural, is a count.
COUNTED = UNITS | words(
    """rue avenue boulevard chemin allee impasse route quai cours street road lane drive km kg h percent francs
    pence quid bucks people chiffres digits derniers petits seconde secondes seconds semaine semaines week weeks"""
)
NO_PLURALS = words(
    """vous nous mais dans sans sous depuis parfois toujours moins plus this was always has does les des ses
    mes ces nos vos ils elles suis dois vais fais sais pas tres apres alors his yes thanks"""
)
# What a number that nobody asked for belongs to stands before it.
BELONGING = words(
    "of de d des for pour vers around about about at a in en since depuis from was were etait rue"
)
MAGNITUDES = words("hundred hundreds thousand cent cents mille")
NUMBERED = frozenset({"cv", "cvv", "cvc"})
COUNTING = frozenset({("y", "a"), ("there", "are")})


@dataclass(frozen=True, slots=True)
class _Around:
    """What a row of numbers answers, and whether a card stands near enough for a code, for a date."""

    asked: Asked | None
    beside_card: bool
    near_card: bool
    taken: Set[int]

    @property
    def is_asked(self) -> bool:
        """Whether nothing stands between it and what asks for it."""
        return self.asked is not None and self.asked.is_next


def find(tokens: Tokens, hits: Sequence[Hit]) -> list[Hit]:
    """Codes and expiry dates that answer their words, or stand beside a card among the `hits` so far; and those
    found that are said again."""
    cards = [hit for hit in hits if hit.kind == CARD]
    taken = {index for hit in hits for index in range(hit.first, hit.last + 1)}
    found: list[Hit] = []
    said: dict[str, str] = {}
    for row in filter(None, (_uncounted(tokens, row) for row in _rows(tokens, taken))):
        around = _around(tokens, row, cards, found, taken)
        if around:
            found += _judge_row(tokens, row, around, said)
        elif found and row[0] - found[-1].last <= REACH_OF_ECHO:
            found += _again(tokens, row, said)
    return found


def _rows(tokens: Tokens, taken: set[int]) -> Iterator[tuple[int, ...]]:
    """Numbers that are free and follow each other with fillers or a date's links between."""
    row: list[int] = []
    for place in tokens.numbers:
        if _is_in_name(tokens, place):
            continue
        between = tokens.texts[row[-1] + 1 : place] if row else ()
        if row and (place in taken or len(between) > MAX_FILLERS or not PASSED.issuperset(between)):
            yield tuple(row)
            row = []
        if place not in taken:
            row.append(place)
    if row:
        yield tuple(row)


def _is_in_name(tokens: Tokens, place: int) -> bool:
    """The 2 of CV2, the 3 of 3-D Secure."""
    if tokens.texts[place] == "2":
        named = place > 0 and tokens.texts[place - 1] in NUMBERED
        return named and tokens.word(place) == tokens.word(place - 1) and not tokens.joint(place)
    return tokens.texts[place] == "3" and tokens.texts[place + 1 : place + 3] == ["d", "secure"]


def _passes(token: Token) -> bool:
    return token.text in PASSED


def _judge_row(tokens: Tokens, row: tuple[int, ...], around: _Around, said: dict[str, str]) -> list[Hit]:
    """What it is where it says the same twice; as a whole; between its fillers."""
    for cut in range(1, len(row)) if len(row) <= 2 * MAX_NUMBERS else ():
        before, after = _readings(tokens, row[0], row[cut - 1]), _readings(tokens, row[cut], row[-1])
        if not set(before).isdisjoint(after):
            twice = [_judge(tokens, half, around, said) for half in (row[:cut], row[cut:])]
            if all(twice):
                return [*twice[0], *twice[1]]
    whole = _judge(tokens, row, around, said)
    cuts = [place for place in range(1, len(row)) if row[place] - row[place - 1] > 1]
    if whole or not cuts:
        return whole
    parts = (row[start:end] for start, end in pairwise([0, *cuts, len(row)]))
    return [hit for part in parts for hit in _judge(tokens, part, around, said)]


def _around(
    tokens: Tokens, row: tuple[int, ...], cards: Sequence[Hit], found: Sequence[Hit], taken: Set[int]
) -> _Around | None:
    """None where nothing makes it a code or a date."""
    if len(row) == 1 and tokens.texts[row[0]] in ARTICLES:
        return None
    month = _month(tokens, row[0])
    first = row[0] if month is None else month
    hits = [*cards, *found[-1:]]
    gap = min((row[0] - hit.last for hit in hits if hit.last < row[0]), default=REACH_OF_CARD_FOR_MONTHS + 1)
    follows = any(0 < hit.first - row[-1] <= REACH_BEFORE_CARD for hit in hits)
    near = follows or gap <= (REACH_OF_CARD_FOR_DATES if month is None else REACH_OF_CARD_FOR_MONTHS)
    what = asked(tokens, first, row[-1], near)
    if what and what.kind not in (CODE, EXPIRY):
        return None
    if what and not what.is_next and found and found[-1].first > what.named_at:
        what = None  # It was answered.
    if not (what or near):
        return None
    if not (what and what.is_next) and first and tokens.texts[first - 1] in BELONGING - FILLERS:
        return None
    return _Around(what, follows or gap <= REACH_OF_CARD, near, taken)


def _uncounted(tokens: Tokens, row: tuple[int, ...]) -> tuple[int, ...]:
    """A row without what is counted at its end: 12 27 and the three | digits."""
    while row and _counts(tokens, row):
        cut = next(
            (place for place in range(len(row) - 1, 0, -1) if _parts(tokens, row[place - 1], row[place])), 0
        )
        row = row[:cut]
    return row


def _parts(tokens: Tokens, before: int, after: int) -> bool:
    """Whether words part two numbers, but in four hundred and fifty."""
    between = tokens.texts[before + 1 : after]
    return bool(between) and not (between in (["and"], ["et"]) and tokens.texts[before] in MAGNITUDES)


def _counts(tokens: Tokens, row: Sequence[int]) -> bool:
    """Whether it is an amount, a share, a time, or how many there are of something."""
    around = tokens.texts[row[-1] + 1 : row[-1] + 3]
    share = "cent" in (tokens.texts[row[0]], *around[1:]) and "pour" in (
        *around[:1],
        tokens.texts[row[0] - 1],
    )
    return share or not COUNTED.isdisjoint(around[:1]) or any(tokens.joint(i) in (":", ",") for i in row[1:])


def _month(tokens: Tokens, first: int) -> int | None:
    """The token of a month's name before a number: mars 27, march of 27."""
    month = next((i for i in (first - 1, first - 2) if i >= 0 and tokens.texts[i] in MONTHS), None)
    return None if month is None or not PASSED.issuperset(tokens.texts[month + 1 : first]) else month


def _judge(tokens: Tokens, row: tuple[int, ...], around: _Around, said: dict[str, str]) -> list[Hit]:
    """What it is, as a whole or as a date and a code. Remembered in `said`: how it may be read, and its kind."""
    if len(row) > MAX_NUMBERS or _counts(tokens, row):
        return []
    month = _month(tokens, row[0])
    shaped = _shape(tokens, row, around) if month is None else _after_month(tokens, month, row, around)
    if not shaped:
        return _again(tokens, row, said)
    confidence = 0.9 if around.asked else 0.7
    for first, last, kind in shaped:
        said.update(
            (digits, kind)
            for digits in _readings(tokens, max(first, row[0]), last)
            if len(digits) >= MIN_DIGITS
        )
    return [Hit(first, last, kind, "codes", confidence) for first, last, kind in shaped]


def _again(tokens: Tokens, row: tuple[int, ...], said: dict[str, str]) -> list[Hit]:
    kinds = [said[digits] for digits in _readings(tokens, row[0], row[-1]) if digits in said] if said else []
    return [Hit(row[0], row[-1], kinds[0], "codes", 0.7)] if kinds and not _counts(tokens, row) else []


def _readings(tokens: Tokens, first: int, last: int) -> tuple[str, ...]:
    """Every way to read these numbers that is short enough, the fewest pieces first."""

    def step(digits: str, digit: str) -> str | None:
        return digits + digit if len(digits) < LONGEST_READING else None

    def pieces(at: int) -> tuple[Said, ...]:
        return tuple(said for said in tokens[at].said if at + said.tokens <= last + 1) if at <= last else ()

    return tuple(digits for _, end, digits in walk(tokens, first, "", step, pieces, _passes) if end == last)


def _shape(tokens: Tokens, row: tuple[int, ...], around: _Around) -> list[tuple[int, int, str]]:
    """(first, last, kind) of what it holds; empty where it is neither a code nor a date."""
    first, last, kind = row[0], row[-1], around.asked.kind if around.asked else ""
    readings = _readings(tokens, first, last)
    if not readings:
        return []
    loose = not around.is_asked
    counted = loose and _is_counted(tokens, row)
    slash = any("/" in tokens[index].joint for index in row[1:])
    if _is_date(tokens, row) and (kind == EXPIRY or around.near_card or slash):
        return [(first, last, EXPIRY)]
    if slash and kind == EXPIRY and tokens[first].text.lstrip("0") in DAYS and _is_date(tokens, row[1:]):
        return [(first, last, EXPIRY)]
    if kind == CODE and not slash and any(MIN_DIGITS <= len(digits) <= MAX_DIGITS for digits in readings):
        return [] if counted else [(first, last, CODE)]
    for cut in range(1, len(row)):
        left, right = row[:cut], row[cut:]
        for date, code, kinds in ((left, right, (EXPIRY, CODE)), (right, left, (CODE, EXPIRY))):
            if _is_date(tokens, date) and _is_code(tokens, code):
                return [(first, left[-1], kinds[0]), (right[0], last, kinds[1])]
    if slash:
        return []
    if kind == EXPIRY and not loose and any(2 <= len(digits) <= MAX_DIGITS for digits in readings):
        return [(first, last, EXPIRY)]
    digits = readings[0]
    named_thing = first > 0 and tokens[first - 1].role is Role.OTHER and tokens[first - 1].text not in LINKS
    if around.beside_card and len(digits) in CODES_OF_CARDS and not (counted or named_thing):
        return [(first, last, CODE)]
    glued = len(digits) in (7, 8) and digits[:2] in TWO_DIGIT_MONTHS and _is_year(digits[2:4])
    return [(first, last, EXPIRY)] if glued and around.near_card else []


def _after_month(
    tokens: Tokens, month: int, row: tuple[int, ...], around: _Around
) -> list[tuple[int, int, str]]:
    """A year, maybe with a code after it. With a day before the month it is another date, unless asked for."""
    before = tokens.texts[month - 1] if month and month - 1 not in around.taken else ""
    has_day = before in WORDS or (before.isdigit() and len(before) < 3) or _is_day_and_year(tokens, row)
    if has_day and not around.is_asked:
        return []
    if any(map(_is_year, _readings(tokens, row[0], row[-1]))):
        return [(month, row[-1], EXPIRY)]
    for cut in range(1, len(row)):
        if any(map(_is_year, _readings(tokens, row[0], row[cut - 1]))) and _is_code(tokens, row[cut:]):
            return [(month, row[cut - 1], EXPIRY), (row[cut], row[-1], CODE)]
    return []


def _is_day_and_year(tokens: Tokens, row: Sequence[int]) -> bool:
    for cut in range(1, len(row)):
        days, years = _readings(tokens, row[0], row[cut - 1]), _readings(tokens, row[cut], row[-1])
        if not DAYS.isdisjoint(days) and any(len(year) == 4 and year[:2] in ("19", "20") for year in years):
            return True
    return False


def _is_counted(tokens: Tokens, at: Sequence[int]) -> bool:
    """Whether a plural follows, or there "are" so many."""
    before = tuple(token.text for token in tokens[max(0, at[0] - 2) : at[0]])
    follower = tokens[at[-1] + 1] if at[-1] + 1 < len(tokens) else None
    plural = follower and follower.role is Role.OTHER and follower.text[-1:] == "s" and len(follower.text) > 3
    return before in COUNTING or bool(plural and follower and follower.text not in NO_PLURALS)


def _is_code(tokens: Tokens, at: Sequence[int]) -> bool:
    return any(len(digits) in CODES_OF_CARDS for digits in _readings(tokens, at[0], at[-1]))


def _is_date(tokens: Tokens, row: Sequence[int]) -> bool:
    """Month and year: 0627, 06 27, 06 2027; 6 27 where each is a number of its own."""
    if len(row) == 1:
        text = tokens[row[0]].text
        return text[:2] in TWO_DIGIT_MONTHS and _is_year(text[2:])
    for cut in range(1, len(row)):
        months = set(_readings(tokens, row[0], row[cut - 1]))
        years = [digits for digits in _readings(tokens, row[cut], row[-1]) if _is_year(digits)]
        whole = {said.digits for said in tokens[row[cut]].said if row[cut] + said.tokens == row[-1] + 1}
        if years and not months.isdisjoint(TWO_DIGIT_MONTHS):
            return True
        if not months.isdisjoint(ONE_DIGIT_MONTHS) and any(len(year) == 4 or year in whole for year in years):
            return True
    return False


def _is_year(digits: str) -> bool:
    """Two digits, or four from 20 on."""
    short = digits.removeprefix("20") if len(digits) == 4 else digits
    return len(short) == 2 and MIN_YEAR <= int(short) <= MAX_YEAR
