"""Kept artifacts without their objects, and a person's words on them: only catalog and keyring are real."""

from __future__ import annotations

import itertools
import json
import os
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Engine, insert, select

from consigne.acts.decide import answer_request, file_request
from consigne.acts.journey import Platform
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.keyring.open import open_keyring
from consigne.adapters.witness import NoWitness
from consigne.rules.access import Denied
from consigne.rules.policy.load import load
from consigne.rules.policy.model import Policy
from consigne.rules.request import Answer, Decision, ExceptionRequest
from consigne.rules.values import Actor, ArtifactName

TEXT = (Path(__file__).parents[2] / "config" / "demo.yaml").read_text()
TRAINER = Actor("trainer", frozenset({"trainer"}))
DPO = Actor("dpo", frozenset({"dpo"}))
WHY = "The caller disputes what was agreed; the sheet alone does not show it."
LONGER = timedelta(days=60)
_CALLS = itertools.count()


@dataclass(frozen=True, slots=True)
class Stage:
    """A platform in which only catalog and keyring are real: nothing here touches an object."""

    platform: Platform
    policy: Policy
    engine: Engine

    def now(self) -> datetime:
        with self.platform.catalog.begin() as tx:
            return self.platform.catalog.now(tx)

    def keep(self, purpose: str = "training", left: timedelta = timedelta(days=30)) -> uuid.UUID:
        """An artifact that is kept for so much longer, with a data key under an epoch of its own due date."""
        now, recording, artifact, attempt = self.now(), uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
        due_at, epoch = now + left, f"{purpose}/{uuid.uuid4()}/0"
        self.platform.keyring.open_epoch(epoch)
        name = ArtifactName(artifact, attempt, purpose)
        wrapped = self.platform.keyring.wrap(epoch, b"k" * 32, name.context())
        row = {
            "id": artifact, "recording": recording, "purpose": purpose, "part": "audio", "state": "kept",
            "clock_start": now, "due_at": due_at, "cap_at": now + timedelta(days=365),
            "policy": self.policy.digest, "epoch": epoch, "attempt": attempt, "object": "o", "version": "v",
            "digest": b"d", "bytes": 1, "masked": [], "masked_signature": b"s", "masked_key": "k", "stored_at": now,
        }  # fmt: skip
        call = {
            "id": recording, "source": "folder", "source_id": f"c{next(_CALLS)}", "identity_digest": recording.bytes * 2,
            "content_digest": recording.bytes * 2, "audio_digest": recording.bytes * 2, "started_at": now, "received_at": now, "duration_ms": 1,
            "direction": "inbound", "queue": "support", "agent": "a", "language": "fr", "caller_index": b"i",
            "caller_index_version": 1, "policy": self.policy.digest,
        }  # fmt: skip
        with self.engine.begin() as tx:
            tx.execute(insert(t.recordings).values(call))
            tx.execute(
                insert(t.epochs).values(
                    name=epoch, purpose=purpose, due_at=due_at, state="open", opened_at=now
                )
            )
            tx.execute(insert(t.artifacts).values(row))
            tx.execute(
                insert(t.data_keys).values(artifact=artifact, attempt=attempt, epoch=epoch, wrapped=wrapped)
            )
        return artifact

    def row(self, artifact: uuid.UUID) -> Any:
        with self.engine.begin() as tx:
            joined = t.artifacts.outerjoin(t.data_keys, t.data_keys.c.artifact == t.artifacts.c.id)
            key_epoch, wrapped = t.data_keys.c.epoch.label("key_epoch"), t.data_keys.c.wrapped
            query = select(t.artifacts, key_epoch, wrapped).select_from(joined)
            return tx.execute(query.where(t.artifacts.c.id == artifact)).one()

    def key_of(self, artifact: uuid.UUID) -> bytes:
        row = self.row(artifact)
        context = ArtifactName(artifact, row.attempt, row.purpose).context()
        return bytes(self.platform.keyring.unwrap(row.key_epoch, row.wrapped, context))

    def register(self, kind: str) -> list[dict[str, Any]]:
        with self.engine.begin() as tx:
            payloads = tx.execute(select(t.register.c.payload).order_by(t.register.c.id)).scalars().all()
        return [entry for entry in map(json.loads, payloads) if entry["kind"] == kind]

    def ask(self, *artifacts: uuid.UUID, until: Any = None, **changes: Any) -> ExceptionRequest | Denied:
        asked = {"actor": TRAINER, "ground": "dispute", "reason": WHY, "why_not_less": ""} | changes
        until = until or (self.now() + LONGER)
        return file_request(
            self.platform, self.policy, asked["actor"], artifacts, until, asked["ground"], asked["reason"],
            asked["why_not_less"],
        )  # fmt: skip

    def asked(self, *artifacts: uuid.UUID, **changes: Any) -> ExceptionRequest:
        request = self.ask(*artifacts, **changes)
        assert isinstance(request, ExceptionRequest), request
        return request

    def answer(self, request: ExceptionRequest, **changes: Any) -> Decision | Denied:
        said = {"actor": DPO, "digest": request.digest, "answer": Answer.EXTEND, "until": None, "reason": WHY}
        said |= changes
        return answer_request(
            self.platform, self.policy, said["actor"], request.id, said["digest"], said["answer"], said["until"],
            said["reason"],
        )  # fmt: skip


def make_stage(engine: Engine, catalog: Catalog, folder: Path) -> Stage:
    """With the demonstration's policy in force, without its deputies."""
    keyring = open_keyring(f"file:{folder / 'keyring'}")
    keyring.prepare(first=True)
    nothing = cast(Any, None)
    parts = dict.fromkeys(("store", "intake", "checker", "transcriber", "names", "acknowledged"), nothing)
    platform = Platform(
        catalog=catalog, keyring=keyring, random=os.urandom, new_id=uuid.uuid4, witness=NoWitness(), **parts
    )  # fmt: skip
    with catalog.begin() as tx:
        catalog.add_policy(tx, load(TEXT).policy, TEXT, datetime(2026, 1, 1, tzinfo=UTC))
    return Stage(platform, replace(load(TEXT).policy, deputies=()), engine)
