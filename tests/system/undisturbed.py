"""What a disturbed ingest must come to: the end of an undisturbed one, everything there once, and opening."""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import soundfile
from sqlalchemy import select

from consigne.acts.safe import take_out
from consigne.adapters.catalog import tables
from consigne.doors.cli.runs import Runs
from consigne.doors.samples.delivery import Delivery
from consigne.doors.samples.manifest import Foretold
from consigne.doors.wiring import open_platform
from consigne.rules.errors import ConsigneError
from consigne.rules.evidence.canonical import decode
from consigne.rules.values import ArtifactName, Part
from system.conftest import Up
from system.inside import deliveries, hand_in, reading, recordings, settings_of

Calls = Sequence[tuple[Delivery, Foretold]]


@dataclass
class Source:
    """Calls handed in, and whoever starts the Dag until nothing is left of them to judge."""

    up: Up
    calls: Calls
    handed_in: int = 0
    run: str | None = None

    def hand_in(self, count: int) -> None:
        """That many more of them."""
        hand_in(self.up, [*self.calls[self.handed_in : self.handed_in + count]])
        self.handed_in += count

    def carry_on(self) -> None:
        """Look at the run under way, and start another where there is none. Whatever is away: next time."""
        try:
            runs = Runs(settings_of(self.up))
            self.run = self.run or runs.start("ingest_recordings", {})
            runs.wait("ingest_recordings", self.run, patience_s=1)
            self.run = None
        except ConsigneError:
            time.sleep(0.2)

    def states(self) -> Counter[str]:
        try:
            return Counter(one["state"] for one in deliveries(self.up, self.prefix))
        except ConsigneError:
            return Counter()

    @property
    def prefix(self) -> str:
        return self.calls[0][1].id.partition("-")[0] + "-"

    def has_begun(self) -> bool:
        self.carry_on()
        return bool(self.states())

    def is_over(self) -> bool:
        found = self.states()
        return found["cleared"] + found["quarantined"] == found.total() == self.handed_in

    def is_settled(self) -> bool:
        self.carry_on()
        return self.is_over()


def _end(one: dict[str, Any]) -> tuple[object, ...]:
    verdicts = one["verdicts"] if one["state"] == "cleared" else []
    told = sorted((each["purpose"], str(each["code"])) for each in verdicts)
    return one["id"], one["state"], one["code"], tuple(told)


def _foretold(told: Foretold) -> tuple[object, ...]:
    verdicts = told.verdicts if told.state == "cleared" else ()
    return told.id, told.state, told.code, tuple(sorted((each.purpose, str(each.code)) for each in verdicts))


def assert_undisturbed(source: Source) -> None:
    """Codes as foretold; every part of what is kept is there once, confirmed, and opens."""
    assert Counter(map(_end, deliveries(source.up, source.prefix))) == Counter(
        _foretold(told) for _, told in source.calls
    )
    expected = {
        (told.id, each.purpose, part)
        for _, told in source.calls
        if told.state == "cleared" and told.code is None
        for each in told.verdicts
        if each.code is None
        for part in ("audio", "transcript")
    }
    kept = [
        (each["source_id"], one["purpose"], one["part"], one["state"])
        for each in recordings(source.up, source.prefix)
        for one in each["artifacts"]
    ]
    assert Counter(kept) == Counter((*each, "kept") for each in expected)


def assert_all_open(source: Source) -> None:
    platform = open_platform(settings_of(source.up), "listen")
    opened = 0
    for each in recordings(source.up, source.prefix):
        for one in each["artifacts"]:
            with platform.catalog.begin() as tx:
                artifact = platform.catalog.artifact(tx, one["id"])
                wrapped = platform.catalog.wrapped_key(tx, one["id"])
            assert artifact and wrapped
            name = ArtifactName(artifact.id, artifact.attempt, artifact.purpose)
            content = take_out(
                platform.store, platform.keyring, artifact.epoch, name, artifact.object, artifact.version,
                wrapped, artifact.digest,
            ).reveal()  # fmt: skip
            if one["part"] == Part.AUDIO:
                frames, rate_hz = soundfile.read(io.BytesIO(content), always_2d=True)
                assert abs(len(frames) * 1_000 / rate_hz - each["duration_ms"]) <= 1
            else:
                assert content.startswith(b"{")
            opened += 1
    assert opened


def assert_nothing_twice(source: Source) -> None:
    """The register tells of each delivery's and each artifact's end once, and still verifies."""
    with reading(source.up, "owner") as tx:
        payloads = tx.execute(select(tables.register.c.payload)).scalars()
        told = Counter(
            (entry["kind"], entry.get("subject"), entry.get("outcome")) for entry in map(_entry, payloads)
        )
        rows = tx.execute(
            select(tables.deliveries).where(tables.deliveries.c.source_id.startswith(source.prefix))
        )
        ends = {str(row.id): row.state for row in rows}
    assert len(ends) == source.handed_in
    for id, state in ends.items():
        if state == "cleared":
            assert told["ingest:delivery:cleared", id, None] == 1
        else:
            assert sum(n for key, n in told.items() if key[:2] == ("ingest:delivery:quarantined", id)) == 1
    for each in recordings(source.up, source.prefix):
        for one in each["artifacts"]:
            assert told["ingest:artifact:confirmed", one["id"], "confirmed"] == 1
    assert source.up.consigne("verify", "--register").returncode == 0


def _entry(payload: bytes) -> dict[str, object]:
    entry = decode(payload)
    assert isinstance(entry, dict)
    return dict(entry)
