"""A policy and a call that every rule likes; tests change one thing at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from consigne.rules.policy.load import load
from consigne.rules.policy.model import Policy
from consigne.rules.recording import IncomingRecording, NoticePlayed, Transcript, Word
from consigne.rules.values import Private

CONFIG = Path(__file__).parents[2] / "config"
START = datetime(2026, 11, 20, 8, 14, 3, tzinfo=UTC)  # a Friday
WORD = Word("bonjour", 4200, 4610, "agent")
CALL = IncomingRecording(
    source="folder",
    id="pbx1-2026-000123",
    started_at=START,
    ended_at=START + timedelta(seconds=278),
    direction="inbound",
    caller=Private("+33612345678"),
    callee=Private("+33123456789"),
    agent="a.martin",
    queue="support",
    language="fr",
    purposes=None,
    notice=NoticePlayed("2026-01", 2100),
    objection=None,
    channels=("caller", "agent"),
    transcript=Private(Transcript((WORD,))),
    draw=None,
    trigger=None,
    other_proof=None,
    customer_ref=None,
)


@pytest.fixture(scope="session")
def call() -> Callable[..., IncomingRecording]:
    """The call, with changes."""

    def changed(**changes: Any) -> IncomingRecording:
        return replace(CALL, **changes)

    return changed


@pytest.fixture(scope="session")
def shipped_text() -> str:
    return (CONFIG / "policy.yaml").read_text("utf-8")


@pytest.fixture(scope="session")
def demo_text() -> str:
    return (CONFIG / "demo.yaml").read_text("utf-8")


@pytest.fixture(scope="session")
def shipped(shipped_text: str) -> Policy:
    return load(shipped_text).policy


@pytest.fixture(scope="session")
def demo(demo_text: str) -> Policy:
    return load(demo_text).policy


@pytest.fixture(scope="session")
def changed() -> Callable[..., Policy]:
    """A policy with one purpose changed."""

    def with_purpose(policy: Policy, purpose: str, **changes: Any) -> Policy:
        rule = replace(policy.purposes[purpose], **changes)
        return replace(policy, purposes={**policy.purposes, purpose: rule})

    return with_purpose
