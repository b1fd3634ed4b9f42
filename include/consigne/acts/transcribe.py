"""Words for deliveries that bring none: transcribed, redacted and stored in one step, so that what was said rests
nowhere before it is masked (P2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from consigne.acts.deliveries import delivery_ids, finish, taking
from consigne.acts.journey import Outcome, Platform, Step, advance
from consigne.acts.locate import Contents, contents, lacks_words, located, policy_now, waiting_of
from consigne.acts.ports import Delivery, Waiting
from consigne.acts.protect import Stowed, settle, stow
from consigne.rules import checks
from consigne.rules.audio import codecs
from consigne.rules.errors import BadInput, Conflict, Misconfigured, Unavailable
from consigne.rules.policy.model import Policy
from consigne.rules.recording import IncomingRecording
from consigne.rules.sources import native
from consigne.rules.values import Private, Quarantined

BUDGET = timedelta(minutes=5)
"""No recording is begun later than this; the rest is the next run's. Its neighbours wait for the last begun."""


def transcribe_recordings(platform: Platform, chunk: str) -> dict[str, object]:
    """admitted → protected for what lacks words that a purpose needs; nothing without a transcriber."""
    if not platform.transcriber.configured:
        return finish(Outcome())
    policy, until = policy_now(platform), _now(platform) + BUDGET
    found = waiting_of(platform, policy, ["admitted"], delivery_ids(platform, chunk))

    def effect(platform: Platform, row: Delivery) -> Stowed | Quarantined:
        if _now(platform) >= until:
            raise Conflict("later", str(row.id), "the next run goes on with it")
        return _transcribe(platform, policy, row, contents(platform, policy, found, row))

    step = Step("ingest:delivery:transcribe", taking(["admitted"]), effect, settle, intends=True)
    return finish(advance(platform, step, _lacking(platform, policy, found, chunk)))


def _now(platform: Platform) -> datetime:
    with platform.catalog.begin() as tx:
        return platform.catalog.now(tx)


def _lacking(platform: Platform, policy: Policy, found: Mapping[bytes, Waiting], chunk: str) -> list[UUID]:
    """The chunk's admitted deliveries that lack words, by their metadata alone."""
    with platform.catalog.begin() as tx:
        rows = platform.catalog.take_deliveries(
            tx, ["admitted"], delivery_ids(platform, chunk), platform.new_id()
        )
        purposes = {row.id: platform.catalog.admitted_purposes(tx, row.id) for row in rows}
    return [
        row.id
        for row in rows
        if (incoming := _metadata(platform, policy, found, row))
        and lacks_words(policy, purposes[row.id], incoming)
    ]


def _metadata(
    platform: Platform, policy: Policy, found: Mapping[bytes, Waiting], row: Delivery
) -> IncomingRecording | None:
    """None where it cannot be read: `protect_recordings` finds the same, and says why."""
    try:
        text = platform.intake.read_json(located(found, row)).reveal()
        return native.read(row.source, text, policy.size_cap_bytes)
    except (Unavailable, Misconfigured):
        raise
    except Exception:
        return None


def _transcribe(platform: Platform, policy: Policy, row: Delivery, read: Contents) -> Stowed | Quarantined:
    incoming = read.incoming
    try:
        audio = codecs.read(read.audio.reveal(), read.suffix, policy.recording_cap.seconds_exact() * 1000)
    except BadInput as fault:
        unread = Quarantined(fault.code, fault.where)
        return replace(unread, checks=checks.undecoded(unread))
    if wrong := checks.check_audio(incoming, audio.duration_ms, audio.channels):
        return wrong
    heard = platform.transcriber.transcribe(Private(audio), incoming.language, incoming.channels)
    if isinstance(heard, Quarantined):
        return heard
    return stow(platform, policy, row, replace(read, incoming=replace(incoming, transcript=heard)))
