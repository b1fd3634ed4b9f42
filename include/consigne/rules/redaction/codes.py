"""Verification codes and expiry dates: by the words around them (French and English), or beside a card."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from consigne.rules.redaction.numerals import UNITS, Hit, Role, Token, runs, words

CODE, EXPIRY, CARD = "code", "expiry", "card"
REACH_AFTER, REACH_BEFORE = 25, 6
MAX_GROUPS, MAX_DIGITS = 12, 8
MIN_YEAR, MAX_YEAR = 20, 49

CODE_WORDS = re.compile(
    r"\b(?:cryptogrammes?|cvv|cvc|csc|cav|pin"
    r"|code (?:de |d |a )?(?:la |ma |votre )?(?:securite|verification|controle|confidentiel|secret|carte|sms|recu)"
    r"|(?:trois|3|quatre|4) chiffres|au (?:dos|verso)|derriere (?:la|ma|votre|sa) carte"
    r"|(?:security|verification|secret|passcode|one time) (?:code|number|value|password)"
    r"|(?:three|3|four|4) digits?|(?:on the|at the) back|back of (?:the|my|your))\b"
)
EXPIRY_WORDS = re.compile(
    r"\b(?:expir[a-z]*|exp|(?:date|fin) de validite|date de fin(?! d)|date de fin de (?:la |ma |votre )?carte|valable jusqu[a-z]*|valide jusqu[a-z]*"
    r"|(?:valid|good) (?:thru|through|until|till|to))\b"
)
MONTHS = words(
    """janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre january february
    march april may june july august september october november december jan feb apr jun jul aug sep sept oct
    nov dec"""
)
NUMBERS = frozenset({Role.DIGITS, Role.NUMBER_WORD})


def find(tokens: Sequence[Token], hits: Sequence[Hit]) -> list[Hit]:
    """Codes and expiry dates within reach of their words, or of a card among the `hits` so far."""
    near_code, near_expiry = _reach(tokens, CODE_WORDS), _reach(tokens, EXPIRY_WORDS)
    near_card = [False] * len(tokens)
    taken = [False] * len(tokens)
    for hit in (h for h in hits if h.kind == CARD):
        _mark(near_card, hit.first - REACH_BEFORE, hit.last + REACH_AFTER)
        _mark(taken, hit.first, hit.last)
    found: list[Hit] = []
    for piece in _pieces(tokens, taken):
        first = piece[0]
        if near_code[first] or near_expiry[first] or near_card[first]:
            found += _judge(tokens, piece, near_code[first], near_expiry[first], near_card[first])
    return found


def _mark(flags: list[bool], first: int, last: int) -> None:
    for index in range(max(0, first), min(len(flags), last + 1)):
        flags[index] = True


def _reach(tokens: Sequence[Token], context: re.Pattern[str]) -> list[bool]:
    """Which tokens lie near a match of the context."""
    starts, length = [], 0
    for token in tokens:
        starts.append(length)
        length += len(token.text) + 1
    near = [False] * len(tokens)
    for match in context.finditer(" ".join(token.text for token in tokens)):
        first, last = bisect_right(starts, match.start()) - 1, bisect_right(starts, match.end() - 1) - 1
        _mark(near, first - REACH_BEFORE, last + REACH_AFTER)
    return near


def _pieces(tokens: Sequence[Token], taken: Sequence[bool]) -> Iterator[list[int]]:
    """Runs of numbers that are free; a month's name begins one."""
    for run in runs(tokens, NUMBERS):
        piece: list[int] = []
        for index in run:
            if taken[index]:
                if piece:
                    yield piece
                piece = []
            else:
                piece.append(index)
        if piece:
            if tokens[piece[0] - 1].text in MONTHS and piece[0] > 0:
                piece.insert(0, piece[0] - 1)
            yield piece


def _judge(
    tokens: Sequence[Token], piece: list[int], near_code: bool, near_expiry: bool, near_card: bool
) -> Iterator[Hit]:
    """What a piece is; as a whole, else stretch by stretch between its fillers."""
    counted = piece[-1] + 1 < len(tokens) and tokens[piece[-1] + 1].text in UNITS
    shaped = [] if counted else _shape([tokens[i] for i in piece], near_code, near_expiry, near_card)
    if shaped:
        for first, last, kind in shaped:
            yield Hit(piece[first], piece[last], kind, "codes", 0.9 if near_code or near_expiry else 0.7)
        return
    cuts = [n for n in range(1, len(piece)) if piece[n] - piece[n - 1] > 1]
    if cuts:
        for start, end in zip([0, *cuts], [*cuts, len(piece)], strict=True):
            yield from _judge(tokens, piece[start:end], near_code, near_expiry, near_card)


def _shape(
    piece: Sequence[Token], near_code: bool, near_expiry: bool, near_card: bool
) -> list[tuple[int, int, str]]:
    """(first, last, kind) within the piece; empty where it is neither a code nor a date."""
    last = len(piece) - 1
    if last >= MAX_GROUPS:
        return []
    if piece[0].text in MONTHS:
        return [(0, last, EXPIRY)] if near_expiry or near_card else []
    if any(token.role is Role.NUMBER_WORD for token in piece):
        fewest = 2 if near_code or near_expiry else 3
        kind = EXPIRY if near_expiry and not near_code else CODE
        return [(0, last, kind)] if fewest <= len(piece) <= MAX_DIGITS else []
    texts = [token.text for token in piece]
    digits = "".join(texts)
    if _is_expiry(texts) and (near_expiry or near_card or "/" in piece[-1].joint):
        return [(0, last, EXPIRY)]
    for cut in range(1, len(texts)):
        if _is_expiry(texts[:cut]) and len("".join(texts[cut:])) in (3, 4):
            return [(0, cut - 1, EXPIRY), (cut, last, CODE)]
        if _is_expiry(texts[cut:]) and len("".join(texts[:cut])) in (3, 4):
            return [(0, cut - 1, CODE), (cut, last, EXPIRY)]
    if 3 <= len(digits) <= (MAX_DIGITS if near_code else 4 if near_card else 0):
        return [(0, last, CODE)]
    glued = near_card and len(digits) in (7, 8) and "01" <= digits[:2] <= "12"
    return [(0, last, EXPIRY)] if glued or (near_expiry and 2 <= len(digits) <= MAX_DIGITS) else []


def _is_expiry(texts: Sequence[str]) -> bool:
    """Month and year, in two groups or one or digit by digit: 6/27, 06 27, 0627, 06 2027."""
    digits = "".join(texts)
    if len(texts) == 2 and len(texts[0]) == 1:
        digits = "0" + digits
    if len(digits) == 6 and digits[2:4] == "20":
        digits = digits[:2] + digits[4:]
    return len(digits) == 4 and "01" <= digits[:2] <= "12" and MIN_YEAR <= int(digits[2:]) <= MAX_YEAR
