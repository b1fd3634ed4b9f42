"""Numbers to read out, by the rules of those who give them out; none belongs to anybody.

Written apart from the detectors, so that an error there isn't one here too.
"""

from __future__ import annotations

from random import Random

# Beginning (low, high, same width) and length: those on most cards, then the rarer.
COMMON_CARDS = (
    ("4", "4", 16), ("4970", "4979", 16), ("5131", "5137", 16), ("51", "55", 16), ("2221", "2720", 16),
    ("34", "34", 15), ("37", "37", 15),
)  # fmt: skip
RARE_CARDS = (
    ("300", "305", 14), ("36", "36", 14), ("38", "39", 14), ("3528", "3589", 16), ("6011", "6011", 16),
    ("644", "649", 16), ("65", "65", 16), ("62", "62", 16), ("62", "62", 19), ("5018", "5018", 16),
    ("5893", "5893", 19), ("6304", "6304", 18), ("6761", "6763", 16), ("6759", "6759", 19), ("6703", "6703", 17),
    ("2200", "2204", 16), ("4", "4", 19), ("4", "4", 13), ("6521", "6522", 16),
)  # fmt: skip
PRINTED = {
    13: (4, 3, 3, 3),
    14: (4, 6, 4),
    15: (4, 6, 5),
    17: (4, 4, 4, 5),
    18: (4, 4, 4, 6),
    19: (4, 4, 4, 4, 3),
}

# ISO 13616: what stands after the country and its check digits (n digits, a letters, c either).
BBANS = {
    "FR": "n10 c11 n2", "BE": "n12", "CH": "n5 c12", "LU": "n3 c13", "MC": "n10 c11 n2", "DE": "n18", "ES": "n20",
    "IT": "a1 n10 c12", "PT": "n21", "NL": "a4 n10", "GB": "a4 n14", "IE": "a4 n14", "AT": "n16", "PL": "n24",
    "DK": "n14", "SE": "n20", "NO": "n11", "FI": "n14", "CZ": "n20", "SK": "n20", "HU": "n24", "RO": "a4 c16",
    "BG": "a4 n14", "GR": "n23", "HR": "n17", "SI": "n15", "LT": "n16", "LV": "a4 c13", "EE": "n16",
    "MT": "a4 n5 c18", "CY": "n24", "IS": "n22", "LI": "n5 c12", "SM": "a1 n10 c12", "AD": "n8 c12", "TR": "n22",
    "MA": "n24", "TN": "n20", "SN": "a2 n22", "CI": "a2 n22", "SA": "n20", "AE": "n19", "IL": "n19", "XK": "n16",
    "UA": "n25", "GE": "a2 n16", "AL": "n8 c16", "RS": "n18",
}  # fmt: skip
HOME = ("FR", "FR", "FR", "BE", "CH", "LU", "GB", "IE", "DE", "ES", "IT", "NL")
BICS = (
    "BNPAFRPP", "SOGEFRPP", "AGRIFRPP", "CEPAFRPP751", "PSSTFRPPPAR", "CRLYFRPP", "CMCIFRPP", "GEBABEBB",
    "BBRUBEBB", "KREDBEBB", "UBSWCHZH80A", "POFICHBE", "BARCGB22", "LOYDGB2L", "NWBKGB2L", "DEUTDEFF",
    "COBADEFFXXX", "INGBNL2A", "ABNANL2A", "RABONL2U", "BCITITMM", "BBVAESMM", "BCEELULL", "TRWIBEB1", "CCBPFRPPVER",
)  # fmt: skip


def card(draw: Random) -> str:
    """Every issuer, 13 to 19 digits; Luhn holds (ISO/IEC 7812-1)."""
    low, high, length = draw.choice(COMMON_CARDS if draw.random() < 0.75 else RARE_CARDS)
    start = str(draw.randint(int(low), int(high)))
    free = start + digits(draw, length - len(start) - 1)
    return next(free + d for d in "0123456789" if luhn(free + d))


def mangled(draw: Random, number: str) -> str:
    """A card number as recognition may have it: a digit lost or wrong; 13 digits or more, Luhn fails."""
    while True:
        at = draw.randrange(5, len(number))
        other = draw.choice("0123456789") if draw.random() < 0.5 or len(number) == 13 else ""
        wrong = number[:at] + other + number[at + 1 :]
        if not luhn(wrong):
            return wrong


def luhn(number: str) -> bool:
    """Each second digit from the right doubled; the sum of all digits is a multiple of ten."""
    folded = [sum(divmod(int(d) * (1 + place % 2), 10)) for place, d in enumerate(reversed(number))]
    return sum(folded) % 10 == 0


def decoy(draw: Random, length: int) -> str:
    """Digits in which no stretch of 13 to 19 passes for a card number's check."""
    while True:
        number = draw.choice("123456789") + digits(draw, length - 1)
        stretches = (number[a:b] for a in range(length) for b in range(a + 13, length + 1))
        if not any(luhn(stretch) for stretch in stretches if len(stretch) <= 19):
            return number


def iban(draw: Random) -> str:
    """Any country's length and letters; the remainder by 97 is 1 (ISO 7064)."""
    country = draw.choice(HOME) if draw.random() < 0.6 else draw.choice(sorted(BBANS))
    body = "".join(_part(draw, part) for part in BBANS[country].split())
    return f"{country}{98 - _remainder(body + country + '00'):02d}{body}"


def _part(draw: Random, part: str) -> str:
    count = int(part[1:])
    if part[0] == "a":
        return "".join(draw.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=count))
    text = digits(draw, count)
    if part[0] == "c" and draw.random() < 0.15:
        at = draw.randrange(count)
        text = text[:at] + draw.choice("ABCDEFGHJKLMNPRSTUVWXYZ") + text[at + 1 :]
    return text


def _remainder(text: str) -> int:
    return int("".join(str(int(char, 36)) for char in text)) % 97


def rib(draw: Random) -> tuple[str, str, str, str]:
    """Bank, branch, account, key: 97 less the weighted sum by 97."""
    bank, branch, account = digits(draw, 5), digits(draw, 5), digits(draw, 11)
    key = 97 - (89 * int(bank) + 15 * int(branch) + 3 * int(account)) % 97
    return bank, branch, account, f"{key:02d}"


def nir(draw: Random) -> tuple[str, ...]:
    """Sex, year, month, department, commune, rank, key; Corsica's 2A and 2B count as 19 and 18."""
    department = draw.choice(("2A", "2B")) if draw.random() < 0.25 else f"{draw.randint(1, 95):02d}"
    department = "78" if department == "20" else department
    commune, rank = f"{draw.randint(1, 590):03d}", f"{draw.randint(1, 600):03d}"
    parts = (draw.choice("12"), digits(draw, 2), f"{draw.randint(1, 12):02d}", department, commune, rank)
    number = int("".join(parts).replace("2A", "19").replace("2B", "18"))
    return (*parts, f"{97 - number % 97:02d}")


def digits(draw: Random, count: int) -> str:
    """Any digits."""
    return "".join(draw.choices("0123456789", k=count))
