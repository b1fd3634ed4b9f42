"""Who somebody is: the French social security number (NIR) with its key; e-mail addresses; phone numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from consigne.rules.redaction.asked import OTHER, asked
from consigne.rules.redaction.checked import (
    apart,
    efforts,
    false_starts,
    long_starts,
    near,
    reaches,
    read_checked,
)
from consigne.rules.redaction.number_words import Said
from consigne.rules.redaction.numerals import MAX_FILLERS, UNITS, Hit, Role, Token, Tokens, words
from consigne.rules.redaction.readings import walk
from consigne.rules.redaction.spelling import EXAMPLES, LETTERS, REMARKS, glued

NIR, EMAIL, PHONE = "nir", "email", "phone"

# Sex, year, month (20 and above: not known), department (2A and 2B: Corsica), commune, rank, key.
NIR_LENGTH = 15
DIGITS = frozenset("0123456789")
NIR_ALPHABETS = {0: frozenset("123478"), 6: DIGITS | {"a", "b"}}
NIR_MONTHS = frozenset(f"{month:02}" for month in (*range(1, 13), *range(20, 43), *range(50, 100)))
NIR_MIN_DIGITS, NIR_APART, NIR_MAX_LETTERS = 14, 14, 2
_Nir = tuple[int, int, str]
NIR_REMARKS = REMARKS | words("cle key corse")
NIR_WORDS = frozenset({"securite", "secu", "nir", "insee", "vitale", "immatriculation", "social"})
NIR_REACH = 20

AT_WORDS = words("arobase arobas arrobase arobaze at")
DOT_WORDS = words("point dot")
LINK_WORDS = DOT_WORDS | words("tiret bas underscore dash hyphen moins")
LINKS = frozenset(".-_+")
ENDINGS = words(
    """com fr net org eu io be ch lu ca uk de es it pt nl ie at us info biz pro co me app dev gouv edu gov mc re
    ma dz tn sn ci"""
)
NUMBERS = frozenset({Role.DIGITS, Role.NUMBER_WORD})
MAX_ADDRESS_TOKENS = 24

PHONE_SHAPE = re.compile(
    r"0[1-9][0-9]{7,8}|0[1-378][0-9]{9}"  # France, Belgium, Switzerland; United Kingdom
    r"|(?:00)?(?:330?[1-9][0-9]{8}|320?[1-9][0-9]{7,8}|410?[1-9][0-9]{8}|440?[1-9][0-9]{9}|352[0-9]{6,9})"
    r"|(?:00)?(?:490?[1-9][0-9]{8,10}|34[6-9][0-9]{8}|39[03][0-9]{8,9}|1[2-9][0-9]{9})"
    r"|00[2-9][0-9]{7,13}"
)
PHONE_MIN_DIGITS, PHONE_MAX_DIGITS, PHONE_HEAD_DIGITS = 7, 15, 6
PHONE_WORDS = words(
    """telephone tel portable mobile fixe joindre joignable rappeler rappelle rappelez appeler phone cell call
    callback whatsapp sms"""
)
PHONE_REACH = 10


def find_nir(tokens: Tokens, _hits: Sequence[Hit]) -> list[Hit]:
    """NIRs whose key holds. They stand apart from other numbers, or near their name."""
    found: list[Hit] = []
    effort = efforts(tokens)
    for index in long_starts(tokens, NIR_MIN_DIGITS, NIR_APART):
        if not reaches(tokens, index, NIR_MIN_DIGITS, NIR_MAX_LETTERS, NIR_REMARKS):
            continue
        named = partial(near, tokens, index, NIR_WORDS, NIR_REACH)
        last = read_checked(tokens, index, (0, 0, ""), _step_nir, _is_nir, named, effort, NIR_REMARKS)
        if last is not None and (apart(tokens, index, last) or named()):
            found.append(Hit(index, last, NIR, "nir", 0.9))
    return [*found, *(begun for hit in found for begun in false_starts(tokens, hit))]


def _step_nir(state: _Nir, char: str) -> _Nir | None:
    """How many are read, the number before the key by 97, and the last one read. Corsica's 2A and 2B count as 19
    and 18; the key is 97 less the number by 97."""
    count, rest, before = state
    if count == NIR_LENGTH or char not in NIR_ALPHABETS.get(count, DIGITS):
        return None
    if (count == 4 and before + char not in NIR_MONTHS) or (char > "9" and before != "2"):
        return None
    if count >= NIR_LENGTH - 2:
        holds = count < NIR_LENGTH - 1 or int(before + char) == 97 - rest
        return (count + 1, rest, char) if holds else None
    value = {"a": -1, "b": -2}.get(char)
    return count + 1, (rest * 10 + (int(char) if value is None else value)) % 97, char


def _is_nir(state: _Nir) -> bool:
    return state[0] == NIR_LENGTH


def find_email(tokens: Tokens, _hits: Sequence[Hit]) -> list[Hit]:
    """E-mail addresses, written or read out (jean point dupont arobase exemple point fr)."""
    found: list[Hit] = []
    if AT_WORDS.isdisjoint(tokens.texts) and not any("@" in block.text for block in tokens.blocks):
        return found
    for index, token in enumerate(tokens):
        if token.text in AT_WORDS:
            first, start, sure = index - 1, index + 1, token.text != "at"
        elif "@" in token.joint:
            first, start, sure = index - 1, index, True
        elif index and token.word - tokens[index - 1].word > 1:  # an @ that is a word has no token
            first, start, sure = index - 1, index, False
        else:
            continue
        last = _domain_end(tokens, start, sure)
        if (
            first >= 0
            and last is not None
            and (sure or not any("@" in t.joint for t in tokens[start : last + 1]))
        ):
            found.append(Hit(_name_start(tokens, first), last, EMAIL, "email", 0.9 if sure else 0.7))
    return found


def _domain_end(tokens: Tokens, start: int, sure: bool) -> int | None:
    """Labels and the dots between them, the last label an ending in use; what else follows an @ or its name
    counts as one label."""
    at, end, dotted = start, None, False
    if not sure and start < len(tokens) and tokens[start].role is Role.FILLER:
        return None
    while at < min(len(tokens), start + MAX_ADDRESS_TOKENS):
        token = tokens[at]
        if at > start and token.text in LINK_WORDS:
            dotted = dotted or token.text in DOT_WORDS
            at += 1
            continue
        linked = at > start and (_links(tokens, at) or tokens[at - 1].text in LINK_WORDS)
        if at > start and not linked and not _single(tokens[at - 1]) and token.text not in ENDINGS:
            break
        dotted = dotted or (at > start and "." in token.joint)
        if dotted and token.text in ENDINGS:
            end = at
        at += 1
    return end if end is not None else start if sure and start < len(tokens) else None


def _name_start(tokens: Tokens, last: int) -> int:
    """The first token of what stands before the @: joined by dots and dashes, or spelled."""
    at = last
    while at > max(0, last - MAX_ADDRESS_TOKENS):
        before = tokens[at - 1]
        letter = _letter_of(tokens, at) or _letter_of(tokens, at - 1)
        if letter is not None:
            at = letter
        elif before.text in LINK_WORDS and at > 1:
            at -= 2
        elif _links(tokens, at) or _goes_on(tokens[at], before):
            at -= 1
        else:
            break
    return at


def _letter_of(tokens: Tokens, at: int) -> int | None:
    """The letter that this word is the example of: m comme Marie, m as in Mary."""
    for letter in (at - 2, at - 3):
        between = {token.text for token in tokens[max(0, letter) + 1 : at]}
        if letter >= 0 and tokens[letter].text == tokens[at].text[:1] and between <= EXAMPLES:
            return letter
    return None


def _links(tokens: Tokens, at: int) -> bool:
    """Whether a dot, a dash or nothing joins this token to the one before."""
    return glued(tokens, at) or tokens[at].joint in LINKS


def _goes_on(token: Token, before: Token) -> bool:
    """Whether a letter or number read out goes on from what was read before."""
    return _single(token) and (_single(before) or (token.role in NUMBERS and before.role is Role.OTHER))


def _single(token: Token) -> bool:
    return token.role in NUMBERS or len(token.text) == 1 or token.text in LETTERS


def find_phone(tokens: Tokens, hits: Sequence[Hit]) -> list[Hit]:
    """Phone numbers by their shape (French-speaking Europe, its neighbours, any with 00); after words of
    telephony, any 7 to 15 digits together. They begin and end where a row of numbers pauses."""
    taken = {index for hit in hits for index in range(hit.first, hit.last + 1)}
    found: list[Hit] = []
    free = 0
    for index in long_starts(tokens, PHONE_MIN_DIGITS, MAX_FILLERS + 1):
        if index >= free and index not in taken:
            named = near(tokens, index, PHONE_WORDS, PHONE_REACH)
            last = _phone(tokens, index, named, taken)
            if last is not None and not _is_other(tokens, index):
                found.append(Hit(index, last, PHONE, "phone", 0.9 if named else 0.8))
                free = last + 1
    return found


def _is_other(tokens: Tokens, first: int) -> bool:
    """Whether another thing was named right before."""
    what = asked(tokens, first, first, True)
    return what is not None and what.kind == OTHER


def _phone(tokens: Tokens, first: int, is_named: bool, taken: set[int]) -> int | None:
    """The last token of the longest one that has a shape, else of the longest one if it `is_named`. Readings that
    do not take numbers as long as they may be are no American ones."""
    shaped = long = -1
    for longest in (True, False):

        def pieces(at: int, longest: bool = longest) -> Sequence[Said]:
            said = tokens[at].said if at < len(tokens) and at not in taken else ()
            return said[:1] if longest else said

        for _, last, (head, length) in walk(tokens, first, ("", 0), _step_phone, pieces):
            if last + 1 < len(tokens) and tokens[last + 1].said and last + 1 not in taken:
                continue
            if any(tokens[at].joint == "/" for at in range(first, last + 1)):
                continue
            if (longest or head[0] != "1") and PHONE_SHAPE.fullmatch(head + "0" * (length - len(head))):
                shaped = max(shaped, last)
            elif longest and is_named and length >= PHONE_MIN_DIGITS:
                long = max(long, last)
        if shaped >= 0:
            break
    last = shaped if shaped >= 0 else long
    return last if last >= 0 and not _amount(tokens, last) else None


def _amount(tokens: Tokens, last: int) -> bool:
    return last + 1 < len(tokens) and tokens[last + 1].text in UNITS


def _step_phone(state: tuple[str, int], char: str) -> tuple[str, int] | None:
    """The first digits, and how many there are."""
    head, length = state
    if length == PHONE_MAX_DIGITS:
        return None
    return (head + char if length < PHONE_HEAD_DIGITS else head), length + 1
