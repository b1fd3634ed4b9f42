"""A purpose whose profile masks names, on a real PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest

from consigne.acts import ingest as acts
from consigne.acts import protect
from consigne.rules.policy.load import load
from consigne.rules.recording import Transcript
from consigne.rules.values import Private, Quarantined

from .world import TEXT, World, with_parts

WORDS = {
    "words": [{"text": text, "start_s": 0.2, "end_s": 0.5, "speaker": "agent"} for text in ("ici", "Léa")]
}


class Finds:
    """Whoever says `Léa`, in French."""

    def find(self, transcript: Private[Transcript], language: str) -> Private[tuple[str, ...]] | Quarantined:
        if language != "fr":
            return Quarantined("not_proven", "names_language")
        return Private(tuple(word.text for word in transcript.reveal().words if word.text == "Léa"))


@pytest.fixture
def named(world: World) -> World:
    """Every purpose masks names, too."""
    text = TEXT.replace("profile: payment,", "profile: payment_and_names,")
    text = text.replace("2026-01-01T00:00:00+01:00", (world.base - timedelta(hours=1)).isoformat())
    with world.platform.catalog.begin() as tx:
        assert world.platform.catalog.add_policy(tx, load(text).policy, text, world.base)
    return world


@pytest.mark.promise("P2")
def test_names_are_masked_where_the_purpose_asks_for_it(named: World) -> None:
    world = with_parts(named, names=Finds())
    world.deliver("a", transcript=WORDS)
    world.deliver_trial("b", transcript=None)
    world.deliver("c", transcript=WORDS, language="en")
    world.ingest()
    assert world.deliveries() == {
        "a": ("cleared", None), "b": ("cleared", None), "c": ("quarantined", "not_proven"),
    }  # fmt: skip
    text = world.content(world.artifacts("a")[1]).decode()
    assert "[name]" in text and "Léa" not in text and "ici" in text


@pytest.mark.promise("P2")
def test_nothing_is_stored_without_them(named: World) -> None:
    named.deliver("a", transcript=WORDS)
    (chunk,) = acts.validate_metadata(named.platform, acts.discover_intake(named.platform, "first"))
    acts.admit_recordings(named.platform, chunk)
    assert protect.protect_recordings(named.platform, chunk)["left"] == ["no_names_model"]
    assert named.artifacts() == []
    assert named.deliveries() == {"a": ("admitted", None)}
