"""Letters and digits as people write or spell them: in groups, one by one, by example ("F comme François"),
in a spelling alphabet (NATO, French, Swiss), by a letter's name. Digits as numerals only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from string import ascii_lowercase

from consigne.rules.redaction.numerals import MAX_FILLERS, Role, Token, words

MAX_GROUP_LETTERS = 4
MAX_EXAMPLE_WORDS = 3
ALPHABETS = words(
    """alfa alpha bravo charlie delta echo foxtrot golf hotel india juliett juliet juliette kilo lima mike
    november oscar papa quebec romeo sierra tango uniform victor whiskey whisky xray yankee zulu
    anatole berthe celestin desire eugene francois gaston henri irma joseph kleber louis marcel nicolas pierre
    quintal raoul suzanne therese ursule william wagram xavier yvonne zoe
    anna cecile daniel emile gustave ida jeanne louise marie olga paul quittance robert ulysse zurich
    bee cee dee gee jay kay pee queue tee vee zed zede zee"""
)
LETTERS = {word: word[0] for word in ALPHABETS} | {
    "eff": "f", "effe": "f", "aitch": "h", "hache": "h", "ell": "l", "elle": "l", "emme": "m",
    "enne": "n", "cue": "q", "erre": "r", "ess": "s", "esse": "s", "ixe": "x",
}  # fmt: skip
NAMES = {("x", "ray"): "x", ("i", "grec"): "y", ("double", "v"): "w", ("double", "u"): "w"}
STARTS = frozenset(ascii_lowercase) | LETTERS.keys()
EXAMPLES = frozenset({"comme", "dans", "for", "as", "in", "like", "pour", "de"})
REMARKS = frozenset({"majuscule", "capital", "lettre", "letter"})
APOSTROPHES = frozenset({"'", "\u2019"})


def spell(
    tokens: Sequence[Token],
    first: int,
    remarks: frozenset[str] = REMARKS,
    is_group: Callable[[int, str], bool] = lambda _length, _word: False,
    longest: int = MAX_GROUP_LETTERS,
) -> Iterator[tuple[str, int]]:
    """Lower-case letters or digits piece by piece from token `first` on, each with its last token.

    Fillers and `remarks` are passed over; any other word ends it. A word alone is a group of letters up to
    `longest`, unless it is a filler or a number; even then where `is_group(length so far, word)`.
    """
    length, at, gap = 0, first, 0
    while at < len(tokens) and gap <= MAX_FILLERS:
        token = tokens[at]
        read = None if token.text in remarks else _piece(tokens, at, is_group(length, token.text), longest)
        if read:
            text, at = read
            length, gap = length + len(text), 0
            yield text, at - 1
        elif length and (token.role is Role.FILLER or token.text in remarks):
            at, gap = at + 1, gap + 1
        else:
            return


def glued(tokens: Sequence[Token], at: int) -> bool:
    """Whether nothing stands between this token and the one before: letters and digits of one group."""
    return 0 < at < len(tokens) and tokens[at].word == tokens[at - 1].word and not tokens[at].joint


def number_starts(tokens: Sequence[Token], length: int = 0, remarks: frozenset[str] = REMARKS) -> list[int]:
    """Groups of digits that follow none, and have `length` digits or may go on."""
    role = Role.DIGITS
    groups = [index for index, token in enumerate(tokens) if token.role is role]
    starts = [index for index in groups if index == 0 or tokens[index - 1].role is not role]
    return [i for i in starts if len(tokens[i].text) >= length or _may_go_on(tokens, i + 1, remarks)]


def _may_go_on(tokens: Sequence[Token], at: int, remarks: frozenset[str]) -> bool:
    """Quicker than trying: a long word ends what is spelled."""
    if at == len(tokens):
        return False
    text, role = tokens[at].text, tokens[at].role
    if role is not Role.OTHER or len(text) <= MAX_GROUP_LETTERS or text in remarks or text in LETTERS:
        return True
    return glued(tokens, at) or glued(tokens, at + 1)


def apart(tokens: Sequence[Token], first: int, last: int) -> bool:
    """Whether what lies there stands alone: fillers aside, no number before or behind it."""
    sides = range(first - 1, -1, -1), range(last + 1, len(tokens))
    nearest = (next((i for i in side if tokens[i].role is not Role.FILLER), None) for side in sides)
    return not glued(tokens, last + 1) and not any(
        i is not None and tokens[i].role is Role.DIGITS for i in nearest
    )


def near(tokens: Sequence[Token], at: int, context: frozenset[str], reach: int) -> bool:
    """Whether one of the words stands up to `reach` tokens before or after."""
    return any(token.text in context for token in tokens[max(0, at - reach) : at + reach + 1])


def _piece(tokens: Sequence[Token], at: int, is_group: bool, longest: int) -> tuple[str, int] | None:
    """What stands here, and the token after it."""
    token = tokens[at]
    text = token.text
    if token.role is Role.DIGITS:
        return text, at + 1
    if _pair(tokens, at) in NAMES:
        return NAMES[_pair(tokens, at)], at + 2
    if len(text) == 1:
        return None if _elided(tokens, at) else (text, _after_example(tokens, at))
    if glued(tokens, at) or glued(tokens, at + 1):
        return text, at + 1
    if text in LETTERS:
        return LETTERS[text], at + 1
    if 0 < len(text) <= longest and (is_group or token.role is Role.OTHER):
        return text, at + 1
    return None


def _pair(tokens: Sequence[Token], at: int) -> tuple[str, str]:
    return tokens[at].text, tokens[at + 1].text if at + 1 < len(tokens) else ""


def _elided(tokens: Sequence[Token], at: int) -> bool:
    """The c of c'est, the s of that's."""
    joints = {tokens[at].joint} | {token.joint for token in tokens[at + 1 : at + 2]}
    return not joints.isdisjoint(APOSTROPHES)


def _after_example(tokens: Sequence[Token], at: int) -> int:
    """The token after a letter and its example, if it has one: F comme François, F as in fox, F Foxtrot."""
    letter = tokens[at].text
    for end in range(at + 1, min(at + 2 + MAX_EXAMPLE_WORDS, len(tokens))):
        text = tokens[end].text
        introduced = end > at + 1
        if introduced and NAMES.get(_pair(tokens, end)) == letter:
            return end + 2
        if len(text) > 1 and text[0] == letter and (introduced or LETTERS.get(text) == letter):
            return end + 1
        if text not in EXAMPLES:
            break
    return at + 1
