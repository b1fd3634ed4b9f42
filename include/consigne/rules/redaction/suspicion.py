"""Masks that may be missing, looked for by other means than those that made them.

Judged is what is left: the masked transcript, and the sound outside the masks. What is suspicious is kept back,
since nobody can look without hearing it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from consigne.rules.audio.pcm import Audio
from consigne.rules.recording import Transcript
from consigne.rules.redaction import tones
from consigne.rules.redaction.rereading import (
    MAX_RUN,
    NUMBER_WORDS,
    Number,
    Reading,
    contiguous,
    numbers,
    read,
    vocabulary,
)
from consigne.rules.redaction.spans import Kind, Span, merge
from consigne.rules.redaction.unwritten import speaks

ANSWER_MS = 30_000
KEYING_MS = 30_000
NUMBER_MS = 30_000
MAX_APART, MAX_APART_IN_ANSWER = 12, 4
MIN_ANSWER_DIGITS = 9
CONTEXT_REACH = 60
NAME_REACH = 8
NEGATION_REACH_BEFORE, NEGATION_REACH_AFTER = 8, 4
SILENT_WORDS_MS = 2_500
MIN_KEYS = 2
MAX_SPEAKERS = 8
MAX_DIGITS = 19
NUMBER_KINDS = frozenset({Kind.CARD, Kind.TONE})
CODE_KINDS = NUMBER_KINDS | {Kind.CODE, Kind.EXPIRY}

# Own table: what a card number looks like (ISO/IEC 7812), as usual lengths have it.
CARD_SHAPE = re.compile(
    r"4[0-9]{15}(?:[0-9]{3})?|5[1-5][0-9]{14}|2(?:2[2-9]|[3-6][0-9]|7[01])[0-9]{13}|2720[0-9]{12}"
    r"|3[47][0-9]{13}|3(?:0[0-5]|[689][0-9])[0-9]{11}|35[2-8][0-9]{13}|6[0-9]{15}(?:[0-9]{3})?"
    r"|5[06-9][0-9]{14}(?:[0-9]{3})?"
)
PHONE_SHAPE = re.compile(r"0[0-9]{8,10}|(?:00)?33[1-9][0-9]{8}")
PAYMENT = vocabulary(
    "carte cb visa mastercard amex paiement payer card credit debit payment pay cryptogramme"
)
OTHER_THINGS = vocabulary(
    """telephone tel portable mobile phone joindre rappeler rappelle appeler call ring commande order dossier file
    suivi tracking colis parcel package facture invoice reference ref client customer adherent member contrat
    contract compte account iban rib siret siren serie serial fidelite loyalty postal postcode securite sociale
    ticket ean"""
)
THINGS = PAYMENT | OTHER_THINGS
# What may be said between the parts of an answer without being its words.
ASSENTS = vocabulary("oui ouais ok okay d accord mhm hum hm euh tres bien parfait yes yeah right sure uh um")
_NUMBER = (
    r"numeros? (?:complet )?(?:de |d une |sur )(?:la |votre |ta |sa |une |ma )?(?:carte|cb)"
    r"(?! (?:de )?(?:fidelite|membre|vitale|client|cliente|adherent|grise|identite|sejour))"
    r"|(?:seize|16|quinze|15) chiffres|(?<!loyalty )(?<!member )(?<!membership )card number|long number"
    r"|(?:sixteen|16|fifteen|15) digits?"
)
_CODE = r"cryptogramme|code (?:de )?securite|security code|cvv|cvc"
ASKED = re.compile(rf"\b(?:(?P<number>{_NUMBER})|{_CODE})\b")
ANNOUNCED = re.compile(
    r"\b(?P<number>(?:ma|par) (?:carte|cb)(?: bancaire| bleue| visa| de credit)?(?: c est| voici| voila)?"
    r"|(?:my|by|with) (?:credit |debit |bank )?card(?: it s| is| here)?)\b"
)
NEGATIONS = vocabulary(
    "pas jamais sans aucun aucune ni inutile deja not never without don t no needn already"
)
KEYING = re.compile(
    r"\b(?:tapez|composez|saisissez|pianotez|appuyez|clavier|touches|key in|keypad|keyboard|press|punch in|type in)\b"
)


def suspect(left: Transcript | None, original: Audio, masks: Sequence[Span]) -> str | None:
    """Which suspicion falls on a call, or None. `left` is its masked transcript.

    `digits_left`: unmasked digits make a card number. `unread_answer`: a card number or code was asked for,
    nothing was masked in ANSWER_MS after, and MIN_ANSWER_DIGITS digits stand there, or `unwritten_answer`:
    somebody speaks for longer than SILENT_WORDS_MS where nothing but assents is written. `keyed`: the transcript
    says that somebody keys in, and a looser search hears MIN_KEYS keys outside the masks.
    """
    if left is None:
        return None
    reading = read(left)
    if any(digits_left(left, view) for view in (reading, *_by_speaker(left, reading))):
        return "digits_left"
    asked = list(_requests(left, reading, masks, ASKED))
    if any(
        _is_unread(left, reading, each) for each in (asked, list(_requests(left, reading, masks, ANNOUNCED)))
    ):
        return "unread_answer"
    if asked and _is_unwritten(left, reading, original, asked):
        return "unwritten_answer"
    return "keyed" if _is_keyed(left, reading, original, masks) else None


def _by_speaker(left: Transcript, reading: Reading) -> Iterable[Reading]:
    """What each says; the names of other things are everybody's, since one asks and another answers."""
    speakers = {left.words[word].speaker for word in reading.words}
    views = {speaker: Reading([], []) for speaker in speakers if 1 < len(speakers) <= MAX_SPEAKERS}
    for text, word in zip(reading.texts, reading.words, strict=True) if views else ():
        own = left.words[word].speaker
        for view in views.values() if text in OTHER_THINGS else (views[own],):
            view.texts.append(text)
            view.words.append(word)
    return views.values()


def digits_left(left: Transcript, reading: Reading) -> bool:
    """Whether a card number is left: any groups of digits that follow each other within NUMBER_MS where payment is
    spoken of, or elsewhere all digits of an uninterrupted run."""
    paying = [n for n, text in enumerate(reading.texts) if text in PAYMENT]
    has_words = not NUMBER_WORDS.keys().isdisjoint(reading.texts)
    for word_by_word, most_apart in ((False, MAX_APART), (True, MAX_APART_IN_ANSWER))[: 1 + has_words]:
        if any(_is_card(_digits(run)) for run in contiguous(numbers(reading, word_by_word))):
            return True
        for chain in _chains(reading, word_by_word, most_apart) if paying else ():
            place = bisect_right(paying, chain[-1].last)
            near = place > 0 and paying[place - 1] >= chain[0].first - CONTEXT_REACH
            if near and _holds_card(left, reading, chain):
                return True
    return False


def _digits(found: Iterable[Number]) -> str:
    return "".join(number.digits for number in found)


def _chains(reading: Reading, word_by_word: bool, most_apart: int) -> Iterator[list[Number]]:
    """Numbers with at most so many words between, no mask and no other thing's name; telephone numbers and what
    such a name announces are left out. MAX_RUN at most, and another run."""
    chain: list[Number] = []
    reached, named = -1, False
    for run in contiguous(numbers(reading, word_by_word)):
        between = reading.texts[max(reached + 1, run[0].first - NAME_REACH) : run[0].first]
        parted = run[0].first - reached - 1 > most_apart or "[" in between
        nearest = next((text for text in reversed(between) if text in THINGS), "")
        renamed = nearest in OTHER_THINGS
        if chain and (parted or renamed or len(chain) >= MAX_RUN):
            yield chain
            chain = []
        named = renamed or (named and not parted and nearest not in PAYMENT)
        if not named and not PHONE_SHAPE.fullmatch(_digits(run)):
            chain += run
        reached = run[-1].last
    if chain:
        yield chain


def _holds_card(left: Transcript, reading: Reading, chain: Sequence[Number]) -> bool:
    for at, number in enumerate(chain):
        digits, until_ms = "", left.words[reading.words[number.first]].start_ms + NUMBER_MS
        for last in chain[at : at + MAX_DIGITS]:
            digits += last.digits
            if len(digits) > MAX_DIGITS or left.words[reading.words[last.last]].end_ms > until_ms:
                break
            if _is_card(digits):
                return True
    return False


def _is_card(digits: str) -> bool:
    """Shape and Luhn's check."""
    if not CARD_SHAPE.fullmatch(digits):
        return False
    doubled = sum(sum(divmod(2 * int(char), 10)) for char in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + doubled) % 10 == 0


@dataclass(frozen=True, slots=True)
class _Request:
    """Somebody asks for a card number or a code, or announces it; the answer begins with the text `after`."""

    after: int
    asked_ms: int
    until_ms: int


def _requests(
    left: Transcript, reading: Reading, masks: Sequence[Span], wanted: re.Pattern[str]
) -> Iterator[_Request]:
    """Those that no card or keyed tone (or code, where one is asked for) answers."""
    numbers_masked, codes_masked = (
        merge(replace(mask, kind=Kind.CARD) for mask in masks if mask.kind in kinds)
        for kinds in (NUMBER_KINDS, CODE_KINDS)
    )
    for first, after, is_number in _matches(reading, wanted):
        asking, asked = left.words[reading.words[first]], left.words[reading.words[after - 1]]
        until_ms = asked.end_ms + ANSWER_MS
        answers = numbers_masked if is_number else codes_masked
        place = bisect_right(answers, until_ms, key=lambda answer: answer.start_ms)
        if place and answers[place - 1].end_ms > asking.start_ms:
            continue
        around = range(
            max(0, first - NEGATION_REACH_BEFORE), min(len(reading.texts), after + NEGATION_REACH_AFTER)
        )
        own = {reading.texts[n] for n in around if left.words[reading.words[n]].speaker == asking.speaker}
        if NEGATIONS.isdisjoint(own):
            yield _Request(after, asked.end_ms, until_ms)


def _matches(reading: Reading, wanted: re.Pattern[str]) -> Iterator[tuple[int, int, bool]]:
    """Place of the first text, and of the one after the last, and whether it is about a number."""
    starts: list[int] = []
    for match in wanted.finditer(" ".join(reading.texts)):
        starts = starts or [0, *accumulate(len(text) + 1 for text in reading.texts)]
        first, after = bisect_right(starts, match.start()) - 1, bisect_right(starts, match.end() - 1)
        yield first, after, "number" in match.re.groupindex and match["number"] is not None


def _is_unread(left: Transcript, reading: Reading, asked: Sequence[_Request]) -> bool:
    """Whether an answer holds as many digits as no code, date or amount has."""
    places = [ask.after for ask in asked]
    for chain in _chains(reading, False, MAX_APART_IN_ANSWER):
        latest = bisect_right(places, chain[-1].first)
        for ask in asked[max(0, latest - 2) : latest]:
            answer = [number for number in chain if number.first >= ask.after]
            begins_ms = left.words[reading.words[answer[0].first]].start_ms
            if begins_ms <= ask.until_ms and len(_digits(answer)) >= MIN_ANSWER_DIGITS:
                return True
    return False


def _is_unwritten(left: Transcript, reading: Reading, original: Audio, asked: Sequence[_Request]) -> bool:
    words = {word for text, word in zip(reading.texts, reading.words, strict=True) if text not in ASSENTS}
    written = [(left.words[n].start_ms, left.words[n].end_ms) for n in sorted(words)]
    return speaks(original, written, [(ask.asked_ms, ask.until_ms) for ask in asked], SILENT_WORDS_MS)


def _is_keyed(left: Transcript, reading: Reading, original: Audio, masks: Sequence[Span]) -> bool:
    stretches: list[tuple[int, int]] = []
    for first, after, _ in _matches(reading, KEYING):
        start_ms = left.words[reading.words[first]].start_ms
        until_ms = min(left.words[reading.words[after - 1]].end_ms + KEYING_MS, original.duration_ms)
        if stretches and start_ms <= stretches[-1][1]:
            stretches[-1] = stretches[-1][0], max(stretches[-1][1], until_ms)
        elif start_ms < until_ms:
            stretches.append((start_ms, until_ms))
    return any(_keys_outside(original, masks, *stretch) >= MIN_KEYS for stretch in stretches)


def _keys_outside(original: Audio, masks: Sequence[Span], start_ms: int, until_ms: int) -> int:
    rate_hz = original.rate_hz
    part = original.samples[start_ms * rate_hz // 1000 : until_ms * rate_hz // 1000]
    heard = tones.find(replace(original, samples=part), setting=tones.SUSPICION, sequence_gap_ms=0)
    return sum(
        not any(m.start_ms < start_ms + key.end_ms and start_ms + key.start_ms < m.end_ms for m in masks)
        for key in heard
    )
