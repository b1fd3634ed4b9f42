"""What people say around a number: whether it is a means of payment, or something else that has a number.

Whatever is named last before it counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum, auto

from consigne.rules.redaction.groups import group_runs
from consigne.rules.redaction.numerals import Group, Tokens, words

REACH_BEFORE, REACH_AFTER, REACH_OTHER, REACH_PROMPT = 40, 12, 6, 8


class About(Enum):
    """What a number is said to be."""

    PAYMENT = auto()
    UNKNOWN = auto()
    OTHER = auto()


PAYMENT = words(
    """carte cartes cb visa mastercard amex maestro paiement payer paie paye paierai paiera regler regle reglement
    bancaire bleue card cards payment pay paying credit debit"""
)
PHRASES = frozenset({("seize", "chiffres"), ("16", "chiffres"), ("american", "express"), ("long", "number"),
                     ("sixteen", "digits"), ("sixteen", "digit"), ("16", "digits"), ("16", "digit")})  # fmt: skip
OTHER = words(
    """commande commandes dossier suivi colis facture factures reference references ref client contrat telephone
    tel rappeler rappelle rappelez joindre portable mobile fixe iban rib bic siret siren order tracking parcel package invoice account customer
    policy contract phone cell serie serial compte compteur billet ticket reservation booking abonnement
    identifiant adherent assure securite sociale vitale identite fidelite grise sim sejour etudiant transport
    navigo loyalty gift id library case claim passport passeport isbn imei vin tva vat matricule expedition
    company societe entreprise appointment rendez born amount montant shipment bordereau recepisse virement transfer"""
)
PROMPTS = words("ecoute note allez pret prete dictez listening ahead ready")
# Who is called, not what is named.
NO_NAMES = frozenset({("service", "client"), ("customer", "service"), ("service", "clients")})
AFTER = words("cryptogramme cvv cvc csc expire expires expiration expiry validite")
_DATE = r"(?:0[1-9]|1[0-2])(?:20)?[2-4][0-9]"
BESIDE = re.compile(rf"[0-9]{{3}}|{_DATE}(?:[0-9]{{3,4}})?|[0-9]{{3,4}}{_DATE}")
"""Digits after a card number: a code, an expiry date, or both."""


def runs(tokens: Tokens) -> list[list[Group]]:
    """Numbers that follow each other (`group_runs`), parted where another person named another thing between."""
    if tokens.runs is None:
        tokens.runs = [part for run in group_runs(tokens) for part in _parted(tokens, run)]
    return tokens.runs


def _parted(tokens: Tokens, run: list[Group]) -> Iterator[list[Group]]:
    begin = 0
    for place in range(1, len(run)):
        first = run[place].first
        if turns_between(tokens, run[place - 1], run[place]) and _is_other(tokens, first):
            yield run[begin:place]
            begin = place
    yield run[begin:]


def turns_between(tokens: Tokens, before: Group, after: Group) -> bool:
    """Whether another spoke after the one and up to the other."""
    return any(at in tokens.turns for at in range(before.last + 1, after.first + 1))


def about(tokens: Tokens, first: int, last: int) -> About:
    """What the number from token `first` to `last` was asked for or given as, by anybody: what was named last in
    the REACH_BEFORE tokens before, or a code or date named in the REACH_AFTER after it. Another thing counts only
    where it was named at most REACH_OTHER before and no payment was."""
    before = tokens.before(first, REACH_BEFORE)
    named = _named_last(before)
    if named is About.PAYMENT:
        return About.PAYMENT
    if named is About.UNKNOWN and not AFTER.isdisjoint(tokens.after(last, REACH_AFTER)):
        return About.PAYMENT
    is_other = PAYMENT.isdisjoint(before[-REACH_OTHER:]) and _is_other(tokens, first)
    return About.OTHER if is_other else About.UNKNOWN


def _is_other(tokens: Tokens, first: int) -> bool:
    """Whether another thing was named shortly before, and nobody told to go ahead since."""
    texts, turns = tokens.before(first, REACH_OTHER), tokens.turns_before(first, REACH_OTHER)
    for at in range(len(texts) - 1, -1, -1):
        if turns[at] and not PROMPTS.isdisjoint(texts[at:]) and OTHER.isdisjoint(texts[at:]):
            return False
    return _named_last(texts) is About.OTHER


def is_prompted(tokens: Tokens, first: int) -> bool:
    """Whether somebody was told to go ahead and dictate something that was not named."""
    return not PROMPTS.isdisjoint(tokens.before(first, REACH_PROMPT))


def _named_last(texts: Sequence[str]) -> About:
    for at in range(len(texts) - 1, -1, -1):
        if texts[at] in OTHER and NO_NAMES.isdisjoint(
            (tuple(texts[at - 1 : at + 1]), tuple(texts[at : at + 2]))
        ):
            return About.OTHER
        if texts[at] in PAYMENT or tuple(texts[at : at + 2]) in PHRASES:
            return About.PAYMENT
    return About.UNKNOWN
