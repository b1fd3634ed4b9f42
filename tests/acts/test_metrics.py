"""What `/consigne/metrics` and the health pages say, over a real catalog under the role that they read as."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text
from sqlalchemy import Engine, text

from consigne.acts import ingest
from consigne.acts.seal import seal
from consigne.adapters.catalog.migrate import newest_version
from consigne.adapters.catalog.views_metrics import VIEWS
from consigne.doors.desk.metrics import FAMILIES, LATENCIES, VIEW_NAMES
from consigne.rules.errors import Unavailable
from consigne.rules.values import ArtifactState

from .desk_world import METRICS_SECRET, DeskWorld

BEARER = {"authorization": f"Bearer {METRICS_SECRET}"}
Labels = frozenset[tuple[str, str]]


class Scraped(dict[tuple[str, Labels], float]):
    """(sample's name without `consigne_`, labels) → value."""

    def of(self, name: str, **labels: str) -> float:
        return self[name, frozenset(labels.items())]

    def sums(self, name: str) -> float:
        return sum(value for (found, _), value in self.items() if found == name)

    def unreadable(self) -> set[str]:
        found = {
            dict(labels)["view"]: value for (name, labels), value in self.items() if name == "unreadable"
        }
        assert found.keys() == set(VIEW_NAMES)
        return {view for view, value in found.items() if value}


def answer_to(desk_world: DeskWorld, **headers: str) -> httpx.Response:
    return desk_world.nobody().get("/metrics", headers=headers)


def scrape(desk_world: DeskWorld) -> Scraped:
    answer = answer_to(desk_world, **BEARER)
    assert answer.status_code == 200
    return read(answer.text)


def read(page: str) -> Scraped:
    return Scraped(
        ((sample.name.removeprefix("consigne_"), frozenset(sample.labels.items())), sample.value)
        for family in read_text(page)
        for sample in family.samples
    )


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer ", f"Basic {METRICS_SECRET}", METRICS_SECRET, f"Bearer {METRICS_SECRET} ", "Bearer é"]
)  # fmt: skip
def test_without_the_credential_nothing_is_shown(desk_world: DeskWorld, given: str | None) -> None:
    desk = desk_world.visit("ops")
    headers = {} if given is None else {"authorization": given.encode()}
    answer = desk.http.get("/consigne/metrics", headers=headers)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()) == (401, {"code": "not_a_scraper"})
    assert answer.headers["www-authenticate"] == "Bearer"


def test_an_empty_platform_shows_every_figure_that_is_never_left_out(desk_world: DeskWorld) -> None:
    found = scrape(desk_world)
    assert found.unreadable() == set()
    assert found.sums("deliveries") == found.sums("artifacts") == found.sums("overdue_artifacts") == 0
    assert {dict(labels)["purpose"] for name, labels in found if name == "overdue_artifacts"} == set(
        desk_world.world.policy.purposes
    )
    for name in ("catalog_up", "store_up", "keyring_up"):
        assert found.of(name) == 1
    assert (
        found.of("restored_unreplayed") == found.of("backups_overdue") == found.of("epochs_not_closed") == 0
    )
    assert ("quarantine_next_deadline_seconds", frozenset()) not in found


def test_what_is_shown_is_the_table_of_names(desk_world: DeskWorld) -> None:
    """Kinds, labels and help, so that alerts and dashboards can be checked against the table."""
    lively(desk_world)
    page = answer_to(desk_world, **BEARER).text
    shown = {family.name.removeprefix("consigne_"): family for family in read_text(page)}
    histograms = {f"{part}_latency_seconds{end}" for part in LATENCIES for end in ("", "_created")}
    # A test's clock is not shown; nobody listens as a witness here; and the sealer did not call.
    left_out = {"clock_seconds", "register_unwitnessed_age_seconds"}
    assert shown.keys() == (FAMILIES.keys() - left_out) | histograms
    for name, (kind, help, labels) in FAMILIES.items():
        if name not in left_out:
            assert (shown[name].type, shown[name].documentation) == (kind, help), name
            assert {frozenset(sample.labels) for sample in shown[name].samples} == {frozenset(labels)}, name


def lively(desk_world: DeskWorld) -> None:
    """Calls of every sort: kept, refused, quarantined; something due, and something asked for."""
    world = desk_world.world
    for id in ("a", "b", "c"):
        world.deliver(id)
    world.deliver("late", agent="n.nouveau")
    world.deliver("broken", agent="Personne Unique", queue=7)
    world.deliver_trial("short")
    world.ingest()
    asked = next(row for row in world.artifacts("a") if row.part == "audio")
    until = (asked.due_at + timedelta(days=30)).date().isoformat()
    wish = {"ground": "dispute", "until": until, "reason": "Motif tapé par une personne."}
    trainer = desk_world.visit("trainer")
    assert trainer.post("/exceptions/ask", artifact=[str(asked.id)], **wish).status_code == 303
    desk_world.ended = {"expire_recordings": datetime.now(UTC) - timedelta(minutes=30)}


def test_figures_are_those_of_the_catalog(desk_world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    lively(desk_world)
    world = desk_world.world
    monkeypatch.setattr(ingest, "LIMIT", 0)
    world.deliver("left for the next run")
    assert ingest.discover_intake(world.platform, "full") == []
    found = scrape(desk_world)
    assert found.of("unclaimed", source=world.intake.source) == 1
    assert found.of("unclaimed_oldest_age_seconds", source=world.intake.source) >= 0
    states = [state for state, _ in world.deliveries().values()]
    assert found.of("deliveries", state="quarantined") == states.count("quarantined") == 1
    assert found.of("received_total", source=world.intake.source) == len(states) == 6
    assert found.of("quarantined", code="bad_field") == 1
    deadline = world.delivery("broken").deadline - world.now()
    assert found.of("quarantine_next_deadline_seconds") == pytest.approx(deadline.total_seconds(), abs=5)
    kept = [row for row in world.artifacts() if row.state == "kept"]
    assert found.of("artifacts", purpose="training", state="kept") == 2 * 3
    assert found.sums("artifacts") == found.sums("stored_total") == len(kept)
    assert found.sums("stored_bytes_total") == sum(row.bytes for row in kept) > 0
    days = (world.rows(text("SELECT lapses_at FROM requests"))[0].lapses_at - world.now()).days
    left = str(days) if days < 4 else "more"
    assert (
        found.of("pending_decisions", kind="exception", days_left=left)
        == 1
        == found.sums("pending_decisions")
    )
    assert found.of("last_run_age_seconds", act="expire") == pytest.approx(1800, abs=30)
    for never in ("seal", "ingest", "reconcile"):  # since the desk began: an alarm comes all the same
        assert 0 <= found.of("last_run_age_seconds", act=never) < 600
    assert found.of("register_unsealed_entries") == len(world.register())
    assert found.of("catalog_latency_seconds_count") == 1


@pytest.mark.promise("P5")
def test_what_is_due_is_overdue_until_it_went_unless_it_may_wait(desk_world: DeskWorld) -> None:
    world = desk_world.world
    world.deliver_trial("short")
    world.deliver_trial("asked")
    world.ingest()
    asked = world.artifacts("asked")
    with world.engine.begin() as tx:  # as a request filed before the due second keeps it
        tx.execute(
            text(
                "INSERT INTO requests (id, requester, ground, reason, until, filed_at, lapses_at, digest, policy, state) "
                "SELECT gen_random_uuid(), 'trainer', 'dispute', '-', due_at + interval '1 day', consigne_now(), "
                "due_at + interval '5 days', '', policy, 'pending' FROM artifacts WHERE id = :id"
            ),
            {"id": asked[0].id},
        )
        tx.execute(
            text("INSERT INTO request_items SELECT requests.id, :id, :due FROM requests"),
            {"id": asked[0].id, "due": asked[0].due_at},
        )
    assert scrape(desk_world).sums("overdue_artifacts") == 0
    world.pass_time(timedelta(minutes=8))
    due = len(world.artifacts("short")) + len(asked) - 1
    late = scrape(desk_world)
    assert late.of("overdue_artifacts", purpose="trial") == due == late.sums("overdue_artifacts")
    latest = max(row.due_at for row in world.artifacts("short"))
    assert late.of("overdue_oldest_age_seconds") >= (world.now() - latest).total_seconds() - 1
    world.expire()
    after = scrape(desk_world)
    assert after.sums("overdue_artifacts") == after.of("overdue_oldest_age_seconds") == 0
    assert after.of("erased_total", purpose="trial") == due
    assert after.of("stored_total", purpose="trial") == due + 1  # what went still counts
    assert after.of("erasing_oldest_age_seconds") == 0


@pytest.mark.promise("P7")
def test_the_registers_lag_is_told_until_it_is_sealed(desk_world: DeskWorld) -> None:
    world = desk_world.world
    world.deliver("a")
    world.ingest()
    world.pass_time(timedelta(minutes=20))
    behind = scrape(desk_world)
    assert behind.of("register_unsealed_age_seconds") >= 1200
    assert behind.of("register_unpublished_age_seconds") >= 1200
    seal(world.platform)
    sealed = scrape(desk_world)
    assert sealed.of("register_unsealed_entries") == sealed.of("register_unsealed_age_seconds") == 0
    assert sealed.of("register_unpublished_age_seconds") >= 1200
    assert sealed.of("register_ahead_seconds") == 0
    world.pass_time(-timedelta(hours=2))
    assert scrape(desk_world).of("register_ahead_seconds") > 3600


@pytest.mark.promise("P6")
def test_an_epoch_whose_key_should_be_gone_is_told(desk_world: DeskWorld) -> None:
    world = desk_world.world
    world.deliver_trial("short")
    world.ingest()
    with world.engine.begin() as tx:
        tx.exec_driver_sql("DELETE FROM data_keys")
        tx.exec_driver_sql("UPDATE artifacts SET state = 'erased'")
    assert scrape(desk_world).of("epochs_not_closed") == 0
    world.pass_time(timedelta(hours=5))
    found = scrape(desk_world)
    assert found.of("epochs_not_closed") == len(world.epochs())
    assert 3600 * 4 < found.of("epochs_not_closed_oldest_age_seconds") < 3600 * 5


class Away:
    """A part that does not answer, whatever it is asked."""

    provider = "away"
    assurance = "logical"

    def __getattr__(self, _: str) -> Any:
        raise Unavailable("keyring", "4970 1000 0000 0006", "secret")


@pytest.mark.parametrize("part", ["store", "keyring"])
def test_a_part_that_is_away_is_told_and_the_others_still_come(desk_world: DeskWorld, part: str) -> None:
    lively(desk_world)
    read_as = desk_world.platforms
    desk_world.platforms = lambda role: replace(read_as(role), **{part: Away()})
    found = scrape(desk_world)
    assert found.of(f"{part}_up") == 0
    assert found.unreadable() == {part} | ({"clocks"} if part == "store" else set())
    assert found.of("catalog_up") == 1 and found.sums("artifacts") > 0
    health = desk_world.nobody().get("/health/ready")
    assert (health.status_code, health.json()) == (503, {"ready": False, "away": [part]})


def test_without_the_catalog_its_figures_are_left_out_and_not_zero(desk_world: DeskWorld) -> None:
    lively(desk_world)
    read_as = desk_world.platforms
    desk_world.platforms = lambda role: replace(read_as(role), catalog=Away())
    found = scrape(desk_world)
    assert found.of("catalog_up") == 0 and found.of("store_up") == found.of("keyring_up") == 1
    assert found.unreadable() == {*VIEWS, "catalog", "clocks"}
    assert {name for name, _ in found if not name.startswith(("store_", "keyring_", "catalog_"))} == {
        "unreadable", "backups_overdue", "last_run_age_seconds"
    }  # fmt: skip
    assert desk_world.nobody().get("/health/ready").json() == {"ready": False, "away": ["catalog"]}
    assert desk_world.nobody().get("/health/live").status_code == 200


@pytest.mark.parametrize("view", ["messages", "certificates", "stock"])
def test_a_view_that_cannot_be_read_is_named_and_the_others_still_come(
    desk_world: DeskWorld, engine: Engine, view: str
) -> None:
    lively(desk_world)
    assert scrape(desk_world).unreadable() == set()
    with engine.begin() as tx:
        tx.exec_driver_sql(f"ALTER TABLE {view} RENAME TO gone")
    found = scrape(desk_world)
    assert found.unreadable() == ({"artifacts", "deliveries"} if view == "stock" else {view})
    assert found.of("overdue_oldest_age_seconds") == 0 and found.of("catalog_up") == 1


@pytest.mark.promise("P2")
def test_no_label_holds_personal_data(desk_world: DeskWorld, engine: Engine) -> None:
    """Hostile values in every column that a person or a source fills: none comes out, in either format."""
    lively(desk_world)
    world = desk_world.world
    hidden = [
        "n.nouveau",
        "a.martin",
        "Personne",
        "612345678",
        "trainer",
        "Motif",
        "bonjour",
        "support",
        "mock",
    ]
    with engine.begin() as tx:
        tx.exec_driver_sql("UPDATE deliveries SET code = 'caller +33612345678' WHERE state = 'quarantined'")
    seal(world.platform)
    for accept in ("", "application/openmetrics-text; version=1.0.0"):
        answer = answer_to(desk_world, **BEARER, accept=accept)
        assert answer.headers["content-type"].startswith(accept.partition(";")[0] or "text/plain")
        assert [value for value in hidden if value in answer.text] == []
        ids = [str(row.id) for row in world.artifacts()] + [row.source_id for row in world.artifacts()]
        shown = {
            value
            for family in read_text(answer.text)
            for one in family.samples
            for value in one.labels.values()
        }
        assert not shown & set(ids)
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}", answer.text)
        closed = {*world.policy.purposes, *map(str, ArtifactState), *VIEW_NAMES, world.intake.source}
        assert {value for value in shown if not re.fullmatch(r"[a-z_]+|[0-9.]+|\+Inf", value)} == set()
        assert closed & shown and "other" in shown


def test_the_format_follows_what_is_asked_for(desk_world: DeskWorld) -> None:
    lively(desk_world)
    page = answer_to(desk_world, **BEARER, accept="application/openmetrics-text; version=1.0.0").text
    assert page.endswith("# EOF\n")
    assert {family.name for family in read_openmetrics(page)} >= {"consigne_received", "consigne_artifacts"}


def test_scrapes_at_once_share_one_computation(desk_world: DeskWorld) -> None:
    visitor = desk_world.nobody()
    pages: list[str] = []

    def ask() -> None:
        pages.append(visitor.get("/metrics", headers=BEARER).text)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pages) == 8
    assert {read(page).of("catalog_latency_seconds_count") for page in pages} == {1}


def test_ready_is_said_only_where_all_is_well(desk_world: DeskWorld, engine: Engine) -> None:
    def away() -> tuple[int, list[str]]:
        answer = desk_world.nobody().get("/health/ready")
        assert answer.json()["ready"] is (answer.status_code == 200)
        return answer.status_code, answer.json()["away"]

    world = desk_world.world
    world.deliver("a")
    world.ingest()
    assert away() == (200, [])
    world.pass_time(timedelta(minutes=20))
    assert away() == (503, ["sealer"])
    seal(world.platform)
    assert away() == (200, [])
    with engine.begin() as tx:
        tx.exec_driver_sql("UPDATE consigne_version SET version_num = '0001'")
    assert away() == (503, ["schema"])
    with engine.begin() as tx:  # the next version's tables serve this code
        tx.exec_driver_sql("UPDATE consigne_version SET version_num = '9999'")
    assert away() == (200, [])
    with engine.begin() as tx:
        tx.execute(
            text(
                "INSERT INTO restorations (id, parts, began_at, register_size, published_size, counts) "
                "VALUES (gen_random_uuid(), '{database}', consigne_now(), 0, 0, '{}')"
            )
        )
    assert away() == (503, ["replay"])
    assert scrape(desk_world).of("restored_unreplayed") == 1


def test_the_newest_version_is_that_of_a_migrated_catalog(engine: Engine) -> None:
    with engine.begin() as tx:
        assert tx.exec_driver_sql("SELECT version_num FROM consigne_version").scalar() == newest_version()


def test_a_counter_never_goes_back(desk_world: DeskWorld) -> None:
    world = desk_world.world
    seen: list[dict[Any, float]] = []
    for id in ("a", "b"):
        world.deliver(id)
        world.deliver_trial(f"{id}-short")
        world.ingest()
        seen.append(scrape(desk_world))
    world.pass_time(timedelta(minutes=8))
    world.expire()
    seen.append(scrape(desk_world))
    counters = [key for key in seen[0] if key[0].endswith("_total")]
    assert len(counters) > 4
    for before, after in pairwise(seen):
        assert all(after[key] >= before[key] for key in counters)
