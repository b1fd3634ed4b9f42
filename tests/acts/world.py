"""A whole platform on a real PostgreSQL and memory ports: calls go in, time passes, what became of them."""

from __future__ import annotations

import io
import json
import os
import random
import uuid
import wave
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from consigne.acts import close as closing
from consigne.acts import expire as expiry
from consigne.acts import ingest as intake_acts
from consigne.acts import protect, report, transcribe
from consigne.acts.draw import keep_months
from consigne.acts.journey import Platform
from consigne.acts.safe import take_out
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.names import PresidioNames
from consigne.adapters.transcriber.none import NoTranscriber
from consigne.adapters.witness import NoWitness
from consigne.rules import checks
from consigne.rules.evidence.report import Report
from consigne.rules.evidence.signature import write_public_keys
from consigne.rules.evidence.verify import verify
from consigne.rules.layout import part_prefix
from consigne.rules.policy.load import load
from consigne.rules.policy.model import Policy
from consigne.rules.values import ArtifactName
from contract.memory import MemoryIntake, MemoryKeyring, MemoryStore

TEXT = (Path(__file__).parents[2] / "config" / "demo.yaml").read_text()
UNINFORMED = "n.nouveau"
LENGTH_S = 2
_RUNS = (f"run-{number}" for number in range(1_000_000))


class Checker:
    """The same table as Great Expectations runs (tests/contract/test_expectations.py), without its second of
    start."""

    def check(self, rows: Sequence[checks.Row]) -> list[list[str]]:
        return [checks.failed(row) for row in rows]


@lru_cache(maxsize=64)
def sound(seed: int) -> bytes:
    """Two seconds of faint noise, WAV, 8 kHz, one channel."""
    draw, file = random.Random(seed), io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(
            b"".join(draw.randint(-90, 90).to_bytes(2, "little", signed=True) for _ in range(8000 * LENGTH_S))
        )
    return file.getvalue()


def metadata(id: str, started_at: datetime, **changes: Any) -> bytes:
    """A sound delivery's JSON; a change to None takes the field out."""
    fields: dict[str, Any] = {
        "id": id, "started_at": started_at.isoformat(),
        "ended_at": (started_at + timedelta(seconds=LENGTH_S)).isoformat(),
        "direction": "inbound", "caller": "+33612345678", "callee": "+33123456789", "agent": "a.martin",
        "queue": "support", "language": "fr", "purposes": ["training"],
        "notice": {"version": "2026-01", "played_at_s": 0.1}, "channels": ["mixed"],
        "transcript": {"words": [{"text": "bonjour", "start_s": 0.2, "end_s": 0.5, "speaker": "agent"}]},
    } | changes  # fmt: skip
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


@dataclass(slots=True)
class World:
    """`platform` is what acts are given; a test may replace its parts to break them."""

    platform: Platform
    policy: Policy
    engine: Engine
    store: MemoryStore
    keyring: MemoryKeyring
    intake: MemoryIntake
    base: datetime

    # what comes in

    def deliver(
        self, id: str, stem: str | None = None, ago: timedelta = timedelta(days=1), **changes: Any
    ) -> None:
        """A call that began `ago`; each id has a sound of its own, unless `seed=` chooses one."""
        audio = sound(changes.pop("seed", None) or zlib.crc32(id.encode()))
        self.intake.deliver(stem or id, audio, metadata(id, self.base - ago, **changes))

    def deliver_trial(self, id: str, left: timedelta = timedelta(minutes=4), **changes: Any) -> None:
        """A call under `trial`, which lives ten minutes from its start."""
        self.deliver(id, ago=timedelta(minutes=10) - left, purposes=["trial"], **changes)

    # what happens

    def ingest(self, run: str | None = None) -> dict[str, dict[str, int]]:
        """A run of `ingest_recordings`, task by task."""
        return ingest(self.platform, run or next(_RUNS))

    def expire(self, run: str | None = None, dry_run: bool = False) -> dict[str, int]:
        """A run of `expire_recordings`, task by task."""
        return expire(self.platform, run or next(_RUNS), dry_run)

    def pass_time(self, by: timedelta) -> None:
        """So much after the stage was set: the catalog's clock is put there, however often this is called."""
        with self.engine.begin() as tx:
            tx.exec_driver_sql(f"UPDATE clock SET offset_s = {int(by.total_seconds()):d}")

    def now(self) -> datetime:
        with self.platform.catalog.begin() as tx:
            return self.platform.catalog.now(tx)

    # what became of it

    def rows(self, query: Any) -> list[Any]:
        with self.engine.begin() as tx:
            return list(tx.execute(query).all())

    def deliveries(self) -> dict[str, tuple[str, str | None]]:
        """id (or stem) → state and code; of a call that came twice, the one that came last."""
        query = select(t.deliveries).order_by(t.deliveries.c.received_at, t.deliveries.c.code.nulls_first())
        return {row.source_id: (row.state, row.code) for row in self.rows(query)}

    def delivery(self, id: str) -> Any:
        return next(row for row in self.rows(select(t.deliveries)) if row.source_id == id)

    def verdicts(self, id: str) -> dict[str, str]:
        """purpose → `admitted` or the code."""
        rows = self.rows(select(t.verdicts).where(t.verdicts.c.delivery == self.delivery(id).id))
        return {row.purpose: row.code or row.verdict for row in rows}

    def artifacts(self, id: str | None = None) -> list[Any]:
        joined = t.artifacts.join(t.recordings, t.recordings.c.id == t.artifacts.c.recording)
        query = select(t.artifacts, t.recordings.c.source_id).select_from(joined)
        rows = self.rows(query.order_by(t.recordings.c.source_id, t.artifacts.c.purpose, t.artifacts.c.part))
        return [row for row in rows if id in (None, row.source_id)]

    def states(self, id: str | None = None) -> dict[tuple[str, str], str]:
        """(purpose, part) → state of a call's artifacts."""
        return {(row.purpose, row.part): row.state for row in self.artifacts(id)}

    def epochs(self) -> dict[str, str]:
        return {row.name: row.state for row in self.rows(select(t.epochs))}

    def keys(self) -> dict[uuid.UUID, Any]:
        return {row.artifact: row for row in self.rows(select(t.data_keys))}

    def content(self, artifact: Any) -> bytes:
        """What a kept artifact opens to. Fails as `take_out` does."""
        key = self.keys()[artifact.id]
        name = ArtifactName(artifact.id, artifact.attempt, artifact.purpose)
        opened = take_out(
            self.platform.store, self.platform.keyring, key.epoch, name, artifact.object, artifact.version,
            key.wrapped, artifact.digest,
        )  # fmt: skip
        return opened.reveal()

    def register(self, *kinds: str) -> list[dict[str, Any]]:
        rows = self.rows(select(t.register.c.payload).order_by(t.register.c.id))
        entries = [json.loads(row.payload) for row in rows]
        return [entry for entry in entries if not kinds or entry["kind"] in kinds]

    def certificates(self, scope: str | None = None) -> list[Any]:
        rows = self.rows(select(t.certificates).order_by(t.certificates.c.id))
        return [row for row in rows if scope in (None, row.scope)]

    def verified(self) -> Report:
        """What the verifier says of all certificates and the public key."""
        keys = write_public_keys(self.platform.keyring.public_keys())
        files = [(str(row.id), row.file) for row in self.certificates()]
        return verify([*files, ("public-key.txt", keys)])

    def under(self, artifact: Any) -> list[Any]:
        """Everything that lies under an artifact's prefix."""
        prefix = part_prefix(artifact.object)
        return [*self.platform.store.list_versions(prefix), *self.platform.store.list_uploads(prefix)]


def ingest(platform: Platform, run: str, prover: Platform | None = None) -> dict[str, dict[str, int]]:
    """The tasks of `ingest_recordings`, in order; `prover` confirms what was stored."""
    for chunk in intake_acts.validate_metadata(platform, intake_acts.discover_intake(platform, run)):
        intake_acts.admit_recordings(platform, chunk)
        transcribe.transcribe_recordings(platform, chunk)
        protect.protect_recordings(platform, chunk)
        protect.confirm_stored(prover or platform, chunk)
        intake_acts.clear_source(platform, chunk)
    return report.report_batch(platform, run)


def expire(platform: Platform, run: str, dry_run: bool = False) -> dict[str, int]:
    """The tasks of `expire_recordings`, in order."""
    expiry.freeze_manifest(platform, run, dry_run)
    for chunk in expiry.measure_volume(platform, run):
        expiry.recheck(platform, chunk)
        expiry.destroy_keys(platform, chunk)
        expiry.delete_objects(platform, chunk)
        expiry.verify_absent(platform, chunk)
        expiry.sign_certificate(platform, chunk)
    closing.close_epochs(platform, dry_run)
    return expiry.report_expiry(platform, run)


def acknowledged(policy: Policy, agent: str) -> datetime | None:
    """When an agent acknowledged the notice to employees."""
    return None if agent == UNINFORMED else policy.in_force_from


@lru_cache(maxsize=1)
def _policy(text: str) -> Policy:
    return load(text).policy


def make_world(engine: Engine, catalog: Catalog) -> World:
    """A platform with the demonstration's policy in force, and nothing in it."""
    base = datetime.now(UTC).replace(microsecond=0)
    store, keyring, intake = MemoryStore(lambda: datetime.now(UTC)), MemoryKeyring(), MemoryIntake()
    policy = _policy(TEXT)
    with catalog.begin() as tx:
        catalog.add_policy(tx, policy, TEXT, policy.in_force_from)
    with engine.begin() as tx:
        if not tx.execute(select(t.installation)).all():
            tx.execute(t.installation.insert().values(origin="consigne.test/register"))
    platform = Platform(
        catalog,
        store,
        keyring,
        intake,
        Checker(),
        NoTranscriber(),
        PresidioNames(""),
        os.urandom,
        uuid.uuid4,
        acknowledged,
        NoWitness(),
    )
    keep_months(platform)
    return World(platform, policy, engine, store, keyring, intake, base)


def with_parts(world: World, **parts: Any) -> World:
    """The same world, some of whose platform's parts are others."""
    return replace(world, platform=replace(world.platform, **parts))
