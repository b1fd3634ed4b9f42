"""Find recordings by a caller's number without keeping the number: only its keyed blind index is compared."""

from __future__ import annotations

import re

from consigne.acts.catalog import Transaction
from consigne.acts.journey import Platform
from consigne.acts.ports import Mac
from consigne.rules.checks import NUMBER
from consigne.rules.errors import BadInput
from consigne.rules.values import Private

_KEY = "blind-index"
_FILLERS = re.compile(r"[\s.()/\-]")


def caller_indexes(platform: Platform, number: str) -> list[bytes]:
    """The blind indexes (32 bytes each) of a number under every version of the key, for each way a source may
    have written it: `+33…`, `0033…`, `33…`. Blanks, dots, dashes and brackets are left out. BadInput('bad_field',
    'caller')."""
    plain = _FILLERS.sub("", number)
    if plain == "anonymous" or not re.fullmatch(NUMBER, plain):
        raise BadInput("bad_field", "caller")
    versions = platform.keyring.versions(_KEY)
    return [
        platform.keyring.mac(_KEY, written.encode(), version).digest
        for written in _writings(plain)
        for version in versions
    ]


def caller_index(platform: Platform, tx: Transaction, number: Private[str]) -> Mac:
    """The blind index to keep of a number as its source wrote it: under the newest version of the key by which each
    hold and objection that is over this number knows it."""
    message = number.reveal().encode()
    macs = [platform.keyring.mac(_KEY, message, version) for version in platform.keyring.versions(_KEY)]
    if len(macs) == 1:
        return macs[0]
    known = platform.catalog.known_callers(tx, [mac.digest for mac in macs])
    return next((mac for mac in reversed(macs) if all(mac.digest in one for one in known)), macs[0])


def _writings(plain: str) -> list[str]:
    """What a source may have handed in for a number: with `+`, with `00`, or without either; a French one also in
    its national form, `06…` for `+336…`, whichever of them was typed."""
    digits = plain.removeprefix("+")
    digits = digits.removeprefix("00") or digits
    digits = f"33{digits[1:]}" if re.fullmatch("0[1-9][0-9]{8}", digits) else digits
    national = [f"0{digits[2:]}"] if re.fullmatch("33[1-9][0-9]{8}", digits) else []
    return list(dict.fromkeys([plain, f"+{digits}", f"00{digits}", digits, *national]))
