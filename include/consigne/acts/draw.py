"""Draws: the months' secrets committed and revealed in time, and the draw at call set-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from consigne.acts.catalog import Transaction
from consigne.acts.inform import informed_at
from consigne.acts.journey import Platform
from consigne.acts.locate import in_force
from consigne.rules.draw import (
    Draw,
    DrawMonth,
    begins_at,
    commitment,
    draw_digest,
    is_drawn,
    month_after,
    month_for,
    month_id,
    month_of,
    reveal_at,
)
from consigne.rules.errors import BadInput, Conflict, Tampered, Unavailable
from consigne.rules.gate import at_set_up, is_informed
from consigne.rules.policy.model import Policy
from consigne.rules.recording import IncomingRecording
from consigne.rules.set_up import SetUp
from consigne.rules.values import Admitted, Refused


def keep_months(platform: Platform) -> int:
    """Commit the current month and the next, and reveal those that are over; returns how many it touched. The
    register says where a month was committed late: when the installation began, or stood still for a month."""
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        policy = platform.catalog.policy_at(tx, now) or platform.catalog.newest_policy(tx)
        if policy is None:
            return 0
        current = month_of(now, policy.zone)
        made = [_commit(platform, tx, month, policy.zone, now) for month in (current, month_after(current))]
        over = [
            month for name, month in sorted(platform.catalog.secret_months(tx).items())
            if reveal_at(name, policy.zone) <= now
        ]  # fmt: skip
    troubles: list[Tampered] = []
    for month in over:
        try:  # apart: a month that cannot be revealed does not stop the next one
            with platform.catalog.begin() as tx:
                made.append(_reveal(platform, tx, month, now))
        except Tampered as fault:
            troubles.append(fault)
    if troubles:
        raise troubles[0]
    return sum(made)


def _commit(platform: Platform, tx: Transaction, month: str, zone: str, now: datetime) -> bool:
    if month in platform.catalog.secret_months(tx):
        return False
    mac = platform.keyring.mac("draw", month.encode())
    row = DrawMonth(month, commitment(mac.digest), mac.version, now)
    if not platform.catalog.commit_month(tx, row):
        return False
    entry = {
        "subject": str(month_id(month)), "month": month, "commitment": row.commitment.hex(),
        "key_version": mac.version, "outcome": "late" if begins_at(month, zone) <= now else "beforehand",
    }  # fmt: skip
    platform.catalog.append(tx, "consigne", "draw:month:committed", [entry])
    return True


def _reveal(platform: Platform, tx: Transaction, month: DrawMonth, now: datetime) -> bool:
    secret = _secret(platform, month)
    if not platform.catalog.reveal_month(tx, month.month, secret, now):
        return False
    entry = {"subject": str(month_id(month.month)), "month": month.month, "secret": secret.hex()}
    platform.catalog.append(tx, "consigne", "draw:month:revealed", [entry])
    return True


def _secret(platform: Platform, month: DrawMonth) -> bytes:
    secret = platform.keyring.mac("draw", month.month.encode(), month.key_version).digest
    if commitment(secret) != month.commitment:
        raise Tampered(
            "draw_secret", month.month, "the keyring does not hold the key that it was committed by"
        )
    return secret


def month_secret(platform: Platform, tx: Transaction, started_at: datetime, zone: str) -> tuple[str, bytes]:
    """The month that draws a call, and its secret (32 bytes). Unavailable where none is committed: there is no draw
    without a commitment before it. Tampered where the keyring gives another secret."""
    secret = platform.catalog.secret_months(tx)
    month = month_for(started_at, platform.catalog.now(tx), zone, secret)
    if month is None:
        raise Unavailable("draw_month", "catalog", "the sealer's reminder commits it within a minute")
    return month, _secret(platform, secret[month])


@dataclass(frozen=True, slots=True)
class SetUpDraw:
    """What a call is recorded for: `outcomes` by purpose (`drawn`, `systematic`, or why it is not recorded);
    `draw` names the draws that were made for the call, None where there was nothing to draw."""

    draw: UUID | None
    outcomes: Mapping[str, str]

    @property
    def purposes(self) -> list[str]:
        """Those that it is recorded for."""
        return [name for name, outcome in self.outcomes.items() if outcome in ("drawn", "systematic")]

    def to_json(self) -> dict[str, object]:
        """As telephone systems get it."""
        return {
            "draw": self.draw and str(self.draw),
            "record": bool(self.purposes),
            "purposes": self.purposes,
            "outcomes": dict(self.outcomes),
        }


def draw_call(platform: Platform, asked: SetUp) -> SetUpDraw:
    """Draw a call at its set-up, by the policy in force. Asked again, a draw is the same. An agent who is named and
    has not acknowledged the notice is not recorded, and nothing is drawn. BadInput for a source that is not ours, or
    a start that is not now (within the policy's `clock_skew`)."""
    if asked.source != platform.intake.source:
        raise BadInput("bad_field", "source")
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        policy = in_force(platform, tx, now)
        started_at = asked.started_at or now
        if abs((started_at - now).total_seconds()) > policy.clock_skew.seconds_exact():
            raise BadInput("bad_field", "started_at")
        names = dict.fromkeys(asked.purposes or policy.routing.get(asked.queue, ()))
        agent = asked.agent
        informed = agent is None or is_informed(policy, informed_at(platform, tx, policy, agent), started_at)
        outcomes = {name: at_set_up(policy, name, started_at, informed) for name in names}
        open = [name for name, outcome in outcomes.items() if outcome is None]
        made = _draws(platform, tx, policy, asked, started_at, open) if open else {}
    told = {
        name: outcome or ("drawn" if made[name].drawn else "not_drawn") for name, outcome in outcomes.items()
    }
    return SetUpDraw(next((draw.id for draw in made.values()), None), told)


def _draws(
    platform: Platform, tx: Transaction, policy: Policy, asked: SetUp, started_at: datetime, open: list[str]
) -> dict[str, Draw]:
    catalog = platform.catalog
    standing = catalog.draws_of(tx, asked.source, asked.id)
    missing = [name for name in open if name not in standing]
    if missing:
        month, secret = month_secret(platform, tx, started_at, policy.zone)
        id = next((draw.id for draw in standing.values()), None) or platform.new_id()
        now = catalog.now(tx)
        new = [
            Draw(
                asked.source, asked.id, name, id, month, rate,
                is_drawn(draw_digest(secret, asked.source, asked.id, name), rate),
                True, asked.queue, asked.agent, policy.digest, now,
            )
            for name in missing
            for rate in (policy.purposes[name].sampling_rate,)
        ]  # fmt: skip
        added = catalog.add_draws(tx, new)
        entries = [
            {"subject": str(id), "purpose": draw.purpose, "month": month, "policy": policy.digest,
             "outcome": "drawn" if draw.drawn else "not_drawn"}
            for draw in new
            if draw.purpose in added
        ]  # fmt: skip
        catalog.append(tx, "consigne", "draw:call:drawn", entries)
        standing = catalog.draws_of(tx, asked.source, asked.id)
    return {name: standing[name] for name in open}


@dataclass(frozen=True, slots=True)
class AtGate:
    """What the gate draws a call with: its month and that one's secret, and the draws that stand, by purpose."""

    month: str
    secret: bytes
    standing: Mapping[str, Draw]

    @property
    def drawn(self) -> dict[str, bool]:
        """The outcomes that stand."""
        return {name: draw.drawn for name, draw in self.standing.items()}


def at_gate(platform: Platform, tx: Transaction, call: IncomingRecording, zone: str) -> AtGate:
    """Before a delivery is judged. Unavailable as `month_secret`. The delivery's own word about its draw is not
    needed: draws are found by the call, and nothing else binds them."""
    month, secret = month_secret(platform, tx, call.started_at, zone)
    return AtGate(month, secret, platform.catalog.draws_of(tx, call.source, call.id))


def judged_by(
    platform: Platform,
    at: AtGate,
    call: IncomingRecording,
    at_start: Policy | None,
    verdicts: Mapping[str, Admitted | Refused],
    delivery: UUID,
    now: datetime,
) -> list[Draw]:
    """The draws, made now or standing, of the purposes whose verdict came as far as the draw."""
    reached = {
        name: at_start.purposes[name].sampling_rate
        for name, verdict in verdicts.items()
        if verdict in (Admitted(), Refused("not_drawn"))
        and at_start is not None
        and at_start.purposes[name].legal_text is None
    }
    id = next((draw.id for draw in at.standing.values()), None) or platform.new_id()
    return [
        replace(at.standing[name], delivery=delivery)
        if name in at.standing
        else Draw(
            call.source, call.id, name, id, at.month, rate, verdicts[name] == Admitted(), False, call.queue,
            call.agent, at_start.digest if at_start else "", now, delivery,
        )
        for name, rate in reached.items()
    ]  # fmt: skip


def settle_draws(platform: Platform, tx: Transaction, draws: Sequence[Draw]) -> None:
    """Write down what a delivery was judged by. Conflict where somebody drew the call meanwhile: the next run
    judges it by that draw."""
    if not draws:
        return
    source, call, delivery = draws[0].source, draws[0].call, draws[0].delivery
    assert delivery is not None
    added = platform.catalog.add_draws(tx, draws)
    stood = {draw.purpose: draw for draw in draws if draw.purpose not in added}
    if not stood:
        return
    known = platform.catalog.draws_of(tx, source, call)
    if any((known[name].id, known[name].drawn) != (draw.id, draw.drawn) for name, draw in stood.items()):
        raise Conflict("drawn_meanwhile", str(delivery))
    platform.catalog.judge_by(tx, source, call, stood, delivery)
