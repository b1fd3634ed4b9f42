"""Occasional recording is drawn, not chosen, and anybody can do it again (P1): on a real PostgreSQL."""

from __future__ import annotations

import json
import logging
import re
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, text, update
from sqlalchemy.exc import ProgrammingError

from consigne.acts import draw as acts
from consigne.acts import ingest, protect
from consigne.acts.inform import acknowledge
from consigne.acts.journey import Platform
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog import views_draws
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.tables_people import draw_months, draws
from consigne.doors.cli import draw as command
from consigne.rules import draw as rules
from consigne.rules.clock import iso, parse_instant
from consigne.rules.draw import Misfit, commitment, misfits
from consigne.rules.errors import BadInput, Tampered, Unavailable
from consigne.rules.moderation import wilson
from consigne.rules.policy.load import load
from consigne.rules.set_up import SetUp, read
from consigne.rules.values import Actor
from contract.memory import MemoryKeyring

from . import world as worlds
from .world import TEXT, UNINFORMED, World, make_world, metadata, sound

pytestmark = pytest.mark.promise("P1")
MARCH, APRIL, MAY = "2031-03", "2031-04", "2031-05"
IN_MARCH = parse_instant("2031-03-10T10:00:00+02:00")
IN_APRIL = parse_instant("2031-04-10T10:00:00+02:00")
IN_MAY = parse_instant("2031-05-10T10:00:00+02:00")
Z_999 = 3.290526731491926


class FixedKeyring(MemoryKeyring):
    """Its draws fall the same in every run."""

    def __init__(self) -> None:
        super().__init__()
        self._macs["draw"] = [bytes(range(32))]


def put_clock(world: World, at: datetime) -> None:
    """The catalog's clock says so now."""
    world.pass_time(timedelta(0))
    world.pass_time(at - world.now())


@pytest.fixture
def spring(engine: Engine, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> World:
    """March and April 2031 are committed, and it is April; one call in ten is drawn for training."""
    monkeypatch.setattr(worlds, "MemoryKeyring", FixedKeyring)
    monkeypatch.setattr(worlds, "TEXT", TEXT.replace("sampling_rate: 1\n", "sampling_rate: 0.1\n", 1))
    world = make_world(engine, catalog)
    for moment in (IN_MARCH, IN_APRIL):
        put_clock(world, moment)
        acts.keep_months(world.platform)
    return world


def call(world: World, id: str, started_at: datetime, **changes: Any) -> None:
    """A call that waits in intake."""
    world.intake.deliver(
        changes.pop("stem", id), sound(changes.pop("seed", 0)), metadata(id, started_at, **changes)
    )


def asked(id: str, **fields: Any) -> SetUp:
    return read({"source": "memory", "id": id, "queue": "support", "purposes": ["training"]} | fields)


def drawn(world: World, id: str, month: str, rate: str = "0.1", purpose: str = "training") -> bool:
    """What the draw says, from the key that the test alone knows."""
    secret = world.keyring.mac("draw", month.encode()).digest
    return rules.is_drawn(rules.draw_digest(secret, "memory", id, purpose), Decimal(rate))


def ids(world: World, month: str, outcome: bool) -> Iterator[str]:
    """Calls that a month draws, or does not."""
    return (f"c{number}" for number in range(10_000) if drawn(world, f"c{number}", month) is outcome)


def audit(world: World, month: str | None = None) -> list[Misfit]:
    with world.engine.begin() as tx:
        months = views_draws.months(tx)
        registered = views_draws.registered(tx, [one.month for one in months])
        return list(misfits(months, registered, views_draws.every_draw(tx, month)))


def exported(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **asked: Any
) -> str:
    """What `consigne draws` prints."""

    @contextmanager
    def begin(_: object) -> Iterator[Any]:
        with world.engine.begin() as tx:
            yield tx

    monkeypatch.setattr(command.Session, "begin", begin)
    monkeypatch.setattr(command.Settings, "open", lambda state: command.Settings(Path("/nowhere")))
    monkeypatch.setattr(command.Settings, "database_url", lambda self, role: "postgresql+psycopg://")
    capsys.readouterr()
    command.draws(**({"month": None, "verify": False, "as_json": True} | asked))
    return capsys.readouterr().out


def test_a_thousand_calls_at_ten_percent(
    spring: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The kept share lies in the 99.9 % interval; an auditor with the revealed secret does every draw again, with
    nothing of Consigne."""
    for number in range(1000):
        call(spring, f"call-{number}", IN_APRIL - timedelta(seconds=60 + number), purposes=["training"])
    for chunk in ingest.validate_metadata(spring.platform, ingest.discover_intake(spring.platform, "first")):
        ingest.admit_recordings(spring.platform, chunk)
        protect.protect_recordings(spring.platform, chunk)
        protect.confirm_stored(spring.platform, chunk)
    kept = {row.source_id for row in spring.artifacts() if row.state == "kept"}
    assert abs(len(kept) / 1000 - 0.1) <= Z_999 * sqrt(0.1 * 0.9 / 1000)
    low, high = wilson(len(kept), 1000, Z_999)
    assert low <= 0.1 <= high
    put_clock(spring, IN_MAY)
    acts.keep_months(spring.platform)
    told = exported(spring, monkeypatch, capsys)
    assert {one["call"] for one in json.loads(told)["draws"] if one["drawn"]} == kept
    assert {one["call"] for one in json.loads(told)["draws"] if one["kept"]} == kept
    (tmp_path / "draws.json").write_text(told)
    monkeypatch.chdir(tmp_path)
    recipe = textwrap.dedent((rules.__doc__ or "").partition("nothing of Consigne:\n")[2])
    stranger: dict[str, Any] = {}
    exec(recipe, stranger)
    assert stranger["secrets"].keys() >= {MARCH, APRIL} and MAY not in stranger["secrets"]
    (tmp_path / "draws.json").write_text(told.replace('"drawn": true', '"drawn": false', 1))
    with pytest.raises(AssertionError):
        exec(recipe, {})
    assert audit(spring) == []
    assert json.loads(exported(spring, monkeypatch, capsys, verify=True)) == {
        "verified": True, "again": 1000, "not_yet": 0, "misfits": [],
    }  # fmt: skip


def everything(world: World) -> bytes:
    """All rows of all tables, as text and as bytes."""
    found = b""
    with world.engine.begin() as tx:
        for table in t.metadata.sorted_tables:
            for row in tx.execute(select(table)):
                for value in row:
                    found += bytes(value) if isinstance(value, bytes | memoryview) else repr(value).encode()
    return found


def test_the_current_month_cannot_be_predicted(spring: World, caplog: pytest.LogCaptureFixture) -> None:
    """Its secret is in no table, no register entry, no answer and no log; the commitment is all there is."""
    caplog.set_level(logging.DEBUG)
    answers = [repr(acts.draw_call(spring.platform, asked(f"c{number}")).to_json()) for number in range(20)]
    call(spring, "x", IN_APRIL - timedelta(minutes=5))
    spring.ingest()
    acts.keep_months(spring.platform)
    secrets = {month: spring.keyring.mac("draw", month.encode()).digest for month in (MARCH, APRIL, MAY)}
    rows, said = everything(spring), (caplog.text + "".join(answers)).encode()
    for month in (APRIL, MAY):
        assert secrets[month] not in rows and secrets[month].hex().encode() not in rows + said
        assert commitment(secrets[month]) in rows
        assert secrets[month] != commitment(secrets[month])
    assert secrets[MARCH] in rows  # the search finds what is there: March is revealed


def test_a_month_is_committed_before_it_begins_and_revealed_a_day_after_it(spring: World) -> None:
    entries = {entry["month"]: entry for entry in spring.register("draw:month:committed")}
    assert (entries[MARCH]["outcome"], entries[APRIL]["outcome"], entries[MAY]["outcome"]) == (
        "late", "beforehand", "beforehand",
    )  # fmt: skip
    assert entries[APRIL]["at"] < "2031-03-31T22:00"
    before = parse_instant("2031-05-01T23:59:59+02:00")
    put_clock(spring, before)
    acts.keep_months(spring.platform)
    assert APRIL not in {entry["month"] for entry in spring.register("draw:month:revealed")}
    put_clock(spring, before + timedelta(seconds=2))
    assert acts.keep_months(spring.platform) == 1  # June was committed a second ago
    assert acts.keep_months(spring.platform) == 0
    revealed = {entry["month"]: entry["secret"] for entry in spring.register("draw:month:revealed")}
    assert commitment(bytes.fromhex(revealed[APRIL])).hex() == entries[APRIL]["commitment"]
    assert MAY not in revealed


def months_of(world: World) -> dict[str, tuple[str, bool]]:
    """Call → the month that drew it, and whether it was drawn."""
    return {row.call: (row.month, row.drawn) for row in world.rows(select(draws))}


def test_a_call_belongs_to_the_month_of_its_start_while_that_is_secret(spring: World) -> None:
    last_of_april = parse_instant("2031-04-30T23:30:00+02:00")
    put_clock(spring, parse_instant("2031-05-01T08:00:00+02:00"))
    acts.keep_months(spring.platform)
    call(spring, "early", last_of_april)
    call(spring, "own", last_of_april + timedelta(hours=1))
    spring.ingest()
    put_clock(spring, IN_MAY)
    acts.keep_months(spring.platform)
    call(spring, "late", last_of_april)
    spring.ingest()
    found = months_of(spring)
    assert {name: month for name, (month, _) in found.items()} == {"early": APRIL, "own": MAY, "late": MAY}
    assert all(is_drawn is drawn(spring, name, month) for name, (month, is_drawn) in found.items())


def test_a_month_that_was_never_committed_draws_nothing(spring: World) -> None:
    put_clock(spring, IN_MARCH)
    with spring.engine.begin() as tx:
        tx.execute(delete(draw_months).where(draw_months.c.month != MARCH))
        tx.execute(update(draw_months).values(revealed_at=None, secret=None))
    call(spring, "before the installation", parse_instant("2031-02-20T10:00:00+01:00"))
    spring.intake.deliver("a", sound(0), metadata("a", parse_instant("2031-02-20T10:00:00+01:00")))
    spring.ingest()
    assert months_of(spring)["a"][0] == MARCH


def test_nothing_is_drawn_without_a_commitment_before_it(spring: World) -> None:
    """Calls wait for it."""
    with spring.engine.begin() as tx:
        tx.execute(delete(draw_months))
    call(spring, "a", spring.now() - timedelta(minutes=5))
    with pytest.raises(Unavailable, match="draw_month"):
        spring.ingest()
    with pytest.raises(Unavailable, match="draw_month"):
        acts.draw_call(spring.platform, asked("b"))
    assert spring.rows(select(draws)) == [] and spring.deliveries()["a"][0] == "valid"
    acts.keep_months(spring.platform)
    spring.ingest()
    assert spring.deliveries()["a"][0] == "cleared" and len(spring.rows(select(draws))) == 1


def test_where_nobody_committed_for_months_the_last_secret_one_draws(spring: World) -> None:
    put_clock(spring, IN_MAY + timedelta(days=60))
    call(spring, "a", spring.now() - timedelta(minutes=5))
    spring.ingest()
    assert months_of(spring)["a"][0] == MAY
    acts.keep_months(spring.platform)
    assert audit(spring) == []


def test_a_clock_that_ran_ahead_and_came_back_stops_no_draw(spring: World) -> None:
    """The months that were revealed too early draw nothing any more."""
    put_clock(spring, IN_MAY + timedelta(days=400))
    acts.keep_months(spring.platform)
    put_clock(spring, IN_APRIL)
    acts.keep_months(spring.platform)
    call(spring, "a", IN_APRIL - timedelta(minutes=5))
    spring.ingest()
    month, outcome = months_of(spring)["a"]
    assert month == "2032-07" and outcome is drawn(spring, "a", month)
    assert {row.month for row in spring.rows(select(draw_months)) if row.secret} >= {APRIL, MAY}


def test_a_new_draw_key_changes_no_committed_month(spring: World) -> None:
    one = next(ids(spring, APRIL, True))
    spring.keyring.rotate("draw")
    assert acts.draw_call(spring.platform, asked(one)).purposes == ["training"]
    put_clock(spring, IN_MAY)
    assert acts.keep_months(spring.platform) == 2  # June by the new key, April revealed by the old one
    versions = {row.month: row.key_version for row in spring.rows(select(draw_months))}
    assert (versions[APRIL], versions[MAY], versions["2031-06"]) == (1, 1, 2)
    assert audit(spring) == []


def test_a_keyring_that_lost_its_key_reveals_and_draws_nothing_by_it(spring: World) -> None:
    put_clock(spring, IN_MAY)
    spring.keyring._macs["draw"] = [bytes(32)]
    with pytest.raises(Tampered, match="draw_secret"):
        acts.keep_months(spring.platform)
    with pytest.raises(Tampered, match="draw_secret"):
        acts.draw_call(spring.platform, asked("a", started_at="2031-05-10T10:00:00+02:00"))
    months = {row.month: row.revealed_at for row in spring.rows(select(draw_months))}
    assert months[APRIL] is None and "2031-06" in months


# At call set-up


def test_a_draw_at_set_up_stands(spring: World) -> None:
    """Asked again, delivered, delivered again, after the rate has changed and the month is over: the same."""
    yes, no = next(ids(spring, APRIL, True)), next(ids(spring, APRIL, False))
    for id, outcome in ((yes, "drawn"), (no, "not_drawn")):
        first = acts.draw_call(spring.platform, asked(id, agent="a.martin"))
        assert first.outcomes == {"training": outcome}
        assert acts.draw_call(spring.platform, asked(id, queue="orders")) == first
        call(spring, id, IN_APRIL, draw=str(first.draw))
    spring.ingest()
    text = TEXT.replace("sampling_rate: 1\n", "sampling_rate: 0\n", 1)
    text = text.replace("2026-01-01T00:00:00+01:00", "2031-04-11T00:00:00+02:00", 1)
    with spring.platform.catalog.begin() as tx:
        assert spring.platform.catalog.add_policy(tx, load(text).policy, text, IN_APRIL)
    put_clock(spring, parse_instant("2031-05-05T10:00:00+02:00"))
    acts.keep_months(spring.platform)
    assert acts.draw_call(spring.platform, asked(yes)).outcomes == {"training": "drawn"}
    call(spring, no, IN_APRIL, stem="again")
    spring.ingest()
    assert {row.source_id for row in spring.artifacts()} == {yes}
    assert spring.deliveries()[no] == ("cleared", "not_drawn")
    rows = {row.call: row for row in spring.rows(select(draws))}
    assert all(row.at_set_up and row.month == APRIL and row.rate == "0.1" for row in rows.values())
    assert rows[yes].delivery == spring.delivery(yes).id and rows[yes].agent == "a.martin"
    assert audit(spring) == []


@pytest.mark.parametrize("draw", ["unknown", "another's"])
def test_what_a_delivery_says_of_its_draw_binds_nothing(spring: World, draw: str) -> None:
    yes, no = next(ids(spring, APRIL, True)), next(ids(spring, APRIL, False))
    other = acts.draw_call(spring.platform, asked(yes)).draw
    call(spring, no, IN_APRIL - timedelta(minutes=1), draw=str(other) if draw == "another's" else "x")
    spring.ingest()
    assert spring.verdicts(no) == {"training": "not_drawn"} and spring.artifacts() == []


@pytest.mark.parametrize(
    ("purpose", "outcome"),
    [
        ("investment_orders", "systematic"),  # by law
        ("marketing", "unknown_purpose"),
        ("complaint", "needs_human_trigger"),
    ],
)
def test_where_there_is_nothing_to_draw_no_draw_is_made(spring: World, purpose: str, outcome: str) -> None:
    told = acts.draw_call(spring.platform, asked("a", purposes=[purpose]))
    assert (told.draw, told.outcomes) == (None, {purpose: outcome})
    assert told.to_json()["record"] is (outcome == "systematic")
    assert spring.rows(select(draws)) == []


def test_an_agent_who_has_not_acknowledged_is_neither_recorded_nor_drawn(spring: World) -> None:
    """As the gate judges it later: by law or by lot, from the instant of the acknowledgement on."""
    yes, every = next(ids(spring, APRIL, True)), ["training", "investment_orders", "complaint", "marketing"]
    told = acts.draw_call(spring.platform, asked(yes, agent=UNINFORMED, purposes=every))
    assert set(told.outcomes.values()) == {"agent_not_informed", "unknown_purpose"}
    assert (told.draw, told.purposes, told.outcomes["marketing"]) == (None, [], "unknown_purpose")
    assert spring.rows(select(draws)) == [] == spring.register("draw:call:drawn")
    acknowledge(spring.platform, spring.policy, Actor(UNINFORMED, frozenset({"adviser"})), "2026-01", "desk")
    before = iso(IN_APRIL - timedelta(minutes=1))
    early = acts.draw_call(spring.platform, asked(yes, agent=UNINFORMED, started_at=before))
    assert early.outcomes == {"training": "agent_not_informed"}
    assert acts.draw_call(spring.platform, asked(yes, agent=UNINFORMED)).outcomes == {"training": "drawn"}


def test_the_agent_is_not_judged_where_none_is_told_or_no_notice_is_asked_for(spring: World) -> None:
    yes = next(ids(spring, APRIL, True))
    assert acts.draw_call(spring.platform, asked(yes)).outcomes == {"training": "drawn"}
    text = re.sub(r"(?m)^agents: .*\n", "", TEXT.replace("sampling_rate: 1\n", "sampling_rate: 0.1\n", 1))
    text = text.replace("2026-01-01T00:00:00+01:00", "2031-04-10T00:00:00+02:00", 1)
    with spring.platform.catalog.begin() as tx:
        assert spring.platform.catalog.add_policy(tx, load(text).policy, text, IN_APRIL)
    told = acts.draw_call(spring.platform, asked(yes, agent=UNINFORMED))
    assert told.outcomes == {"training": "drawn"}


def test_outside_its_periods_nothing_is_recorded(spring: World) -> None:
    put_clock(spring, parse_instant("2032-01-02T10:00:00+01:00"))  # the demonstration's last period is over
    told = acts.draw_call(spring.platform, asked("a", purposes=["training", "investment_orders"]))
    assert set(told.outcomes.values()) == {"outside_period"} and told.purposes == []


def test_a_queue_is_drawn_for_each_of_its_purposes(spring: World) -> None:
    told = acts.draw_call(spring.platform, read({"source": "memory", "id": "a", "queue": "support"}))
    assert list(told.outcomes) == ["training", "quality"]
    assert (
        acts.draw_call(spring.platform, read({"source": "memory", "id": "a", "queue": "none"})).outcomes == {}
    )
    [entry] = [one for one in spring.register("draw:call:drawn") if one["purpose"] == "quality"]
    assert entry["subject"] == str(told.draw) and entry["outcome"] == "drawn"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"source": "elsewhere"}, "source"),
        ({"started_at": "2031-03-10T10:00:00+01:00"}, "started_at"),
        ({"started_at": "2031-04-10T10:11:00+02:00"}, "started_at"),
    ],
)
def test_only_a_call_of_ours_that_begins_now_is_drawn(
    spring: World, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadInput) as fault:
        acts.draw_call(spring.platform, asked("a", **changes))
    assert (fault.value.code, fault.value.where) == ("bad_field", field)
    assert spring.rows(select(draws)) == []


def test_two_who_ask_at_once_hear_the_same(spring: World) -> None:
    heard: list[acts.SetUpDraw] = []
    together = threading.Barrier(4)

    def ask() -> None:
        together.wait()
        heard.append(acts.draw_call(spring.platform, asked("a")))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert len(heard) == 4 and len({repr(one) for one in heard}) == 1
    assert len(spring.register("draw:call:drawn")) == 1 == len(spring.rows(select(draws)))


def test_a_draw_made_while_the_gate_judges_is_not_overridden(spring: World) -> None:
    """The set-up's answer says no (rate 0 then); the gate had just drawn yes: it judges again by what stands."""
    yes = next(ids(spring, APRIL, True))
    call(spring, yes, IN_APRIL - timedelta(minutes=5))
    [chunk] = ingest.validate_metadata(spring.platform, ingest.discover_intake(spring.platform, "first"))

    class Slow:
        """Somebody draws the call between the judgement and its settling."""

        def __getattr__(self, name: str) -> Any:
            return getattr(spring.platform.catalog, name)

        def move_delivery(self, *said: Any, **values: Any) -> bool:
            if not spring.rows(select(draws)):
                acts.draw_call(spring.platform, asked(yes))
                with spring.engine.begin() as tx:
                    tx.execute(update(draws).values(drawn=False, rate="0"))
            return spring.platform.catalog.move_delivery(*said, **values)

    told = ingest.admit_recordings(replace(spring.platform, catalog=Slow()), chunk)
    assert told["left"] == ["drawn_meanwhile"] and spring.verdicts(yes) == {}
    spring.ingest()
    assert spring.verdicts(yes) == {"training": "not_drawn"} and spring.artifacts() == []


# What is told of it


def test_shares_count_what_could_be_recorded_and_what_was_kept(spring: World) -> None:
    yes, no = list(ids(spring, APRIL, True))[:4], list(ids(spring, APRIL, False))[:6]
    start = IN_APRIL - timedelta(minutes=5)
    for id in yes[:3] + no[:5]:
        call(spring, id, start)
    call(spring, "n", start, notice=None)  # the draw was not what set it aside
    call(spring, "o", start, purposes=["investment_orders"])  # nothing was drawn
    call(spring, yes[0], start, stem="twin")
    acts.draw_call(spring.platform, asked(yes[3], agent="b.durand"))  # drawn, and never delivered
    acts.draw_call(spring.platform, asked(no[5]))
    call(spring, no[5], start)  # recorded although it was told no
    spring.ingest()
    with spring.engine.begin() as tx:
        found = dict(views_draws.shares(tx, APRIL, APRIL))
        [source] = views_draws.recorders(tx, APRIL, APRIL)
        assert views_draws.shares(tx, MARCH, MARCH) == [] == views_draws.recorders(tx, MAY, MAY)
    of_martin = found["training", "support", "a.martin"]
    assert (of_martin.rate, of_martin.calls, of_martin.drawn, of_martin.kept) == (Decimal("0.1"), 8, 3, 3)
    of_durand = found["training", "support", "b.durand"]
    assert (of_durand.calls, of_durand.drawn, of_durand.kept) == (1, 1, 0)
    assert found["training", "support", ""].calls == 1 and len(found) == 3
    assert source == {"source": "memory", "calls": 9, "undrawn": 6, "against": 1}


def test_what_was_moved_to_another_purpose_or_erased_still_counts_as_kept(spring: World) -> None:
    yes = next(ids(spring, APRIL, True))
    call(spring, yes, IN_APRIL - timedelta(minutes=5))
    spring.ingest()
    with spring.engine.begin() as tx:
        tx.execute(update(t.artifacts).values(state="erased"))
        assert [share.kept for _, share in views_draws.shares(tx, APRIL, APRIL)] == [1]


FORGED: list[tuple[str, Any]] = [
    ("draw_differs", update(draws).values(drawn=True)),
    ("draw_differs", update(draws).values(rate="1")),
    ("draw_differs", update(draws).values(call="d9999", drawn=True)),
    ("not_committed", update(draws).values(month="2030-01")),
    ("drawn_before_commitment", update(draws).values(drawn_at=IN_MARCH - timedelta(days=1))),
    ("drawn_after_reveal", update(draws).values(drawn_at=IN_MAY + timedelta(hours=2))),
    ("commitment_differs", update(draw_months).where(draw_months.c.month == APRIL).values(secret=bytes(32))),
    (
        "register_differs",
        update(draw_months).where(draw_months.c.month == APRIL).values(commitment=bytes(32)),
    ),
    ("kept_undrawn", update(t.verdicts).values(verdict="admitted", code=None)),
]


@pytest.mark.parametrize(("code", "forgery"), FORGED)
def test_an_auditor_sees_each_forgery(spring: World, code: str, forgery: Any) -> None:
    no = next(ids(spring, APRIL, False))
    call(spring, no, IN_APRIL - timedelta(minutes=5))
    spring.ingest()
    put_clock(spring, IN_MAY)
    acts.keep_months(spring.platform)
    assert audit(spring) == [] == audit(spring, APRIL)
    with spring.engine.begin() as tx:
        tx.execute(forgery)
        if code == "kept_undrawn":  # somebody put a recording there
            tx.execute(update(t.deliveries).values(recording=spring.platform.new_id()))
    assert code in {one.code for one in audit(spring)}


def test_the_command_says_what_does_not_fit(
    spring: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    acts.draw_call(spring.platform, asked("a"))
    assert "wait for their month's secret: all fit" in exported(
        spring, monkeypatch, capsys, verify=True, as_json=False
    )
    table = exported(spring, monkeypatch, capsys, as_json=False)
    assert "not revealed yet" in table and MARCH in table
    put_clock(spring, IN_MAY)
    acts.keep_months(spring.platform)
    with spring.engine.begin() as tx:
        tx.execute(update(draws).values(rate="1", drawn=False))
    with pytest.raises(command.typer.Exit) as ended:
        exported(spring, monkeypatch, capsys, verify=True, as_json=False)
    assert ended.value.exit_code == 5
    assert capsys.readouterr().out == (
        "draw_differs 2031-04 memory a training\n1 draws done again, 0 wait for their month's secret: 1 do not fit\n"
    )
    with pytest.raises(BadInput, match="--month"):
        exported(spring, monkeypatch, capsys, month="april")


def test_each_role_does_its_own_and_no_more(spring: World, engines: Callable[[str], Engine]) -> None:
    def acting(role: str) -> Platform:
        return replace(spring.platform, catalog=Catalog(engines(role), spring.platform.random))

    put_clock(spring, IN_MAY)
    assert acts.keep_months(acting("decide")) == 2
    call(spring, "a", IN_MAY - timedelta(minutes=5))
    worlds.ingest(acting("ingest"), "first", acting("prove"))
    assert acts.draw_call(acting("decide"), asked("b")).draw is not None
    assert len(spring.rows(select(draws))) == 2
    forbidden = [
        *(
            (role, "UPDATE draw_months SET secret = NULL")
            for role in ("ingest", "read", "expire", "listen", "seal")
        ),
        ("ingest", "INSERT INTO draw_months SELECT * FROM draw_months"),
        ("decide", "UPDATE draw_months SET commitment = ''"),
        ("decide", "DELETE FROM draw_months"),
        *((role, "UPDATE draws SET drawn = true") for role in ("ingest", "decide", "read")),
        *((role, "DELETE FROM draws") for role in ("ingest", "decide")),
    ]
    for role, statement in forbidden:
        with pytest.raises(ProgrammingError, match="InsufficientPrivilege"), engines(role).begin() as tx:
            tx.execute(text(statement))


@pytest.mark.promise("P7")
def test_a_month_that_cannot_be_revealed_stops_no_other(spring: World) -> None:
    secret = select(draw_months.c.month).where(draw_months.c.revealed_at.is_(None))
    broken, *others = sorted(row.month for row in spring.rows(secret))
    with spring.engine.begin() as tx:
        tx.execute(update(draw_months).where(draw_months.c.month == broken).values(commitment=b"x" * 32))
    put_clock(spring, rules.reveal_at(others[-1], spring.policy.zone) + timedelta(seconds=2))
    with pytest.raises(Tampered):
        acts.keep_months(spring.platform)
    revealed = {entry["month"] for entry in spring.register("draw:month:revealed")}
    assert others and revealed.isdisjoint({broken}) and revealed.issuperset(others)
