"""Bank account numbers: IBAN (ISO 13616), BIC beside one or near its name (ISO 9362), French RIB with its key."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import chain

from consigne.rules.redaction.numerals import Hit, Token, words
from consigne.rules.redaction.spelling import (
    MAX_GROUP_LETTERS,
    REMARKS,
    STARTS,
    apart,
    glued,
    near,
    number_starts,
    spell,
)

IBAN, BIC, RIB = "iban", "bic", "rib"
# The registry's, those of France's territories, and those in use without being registered.
LENGTHS = {
    country: int(line.split()[0])
    for line in """15 no
    16 be
    18 dk fi fk fo gl nl sd
    19 mk si
    20 at ba ee kz lt lu mn xk
    21 ch hr li lv
    22 bg bh cr de gb ge ie me rs va
    23 ae gi il iq om so tl
    24 ad cv cz es md pk ro sa se sk tn vg
    25 ao gw ly mz pt st
    26 dz ir is tr
    27 bi cf cg cm dj fr ga gq gr it km mc mg mr sm td bl gf gp mf mq nc pf pm re tf wf yt
    28 al az bf bj by ci cy do gt hn hu lb ma ml ne ni pl sn sv tg
    29 br eg ps qa ua
    30 jo kw mu ye
    31 mt sc
    32 lc
    33 ru""".splitlines()
    for country in line.split()[1:]
}
LETTERS_FIRST = words(
    "az bg bh by do fk gb ge gi gt hn ie iq jo kw lc lv mt mu ni nl pk ps qa ro sc sv vg ye"
)
PLACES = LENGTHS.keys() | words(
    """ar au bd bm bo bs ca cl cn co ec gg gh hk id im in je jm jp ke kh kr ky lk mo mx my ng nz pa pe ph py re
    rw sg sy th tt tw tz ug us uy uz ve vn za zm zw"""
)
# Two letters with their examples, and fillers, before the check digits.
IBAN_REACH = 20
IBAN_STARTS = STARTS | LENGTHS.keys() | {IBAN + country for country in LENGTHS}
BANK_CODE = range(4, 8)

BIC_WORDS = frozenset({"bic", "swift"})
BIC_LINKS = words(
    "bic swift iban code est c le la de ma sa mon son votre banque is it s the my your bank number numero"
)
BIC_REACH_AFTER, BIC_REACH_BEFORE = 12, 60
BIC_SHAPE = re.compile(r"[a-z]{4}([a-z]{2})[a-z0-9]{2}(?:[a-z0-9]{3})?")
# What a BIC's letters look like and a word's seldom: a pair or no vowel at the end, four consonants.
UNLIKE_A_WORD = re.compile(r".{4}(?:..(.)\1|[^aeiouy0-9]{4})|.*[^aeiouy0-9]{4}|.{8}xxx$")
VOWEL = re.compile("[aeiouy]")

RIB_SHAPE = re.compile(r"([0-9]{5})([0-9]{5})([0-9a-z]{11})([0-9]{2})")
RIB_REMARKS = REMARKS | words("code banque guichet agence numero de du compte cle rib")
RIB_WORDS = frozenset({"rib", "guichet", "compte", "banque"})
RIB_REACH = 12
RIB_DIGITS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "12345678912345678923456789")


def find_iban(tokens: Sequence[Token], _hits: Sequence[Hit]) -> list[Hit]:
    """IBANs of every country's length whose check digits hold (ISO 7064, mod 97-10)."""
    found: list[Hit] = []
    free = 0
    for number in number_starts(tokens):
        for index in range(max(free, number - IBAN_REACH), number):
            last = _iban(tokens, index) if tokens[index].text in IBAN_STARTS else None
            if last is not None:
                found.append(Hit(index, last, IBAN, "iban", 0.95))
                free = last + 1
                break
        free = max(free, number)
    return found


def _iban(tokens: Sequence[Token], first: int) -> int | None:
    """Its last token. A bank's code may be cut into words like any others: where no letters were read in its
    place, they count too."""
    text, last = _read_iban(tokens, first, _at_start)
    if _checks(text):
        return last
    if text[2:4].isdigit() and text[:2] in LETTERS_FIRST and not (text[4:8].isalpha() and len(text) >= 8):
        text, last = _read_iban(tokens, first, _in_bank_code)
    return last if _checks(text) else None


def _at_start(length: int, _word: str) -> bool:
    """IT, IS and NO are countries and fillers."""
    return length == 0


def _in_bank_code(length: int, _word: str) -> bool:
    return length == 0 or length in BANK_CODE


def _read_iban(tokens: Sequence[Token], first: int, is_group: Callable[[int, str], bool]) -> tuple[str, int]:
    """At least as many letters and digits as its country's have, or what was read when it was clear that
    this is none."""
    text, last = "", first
    for piece, end in spell(tokens, first, is_group=is_group):
        text, last = text + (piece if text else piece.removeprefix(IBAN)), end
        country, check = text[:2], text[2:4]
        if len(text) > 1 and (country not in LENGTHS or not (check or "0").isdigit()):
            break
        if len(text) >= LENGTHS.get(country, len(text) + 1):
            break
    return text, last


def _checks(text: str) -> bool:
    if len(text) != LENGTHS.get(text[:2]):
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


def find_bic(tokens: Sequence[Token], hits: Sequence[Hit]) -> list[Hit]:
    """BICs within reach of their name or of an IBAN among the `hits` so far, where they look like no word;
    what follows their name at once, in any case."""
    named = [(index, index) for index, token in enumerate(tokens) if token.text in BIC_WORDS]
    beside = [(hit.first, hit.last) for hit in hits if hit.kind == IBAN]
    around = (range(first - BIC_REACH_BEFORE, last + BIC_REACH_AFTER + 1) for first, last in named + beside)
    found: list[Hit] = []
    for index in sorted(set(chain.from_iterable(around))):
        if 0 <= index < len(tokens) and tokens[index].text not in BIC_WORDS:
            hit = _bic(tokens, index)
            if hit and not any(first <= hit.last and hit.first <= last for first, last in beside):
                found.append(hit)
    return found


def _in_bic(length: int, word: str) -> bool:
    """What would be a filler is a country, or a place (Milan, Madrid)."""
    return (length == 4 and word in PLACES) or (length == 6 and word == "mm")


def _bic(tokens: Sequence[Token], first: int) -> Hit | None:
    text, best, pieces = "", None, []
    for piece, last in spell(tokens, first, BIC_WORDS, _in_bic, longest=11):
        text += piece
        pieces.append(piece)
        if len(text) > 11 or (len(text) > 8 and best and not _branch(text[8:], pieces)):
            break
        if len(text) in (8, 11):
            best = _judge_bic(tokens, first, last, text, pieces) or best
    return best


def _branch(text: str, pieces: Sequence[str]) -> bool:
    """Whether letters after eight others belong to them: spelled like them, or no word."""
    return len(pieces) > 8 or VOWEL.search(text) is None or not text.isalpha()


def _judge_bic(
    tokens: Sequence[Token], first: int, last: int, text: str, pieces: Sequence[str]
) -> Hit | None:
    shape = BIC_SHAPE.fullmatch(text)
    if not shape or shape[1] not in PLACES or any(len(piece) > 7 for piece in pieces[1:]):
        return None
    grouped = all(
        len(tokens[i].text) <= MAX_GROUP_LETTERS or glued(tokens, i) or glued(tokens, i + 1)
        for i in range(first, last + 1)
        if tokens[i].text in pieces
    )
    spelled = all(len(piece) == 1 for piece in pieces)
    if spelled or UNLIKE_A_WORD.match(text) or (grouped and not text[6:8].isalpha()):
        return Hit(first, last, BIC, "bic", 0.9)
    return Hit(first, last, BIC, "bic", 0.7) if first == last and _follows_name(tokens, first) else None


def _follows_name(tokens: Sequence[Token], first: int) -> bool:
    for index in range(first - 1, max(-1, first - 1 - BIC_REACH_AFTER), -1):
        if tokens[index].text in BIC_WORDS:
            return True
        if tokens[index].text not in BIC_LINKS:
            return False
    return False


def find_rib(tokens: Sequence[Token], _hits: Sequence[Hit]) -> list[Hit]:
    """French RIBs (bank 5, branch 5, account 11, key 2) whose key holds, with or without the names of
    their parts. They stand apart from other numbers, or near what names them."""
    found: list[Hit] = []
    for index in number_starts(tokens, 23, RIB_REMARKS):
        last = _rib(tokens, index)
        if last is not None and (apart(tokens, index, last) or near(tokens, index, RIB_WORDS, RIB_REACH)):
            found.append(Hit(index, last, RIB, "rib", 0.9))
    return found


def _rib(tokens: Sequence[Token], first: int) -> int | None:
    text = ""
    for piece, last in spell(tokens, first, RIB_REMARKS):
        text += piece
        if len(text) >= 23:
            return last if _key_holds(text) else None
    return None


def _key_holds(text: str) -> bool:
    parts = RIB_SHAPE.fullmatch(text)
    if not parts:
        return False
    bank, branch, account, key = (int(part.translate(RIB_DIGITS)) for part in parts.groups())
    return (89 * bank + 15 * branch + 3 * account + key) % 97 == 0
