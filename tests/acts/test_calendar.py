"""The *Retention calendar* on a real catalog: what goes when, and what was moved."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, update

from consigne.acts.decide import answer_request, file_request
from consigne.acts.extend import apply_decision
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog import views_calendar
from consigne.rules.clock import local_date, midnight_of
from consigne.rules.request import Answer, ExceptionRequest
from consigne.rules.values import Actor

from .desk_world import DeskWorld
from .world import World

TRAINER, DPO = Actor("trainer", frozenset({"trainer"})), Actor("dpo", frozenset({"dpo"}))
WEEK = timedelta(days=7)


@pytest.fixture
def stock(desk_world: DeskWorld) -> DeskWorld:
    """Training and quality calls that go between some ten and some twenty-two weeks from now."""
    world = desk_world.world
    ends = {"q": 110} | {f"t{number}": 70 + 20 * number for number in range(5)}
    for call in ends:
        world.deliver(call, purposes=["quality" if call == "q" else "training"])
    world.ingest()
    for call, days in ends.items():
        day = local_date(world.now(), world.policy.zone) + timedelta(days=days)
        ids = [row.id for row in world.artifacts(call)]
        with world.engine.begin() as tx:
            values = {"due_at": midnight_of(day, world.policy.zone)}
            tx.execute(update(t.artifacts).where(t.artifacts.c.id.in_(ids)).values(values))
    return desk_world


def extend(world: World, call: str, until: datetime) -> None:
    ids = [row.id for row in world.artifacts(call)]
    asked = file_request(
        world.platform, world.policy, TRAINER, ids, until, "dispute", "Needed for a dispute."
    )
    assert isinstance(asked, ExceptionRequest), asked
    answer_request(world.platform, world.policy, DPO, asked.id, asked.digest, Answer.EXTEND, None, "Granted.")
    apply_decision(world.platform, world.policy, asked.id)


def falling(world: World, unit: str = "week") -> dict[str, list[tuple[Any, int]]]:
    """how → [(first day, count)]"""
    found: dict[str, list[tuple[Any, int]]] = {}
    with world.engine.begin() as tx:
        now = world.now()
        for one in views_calendar.falling(tx, unit, world.policy.zone, now, now + timedelta(days=900), None):
            found.setdefault(one.how, []).append((one.begins, one.count))
    return {how: sorted(rows) for how, rows in found.items()}


def day_due(world: World, call: str) -> Any:
    return local_date(world.artifacts(call)[0].due_at, world.policy.zone)


def monday(day: Any) -> Any:
    return day - timedelta(days=day.weekday())


def test_it_counts_what_goes_in_each_week_and_on_each_day(stock: DeskWorld) -> None:
    world = stock.world
    days = [day_due(world, call) for call in ("t0", "t1", "t2", "t3", "t4", "q")]
    by_day: dict[Any, int] = {}
    for day in days:
        by_day[day] = by_day.get(day, 0) + 2  # audio and transcript
    got: dict[Any, int] = {}
    for day, count in falling(world, "day")["plain"]:
        got[day] = got.get(day, 0) + count
    assert got == by_day
    weeks = falling(world)["plain"]
    assert sum(count for _, count in weeks) == 12
    assert {begins for begins, _ in weeks} == {monday(day) for day in days}


def test_what_an_extension_moved_stands_where_it_was_and_where_it_goes(stock: DeskWorld) -> None:
    world, was = stock.world, day_due(stock.world, "t2")
    extend(world, "t2", world.artifacts("t2")[0].due_at + 3 * WEEK)
    extend(world, "t2", world.artifacts("t2")[0].due_at + WEEK)  # a second one: the first day still counts
    now_due = day_due(world, "t2")
    told = falling(world)
    assert told["extended"] == [(monday(now_due), 2)]
    assert told["moved"] == [(monday(was), 2)]
    assert sum(count for _, count in told["plain"]) == 10


def test_what_a_hold_moved_stands_where_it_was_and_where_it_goes(stock: DeskWorld) -> None:
    world = stock.world
    [audio, _] = world.artifacts("t1")
    review_at = audio.due_at + 10 * WEEK
    values = {"hold": uuid4(), "unheld_due_at": audio.due_at, "due_at": review_at}
    with world.engine.begin() as tx:
        tx.execute(update(t.artifacts).where(t.artifacts.c.id == audio.id).values(values))
    told, zone = falling(world), world.policy.zone
    assert told["held"] == [(monday(local_date(review_at, zone)), 1)]
    assert told["moved"] == [(monday(local_date(audio.due_at, zone)), 1)]


def test_both_nights_of_the_clock_change_fall_in_their_local_day(world: World) -> None:
    zone = world.policy.zone
    nights = [datetime(2027, 3, 28).date(), datetime(2027, 10, 31).date(), datetime(2027, 10, 25).date()]
    world.deliver("one")
    world.ingest()
    [audio, transcript] = world.artifacts("one")
    for night in nights:
        # The day's first instant, and one that UTC puts on the day before.
        dues = {
            audio.id: midnight_of(night, zone),
            transcript.id: midnight_of(night, zone) + timedelta(minutes=30),
        }
        with world.engine.begin() as tx:
            for id, due_at in dues.items():
                tx.execute(update(t.artifacts).where(t.artifacts.c.id == id).values(due_at=due_at))
        assert falling(world, "day")["plain"] == [(night, 2)]
        assert falling(world)["plain"] == [(monday(night), 2)]


def test_the_page_has_the_pictures_numbers_in_its_table(stock: DeskWorld) -> None:
    extend(stock.world, "t2", stock.world.artifacts("t2")[0].due_at + 3 * WEEK)
    page = stock.visit("dpo").get("/calendar").text
    bars = re.findall(r"<title>Week of ([^<·]+) · ([^<]+)</title>", page)
    assert (
        len(re.findall(r'<rect class="c-bar"[^>]*height="\d', page)) >= 5
    )  # four weeks of training, one of quality
    assert sum("after an extension" in said for _, said in bars) == 1
    assert sum("would have gone then" in said for _, said in bars) == 1
    table = page[page.index("<tbody>") :]
    for week, _ in bars:
        assert week in table
    totals = [int(number) for number in re.findall(r'<td class="num">(\d+)</td></tr>', table)]
    assert sum(totals) == 12
    french = stock.visit("dpo", language="fr").get("/calendar").text
    assert "serait parti là" in french and "Semaine du" in french


def test_a_week_leads_to_its_days_and_these_to_their_recordings(stock: DeskWorld) -> None:
    dpo, day = stock.visit("dpo"), day_due(stock.world, "t3")
    assert f'href="/consigne/calendar?week={monday(day)}"' in dpo.get("/calendar").text
    week = dpo.get(f"/calendar?week={monday(day)}").text
    [href] = [
        one for one in re.findall(r'href="/consigne(/recordings\?due_from[^"]+)"', week) if str(day) in one
    ]
    found = dpo.get(href.replace("&amp;", "&")).text
    assert re.findall(r"· (\w+)</span></td>", found) == ["t3"]


def test_each_sees_the_purposes_that_concern_them(stock: DeskWorld) -> None:
    for user, titles in (
        ("dpo", {"Training", "Quality"}),
        ("auditor", {"Training", "Quality"}),
        ("ops", {"Training", "Quality"}),
        ("trainer", {"Training"}),
        ("analyst", {"Quality"}),
    ):
        page = stock.visit(user).get("/calendar")
        heads = set(re.findall(r'<th scope="col" class="num">(\w+)</th>', page.text)) - {"Total"}
        assert (page.status_code, heads) == (200, titles), user
    assert stock.visit("adviser").get("/calendar").status_code == 403
    # ops see numbers; the recordings themselves are not theirs
    assert "/recordings" not in stock.visit("ops").get(f"/calendar?week={day_due(stock.world, 't3')}").text


def test_what_is_due_and_not_gone_comes_first(desk_world: DeskWorld) -> None:
    world = desk_world.world
    world.deliver_trial("late")
    world.ingest()
    none = desk_world.visit("dpo").get("/calendar").text
    assert "Nothing: all that was due is gone." in none
    world.pass_time(timedelta(minutes=5))
    page = desk_world.visit("dpo").get("/calendar").text
    assert re.search(r'id="overdue">[^<]*<span class="count">2</span>', page)
    assert page.index('id="overdue"') < page.index('id="table"')
    assert "state=past_due" in page
    world.expire()
    assert "Nothing: all that was due is gone." in desk_world.visit("dpo").get("/calendar").text


def test_weeks_that_cannot_be_are_refused(stock: DeskWorld) -> None:
    dpo = stock.visit("dpo")
    for query in ("weeks=0", "weeks=521", "weeks=x", "week=soon", "week=9999-12-31", "week=0001-01-01"):
        assert dpo.get(f"/calendar?{query}").status_code == 400, query
    assert dpo.get("/calendar?weeks=520").status_code == 200


def test_far_away_ends_are_counted_as_later(stock: DeskWorld) -> None:
    page = stock.visit("dpo").get("/calendar?weeks=1").text
    assert re.search(
        r'<th scope="row">Later</th>\s*<td class="num">10</td><td class="num">2</td><td class="num">12<', page
    )


def test_a_large_stock_is_counted_by_the_database(world: World) -> None:
    """Ten thousand ends over half a year: one row an artifact would be the fault that this looks for."""
    now, zone = world.now(), world.policy.zone
    call, epoch = uuid4(), "training/2027-01-01/0"
    with world.engine.begin() as tx:
        common = {"policy": world.policy.digest, "started_at": now, "received_at": now}
        tx.execute(
            insert(t.recordings).values(
                id=call, source="folder", source_id="c", identity_digest=b"i", content_digest=b"c", audio_digest=b"a",
                duration_ms=1, direction="inbound", queue="q", agent="a", language="fr", caller_index=b"i",
                caller_index_version=1, **common,
            )
        )  # fmt: skip
        tx.execute(
            insert(t.epochs).values(name=epoch, purpose="training", due_at=now, state="open", opened_at=now)
        )
        tx.exec_driver_sql(
            "INSERT INTO recordings (id, source, source_id, identity_digest, content_digest, audio_digest, started_at, "
            "received_at, duration_ms, direction, queue, agent, language, caller_index, caller_index_version, policy) "
            "SELECT gen_random_uuid(), source, source_id || n, int4send(n), content_digest, audio_digest, started_at, "
            "received_at, 1, direction, queue, agent, language, caller_index, 1, policy FROM recordings, "
            "generate_series(1, 9999) AS n"
        )
        tx.exec_driver_sql(
            "INSERT INTO artifacts (id, recording, purpose, part, state, clock_start, due_at, cap_at, policy, epoch, "
            "attempt, object, version, digest, bytes, masked, masked_signature, masked_key, stored_at) SELECT "
            "gen_random_uuid(), id, 'training', 'audio', 'kept', started_at, started_at + (1 + ascii(right(id::text, 1))) "
            f"* interval '1 day', started_at, policy, '{epoch}', id, 'o', 'v', 'd', 1, '[]', 's', 'k', started_at "
            "FROM recordings"
        )
        found = views_calendar.falling(tx, "week", zone, now, datetime(2100, 1, 1, tzinfo=UTC), {"training"})
    assert sum(one.count for one in found) == 10_000
    assert len(found) < 40
