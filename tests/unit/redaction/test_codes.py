"""Codes and expiry dates: by their words, or beside a card; other short numbers stay."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consigne.rules.recording import Transcript, Word
from consigne.rules.redaction import cards, codes, numerals
from consigne.rules.redaction.profiles import PAYMENT
from consigne.rules.redaction.transcript import search
from unit.redaction.speaking import FILLERS, LANGUAGES, MONTHS, below_hundred, one_by_one, say, speak


def kinds(text: str) -> str:
    """The text with what was found replaced by its kind."""
    words = text.split()
    tokens = numerals.read(words)
    hits = cards.find(tokens, [])
    for hit in [*hits, *codes.find(tokens, hits)]:
        for token in tokens[hit.first : hit.last + 1]:
            words[token.word] = f"[{hit.kind}]"
    return " ".join(words)


CARD = "4111 1111 1111 1111"
MASKED = "[card] [card] [card] [card]"


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("le cryptogramme 123", "le cryptogramme [code]"),
        ("le cryptogramme c'est le 1 2 3", "le cryptogramme c'est le [code] [code] [code]"),
        ("code de sécurité au dos de la carte 456", "code de sécurité au dos de la carte [code]"),
        ("les trois chiffres au dos un deux trois", "les trois chiffres au dos [code] [code] [code]"),
        ("the CVV is 789 thanks", "the CVV is [code] thanks"),
        ("three digits on the back 7 euh 8 9", "three digits on the back [code] [code] [code] [code]"),
        ("123 c'est le cryptogramme", "[code] c'est le cryptogramme"),
        ("your security code 1234", "your security code [code]"),
        ("le code reçu par SMS 482913", "le code reçu par SMS [code]"),
        ("elle expire en 06/28", "elle expire en [expiry]"),
        ("date d'expiration 6 2028", "date d'expiration [expiry] [expiry]"),
        ("date d'expiration décembre 2027", "date d'expiration [expiry] [expiry]"),
        ("expires December twenty seven", "expires [expiry] [expiry] [expiry]"),
        ("fin de validité zéro six vingt-huit", "fin de validité [expiry] [expiry] [expiry]"),
        ("valid thru 0 6 2 8", "valid thru [expiry] [expiry] [expiry] [expiry]"),
        (f"{CARD} 12/27 123", f"{MASKED} [expiry] [code]"),
        (f"{CARD} 12 27 123", f"{MASKED} [expiry] [expiry] [code]"),
        (f"{CARD} oui donc 12/27 et ensuite 123", f"{MASKED} oui donc [expiry] et ensuite [code]"),
        (f"{CARD} 123 12 27", f"{MASKED} [code] [expiry] [expiry]"),
        (f"{CARD} 1227123", f"{MASKED} [expiry]"),
        (
            "le cryptogramme cent vingt-trois donc 123 c'est ça",
            "le cryptogramme [code] [code] donc [code] c'est ça",
        ),
        ("the CVV one twenty-three", "the CVV [code] [code]"),
        ("le code reçu par SMS quatre cent douze zéro un trois", "le code reçu par SMS" + " [code]" * 6),
        ("elle expire en mars vingt-sept", "elle expire en [expiry] [expiry]"),
        ("date d'expiration zéro trois vingt-sept", "date d'expiration [expiry] [expiry] [expiry]"),
        ("expires march two thousand and twenty-seven", "expires" + " [expiry]" * 5),
        ("expiry date oh three twenty-seven", "expiry date [expiry] [expiry] [expiry]"),
        ("expire en décembre deux mille vingt-huit", "expire en" + " [expiry]" * 4),
        ("elle expire fin douze vingt-huit", "elle expire fin [expiry] [expiry]"),
        ("date d'expiration 03 slash 27", "date d'expiration [expiry] [expiry] [expiry]"),
        (f"{CARD} mars 2027 et 123", f"{MASKED} [expiry] [expiry] et [code]"),
        (f"{CARD} douze vingt-sept cent vingt-trois", f"{MASKED} [expiry] [expiry] [code] [code]"),
        ("my PIN is forty-nine seventeen", "my PIN is [code] [code]"),
        ("code PIN quatre mille neuf cent douze", "code PIN [code] [code] [code] [code] [code]"),
        ("the security code for this order is 123", "the security code for this order is [code]"),
        (
            "vous avez reçu un code sur votre téléphone oui 482913",
            "vous avez reçu un code sur votre téléphone oui [code]",
        ),
    ],
)
def test_found(said: str, left: str) -> None:
    assert kinds(said) == left


@pytest.mark.parametrize(
    "said",
    [
        "commande 1234 du 12/27",
        "il y a 123 places et 4567 lettres",
        "le cryptogramme plus tard 120 euros",
        "mon contrat expire dans 30 jours",
        "le code de sécurité puis le 06 12 34 56 78",
        "rendez-vous en décembre 2027",
        "appartement 456 code postal 75011",
        "le cryptogramme non attendez il y a trois articles",
        "le cryptogramme dans deux minutes",
        "le code de sécurité oui j'habite au 124 rue des Lilas",
        "le code de la porte c'est 1234",
        "le code promo c'est 4567 et le code client 8901",
        "the door code is 1234 and the discount code 4567",
        "le cryptogramme oui mais le montant est de 1250",
        "votre passeport expire en mars 2027",
        "the warranty expires in march twenty-seven",
        "les seize chiffres de la carte",
    ],
)
def test_left(said: str) -> None:
    assert kinds(said) == said


HELD = [
    f"C: {CARD}, expiration {{mars 2028}}, crypto {{702}}.",
    f"C: {CARD}, {{three of twenty-eight}}, security {{seven hundred two}}.",
    "A: And the CV2 number? | C: {847}",
    "A: And the CV2 number on your card? | C: {702}",
    "A: Le code 3D Secure ? | C: {582147}",
    "A: Code 3-D Secure s'il vous plaît. | C: {582147}",
    "A: le code 3 D Secure reçu par SMS ? | C: {582147}",
    "A: le code 3D Secure de votre banque ? | C: {582147}",
    "C: The code I was sent was {582147}",
    "C: They texted me {582147} as the code.",
    "A: Read me the six digits from the text. | C: {five eight two one four seven}",
    "C: J'ai tapé mon code {5821} et ça a bloqué ma carte.",
    "C: ma carte est bloquée, j'ai fait mon code {5821}",
    "C: I've forgotten my PIN, I think it was {5 8 2 1} or {5 8 1 2}.",
    "C: mon code secret c'est mon année de naissance, {mille neuf cent quatre-vingt-quatre}",
    f"A: Card? | C: {CARD}, expires {{31/03/2028}}",
    f"C: {CARD}, expire le {{31/03/2028}}",
    "A: Validité de la carte ? | C: {mars vingt-huit}",
    "A: I have your card. | C: Yes. | A: And when does it run out? | C: {March 28}",
    "A: When does the milk run out? | C: March 28",
    "A: Validité de votre abonnement ? | C: mars vingt-huit",
    "A: Votre code client 4512, et mon code promo 4512, code postal 75011.",
    "C: Le code de la carte cadeau c'est 4512, my gift card code is 4512.",
    "C: je suis né le 31/03/1984, livraison le 31/03/2028",
    f"A: {CARD}, merci. Livraison prévue le 31/03/2028. Né le ? | C: le 31/03/1984",
    "C: les crypto depuis 2021, security guard 702, they texted me 582 times",
]


@pytest.mark.promise("P2")
@pytest.mark.parametrize("said", HELD)
def test_between_two_people_what_is_held_goes_and_the_rest_stays(said: str) -> None:
    """Masked are the words in braces and nothing else but the card."""
    words, expected = [], set()
    for turn in said.split(" | "):
        speaker, _, talk = turn.partition(": ")
        is_held = False
        for text in talk.split():
            is_held = is_held or text.startswith("{")
            if is_held:
                expected.add(len(words))
            is_held = is_held and "}" not in text
            at_ms = 300 * len(words)
            words.append(Word(text.strip("{").replace("}", ""), at_ms, at_ms + 250, speaker))
    found = search(Transcript(tuple(words)), PAYMENT.in_text)
    masked = {index for finding in found if finding.kind != cards.KIND for index in finding.words}
    assert masked == expected


def test_amounts_beside_a_card_stay() -> None:
    assert kinds(f"{CARD} pour 120 euros") == f"{MASKED} pour 120 euros"
    assert kinds(f"{CARD} en 3 fois") == f"{MASKED} en 3 fois"


def test_far_from_their_words_numbers_stay() -> None:
    far = " ".join(["bonjour"] * 30)
    assert kinds(f"cryptogramme {far} 123") == f"cryptogramme {far} 123"


ASKED = {
    "code": {
        "fr": [
            "et le cryptogramme ?", "les trois chiffres au dos de la carte oui attendez c'est", "le code de sécurité c'est le",
            "il me faut les trois derniers chiffres au dos s'il vous plaît oui", "mon code confidentiel c'est",
            "vous avez reçu un code par SMS oui je l'ai", "le code secret de ma carte", "code PIN", "le CVV",
        ],
        "en": [
            "and the security code ?", "the last three digits on the back it's", "my PIN is", "the CVV is",
            "the code we sent you by text yes it's", "you received a verification code yes", "one time passcode",
        ],
    },
    "expiry": {
        "fr": ["la date d'expiration ?", "elle expire en", "date de fin de validité", "elle est valable jusqu'en", "expire fin"],
        "en": ["the expiry date ?", "it expires", "expiration date is", "valid until end of", "good through"],
    },
}  # fmt: skip
seeds = st.integers(0, 2**48).map(Random)


def date_words(chance: Random, language: str) -> list[str]:
    month, year = chance.randint(1, 12), chance.randint(25, 39)
    style = chance.choice(["slash", "pair", "name", "words", "name words"])
    whole = chance.random() < 0.4
    if style == "slash":
        return [f"{month:02}/{2000 * whole + year}"]
    if style == "pair":
        return [f"{month:02}", str(2000 * whole + year)]
    name = MONTHS[language[:2]][month - 1]
    if style == "name":
        return [name, str(2000 * whole + year)]
    century = {"en": "two thousand and" if year < 30 else "twenty"}.get(language, "deux mille")
    said = f"{century} {below_hundred(year, language)}" if whole else below_hundred(year, language)
    if style == "name words":
        return [name, *said.split()]
    zero = one_by_one("0", language, chance) if month < 10 and chance.random() < 0.7 else []
    return [*zero, below_hundred(month, language), *said.split()]


@pytest.mark.promise("P2")
@pytest.mark.parametrize("kind", ["code", "expiry"])
@settings(max_examples=600, deadline=None)
@given(chance=seeds)
def test_what_is_asked_for_is_found_in_words_and_numerals(kind: str, chance: Random) -> None:
    language = chance.choice(LANGUAGES)
    asked = chance.choice(ASKED[kind][language[:2]]).split()
    if kind == "expiry":
        said = date_words(chance, language)
    else:
        digits = "".join(chance.choices("0123456789", k=chance.choice([3, 3, 3, 4, 6])))
        said = speak(digits, language, chance) if chance.random() < 0.8 else [digits]
    filler = chance.choices(FILLERS[language[:2]], k=chance.choice([0, 0, 1]))
    echo = [["donc", "so"][language == "en"], *said] if chance.random() < 0.3 else []
    masked = kinds(" ".join([*asked, *filler, *said, *echo, "merci"])).split()
    held = range(len(asked) + len(filler), len(asked) + len(filler) + len(said))
    assert all(masked[n].startswith("[") for n in held), "a code was not found"
    assert not echo or all(word.startswith("[") for word in masked[held[-1] + 2 : -1]), "nor its echo"


SMALL_TALK = {
    "fr": [
        "j'habite {n} rue des Lilas", "il me faut {n} articles", "ça fait {amount} euros", "dans {n} minutes",
        "rendez-vous le {day} mars {year}", "la commande numéro {ref} est partie", "le code postal {post}",
        "le code promo {ref}", "mon code client c'est le {ref}", "il y a {n} personnes devant vous", "au bout de {n} jours",
        "le code de la porte c'est {ref}", "{n} pour cent de remise", "livraison vers {day} heures", "un total de {amount} euros",
        "mon contrat expire dans {n} jours", "votre abonnement expire le {day} mars {year}", "le bus {n}",
    ],
    "en": [
        "I live at {n} Station Road", "I need {n} boxes", "that comes to {amount} pounds", "in {n} minutes",
        "the order number {ref} has been shipped", "the postcode {post}", "the promo code {ref}", "wait {n} days",
        "there are {n} people before you", "{n} percent off", "the door code is {ref}", "the subscription expires in {n} days",
        "around {day} hours", "a total of {amount} pounds", "your customer number {ref}", "your lease expires in March {year}",
    ],
}  # fmt: skip


def small_talk(chance: Random, language: str) -> str:
    def number(value: int) -> str:
        return say(value, language) if chance.random() < 0.5 else str(value)

    return chance.choice(SMALL_TALK[language[:2]]).format(
        n=number(chance.randint(2, 130)), amount=number(chance.randint(3, 2500)), day=number(chance.randint(2, 28)),
        year=number(chance.randint(2020, 2030)), ref=number(chance.randint(100, 9999)), post=chance.randint(10000, 95999),
    )  # fmt: skip


def test_small_talk_full_of_numbers_stays() -> None:
    """Of everything said around a card, its code and its date, less than one word in two hundred is lost."""
    chance = Random(6)
    words = lost = 0
    for _ in range(400):
        language = chance.choice(LANGUAGES)
        talk = [small_talk(chance, language) for _ in range(12)]
        asked = chance.choice(ASKED["code"][language[:2]]), chance.choice(ASKED["expiry"][language[:2]])
        matters = [f"voilà {CARD}", f"{asked[0]} 123", f"{asked[1]} {' '.join(date_words(chance, language))}"]
        at = chance.randint(0, 9)
        text = " ".join(
            [*talk[:at], matters[0], talk[at], matters[1], talk[at + 1], matters[2], *talk[at + 2 :]]
        )
        parts = [*talk[:at], None, talk[at], None, talk[at + 1], None, *talk[at + 2 :]]
        masked, place = kinds(text).split(), 0
        for part, matter in zip(parts, _matters(parts, matters), strict=True):
            said = (part or matter).split()
            if part:
                words += len(said)
                lost += sum(word.startswith("[") for word in masked[place : place + len(said)])
            place += len(said)
    assert lost / words <= 0.005


def _matters(parts: list[str | None], matters: list[str]) -> list[str]:
    left = iter(matters)
    return ["" if part else next(left) for part in parts]
