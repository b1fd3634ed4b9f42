"""Who somebody is: the French social security number (NIR) with its key; e-mail addresses; phone numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from consigne.rules.redaction.numerals import Hit, Role, Token, runs, words
from consigne.rules.redaction.spelling import LETTERS, REMARKS, apart, glued, near, number_starts, spell

NIR, EMAIL, PHONE = "nir", "email", "phone"

# Sex, year, month (20 and above: not known), department (2A and 2B: Corsica), commune, rank, key.
NIR_SHAPE = re.compile(
    r"([1-478][0-9]{2}(?:0[1-9]|1[0-2]|2[0-9]|3[0-9]|4[0-2]|[5-9][0-9])(?:[0-9]{2}|2[ab])[0-9]{6})([0-9]{2})"
)
NIR_REMARKS = REMARKS | words("cle key corse")
NIR_WORDS = frozenset({"securite", "secu", "nir", "insee", "vitale", "immatriculation", "social"})
NIR_REACH = 12

AT_WORDS = words("arobase arobas arrobase arobaze at")
DOT_WORDS = words("point dot")
LINK_WORDS = DOT_WORDS | words("tiret bas underscore dash hyphen moins")
LINKS = frozenset(".-_+")
ENDINGS = words(
    """com fr net org eu io be ch lu ca uk de es it pt nl ie at us info biz pro co me app dev gouv edu gov mc re
    ma dz tn sn ci"""
)
MAX_ADDRESS_TOKENS = 24

PHONE_SHAPE = re.compile(
    r"0[1-9][0-9]{7,8}|0[1-378][0-9]{9}"  # France, Belgium, Switzerland; United Kingdom
    r"|(?:00)?(?:330?[1-9][0-9]{8}|320?[1-9][0-9]{7,8}|410?[1-9][0-9]{8}|440?[1-9][0-9]{9}|352[0-9]{6,9})"
    r"|(?:00)?(?:490?[1-9][0-9]{8,10}|34[6-9][0-9]{8}|39[03][0-9]{8,9}|1[2-9][0-9]{9})"
    r"|00[2-9][0-9]{7,13}"
)
NEAR_PHONE_SHAPE = re.compile(r"[0-9]{7,15}")
PHONE_WORDS = words(
    """telephone tel portable mobile fixe joindre joignable rappeler rappelle rappelez appeler phone cell call
    callback whatsapp sms"""
)
PHONE_REACH = 10


def find_nir(tokens: Sequence[Token], _hits: Sequence[Hit]) -> list[Hit]:
    """NIRs whose key holds. They stand apart from other numbers, or near their name."""
    found: list[Hit] = []
    for index in number_starts(tokens, 15, NIR_REMARKS):
        last = _nir(tokens, index)
        if last is not None and (apart(tokens, index, last) or near(tokens, index, NIR_WORDS, NIR_REACH)):
            found.append(Hit(index, last, NIR, "nir", 0.9))
    return found


def _nir(tokens: Sequence[Token], first: int) -> int | None:
    text = ""
    for piece, last in spell(tokens, first, NIR_REMARKS):
        text += piece
        if len(text) >= 15:
            return last if _key_holds(text) else None
    return None


def _key_holds(text: str) -> bool:
    """Key: 97 less the rest of the number by 97, with Corsica's 2A and 2B as 19 and 18."""
    parts = NIR_SHAPE.fullmatch(text)
    if not parts:
        return False
    number = int(parts[1].replace("2a", "19").replace("2b", "18"))
    return 97 - number % 97 == int(parts[2])


def find_email(tokens: Sequence[Token], _hits: Sequence[Hit]) -> list[Hit]:
    """E-mail addresses, written or read out (jean point dupont arobase exemple point fr)."""
    found: list[Hit] = []
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
        if first >= 0 and last is not None:
            found.append(Hit(_name_start(tokens, first), last, EMAIL, "email", 0.9 if sure else 0.7))
    return found


def _domain_end(tokens: Sequence[Token], start: int, sure: bool) -> int | None:
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


def _name_start(tokens: Sequence[Token], last: int) -> int:
    """The first token of what stands before the @: joined by dots and dashes, or spelled."""
    at = last
    while at > max(0, last - MAX_ADDRESS_TOKENS):
        before = tokens[at - 1]
        if before.text in LINK_WORDS and at > 1:
            at -= 2
        elif _links(tokens, at) or _goes_on(tokens[at], before):
            at -= 1
        else:
            break
    return at


def _links(tokens: Sequence[Token], at: int) -> bool:
    """Whether a dot, a dash or nothing joins this token to the one before."""
    return glued(tokens, at) or tokens[at].joint in LINKS


def _goes_on(token: Token, before: Token) -> bool:
    """Whether a letter or number read out goes on from what was read before."""
    return _single(token) and (_single(before) or (token.role is Role.DIGITS and before.role is Role.OTHER))


def _single(token: Token) -> bool:
    return token.role is Role.DIGITS or len(token.text) == 1 or token.text in LETTERS


def find_phone(tokens: Sequence[Token], hits: Sequence[Hit]) -> list[Hit]:
    """Phone numbers by their shape (French-speaking Europe, its neighbours, any with 00); near words of
    telephony, any 7 to 15 digits together."""
    taken = {index for hit in hits for index in range(hit.first, hit.last + 1)}
    found: list[Hit] = []
    for run in runs(tokens):
        free = [index for index in run if index not in taken]
        found += _phones(tokens, free)
    return found


def _phones(tokens: Sequence[Token], run: Sequence[int]) -> Iterator[Hit]:
    start = 0
    while start < len(run):
        parted = start == 0 or run[start] - run[start - 1] > 1
        end, confidence = _phone_end(tokens, run, start) if parted else (None, 0.0)
        if end is not None:
            yield Hit(run[start], run[end], PHONE, "phone", confidence)
        start = start + 1 if end is None else end + 1


def _phone_end(tokens: Sequence[Token], run: Sequence[int], start: int) -> tuple[int | None, float]:
    """The longest that fits from here to where the digits pause; the end of the run near a phone's words."""
    digits, best, end = "", None, None
    for place in range(start, len(run)):
        digits += tokens[run[place]].text
        if len(digits) > 18:
            break
        if place + 1 == len(run) or run[place + 1] - run[place] > 1:
            best = place if PHONE_SHAPE.fullmatch(digits) else best
            end = place if NEAR_PHONE_SHAPE.fullmatch(digits) else end
    if best is not None:
        return best, 0.9
    return (end, 0.7) if near(tokens, run[start], PHONE_WORDS, PHONE_REACH) else (None, 0.0)
