"""What the detectors missed is suspected by other means; what is only talk is not."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from consigne.rules.audio import codecs
from consigne.rules.audio.pcm import Audio
from consigne.rules.recording import Transcript
from consigne.rules.redaction import rereading
from consigne.rules.redaction.spans import Kind, Span
from consigne.rules.redaction.suspicion import suspect
from corpus.build import Label, LabelledCall, build
from corpus.sound import CONTAINERS
from unit.redaction.speaking import UNITS, below_hundred

Spoken = Callable[[str], Transcript]
Sound = Callable[..., Audio]

FR, EN = UNITS["fr"], UNITS["en"]
CARD = "4970101234567890"


def silent(seconds: float = 120.0, rate_hz: int = 8000) -> Audio:
    return Audio(np.zeros((int(seconds * rate_hz), 1), np.int16), rate_hz, 16)


def suspicion(said: Transcript, masks: Sequence[Span] = ()) -> str | None:
    return suspect(said, silent(), masks)


def valid_card(rng: random.Random, prefix: str = "4970", length: int = 16) -> str:
    body = prefix + "".join(rng.choices("0123456789", k=length - 1 - len(prefix)))
    total = sum(
        sum(divmod(int(char) * (2 if place % 2 == 0 else 1), 10)) for place, char in enumerate(reversed(body))
    )
    return body + str(-total % 10)


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("quatre mille neuf cent soixante-dix", "4970"),
        ("quatre-vingt-dix-sept quatre vingts soixante et onze", "97 80 71"),
        ("double four triple three oh one", "44 333 0 1"),
        ("nine hundred and twelve twenty-two forty nine", "912 22 49"),
        ("septante-deux huitante et un nonante-neuf dix-huit", "72 81 99 18"),
        ("le 12/03/2024 à 14h30 j'ai payé 49,90 pour deux articles 4970 1012", "4970 1012"),
        ("un client et une carte", ""),
        ("[card] 12 ٣٤", "12 34"),
    ],
)
def test_numbers_are_read_anew(said: str, digits: str, spoken: Spoken) -> None:
    found = rereading.numbers(rereading.read(spoken(said)))
    assert " ".join(number.digits for number in found) == digits


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    "form",
    [
        "payer par carte {0} euh attendez je cherche mes lunettes voilà alors la suite {1} {2} {3} merci",
        "my credit card is {0} {1} then hold on a second the dog is barking {2} and then {3} thanks",
        "caller: ma carte {0} agent: je vous écoute madame prenez votre temps caller: {1} {2} {3}",
    ],
)
def test_a_card_number_that_was_left(form: str, spoken: Spoken) -> None:
    rng = random.Random(form)
    for _ in range(50):
        card = valid_card(rng)
        groups = [card[n : n + 4] for n in range(0, 16, 4)]
        names = EN if "credit" in form else FR
        words = [" ".join(names[int(char)] for char in group) for group in groups]
        assert suspicion(spoken(form.format(*groups))) == "digits_left"
        assert suspicion(spoken(form.format(*words))) == "digits_left"
        assert suspicion(spoken(form.format("[card]", "[card]", groups[2], groups[3]))) is None


@pytest.mark.promise("P2")
def test_where_no_payment_is_spoken_of_it_takes_a_whole_run(spoken: Spoken) -> None:
    card = valid_card(random.Random(1))
    assert (
        suspicion(spoken(f"alors je vous donne ça {card[:4]} {card[4:8]} {card[8:]} voilà")) == "digits_left"
    )
    apart = f"j'ai {card[:4]} dans la liste et puis ici {card[4:8]} et {card[8:]} voilà"
    assert suspicion(spoken(apart)) is None


ASKED = [
    "agent: quel est votre numéro de carte caller: ",
    "agent: donnez-moi les seize chiffres au recto caller: ",
    "agent: could I have the long number please caller: ",
    "agent: and your card number caller: ",
]


@pytest.mark.promise("P2")
@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize(
    "answer",
    [
        "4970 10 99 euh 33 12",
        "quatre neuf sept zéro un deux trois quatre cinq",
        "four nine 7 oh one 2 3 double five",
    ],
)
def test_an_answer_that_was_not_masked(asked: str, answer: str, spoken: Spoken) -> None:
    said = spoken(asked + answer + " voilà")
    assert suspicion(said) == "unread_answer"
    masked = Span(said.words[-3].start_ms, said.words[-3].end_ms, Kind.CARD, "cards", 0.9)
    assert suspicion(said, [masked]) is None
    other = replace(masked, kind=Kind.EMAIL)
    assert suspicion(said, [other]) == "unread_answer"


@pytest.mark.parametrize(
    "said",
    [
        "agent: je n'ai pas besoin de votre numéro de carte juste du dossier caller: 4 9 7 0 1 2 3 4 5 6",
        "agent: we never ask for your card number caller: good so it is 497012345 then",
        "agent: quel est votre numéro de carte caller: je ne l'ai pas sous la main rappelez-moi au 06 12 34 56 78",
        "agent: your card number please caller: I don't have it my order number is 987654321 12",
        "agent: le numéro de carte de fidélité caller: 4 9 7 0 1 2 3 4 5 6 7",
        "agent: votre numéro de carte caller: je paie 12,50 euros le 12/03/2024 ou 249 euros en 3 fois le 15 mars 2026",
        "caller: ma carte est arrivée par la poste le 12 mars avec le colis 4 jours plus tard",
    ],
)
def test_what_is_no_answer(said: str, spoken: Spoken) -> None:
    assert suspicion(spoken(said)) is None


@pytest.mark.promise("P2")
def test_speech_that_nobody_wrote_down(
    spoken: Spoken, voice: Callable[..., np.ndarray], sound: Sound
) -> None:
    said = spoken("agent: quel est votre numéro de carte caller: alors")
    end_ms = said.words[-1].end_ms
    after = replace(
        said.words[-1], text="merci", start_ms=end_ms + 9000, end_ms=end_ms + 9300, speaker="agent"
    )
    between = replace(after, text="oui", start_ms=end_ms + 4000, end_ms=end_ms + 4200)
    said = replace(said, words=(*said.words, between, after))
    samples = voice((end_ms + 10_000) / 1000, 5)
    samples += np.random.default_rng(1).normal(0, 1e-3, len(samples))
    assert suspect(said, sound(samples), []) == "unwritten_answer"
    both = np.column_stack([np.zeros_like(samples), samples])
    assert suspect(said, sound(both), []) == "unwritten_answer"
    quiet = samples.copy()
    quiet[(end_ms + 1500) * 8 : (end_ms + 9000) * 8] *= 0.01
    assert suspect(said, sound(quiet), []) is None
    masked = Span(end_ms + 1000, end_ms + 8000, Kind.TONE, "tones", 0.9)
    assert suspect(said, sound(samples), [masked]) is None
    unasked = replace(said, words=said.words[6:])
    assert suspect(unasked, sound(samples), []) is None


@pytest.mark.promise("P2")
@pytest.mark.parametrize("asked", ["composez le numéro sur votre clavier", "please key in your number"])
def test_keys_that_were_not_masked(
    asked: str, spoken: Spoken, keyed: Callable[..., np.ndarray], sound: Sound
) -> None:
    said = spoken(f"agent: {asked}")
    samples = np.random.default_rng(1).normal(0, 1e-3, 16_000 * 8)
    for key in range(4):
        start = 8 * (6000 + 300 * key)
        samples[start : start + 640] += keyed(key, 80)
    heard = sound(samples)
    assert suspect(said, heard, []) == "keyed"
    assert suspect(said, heard, [Span(5900, 7100, Kind.TONE, "tones", 0.9)]) is None
    assert suspect(spoken("bonjour"), heard, []) is None


TALK = """bonjour|merci beaucoup|je vous appelle au sujet de ma commande|d'accord je regarde|un instant s'il vous plaît
|il y a deux articles qui manquent|j'habite au 24 rue de la gare|c'est arrivé trois jours plus tard|oui tout à fait
|vous pouvez me rappeler demain à 14h30|je ne comprends pas la facture|hello|thank you very much|I'm calling about my order
|one moment please|there are two items missing|it came three days late|that's fine|we are open from nine to five
|could you spell that for me|bien sûr madame|c'est noté|est-ce que je peux vous aider pour autre chose""".replace(
    "\n", ""
).split("|")
FORMS = """mon numéro de téléphone est le {phone}|vous pouvez me joindre au {phone_words}|le numéro de commande {order}
|la commande c'est le {order_words}|le colis {tracking} est bloqué|ça fait {amount} euros|j'ai payé {amount} euros le {date}
|le montant de {amount} sera remboursé sur votre carte|je suis né le {date}|my phone number is {phone_words_en}
|the order number is {order_words_en}|the tracking number is {tracking}|it was {amount} pounds by card on the {date}
|votre carte de fidélité numéro {order}|ma nouvelle carte n'est pas arrivée|je n'ai pas besoin de votre numéro de carte
|ne me donnez pas le cryptogramme|we don't need your card number|quel est votre numéro de carte
|could you read me the card number|I don't have it with me|je ne l'ai pas sur moi|tapez un pour confirmer
|press two to speak to somebody|le code postal c'est {postcode}|j'ai payé par carte en {count} fois
|la référence du dossier {order}|il me faut {count} cartes cadeaux de {amount} euros|sur le site ça indique {count} articles
|the payment of {amount} dollars was refused {count} times|le paiement du {date} de {amount} euros a été refusé""".replace(
    "\n", ""
).split("|")


def _two_digits_fr(value: int) -> str:
    return f"zéro {FR[value]}" if value < 10 else below_hundred(value, "fr")


def clean_call(rng: random.Random) -> str:
    """A call of 100 sentences of two speakers, without anything that must be masked."""

    def digits(count: int, first: str = "123456789") -> str:
        return rng.choice(first) + "".join(rng.choices("0123456789", k=count - 1))

    said = []
    for turn in range(100):
        phone = "0" + digits(9, "1234567")
        order = digits(rng.randint(6, 10))
        sentence = rng.choice(FORMS if rng.random() < 0.35 else TALK).format(
            phone=" ".join(phone[n : n + 2] for n in range(0, 10, 2)),
            phone_words=" ".join(_two_digits_fr(int(phone[n : n + 2])) for n in range(0, 10, 2)),
            phone_words_en=" ".join(EN[int(char)] for char in phone),
            order=order,
            order_words=" ".join(FR[int(char)] for char in order),
            order_words_en=" ".join(EN[int(char)] for char in order),
            tracking=digits(13, "789"),
            amount=rng.choice([f"{rng.randint(1, 999)},{rng.randint(10, 99)}", str(rng.randint(1, 2000))]),
            date=f"{rng.randint(1, 28)} {rng.choice(['mars', 'juin', 'may', 'october'])} 20{rng.randint(20, 29)}",
            postcode=digits(5),
            count=rng.choice([FR, EN])[rng.randint(2, 9)],
        )
        said.append(f"{('agent', 'caller')[turn % 2]}: {sentence}")
    return " ".join(said)


def test_ordinary_calls_are_not_suspected(spoken: Spoken) -> None:
    """At most one call in two hundred; each of these holds some thirty numbers, names of cards and payments."""
    suspected = [suspicion(spoken(clean_call(random.Random(seed)))) for seed in range(400)]
    assert sum(each is not None for each in suspected) <= 2


@pytest.mark.voices
@pytest.mark.promise("P2")
def test_cards_that_no_detector_masked() -> None:
    """On calls of the corpus, masked by their labels: nearly none is suspected; with their card numbers left,
    most are, whatever the detectors can or cannot read."""
    calls = list(build(47, 100))
    whole = [_suspicion(call) for call in calls]
    assert sum(each is not None for each in whole) <= 1
    with_cards = [call for call in calls if any(_is(label, "card") for label in call.labels)]
    left = [_suspicion(call, leaving="card") for call in with_cards]
    assert len(left) > 30
    assert sum(each is not None for each in left) >= 0.75 * len(left)


def _is(label: Label, kind: str) -> bool:
    return not label.is_decoy and label.kind == kind


def _suspicion(call: LabelledCall, leaving: str = "") -> str | None:
    """With every number masked as its label says, but for those of a kind."""
    words, masks = list(call.transcript.words), []
    for label in call.labels:
        if label.is_decoy or label.kind == leaving:
            continue
        kind = Kind.CODE if label.kind == "pin" else Kind(label.kind)
        masks.append(Span(max(0, label.start_ms - 150), label.end_ms + 200, kind, "label", 1.0))
        for index in label.words:
            words[index] = replace(words[index], text=f"[{kind}]")
    original = codecs.read(call.audio, CONTAINERS[call.container].suffix, 600_000)
    return suspect(replace(call.transcript, words=tuple(words)), original, masks)
