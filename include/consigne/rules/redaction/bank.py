"""Bank account numbers: IBAN (ISO 13616), BIC beside one or near its name (ISO 9362), French RIB with its key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from functools import partial
from itertools import accumulate, chain
from string import ascii_lowercase
from typing import NamedTuple

from consigne.rules.redaction.checked import (
    apart,
    efforts,
    false_starts,
    long_starts,
    near,
    reaches,
    read_checked,
)
from consigne.rules.redaction.countries import LAYOUTS, PLACES
from consigne.rules.redaction.number_words import WORDS
from consigne.rules.redaction.numerals import FILLERS, MAX_FILLERS, Hit, Tokens, words
from consigne.rules.redaction.spelling import (
    EXAMPLES,
    LETTERS,
    NAMES,
    REMARKS,
    SOUNDS,
    STARTS,
    glued,
    pair,
    spell,
    spelled,
)

IBAN, BIC, RIB = "iban", "bic", "rib"
# Two letters with their examples, and fillers, before the check digits.
IBAN_REACH = 20
NAMED_COUNTRIES = frozenset(IBAN + country for country in LAYOUTS)
IBAN_STARTS = STARTS | LAYOUTS.keys() | NAMED_COUNTRIES
BETWEEN = FILLERS | REMARKS | EXAMPLES | {"ray", "grec"}
INITIALS = {letter: letter for letter in ascii_lowercase} | SOUNDS | LETTERS
COUNTRY_STARTS = frozenset(country[0] for country in LAYOUTS)
# Of the shortest, whose bank's code is letters; letters by example lie between.
IBAN_MIN_DIGITS, IBAN_APART, IBAN_MAX_LETTERS = 12, 32, 26
IBAN_WORDS = words(
    "iban rib virement prelevement bancaire bancaires banque compte bank account transfer debit"
)
# A country's letters name an account, but where they are words.
COUNTRY_WORDS = SOUNDS.keys() | words("ad al at do il is it la ma me no om se si so")
IBAN_NAME_REACH = 25
_Iban = str | tuple[int, int, int, str]

BIC_WORDS = frozenset({"bic", "swift"})
BIC_LINKS = words(
    "bic swift iban code est c le la de ma sa mon son votre banque is it s the my your bank number numero"
)
BIC_REACH_AFTER, BIC_REACH_BEFORE = 12, 60
# Whole, or the first group: the bank's, or with the country and the place.
BIC_LENGTHS, BIC_HEADS = (8, 11), (4, 6, 8, 11)
BIC_SHAPE = re.compile(r"[a-z]{4}([a-z]{2})[a-z0-9]{2}(?:[a-z0-9]{3})?")
# What a BIC's letters look like and a word's seldom: a pair at the end, four consonants.
UNLIKE_A_WORD = re.compile(r".{6}([^aeiouys])\1(?:$|[^aeiouy]{3}|.*[0-9])|.*[^aeiouy0-9]{4}|.{8}xxx$")
LIKE_A_WORD = re.compile(r".*(?:[^b]e|es|ed|ers?|ents?|ants?|ng|[lrt]y|ons?|al|els|aux|eurs?|ez|ai[st])$")
CALL = re.compile(r"(?!lull).[aeiou](?:ll|ss|nn|tt)")
VOWEL = re.compile("[aeiouy]")

RIB_LENGTH, RIB_ACCOUNT = 23, range(10, 21)
# Few of an account's are letters.
RIB_MIN_DIGITS, RIB_APART = 17, 14
RIB_REMARKS = REMARKS | words("code banque guichet agence numero de du compte cle rib")
RIB_WORDS = frozenset({"rib", "guichet", "compte", "banque"})
RIB_REACH = 20
RIB_DIGITS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "12345678912345678923456789")


def find_iban(tokens: Tokens, _hits: Sequence[Hit]) -> list[Hit]:
    """IBANs of every country's length whose check digits hold (ISO 7064, mod 97-10), spelled in any way."""
    found: list[Hit] = []
    free, effort = 0, efforts(tokens)
    for number in long_starts(tokens, IBAN_MIN_DIGITS, IBAN_APART):
        if not reaches(tokens, number, IBAN_MIN_DIGITS, IBAN_MAX_LETTERS, BETWEEN):
            continue
        starts = [i for i in range(max(free, number - IBAN_REACH), number) if _may_be_head(tokens.texts, i)]
        # IT, IS and NO are words, too: as countries they are the last resort, the nearest first.
        words_too = [i for i in starts if tokens.texts[i] in FILLERS and tokens.texts[i] in LAYOUTS]
        starts = [i for i in starts if i not in words_too] + words_too[::-1]
        free = max(free, number)
        for index in starts:
            last = _iban(tokens, index, effort) if _is_head(tokens, index) else None
            if last is not None:
                found.append(Hit(index, last, IBAN, "iban", 0.95))
                free = last + 1
                break
    return [*found, *(begun for hit in found for begun in false_starts(tokens, hit))]


def _may_be_head(texts: Sequence[str], first: int) -> bool:
    """Whether a country may begin there: its letters, with a number or its other letter behind it."""
    if texts[first] not in IBAN_STARTS:
        return False
    letter, group = INITIALS.get(texts[first], ""), texts[first] in LAYOUTS
    if texts[first] in NAMED_COUNTRIES:
        return True
    for text in texts[first + 1 : first + 2 + MAX_FILLERS]:
        if letter + INITIALS.get(text, "") in LAYOUTS or (group and (text in WORDS or text.isdigit())):
            return True
        if text not in BETWEEN and text[:1] != texts[first][:1]:
            return False
    return False


def _is_head(tokens: Tokens, first: int) -> bool:
    return tokens.texts[first] in NAMED_COUNTRIES or _spells_country(tokens, first)


def _spells_country(tokens: Tokens, first: int) -> bool:
    for said in spelled(tokens, first):
        for at in range(first + said.tokens, min(len(tokens), first + said.tokens + MAX_FILLERS)):
            heads = (said.digits + following.digits for following in spelled(tokens, at))
            if any(head[:2].lower() in LAYOUTS and (head + "0")[2].isdigit() for head in heads):
                return True
            if tokens.texts[at] not in FILLERS and tokens.texts[at] not in REMARKS:
                break
    return False


def _iban(tokens: Tokens, first: int, effort: Iterator[int]) -> int | None:
    """Its last token."""
    text = tokens.texts[first]
    glued_name = text in NAMED_COUNTRIES
    start: _Iban = text.removeprefix(IBAN) if glued_name else ""

    def is_named() -> bool:
        return text not in COUNTRY_WORDS or near(tokens, first, IBAN_WORDS, IBAN_NAME_REACH)

    return read_checked(tokens, first + glued_name, start, _step_iban, _is_iban, is_named, effort)


def _step_iban(state: _Iban, char: str) -> _Iban | None:
    """Its country and check digits; then (how many more are read, their number by 97, what that must be, country).
    A filler, which is in capitals, may be a country and a bank's code."""
    letter = char.lower()
    if isinstance(state, str):
        return _step_head(state + letter)
    count, rest, wanted, country = state
    layout = LAYOUTS[country]
    if count == len(layout) or not (
        char.isdigit() or layout[count] == "a" or (layout[count] == "c" and char == letter)
    ):
        return None
    value = int(letter, 36)
    rest = (rest * (100 if value > 9 else 10) + value) % 97
    return None if count + 1 == len(layout) and rest != wanted else (count + 1, rest, wanted, country)


def _step_head(head: str) -> _Iban | None:
    country, check = head[:2], head[2:]
    if len(head) < 3:
        return head if head in (LAYOUTS if len(head) == 2 else COUNTRY_STARTS) else None
    if not check.isdigit():
        return None
    if len(check) < 2:
        return head
    # They are moved behind the rest, which makes 1 by 97 with them.
    moved = int(f"{int(country[0], 36)}{int(country[1], 36)}{check}")
    return 0, 0, (1 - moved) * pow(10**6, -1, 97) % 97, country


def _is_iban(state: _Iban) -> bool:
    return isinstance(state, tuple) and state[0] == len(LAYOUTS[state[3]])


class _Telling(NamedTuple):
    """Where BICs are named, and where IBANs begin and end."""

    names: frozenset[int]
    ibans: frozenset[int]


def find_bic(tokens: Tokens, hits: Sequence[Hit]) -> list[Hit]:
    """BICs within reach of their name or of an IBAN among the `hits` so far: one written token, or spelled letter
    by letter; in groups (BNPA FR PP) right after what tells them. Words of a sentence make none."""
    beside = [(hit.first, hit.last) for hit in hits if hit.kind == IBAN]
    if not beside and BIC_WORDS.isdisjoint(tokens.texts):
        return []
    named = [(index, index) for index, text in enumerate(tokens.texts) if text in BIC_WORDS]
    around = (range(first - BIC_REACH_BEFORE, last + BIC_REACH_AFTER + 1) for first, last in named + beside)
    telling = _Telling(frozenset(index for index, _ in named), frozenset(chain.from_iterable(beside)))
    found: list[Hit] = []
    for index in sorted(set(chain.from_iterable(around)) & set(range(len(tokens)))):
        if _may_begin_bic(tokens, index):
            hit = _bic(tokens, index, telling)
            if hit and not any(first <= hit.last and hit.first <= last for first, last in beside):
                found.append(hit)
    return found


def _may_begin_bic(tokens: Tokens, first: int) -> bool:
    text = tokens.texts[first]
    if len(text) == 1 or text in LETTERS or pair(tokens, first) in NAMES:
        return True
    if text in BIC_LINKS or not text:
        return False
    return len(text) in BIC_HEADS or glued(tokens, first + 1)


def _in_bic(length: int, word: str) -> bool:
    """What would be a filler is a country, or a place (Milan, Madrid)."""
    return (length == 4 and word in PLACES) or (length == 6 and word == "mm")


def _bic(tokens: Tokens, first: int, telling: _Telling) -> Hit | None:
    text, best, pieces = "", None, []
    for piece, last in spell(tokens, first, BIC_WORDS, _in_bic, longest=11):
        text += piece
        pieces.append(piece)
        if len(text) > 11 or (len(text) > 8 and best and not _branch(text[8:], pieces)):
            break
        if len(text) in BIC_LENGTHS:
            best = _judge_bic(tokens, first, last, text, pieces, telling) or best
    return best


def _branch(text: str, pieces: Sequence[str]) -> bool:
    """Whether letters after eight others belong to them: spelled like them, or no word."""
    return len(pieces) > 8 or VOWEL.search(text) is None or not text.isalpha()


def _judge_bic(
    tokens: Tokens, first: int, last: int, text: str, pieces: Sequence[str], telling: _Telling
) -> Hit | None:
    shape = BIC_SHAPE.fullmatch(text)
    if not shape or shape[1] not in PLACES:
        return None
    if all(len(piece) == 1 or piece.isdigit() for piece in pieces):
        return Hit(first, last, BIC, "bic", 0.9)
    unlike_a_word = UNLIKE_A_WORD.match(text) or not text[6:8].isalpha()
    written = all(glued(tokens, at) for at in range(first + 1, last + 1))
    if written and unlike_a_word:
        return Hit(first, last, BIC, "bic", 0.9)
    if written:
        named = not LIKE_A_WORD.match(text) and _leads(tokens, _before(first), telling.names)
    else:
        cuts = {*accumulate(map(len, pieces))}
        is_joined = tokens.word(first) == tokens.word(last)
        is_cut = {4, 8} <= cuts and (6 in cuts or is_joined or not CALL.match(text, 4))
        named = bool(
            is_cut and unlike_a_word and _is_beside(tokens, first, last, telling.names | telling.ibans)
        )
    return Hit(first, last, BIC, "bic", 0.7) if named else None


def _is_beside(tokens: Tokens, first: int, last: int, telling: Set[int]) -> bool:
    after = range(last + 1, min(len(tokens), last + 1 + BIC_REACH_AFTER))
    return any(_leads(tokens, side, telling) for side in (_before(first), after))


def _before(first: int) -> range:
    return range(first - 1, max(-1, first - 1 - BIC_REACH_AFTER), -1)


def _leads(tokens: Tokens, side: range, telling: Set[int]) -> bool:
    for index in side:
        if index in telling:
            return True
        if tokens.texts[index] not in BIC_LINKS:
            return False
    return False


def find_rib(tokens: Tokens, hits: Sequence[Hit]) -> list[Hit]:
    """French RIBs (bank 5, branch 5, account 11, key 2) whose key holds, with or without the names of
    their parts, but in an IBAN. They stand apart from other numbers, or near what names them."""
    found: list[Hit] = []
    effort = efforts(tokens)
    ibans = [range(hit.first, hit.last + 1) for hit in hits if hit.kind == IBAN]
    for index in long_starts(tokens, RIB_MIN_DIGITS, RIB_APART):
        if any(index in iban for iban in ibans) or not reaches(
            tokens, index, RIB_MIN_DIGITS, len(RIB_ACCOUNT), RIB_REMARKS
        ):
            continue
        named = partial(near, tokens, index, RIB_WORDS, RIB_REACH)
        last = read_checked(tokens, index, (0, 0), _step_rib, _is_rib, named, effort, RIB_REMARKS)
        if last is not None and (apart(tokens, index, last) or named()):
            found.append(Hit(index, last, RIB, "rib", 0.9))
    return [*found, *(begun for hit in found for begun in false_starts(tokens, hit))]


def _step_rib(state: tuple[int, int], char: str) -> tuple[int, int] | None:
    """How many are read, and their number by 97 (which is 0 with the key); letters of the account are digits."""
    count, rest = state
    if count == RIB_LENGTH or not (char.isdigit() or (char.islower() and count in RIB_ACCOUNT)):
        return None
    return count + 1, (rest * 10 + int(char.translate(RIB_DIGITS))) % 97


def _is_rib(state: tuple[int, int]) -> bool:
    return state == (RIB_LENGTH, 0)
