"""Which language a transcript is in: a vote of words that only one of the two has. Cheap, and silent in doubt."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Frequent in one language, rare or unknown in the other (and no name, no letter, no number).
_FR = """
alors au aussi avec avez bonjour ce cela ces cette chez dans depuis des donc du elle est et fait il
ils je la le les leur mais merci mes moi mon ne nous oui ou parce pas peut pour pouvez quand que
quel qui sa se ses sont sur tout très un une veux votre vos vous voudrais ça être
"""
_EN = """
about again and are at be been but can could did do from good have hello help her his how if is it
just know like my need not of please right should so some thank thanks that the them then there they
this to was we were what when where which who will with would yes you your
"""
STOP_WORDS = {"fr": frozenset(_FR.split()), "en": frozenset(_EN.split())}
_WORD = re.compile(r"[a-zà-öø-ÿ]+")
LEAST_VOTES = 10
MAJORITY = 4
"""How many times the other's votes the winner must have: names and loan words vote too."""


def spoken(texts: Iterable[str]) -> str | None:
    """`fr` or `en` where the vote is clear; None otherwise."""
    words = _WORD.findall(" ".join(texts).lower())
    votes = {language: sum(map(known.__contains__, words)) for language, known in STOP_WORDS.items()}
    winner = max(votes, key=lambda language: votes[language])
    others = sum(votes.values()) - votes[winner]
    return winner if votes[winner] >= max(LEAST_VOTES, MAJORITY * others) else None


def contradicts(tag: str, texts: Iterable[str]) -> bool:
    """Whether a call tagged (BCP 47) as one of the two languages is clearly in the other."""
    stated = tag.partition("-")[0]
    return stated in STOP_WORDS and spoken(texts) not in (None, stated)
