"""What callers and agents say. `voices/make.py` speaks every word of it, so it is also the vocabulary.

A word in braces stands for a value that the generator puts in.
"""

from __future__ import annotations

DIGITS = {
    "fr": ("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
}
# Made-up words are spelled and spoken from these.
SYLLABLES = ("ba", "do", "fi", "ga", "ku", "le", "mo", "na", "pi", "ro", "sa", "te", "vu", "ze", "ji", "wo")

AGENT = {
    "fr": {
        "greet": "bonjour et bienvenue",
        "notice": "cet appel peut être enregistré",
        "look": "je regarde votre dossier",
        "ask_card": "donnez-moi le numéro de votre carte",
        "ask_key": "tapez votre code sur le clavier",
        "paid": "merci le paiement est accepté",
        "bye": "merci au revoir",
    },
    "en": {
        "greet": "hello and welcome",
        "notice": "this call may be recorded",
        "look": "let me open your file",
        "ask_card": "please give me your card number",
        "ask_key": "please key in your code now",
        "paid": "thank you the payment is accepted",
        "bye": "thank you goodbye",
    },
}
CALLER = {
    "fr": {
        "delivery": "bonjour j'attends toujours ma livraison",
        "invoice": "bonjour ma facture est fausse",
        "shares": "je voudrais acheter des actions",
        "complaint": "je veux faire une réclamation",
        "emergency": "il y a le feu chez mon voisin",
        "contract": "oui j'accepte ce contrat",
        "rare": "le dossier s'appelle {rare}",
        "order": "c'est la commande {order}",
        "amount": "elle coûte {amount} euros",
        "card": "le numéro de ma carte est {card}",
        "expiry": "la date d'expiration est {expiry}",
        "code": "le code de vérification est {code}",
        "bye": "d'accord merci",
    },
    "en": {
        "delivery": "hello my parcel is still missing",
        "invoice": "hello my bill is wrong",
        "shares": "I want to buy some shares",
        "complaint": "I want to make a complaint",
        "emergency": "there is a fire next door",
        "contract": "yes I accept this contract",
        "rare": "the file is called {rare}",
        "order": "it is order {order}",
        "amount": "it costs {amount} euros",
        "card": "my card number is {card}",
        "expiry": "the expiry date is {expiry}",
        "code": "the security code is {code}",
        "bye": "all right thanks",
    },
}


def vocabulary(language: str, speaker: str) -> list[str]:
    """Every word that a speaker (`agent` or `caller`) can say in a language (`fr` or `en`), sorted."""
    lines = (AGENT if speaker == "agent" else CALLER)[language].values()
    words = {word for line in lines for word in line.split() if not word.startswith("{")}
    return sorted(words | (set(DIGITS[language]) | set(SYLLABLES) if speaker == "caller" else set()))
