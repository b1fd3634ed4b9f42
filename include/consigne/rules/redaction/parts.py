"""Card numbers that were not heard right: digits wrong, lost or doubled, so that no check holds, where a card's
number was asked for or given.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from consigne.rules.redaction.context import OTHER, About, about
from consigne.rules.redaction.context import runs as number_runs
from consigne.rules.redaction.numerals import FILLERS, MEASURES, MONTHS, Group, Hit, Tokens

KIND, DETECTOR = "card", "parts"
MIN_DIGITS, MIN_PART_DIGITS = 13, 4
MAX_LOST_WORDS, MAX_TOKENS_LOST = 2, 5
REACH_BEYOND = 15
PROOFS = frozenset({"code", "expiry"})
PHONE = re.compile(r"0[1-9][0-9]{8,9}|33[1-9][0-9]{8}")
SURELY, DOUBTFULLY = 0.7, 0.5


def find(tokens: Tokens, hits: Sequence[Hit]) -> list[Hit]:
    """MIN_DIGITS digits or more that no hit holds yet, of which a payment was named last before, or which a code
    or an expiry date follows. Surely where only fillers stand between them, doubtfully where up to
    MAX_LOST_WORDS other words do that may be digits heard wrong."""
    taken = {at for hit in hits for at in range(hit.first, hit.last + 1)}
    proofs = sorted(hit.first for hit in hits if hit.kind in PROOFS)
    left = [free for run in number_runs(tokens) if (free := _unknown(run, taken))]
    found = [
        _hit(run, SURELY) for run in left if _length(run) >= MIN_DIGITS and _is_card(tokens, run, proofs)
    ]
    for chain in _chains(tokens, left):
        if _length(chain) >= MIN_DIGITS and _is_card(tokens, chain, proofs):
            found.append(_hit(chain, DOUBTFULLY))
    return found


def _unknown(run: Sequence[Group], taken: set[int]) -> list[Group]:
    """What is left of a run without what was found, and telephone numbers."""
    breaths: list[list[Group]] = [[]]
    for group in run:
        if breaths[-1] and group.first > breaths[-1][-1].last + 1:
            breaths.append([])
        breaths[-1].append(group)
    unknown = [breath for breath in breaths if not PHONE.fullmatch("".join(group.digits for group in breath))]
    return [group for breath in unknown for group in breath if group.first not in taken]


def _chains(tokens: Tokens, runs: Sequence[list[Group]]) -> Iterator[list[Group]]:
    """Runs shorter than a number that few words part, and none of another thing."""
    chain: list[Group] = []
    parts = 0
    for before, run in pairwise([[], *runs, []]):
        is_long = min(_length(before), _length(run)) >= MIN_PART_DIGITS
        if is_long and _is_lost(tokens.texts[before[-1].last + 1 : run[0].first]):
            chain, parts = chain + run, parts + 1
            continue
        if parts > 1:
            yield chain
        chain, parts = list(run), 1


def _is_lost(texts: Sequence[str]) -> bool:
    lost = [text for text in texts if text not in FILLERS]
    return (
        0 < len(lost) <= MAX_LOST_WORDS
        and len(texts) <= MAX_TOKENS_LOST
        and "" not in lost
        and (MEASURES | MONTHS).isdisjoint(lost)
        and OTHER.isdisjoint(lost)
    )


def _length(groups: Sequence[Group]) -> int:
    return sum(len(group.digits) for group in groups)


def _is_card(tokens: Tokens, groups: Sequence[Group], proofs: Sequence[int]) -> bool:
    first, last = groups[0].first, groups[-1].last
    thing = about(tokens, first, last)
    after = bisect_right(proofs, last)
    follows = after < len(proofs) and proofs[after] <= last + REACH_BEYOND
    return thing is About.PAYMENT or (thing is About.UNKNOWN and follows)


def _hit(groups: Sequence[Group], confidence: float) -> Hit:
    return Hit(groups[0].first, groups[-1].last, KIND, DETECTOR, confidence)
