"""*Recordings* on a real catalog, as the people see them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from consigne.acts.find import caller_indexes
from consigne.adapters.catalog import views_recordings
from consigne.adapters.catalog.views_recordings import Search
from consigne.rules.errors import BadInput

from .desk_world import DeskWorld
from .world import World

OTHER = "+33699999999"


@pytest.fixture
def calls(desk_world: DeskWorld) -> DeskWorld:
    """Three calls: `t` for training, `q` for quality by another caller, `both` for both."""
    world = desk_world.world
    world.deliver("t", ago=timedelta(days=3), agent="b.durand")
    world.deliver("q", ago=timedelta(days=2), purposes=["quality"], caller=OTHER, queue="orders")
    world.deliver("both", purposes=["training", "quality"])
    world.ingest()
    assert len(world.artifacts()) == 8
    return desk_world


def shown(text: str) -> list[str]:
    """The calls of a page, in its order."""
    return re.findall(r"· (t|q|both)</span>", text)


def id_of(world: World, call: str) -> UUID:
    return UUID(str(world.artifacts(call)[0].recording))


@pytest.mark.parametrize(
    ("user", "calls_seen", "purposes"),
    [
        ("dpo", ["both", "q", "t"], {"Training", "Quality"}),
        ("auditor", ["both", "q", "t"], {"Training", "Quality"}),
        ("trainer", ["both", "t"], {"Training"}),
        ("analyst", ["both", "q"], {"Quality"}),
    ],
)
@pytest.mark.promise("P4")
def test_each_sees_the_recordings_of_their_purposes(
    calls: DeskWorld, user: str, calls_seen: Sequence[str], purposes: set[str]
) -> None:
    page = calls.visit(user).get("/recordings")
    assert page.status_code == 200
    assert shown(page.text) == calls_seen
    assert set(re.findall(r"<strong>(\w+)</strong>", page.text)) == purposes
    unseen = {"t", "q", "both"} - set(calls_seen)
    for call in ("t", "q", "both"):
        one = calls.visit(user).get(f"/recordings/{id_of(calls.world, call)}")
        assert one.status_code == (404 if call in unseen else 200)
        if one.status_code == 200:
            assert {"Training", "Quality"} & set(re.findall(r'class="chip">(\w+)<', one.text)) <= purposes


@pytest.mark.parametrize("user", ["ops", "adviser"])
def test_others_see_none(calls: DeskWorld, user: str) -> None:
    visitor = calls.visit(user)
    assert visitor.get("/recordings").status_code == 403
    assert visitor.get(f"/recordings/{id_of(calls.world, 't')}").status_code == 403
    assert visitor.post("/recordings", caller=OTHER).status_code == 403
    [tried] = calls.world.register("look:recordings:denied")
    assert (tried["actor"], tried["code"]) == (user, "not_a_listener")


FILTERS = {
    "queue=orders": ["q"],
    "agent=b.durand": ["t"],
    "agent=nobody": [],
    "purpose=quality": ["both", "q"],
    "purpose=nothing": [],
    "state=kept": ["both", "q", "t"],
    "state=erased": [],
    "state=held": [],
    "purpose=training&queue=support&state=kept": ["both", "t"],
    "from={two_ago}": ["both", "q"],
    "until={two_ago}": ["q", "t"],
    "from={two_ago}&until={two_ago}": ["q"],
    "due_from={due_t}&due_until={due_t}": ["t"],
    "due_from={due_after_all}": [],
}


def test_filters_find_exactly_what_they_say(calls: DeskWorld) -> None:
    local = f"timezone('{calls.world.policy.zone}', "
    with calls.world.engine.begin() as tx:
        [two_ago] = tx.execute(
            text(f"SELECT {local}started_at)::date FROM recordings WHERE source_id = 'q'")
        ).scalars()
        [due_t] = tx.execute(
            text(
                f"SELECT DISTINCT {local}due_at)::date FROM artifacts "
                "WHERE recording = (SELECT id FROM recordings WHERE source_id = 't')"
            )
        ).scalars()
    days = {"two_ago": two_ago, "due_t": due_t, "due_after_all": due_t + timedelta(days=30)}
    dpo = calls.visit("dpo")
    found = {query: shown(dpo.get(f"/recordings?{query.format(**days)}").text) for query in FILTERS}
    assert found == FILTERS


def test_a_filter_that_cannot_be_names_its_field_and_keeps_the_others(calls: DeskWorld) -> None:
    dpo = calls.visit("dpo")
    for query, said in (
        ("from=yesterday", "“Calls from” is no date."),
        ("until=2026-02-30", "“Until” is no date."),
        ("due_from=9999-12-31", "“Due from” is no date."),
        ("due_until=0001-01-01", "“Due until” is no date."),
        ("state=asleep", "There is no such state."),
        ("agent=%00", "There is no such adviser."),
    ):
        page = dpo.get(f"/recordings?{query}&queue=support")
        assert (page.status_code, said in page.text) == (400, True), query
        assert "<option selected>support</option>" in page.text


@pytest.mark.promise("P2")
def test_a_callers_calls_are_found_and_the_number_is_written_nowhere(calls: DeskWorld) -> None:
    ways = [OTHER, "00 33 6 99 99 99 99", "33.699.999.999", "+33 (6) 99-99-99-99"]
    dpo = calls.visit("dpo")
    for typed in ways:
        page = dpo.post("/recordings", caller=typed)
        assert (page.status_code, shown(page.text), typed in page.text) == (200, ["q"], False), typed
    entries = calls.world.register("look:recordings:caller")
    assert [(entry["actor"], entry["found"]) for entry in entries] == [("dpo", 1)] * len(ways)
    with calls.world.engine.begin() as tx:
        payloads = tx.execute(text("SELECT payload FROM register")).scalars().all()
    assert not any(b"699999999" in payload for payload in payloads)


def test_a_search_by_number_finds_no_other_purpose(calls: DeskWorld) -> None:
    assert shown(calls.visit("trainer").post("/recordings", caller=OTHER).text) == []
    assert shown(calls.visit("trainer").post("/recordings", caller="+33612345678").text) == ["both", "t"]


def test_what_is_no_number_is_refused(calls: DeskWorld) -> None:
    dpo = calls.visit("dpo")
    for typed in ("", "anonymous", "a number", "1", "0" * 30, "+33\u0661\u0662\u0663"):
        page = dpo.post("/recordings", caller=typed)
        assert (page.status_code, "This is no number" in page.text) == (400, True), typed
        with pytest.raises(BadInput):
            caller_indexes(calls.world.platform, typed)
    assert calls.world.register("look:recordings:caller") == []


def test_every_version_of_the_key_is_tried(world: World) -> None:
    keyring = world.keyring
    for version in (2, 3):
        assert keyring.rotate("blind-index") == version
    assert set(caller_indexes(world.platform, "+331")) == {
        keyring.mac("blind-index", number, version).digest
        for version in (1, 2, 3)
        for number in (b"+331", b"00331", b"331")
    }


def test_pages_follow_each_other_without_a_gap(world: World) -> None:
    with world.engine.begin() as tx:
        tx.execute(
            text(
                "INSERT INTO recordings (id, source, source_id, identity_digest, content_digest, audio_digest, "
                "started_at, received_at, duration_ms, direction, queue, agent, language, caller_index, "
                "caller_index_version, policy) SELECT gen_random_uuid(), 'folder', 'c' || n, int4send(n), 'c', 'a', "
                # Many begin in the same second: the page's edge falls among them.
                "consigne_now() - (n / 7) * interval '1 minute', consigne_now(), 1, 'inbound', 'q', 'a', 'fr', 'i', 1, "
                ":policy FROM generate_series(1, 130) AS n"
            ),
            {"policy": world.policy.digest},
        )
    found: list[Any] = []
    before = None
    for _ in range(5):
        with world.engine.begin() as tx:
            page, more = views_recordings.search(tx, Search(before=before), world.now())
        found += page
        if not more:
            break
        before = page[-1]["id"]
    assert len(found) == len({one["id"] for one in found}) == 130
    assert found == sorted(found, key=lambda one: (one["started_at"], one["id"]), reverse=True)


def test_a_page_that_was_never_there_is_absent(calls: DeskWorld) -> None:
    assert calls.visit("dpo").get(f"/recordings/{uuid4()}").status_code == 404
    assert calls.visit("dpo").get("/recordings/nothing").status_code == 400


def test_one_recording_tells_its_facts_and_history_in_the_readers_language(calls: DeskWorld) -> None:
    id = id_of(calls.world, "both")
    french = calls.visit("dpo", language="fr").get(f"/recordings/{id}").text
    english = calls.visit("auditor").get(f"/recordings/{id}").text
    for page, words in (
        (
            french,
            (
                "Reçu de la source",
                "Contrôle d’admission",
                "Dépôt confirmé",
                "Lot d’échéance",
                "Annonce entendue",
            ),
        ),
        (
            english,
            ("Received from its source", "Judged by the gate", "Storage confirmed", "Epoch", "Notice heard"),
        ),
    ):
        assert all(word in page for word in words)
    assert "ingest:" not in french + english  # every kind has its words
    seen = calls.visit("trainer").get(f"/recordings/{id}").text
    assert "Training" in seen and "Quality" not in seen


@pytest.mark.promise("P6")
def test_what_is_erased_is_still_told_with_its_certificate(desk_world: DeskWorld) -> None:
    world = desk_world.world
    world.deliver_trial("gone")
    world.ingest()
    id = id_of(world, "gone")
    world.pass_time(timedelta(minutes=5))
    late = desk_world.visit("trainer").get("/recordings").text
    assert "past due: inaudible" in late and 'type="checkbox"' not in late
    world.expire()
    page = desk_world.visit("dpo").get(f"/recordings/{id}").text
    for certificate in world.certificates("artifact"):
        assert str(certificate.id) in page
    assert "Destroyed, found absent, certificate signed" in page and "key destroyed on" in page
    assert (
        shown(desk_world.visit("dpo").get("/recordings?state=erased").text) == []
    )  # `gone` is none of the three
    assert str(id) in desk_world.visit("dpo").get("/recordings?state=erased").text


def test_who_may_ask_is_offered_a_selection(calls: DeskWorld) -> None:
    ids = {str(row.id) for row in calls.world.artifacts() if row.purpose == "training"}
    page = calls.visit("trainer").get("/recordings").text
    assert set(re.findall(r'type="checkbox" name="artifact" value="([^"]+)"', page)) == ids
    assert 'action="/consigne/exceptions/ask"' in page
    assert 'type="checkbox"' not in calls.visit("auditor").get("/recordings").text
