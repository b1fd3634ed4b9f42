"""Letters and digits as people write or spell them: in groups, one by one, by example ("F comme François"),
in a spelling alphabet (NATO, French, Swiss), by a letter's name; numbers in numerals or in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from string import ascii_lowercase

from consigne.rules.redaction.number_words import WORDS, Said
from consigne.rules.redaction.numerals import FILLERS, MAX_FILLERS, Role, Tokens, words

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
# Words of their own, too: letters only where a check decides.
SOUNDS = {
    "be": "b", "ce": "c", "de": "d", "ge": "g", "ache": "h", "ji": "j", "ka": "k", "cu": "q", "air": "r",
    "te": "t", "ve": "v", "see": "c", "gi": "g", "eye": "i", "el": "l", "em": "m", "en": "n", "pe": "p",
    "are": "r", "ar": "r", "es": "s", "tea": "t", "you": "u", "ex": "x", "why": "y",
}  # fmt: skip
NAMES = {
    ("x", "ray"): "x", ("i", "grec"): "y", ("double", "v"): "w", ("double", "ve"): "w", ("double", "u"): "w",
    ("double", "you"): "w",
}  # fmt: skip
STARTS = frozenset(ascii_lowercase) | LETTERS.keys() | SOUNDS.keys()
EXAMPLES = frozenset({"comme", "dans", "for", "as", "in", "like", "pour", "de"})
REMARKS = words(
    "majuscule majuscules capital capitals lettre lettres letter letters grand chiffre chiffres digit digits je note on huh"
)
APOSTROPHES = frozenset({"'", "\u2019"})


def spelled(tokens: Tokens, at: int) -> tuple[Said, ...]:
    """All that may be meant from this token on, numbers and letters. A filler that may be a group of letters is
    in capitals."""
    if at >= len(tokens):
        return ()
    text, said = tokens.texts[at], tokens.said(at)
    if text.isdigit() or not (text and text.isascii()):
        return said
    name = NAMES.get(pair(tokens, at))
    if name:
        said = (*said, Said(2, name))
    if len(text) == 1:
        return said if elided(tokens, at) else (*said, Said(_after_example(tokens, at) - at, text))
    if glued(tokens, at) or glued(tokens, at + 1):
        return (*said, Said(1, text))
    letter = LETTERS.get(text) or SOUNDS.get(text)
    if letter:
        said = (*said, Said(1, letter))
    if len(text) <= MAX_GROUP_LETTERS and text not in WORDS:
        said = (*said, Said(1, text.upper() if text in FILLERS else text))
    return said


def spell(
    tokens: Tokens,
    first: int,
    remarks: frozenset[str],
    is_group: Callable[[int, str], bool],
    longest: int,
) -> Iterator[tuple[str, int]]:
    """Lower-case letters or digits piece by piece from token `first` on, each with its last token: the one
    likeliest way to read them.

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


def glued(tokens: Tokens, at: int) -> bool:
    """Whether nothing stands between this token and the one before: letters and digits of one group."""
    return 0 < at < len(tokens) and not tokens.joint(at) and tokens.word(at) == tokens.word(at - 1)


def _piece(tokens: Tokens, at: int, is_group: bool, longest: int) -> tuple[str, int] | None:
    """What stands here, and the token after it."""
    token = tokens[at]
    text = token.text
    if pair(tokens, at) in NAMES:
        return NAMES[pair(tokens, at)], at + 2
    if token.said and len(text) > (token.role is Role.NUMBER_WORD):
        return token.said[0].digits, at + token.said[0].tokens
    if len(text) == 1:
        return None if elided(tokens, at) else (text, _after_example(tokens, at))
    if glued(tokens, at) or glued(tokens, at + 1):
        return text, at + 1
    if text in LETTERS:
        return LETTERS[text], at + 1
    if 0 < len(text) <= longest and (is_group or token.role is Role.OTHER):
        return text, at + 1
    return None


def pair(tokens: Tokens, at: int) -> tuple[str, str]:
    """A token's text and the next one's."""
    return tokens.texts[at], tokens.texts[at + 1] if at + 1 < len(tokens) else ""


def elided(tokens: Tokens, at: int) -> bool:
    """The c of c'est, the s of that's."""
    return tokens.joint(at) in APOSTROPHES or (at + 1 < len(tokens) and tokens.joint(at + 1) in APOSTROPHES)


def _after_example(tokens: Tokens, at: int) -> int:
    """The token after a letter and its example, if it has one: F comme François, F as in fox, F Foxtrot."""
    letter = tokens.texts[at]
    for end in range(at + 1, min(at + 2 + MAX_EXAMPLE_WORDS, len(tokens))):
        text = tokens.texts[end]
        introduced = end > at + 1
        if text in EXAMPLES:
            continue
        if introduced and NAMES.get(pair(tokens, end)) == letter:
            return end + 2
        if len(text) > 1 and text[0] == letter and (introduced or LETTERS.get(text) == letter):
            return end + 1
        break
    return at + 1
