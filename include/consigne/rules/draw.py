"""The draw that makes recording occasional: random to the agent, reproducible to the auditor.

A digest is HMAC-SHA-256 (RFC 2104) under the month's secret; it is drawn where, read as a fraction of
2^256, it lies below the sampling rate. The month is that of the call's start, in the policy's zone, while
its secret is unknown; a call that comes when it is revealed, or of a month that was never committed, is drawn
under the current one: nobody chooses a month whose outcome they know.

A secret is committed before it is used: SHA-256 over `consigne-draw-commitment-v1`, a zero byte, and its 32
bytes. It is revealed a day after the month's end: what came in the last night is still drawn under its own
month, and an auditor need not wait for the 30 days in which a delivery may be late.

`consigne draws --json > draws.json`, and a stranger checks it with nothing of Consigne:

    import hashlib, hmac, json
    from fractions import Fraction
    told, secrets = json.load(open("draws.json")), {}
    for m in told["months"]:
        if m["secret"]:
            secrets[m["month"]] = secret = bytes.fromhex(m["secret"])
            sealed = hashlib.sha256(b"consigne-draw-commitment-v1\\0" + secret).hexdigest()
            assert sealed == m["commitment"], m["month"]
    for d in told["draws"]:
        if d["month"] in secrets:
            call = json.dumps([d["source"], d["call"], d["purpose"]], separators=(",", ":")).encode()
            digest = hmac.new(secrets[d["month"]], b"consigne-draw-v1\\0" + call, "sha256").digest()
            below = Fraction(int.from_bytes(digest, "big"), 1 << 256) < Fraction(d["rate"])
            assert below == d["drawn"], d
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import NAMESPACE_URL, UUID, uuid5

from consigne.rules.clock import Duration, add, local_date, midnight_of

REVEALED_AFTER = Duration(days=1)
"""How long after the month's end its secret is revealed."""
UNDER_WAY = timedelta(hours=1)
"""A draw that had begun when its month was revealed may be written down so much later."""


@dataclass(frozen=True, slots=True)
class DrawMonth:
    """A month (`2026-11`) and the digest that its secret was committed to; `key_version` is of the keyring's
    key `draw`, `secret` (32 bytes) is known once it is revealed."""

    month: str
    commitment: bytes
    key_version: int
    committed_at: datetime
    revealed_at: datetime | None = None
    secret: bytes | None = None


@dataclass(frozen=True, slots=True)
class Draw:
    """A draw that was made, at call set-up or at the gate; it stands. `id` is that of all the call's draws,
    `delivery` the one that was judged by it, `policy` the digest of the policy whose `rate` it is."""

    source: str
    call: str
    purpose: str
    id: UUID
    month: str
    rate: Decimal
    drawn: bool
    at_set_up: bool
    queue: str
    agent: str | None
    policy: str
    drawn_at: datetime
    delivery: UUID | None = None


def month_of(started_at: datetime, zone: str) -> str:
    """The local month of an instant, `2026-11`."""
    return f"{local_date(started_at, zone):%Y-%m}"


def month_after(month: str) -> str:
    """The next one."""
    return f"{_first_day_after(month):%Y-%m}"


def begins_at(month: str, zone: str) -> datetime:
    """The instant (UTC) at which the local month begins."""
    return midnight_of(date.fromisoformat(f"{month}-01"), zone)


def reveal_at(month: str, zone: str) -> datetime:
    """When its secret is to be revealed (UTC)."""
    return add(midnight_of(_first_day_after(month), zone), REVEALED_AFTER, zone)


def _first_day_after(month: str) -> date:
    return (date.fromisoformat(f"{month}-01") + timedelta(days=31)).replace(day=1)


def month_for(started_at: datetime, now: datetime, zone: str, secret: Collection[str]) -> str | None:
    """The month that draws a call, of those committed and still `secret`: the start's, else the current one, else
    (the clock ran ahead once, or nobody committed for a month) the latest. None where there is none."""
    months = (month_of(started_at, zone), month_of(now, zone), *sorted(secret, reverse=True)[:1])
    return next((month for month in months if month in secret), None)


def month_id(month: str) -> UUID:
    """By which the register's entries about a month are found: a name-based UUID (RFC 9562, version 5)."""
    return uuid5(NAMESPACE_URL, f"consigne:draw-month:{month}")


def commitment(month_secret: bytes) -> bytes:
    """32 bytes, as said above. The secret cannot be guessed from it."""
    return hashlib.sha256(b"consigne-draw-commitment-v1\0" + month_secret).digest()


def draw_digest(month_secret: bytes, source: str, id: str, purpose: str) -> bytes:
    """32 bytes: HMAC of `consigne-draw-v1`, a zero byte, and the JSON array [source, id, purpose] in ASCII
    without spaces."""
    identity = json.dumps([source, id, purpose], ensure_ascii=True, separators=(",", ":"))
    return hmac.new(month_secret, b"consigne-draw-v1\0" + identity.encode(), hashlib.sha256).digest()


def is_drawn(digest: bytes, rate: Decimal) -> bool:
    """Whether the digest falls below the rate (0 … 1), compared in integers: 0 draws none, 1 draws all."""
    numerator, denominator = rate.as_integer_ratio()
    return int.from_bytes(digest, "big") * denominator < numerator << (8 * len(digest))


@dataclass(frozen=True, slots=True)
class Misfit:
    """What does not fit, of a month or of one draw in it:

    | code | meaning |
    | --- | --- |
    | `register_differs` | the register committed the month to another digest, or to none |
    | `commitment_differs` | the secret is not the one that was committed |
    | `not_committed` | a draw names a month that was never committed |
    | `drawn_before_commitment` | it was made before its month was committed |
    | `drawn_after_reveal` | it was made when its month's secret was known |
    | `draw_differs` | the secret gives another outcome |
    | `kept_undrawn` | the call was kept for a purpose that it was not drawn for |
    """

    code: str
    month: str
    source: str = ""
    call: str = ""
    purpose: str = ""


def misfits(
    months: Iterable[DrawMonth],
    registered: Mapping[str, bytes],
    draws: Iterable[tuple[Draw, bool]],
) -> Iterator[Misfit]:
    """Months against the commitments in the register, and each draw (with whether its call was kept for the
    purpose) against its month; outcomes only where the secret is revealed."""
    known = {month.month: month for month in months}
    for month in known.values():
        if registered.get(month.month) != month.commitment:
            yield Misfit("register_differs", month.month)
        if month.secret is not None and commitment(month.secret) != month.commitment:
            yield Misfit("commitment_differs", month.month)
    for draw, is_kept in draws:
        for code in _why_not(draw, is_kept, known.get(draw.month)):
            yield Misfit(code, draw.month, draw.source, draw.call, draw.purpose)


def _why_not(draw: Draw, is_kept: bool, month: DrawMonth | None) -> Iterator[str]:
    if is_kept and not draw.drawn:
        yield "kept_undrawn"
    if month is None:
        yield "not_committed"
        return
    if draw.drawn_at < month.committed_at:
        yield "drawn_before_commitment"
    if month.revealed_at is not None and draw.drawn_at > month.revealed_at + UNDER_WAY:
        yield "drawn_after_reveal"
    if month.secret is not None:
        digest = draw_digest(month.secret, draw.source, draw.call, draw.purpose)
        if is_drawn(digest, draw.rate) is not draw.drawn:
            yield "draw_differs"
