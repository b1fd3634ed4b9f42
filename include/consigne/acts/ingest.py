"""From intake to cleared: one function a task of `ingest_recordings`; `protect.py` holds what lies between."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from consigne.acts.catalog import Transaction
from consigne.acts.deliveries import delivery_ids, finish, found_in, quarantine, taking
from consigne.acts.draw import at_gate, judged_by, settle_draws
from consigne.acts.inform import informed_at
from consigne.acts.journey import Platform, Step, advance
from consigne.acts.locate import Contents, Digests, contents, located, look, policy_now, waiting_of
from consigne.acts.object import callers_of, record_said, said_in
from consigne.acts.ports import Delivery, Waiting
from consigne.rules import checks, gate
from consigne.rules.draw import Draw
from consigne.rules.errors import BadInput, Conflict, Unavailable
from consigne.rules.objections import Objection, objected
from consigne.rules.policy.model import Policy
from consigne.rules.recording import IncomingRecording
from consigne.rules.sources import native
from consigne.rules.values import Admitted, Quarantined, Refused

CHUNK = 200
"""Deliveries that one mapped task carries: smaller tasks cost more than they bring."""
LIMIT = 5_000
"""Deliveries of one run; half are new ones, whatever is stuck. The next run takes what is left."""
MOST_OPEN = 4  # so many times `LIMIT` may be open; then no more are claimed
_ANEW = ("claimed", "valid", "admitted", "quarantined")  # what is judged anew where its files change


def discover_intake(platform: Platform, run: str) -> list[str]:
    """Claim what waits, clear what is quarantined past its deadline, and share what is open among chunks;
    returns their ids. Starts from any state."""
    policy = policy_now(platform)
    with platform.catalog.begin() as tx:
        rows = platform.catalog.open_deliveries(tx, platform.intake.source)
        now = platform.catalog.now(tx)
    expired = [row.id for row in rows if row.deadline is not None and row.deadline <= now]
    open = {row.id for row in rows if row.state != "quarantined"}
    most_new = min(max(LIMIT - len(open), LIMIT // 2), max(MOST_OPEN * LIMIT - len(open), 0))
    found, left = look(platform, policy, rows, most_new)
    with platform.catalog.begin() as tx:
        _claim(platform, tx, found, {row.stem_digest: row for row in rows}, now)
        oldest_at = min((place.arrived_at for place in left), default=None)
        platform.catalog.note_unclaimed(tx, platform.intake.source, now, len(left), oldest_at)
    late = waiting_of(platform, policy, ["quarantined"], expired)
    advance(platform, _clearing(late, ["quarantined"]), expired)
    with platform.catalog.begin() as tx:
        rows = platform.catalog.open_deliveries(tx, platform.intake.source)
        ids = _carried(platform, [row.id for row in rows if row.state != "quarantined"], open)
        made = {platform.new_id(): ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)}
        platform.catalog.add_chunks(tx, run, made, now)
    return [str(id) for id in made]


def _carried(platform: Platform, ids: Sequence[UUID], before: Collection[UUID]) -> list[UUID]:
    """What a run carries of these, in their order: the new ones, and of those that were open before as many as fit,
    from another place on in each run, so that what is stuck stands before nobody for ever."""
    new = [id for id in ids if id not in before][:LIMIT]
    old = [id for id in ids if id in before]
    place = int.from_bytes(platform.random(4)) % len(old) if len(old) + len(new) > LIMIT else 0
    taken = {*new, *[*old[place:], *old[:place]][: LIMIT - len(new)]}
    return [id for id in ids if id in taken]


def _claim(
    platform: Platform,
    tx: Transaction,
    found: Mapping[bytes, Waiting],
    known: Mapping[bytes, Delivery],
    now: datetime,
) -> None:
    """What is new, by its stem and a microsecond apart: of two with one identifier the same one comes first in every
    run. And anew, what was claimed and has changed."""
    catalog = platform.catalog
    new = sorted((place.stem, digest) for digest, place in found.items() if digest not in known)
    rows = [
        {
            "id": platform.new_id(), "source": platform.intake.source, "source_id": found[digest].label,
            "stem_digest": digest, "fingerprint": found[digest].fingerprint,
            "received_at": now + timedelta(microseconds=number),
        }
        for number, (_, digest) in enumerate(new)
    ]  # fmt: skip
    claimed = catalog.claim_new(tx, rows)
    catalog.append(tx, "consigne", "ingest:delivery:claimed", [{"subject": str(id)} for id in claimed])
    for digest in found.keys() & known.keys():
        row, fingerprint = known[digest], found[digest].fingerprint
        if row.fingerprint != fingerprint and catalog.claim_again(tx, row.id, _ANEW, fingerprint):
            catalog.append(tx, "consigne", "ingest:delivery:changed", [{"subject": str(row.id)}])


def validate_metadata(platform: Platform, chunks: Sequence[str]) -> list[str]:
    """claimed → valid or quarantined, the whole batch in one check; returns the same chunks."""
    ids = [id for chunk in chunks for id in delivery_ids(platform, chunk)]
    policy = policy_now(platform)
    with platform.catalog.begin() as tx:
        rows = platform.catalog.take_deliveries(tx, ["claimed"], ids, platform.new_id())
    found = waiting_of(platform, policy, ["claimed"], [row.id for row in rows])
    read = {row.id: _read(platform, policy, found, row) for row in rows}
    lines = {id: what for id, what in read.items() if isinstance(what, Line)}
    failing = platform.checker.check([line.row for line in lines.values()]) if lines else []
    for (id, line), failed in zip(lines.items(), failing, strict=True):
        if failed:
            read[id] = replace(
                line, failed=tuple(failed), why=checks.verdict(checks.explain(line.row, failed))
            )

    def verdict(_: Platform, row: Delivery) -> Line | Quarantined:
        what = read[row.id]
        if isinstance(what, Exception):
            raise what
        return what

    step = Step("ingest:delivery:validate", taking(["claimed"]), verdict, _settle_valid)
    finish(advance(platform, step, list(read)))
    return list(chunks)


@dataclass(frozen=True, slots=True)
class Line:
    """What a whole batch holds of each delivery: its row of checks, the call's id where it could be read, the
    checks that it failed, why it cannot be judged, and the objection that it carries."""

    row: checks.Row
    id: str
    failed: tuple[str, ...] = ()
    why: Quarantined | None = None
    objection: Objection | None = None


def _read(
    platform: Platform, policy: Policy, found: Mapping[bytes, Waiting], row: Delivery
) -> Line | Exception | Quarantined:
    try:
        text = platform.intake.read_json(located(found, row)).reveal()
    except BadInput as fault:
        return Quarantined(fault.code, fault.where)
    except (Conflict, Unavailable) as fault:
        return fault
    try:
        return _line(platform, row, text, policy)
    except Exception as fault:  # of our own code: it must not stop the whole batch
        return fault


def _line(platform: Platform, row: Delivery, text: bytes, policy: Policy) -> Line:
    try:
        incoming = native.read(row.source, text, policy.size_cap_bytes)
    except BadInput as fault:
        return Line(checks.row(fault, policy.recording_cap), native.readable_id(text))
    said = said_in(platform, policy, incoming)
    return Line(checks.row(incoming, policy.recording_cap, row.received_at), incoming.id, objection=said)


def _settle_valid(
    platform: Platform, tx: Transaction, row: Delivery, token: UUID, result: Line | Quarantined
) -> bool:
    if isinstance(result, Quarantined):
        return quarantine(platform, tx, row, token, result)
    if result.objection is not None:  # before any of the batch is judged: their order must not matter
        record_said(platform, tx, result.objection, row.id)
    if result.why is not None:
        return quarantine(platform, tx, row, token, result.why, source_id=result.id or row.source_id)
    values = {"source_id": result.id, "findings": found_in(row, result.failed)}
    if not platform.catalog.move_delivery(tx, row.id, token, "claimed", "valid", **values):
        return False
    platform.catalog.append(tx, "consigne", "ingest:delivery:valid", [{"subject": str(row.id)}])
    return True


@dataclass(frozen=True, slots=True)
class Judged:
    """The gate's answer for each purpose, the draws behind it, and what recognises the call again."""

    verdicts: Mapping[str, Admitted | Refused]
    draws: Sequence[Draw]
    digests: Digests
    policy: str
    uninformed: tuple[str, str] | None  # the agent, and the notice that they had not acknowledged


def admit_recordings(platform: Platform, chunk: str) -> dict[str, object]:
    """valid → admitted, refused or quarantined, as the gate says for each purpose."""
    policy, ids = policy_now(platform), delivery_ids(platform, chunk)
    found = waiting_of(platform, policy, ["valid"], ids)

    def judge(platform: Platform, row: Delivery) -> Judged:
        return _judge(platform, policy, row, contents(platform, policy, found, row))

    step = Step("ingest:delivery:judge", taking(["valid"]), judge, _settle_judged)
    return finish(advance(platform, step, ids))


def _judge(platform: Platform, policy: Policy, row: Delivery, read: Contents) -> Judged:
    incoming, identity = read.incoming, read.digests.identity
    callers = callers_of(platform, incoming)
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        known = platform.catalog.known(tx, [identity], read.digests.audios)
        objections = platform.catalog.objections_of(tx, identity, callers)
        at_start = platform.catalog.policy_at(tx, min(incoming.started_at, row.received_at))
        informed = informed_at(platform, tx, at_start, incoming.agent)
        draw = at_gate(platform, tx, incoming, (at_start or policy).zone)
    facts = gate.Facts(
        policy_at_start=at_start,
        month_secret=draw.secret,
        acknowledged_at=informed,
        delivered_before=known.content_digest is not None and row.recording is None,  # not by this delivery
        erased_before=known.erased,
        drawn=draw.drawn,
        objected=objected(objections, identity, incoming, at_start.purposes if at_start else ()),
    )
    asked = gate.asked(policy, incoming, facts)
    came_back = known.is_gone or (bool(asked) and known.erased.issuperset(asked))
    if known.content_digest not in (None, read.digests.content) and not came_back:
        raise BadInput("id_reused", "id")
    verdicts = gate.judge(policy, incoming, row.received_at, now, facts)
    draws = judged_by(platform, draw, incoming, at_start, verdicts, row.id, now)
    return Judged(verdicts, draws, read.digests, policy.digest, _uninformed(incoming, at_start, verdicts))


def _uninformed(
    incoming: IncomingRecording, at_start: Policy | None, verdicts: Mapping[str, Admitted | Refused]
) -> tuple[str, str] | None:
    lacking = Refused("agent_not_informed") in verdicts.values()
    return (incoming.agent, at_start.agents.notice) if lacking and at_start and at_start.agents else None


def _settle_judged(
    platform: Platform, tx: Transaction, row: Delivery, token: UUID, result: Judged | Quarantined
) -> bool:
    if isinstance(result, Quarantined):
        return quarantine(platform, tx, row, token, result)
    verdict = gate.overall(result.verdicts)
    code = verdict.code if isinstance(verdict, Refused) else None
    values = {
        "code": code, "identity_digest": result.digests.identity,
        "content_digest": result.digests.content, "audio_digest": result.digests.audio,
    }  # fmt: skip
    if not platform.catalog.move_delivery(
        tx, row.id, token, "valid", "refused" if code else "admitted", **values
    ):
        return False
    platform.catalog.set_verdicts(tx, row.id, result.verdicts)
    settle_draws(platform, tx, result.draws)
    if result.uninformed is not None:
        platform.catalog.note_uninformed(tx, *result.uninformed, row.received_at)
    drawn = {draw.purpose: {"draw": str(draw.id), "month": draw.month} for draw in result.draws}
    entries = [
        {
            "subject": str(row.id), "purpose": purpose, "policy": result.policy,
            "outcome": verdict.code if isinstance(verdict, Refused) else "admitted",
        } | drawn.get(purpose, {})
        for purpose, verdict in result.verdicts.items()
    ]  # fmt: skip
    fallback = [{"subject": str(row.id), "policy": result.policy, "outcome": code or "admitted"}]
    platform.catalog.append(tx, "consigne", "ingest:delivery:judged", entries or fallback)
    return True


def clear_source(platform: Platform, chunk: str) -> dict[str, object]:
    """protected (every part kept) or refused → cleared: the delivery's files leave intake."""
    states, ids = ["protected", "refused"], delivery_ids(platform, chunk)
    found = waiting_of(platform, policy_now(platform), states, ids)
    return finish(advance(platform, _clearing(found, states), ids))


def take_rest(platform: Platform, run: str) -> bool:
    """Whether the next run begins at once: this one carried as many deliveries as one may, some of them came to
    their end, and what nobody claimed lies in intake."""
    with platform.catalog.begin() as tx:
        carried = platform.catalog.run_deliveries(tx, run)
        states = {state for state, _, _ in platform.catalog.outcomes(tx, carried)}
    if len(carried) < LIMIT or not states & {"cleared", "quarantined"}:
        return False
    with platform.catalog.begin() as tx:
        rows = platform.catalog.open_deliveries(tx, platform.intake.source)
    return bool(look(platform, policy_now(platform), rows, 0)[1])


def _clearing(found: Mapping[bytes, Waiting], states: Sequence[str]) -> Step[Delivery, None]:
    def clear(platform: Platform, row: Delivery) -> None:
        with platform.catalog.begin() as tx:
            if row.recording is not None and platform.catalog.any_storing(tx, row.recording):
                raise Conflict("not_confirmed", str(row.id), "its objects are not confirmed yet")
        place = found.get(row.stem_digest)
        if place is not None and place.fingerprint == row.fingerprint:
            platform.intake.clear(place)

    def settle(
        platform: Platform, tx: Transaction, row: Delivery, token: UUID, _: Quarantined | None
    ) -> bool:
        if not platform.catalog.move_delivery(tx, row.id, token, row.state, "cleared"):
            return False
        platform.catalog.append(tx, "consigne", "ingest:delivery:cleared", [{"subject": str(row.id)}])
        return True

    return Step("ingest:delivery:clear", taking(states), clear, settle, intends=True)
