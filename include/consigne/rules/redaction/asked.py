"""What a number is, by what is asked for or named around it (French and English): a code, an expiry date, or
some other thing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from consigne.rules.redaction.number_words import WORDS
from consigne.rules.redaction.numerals import FILLERS, Tokens, words

CODE, EXPIRY, PHONE, OTHER = "code", "expiry", "phone", "other"
REACH_BEFORE, REACH_AFTER = 25, 12

_THING = (
    r"(?:contrat|abonnement|offre|garantie|passeport|permis|bail|licence|promotion|promo|bon|coupon|assurance|titre"
    r"|lien|delai|session|devis|mot de passe|subscription|offer|warranty|passport|lease|policy|insurance|membership"
    r"|voucher|license|token|link|password|quote)s?"
)
_END = r"(?:expir[a-z]*|echeance|valables?|valides?|validite|valid|good|date de fin)"
_OTHER = (
    rf"{_THING}(?: [a-z]+){{0,4}}? {_END}",
    rf"{_END}(?: [a-z]+)? (?:de|du|d|of|for)(?: [a-z]+){{0,2}}? {_THING}",
    r"codes? (?:d |de |du )?(?:l |la )?(?:postal|postaux|promo[a-z]*|clients?|porte|portail|immeuble|barres?|article"
    r"|produit|parrainage|reduction|avantage|couleur|agence|guichet|banque|ape|naf|wifi|entree|residence|batiment)",
    r"(?:postal|post|zip|promo|discount|promotional|door|gate|entry|product|item|colou?r|sort|branch|dialling|area"
    r"|country|bar|wifi|building|referral|gift|voucher) codes?",
    r"codes? (?:[a-z]+ ){0,3}?cartes? (?:de )?(?:cadeaux?|fidelite)|(?:gift|loyalty) cards? codes?",
    r"(?:postcode|digicode|commande|dossier|contrat|client|reference|facture|devis|colis|suivi|naissance|montant"
    r"|total|prix|solde|appartement|batiment|siren|siret|immatriculation|vol|train|order|contract|booking|reservation|parcel"
    r"|tracking|invoice|account|customer|membership|policy|amount|price|balance|flight|ticket|compte|company|file"
    r"|entreprise|societe)s?",
    r"(?:born|nee?|rendez vous|appointment|delivery|livraison|livree?|livreur|passer[a-z]*)(?: (?:fixe|prevue?))?",
    r"(?:around|vers|(?:appele|venue?|called|came|come|calls?) (?:at|a))",
    r"(?:comes? to|cela fait|ca fait|preleve|charged me)",
)
_CODE = (
    r"(?:codes?|pin)(?: [a-z]+){0,2}? (?:est|is|s) (?:mon|ma|my) (?:(?:annee|date) de naissance|birthday|birth year"
    r"|(?:year|date) of birth)",
    r"cryptogrammes?|cvv|cvc|cv (?:2|two|deux)|csc|cav|cid|pin|otp|passcode",
    r"codes? 3 d secure|3 d secure codes?|(?:mon|votre|ton|son|my|your) code$|(?:as (?:the|my|a)|comme) code",
    r"(?:digits|chiffres) (?:(?:from|in|of|on|du|de|dans|par|sur|recus|the|that|your|my|le|votre|mon) )+"
    r"(?:texts?|sms|textos?|message)",
    r"codes? (?:(?:a|de|d|la|ma|sa|votre|cette|l|quatre|4|six|6|cinq|5|huit|8|chiffres) )*(?:securite|verification"
    r"|controle|confidentiels?|secrets?|personnel|carte|cb|validation|confirmation|authentification|usage unique"
    r"|activation)",
    r"codes? (?:[a-z]+ ){0,5}?(?:sms|textos?|recus?|envoye[sr]?|recevoir|transmis|texted|sent|received|text message"
    r"|(?:telephone|portable|mobile|phone))",
    r"(?:recu|recois|recevez|recevoir|envoye|envoie|sent|received|got|texted) (?:[a-z]+ ){0,3}?codes?",
    r"numero de (?:securite|controle|verification)(?! sociale)",
    r"(?:trois|3|quatre|4) (?:derniers |petits )?chiffres|au (?:dos|verso)|derriere (?:la|ma|votre|sa) carte",
    r"(?:security|verification|secret|one time|authentication|authori[sz]ation|validation|activation|sms)"
    r" (?:codes?|number|value|password)|card codes?",
    r"(?:last |final )?(?:three|3|four|4) (?:last |final )?(?:digits?|numbers?)|(?:on the|at the) back"
    r"|back of (?:the|my|your)|signature (?:strip|panel)",
)
_WHOSE = (
    r"(?: (?:de|du|d|pour|for|of|sur)(?: (?:this|the|la|le|l|ma|mon|votre|cette|ce|your|my|cet))? [a-z]+)?"
)
_EXPIRY = (
    r"expir[a-z]*|exp|(?:date|fin) de validite|date de fin|valable jusqu[a-z]*|valide jusqu[a-z]*|echeance",
    r"(?:valid|good) (?:thru|through|until|till|to)|validite (?:de )?(?:la|ma|sa|votre|cette) (?:carte|cb)",
)
# What names them only where a card is spoken of.
_CARD_CODE, _CARD_EXPIRY = r"crypto|security$", r"(?:does|will|it|card) (?:it |this |that )?runs? out"
_CARD = words("carte cartes cb card cards")
_PHONE = (
    r"(?:telephone|portable|mobile|phone|fixe)(?: number)?",
    r"(?:rappeler|joindre|appeler) au|(?:call|ring|reach)(?: me| us)?(?: back)? on",
)
_TOPIC = re.compile(
    rf"\b(?:(?P<other>{'|'.join(_OTHER)})|(?P<code>{'|'.join(_CODE)}){_WHOSE}|(?P<expiry>{'|'.join(_EXPIRY)})"
    rf"|(?P<phone>{'|'.join(_PHONE)})|(?P<card_code>{_CARD_CODE})|(?P<card_expiry>{_CARD_EXPIRY}))\b"
)
MONTHS = words(
    """janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre january february
    march april may june july august september october november december jan feb apr jun jul aug sep oct nov
    dec"""
)
LINKS = (
    FILLERS
    | WORDS
    | MONTHS
    | words(
        """it this un numero number code codes de du d of for pour sur on en a au date fin end mois annee month year
    carte card dos verso back votre ma mon my your sont are jusqu qui marque ecrit note derriere dessus avez vous
    j ai be digits chiffres sera reads of validite valid in by dans vers from was think crois pense or ou"""
    )
)
# One of these is in whatever names a code or an expiry date.
_TELLING = words(
    """crypto cv secure run runs cryptogramme cryptogrammes cvv cvc csc cav cid pin otp passcode code codes securite controle verification
    chiffres dos verso derriere security secret authentication authorisation authorization validation activation
    value password digit digits number numbers back strip panel expire expires expirent expirera expiraient
    expirait expiration expiry expiring expired expirant expirer exp validite fin valable valide valid good echeance"""
)
_IS = frozenset({"c", "est", "is", "s", "comme", "as"})
_TO_NAME = words("c est le la les mon ma l d de is s it the that my pour for voila comme as a")


@dataclass(frozen=True, slots=True)
class Asked:
    """CODE, EXPIRY, PHONE or OTHER; `is_next` where nothing but links stands between; the token that it was named with."""

    kind: str
    is_next: bool
    named_at: int


def asked(tokens: Tokens, first: int, last: int, is_near_card: bool) -> Asked | None:
    """What the tokens `first` to `last` answer: what was named last, or at once afterwards. Other things count
    only right before."""
    start = max(0, first - REACH_BEFORE)
    texts = tokens.texts[start : last + 1 + REACH_AFTER]
    if not is_near_card and _TELLING.isdisjoint(texts):
        return None
    has_card = is_near_card or not _CARD.isdisjoint(texts)
    before, after = " ".join(texts[: first - start]), " ".join(texts[last + 1 - start :])
    nearest = None
    for match in reversed(list(_TOPIC.finditer(before))):
        kind, of_card = _kind(match)
        if of_card and not has_card:
            continue
        named_at = start + before.count(" ", 0, match.end())
        is_next = all(word in LINKS or word.isdigit() for word in before[match.end() :].split())
        if is_next:
            return Asked(kind, True, named_at)
        if kind in (CODE, EXPIRY):
            nearest = Asked(kind, False, named_at)
            break
    named = _TOPIC.search(after)
    between = after[: named.start()].split() if named else []
    if not named or named.lastgroup not in (CODE, EXPIRY) or not _TO_NAME.issuperset(between):
        return nearest
    names_next = _IS.isdisjoint(between) and _names_next(after[named.end() :].split())
    return nearest if names_next else Asked(str(named.lastgroup), False, last)


def _kind(match: re.Match[str]) -> tuple[str, bool]:
    """What was named, and whether only where a card is spoken of."""
    kind = str(match.lastgroup)
    return kind.removeprefix("card_"), kind.startswith("card_")


def _names_next(texts: Sequence[str]) -> bool:
    """Whether a number follows that what was named is for."""
    nearest = next((text for text in texts if text in WORDS or text.isdigit() or text not in LINKS), "")
    return nearest in WORDS or nearest.isdigit()
