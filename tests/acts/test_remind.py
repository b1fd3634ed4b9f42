"""Who is told what by mail, once and in time; and that no mail server can fail anything (issue 5, points 2 and 3)."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Engine, insert, select

from consigne.acts import extend
from consigne.acts.attempts import note_attempt, note_lost, note_outcome
from consigne.acts.journey import Platform
from consigne.acts.ports import Letter, Message
from consigne.acts.remind import LONGEST_PAUSE, TOLD_FOR, remind, send_messages
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.tables_decided import holds
from consigne.adapters.catalog.tables_people import messages
from consigne.adapters.catalog.views_attempts import attempts
from consigne.adapters.keyring.open import open_keyring
from consigne.adapters.mail import MailServer, SmtpMailer
from consigne.adapters.witness import NoWitness
from consigne.rules.access import Denied
from consigne.rules.attempts import Attempt
from consigne.rules.errors import Unavailable
from consigne.rules.policy.load import load
from consigne.rules.policy.model import Designation
from consigne.rules.request import Answer, Decision, run_of
from consigne.rules.values import Actor
from contract.post import post_office

from .conftest import shift_clock
from .stage import DPO, TEXT, WHY, Stage

DAY_S = 86_400
DEPUTY = Actor("dpo2", frozenset({"dpo"}))


@pytest.fixture
def office(engine: Engine, engines: Callable[[str], Engine], tmp_path: Path) -> Stage:
    """A stage on which the DPO decides and `dpo2` stands in from the day after tomorrow for two days, as the database
    role that does so."""
    nothing = cast(Any, None)
    keyring = open_keyring(f"file:{tmp_path / 'keyring'}")
    keyring.prepare(first=True)
    catalog = Catalog(engines("decide"), os.urandom)
    parts = (
        catalog,
        nothing,
        keyring,
        *[nothing] * 4,
        os.urandom,
        uuid.uuid4,
        nothing,
        NoWitness(),
    )
    platform = Platform(*parts)
    with catalog.begin() as tx:
        today = catalog.now(tx).date()
    away = Designation("dpo", date(2026, 1, 1), today + timedelta(days=1))
    deputy = Designation("dpo2", today + timedelta(days=2), today + timedelta(days=3))
    return Stage(platform, in_force(engine, platform, designated=(away,), deputies=(deputy,)), engine)


def in_force(engine: Engine, platform: Platform, **changes: Any) -> Any:
    """The demonstration's policy with changes: what `policy_at` gives from now on."""
    policy = replace(load(TEXT).policy, **changes)
    owner = Catalog(engine, os.urandom)
    with owner.begin() as tx:
        owner.add_policy(tx, policy, TEXT, policy.in_force_from)
    platform.catalog.policy_at = lambda tx, instant: policy  # type: ignore[method-assign,assignment]
    return policy


def told(stage: Stage, kind: str = "") -> set[tuple[str, str, str]]:
    with stage.engine.begin() as tx:
        rows = tx.execute(select(messages.c.recipient, messages.c.kind, messages.c.subject)).all()
    return {(row.recipient, row.kind, row.subject) for row in rows if kind in ("", row.kind)}


@pytest.mark.promise("P5")
def test_the_deputy_answers_while_the_dpo_is_away_and_not_a_day_longer(office: Stage) -> None:
    first, second, third = (office.asked(office.keep()) for _ in range(3))
    assert office.answer(first, actor=DEPUTY) == Denied("not_designated")
    shift_clock(office.engine, 2 * DAY_S)
    assert office.answer(first) == Denied("not_designated")  # the DPO's own date has passed
    assert isinstance(office.answer(first, actor=DEPUTY), Decision)
    assert extend.apply_decision(office.platform, office.policy, first.id) != Denied("no_decision")
    shift_clock(office.engine, DAY_S)
    assert isinstance(office.answer(second, actor=DEPUTY), Decision)  # their last day
    shift_clock(office.engine, DAY_S)
    assert office.answer(third, actor=DEPUTY) == Denied("not_designated")
    denied = office.register("decide:request:answer_denied")
    assert [(entry["actor"], entry["code"]) for entry in denied] == [
        (user, "not_designated") for user in ("dpo2", "dpo", "dpo2")
    ]


def test_a_request_is_told_to_whoever_may_decide_that_day_once(office: Stage) -> None:
    request = office.asked(office.keep())
    assert remind(office.platform) == 1
    assert remind(office.platform) == 0
    assert told(office) == {("dpo", "request_waiting", str(request.id))}
    shift_clock(office.engine, 2 * DAY_S)
    remind(office.platform)  # the deputy stands in now
    assert told(office, "request_waiting") == {
        (user, "request_waiting", str(request.id)) for user in ("dpo", "dpo2")
    }


def test_who_asked_or_owns_is_not_asked_to_decide(office: Stage) -> None:
    dpo_too = Actor("dpo", frozenset({"dpo", "trainer"}))
    request = office.asked(office.keep(), actor=dpo_too)
    remind(office.platform)
    assert told(office) == set()
    office.answer(request, actor=dpo_too)  # denied, which is an attempt
    remind(office.platform)
    assert {kind for _, kind, _ in told(office)} == {"attempt"}


def test_where_an_owners_word_is_needed_the_owner_comes_first(office: Stage) -> None:
    purposes = office.policy.purposes
    purpose = replace(purposes["training"], owner="chief", approval=("owner", "dpo"))
    in_force(office.engine, office.platform, purposes={**purposes, "training": purpose})
    request = office.asked(office.keep())
    remind(office.platform)
    assert told(office) == {("chief", "request_waiting", str(request.id))}


def test_before_silence_refuses_and_before_a_recording_goes_they_are_told_again(office: Stage) -> None:
    request = office.asked(office.keep(left=timedelta(days=16)))
    remind(office.platform)
    assert told(office, "recording_going") == told(office, "request_lapsing") == set()
    shift_clock(office.engine, 2 * DAY_S + 60)
    remind(office.platform)
    assert told(office, "recording_going") == {("trainer", "recording_going", str(request.id))}
    assert told(office, "request_lapsing") == set()
    in_force(office.engine, office.platform)  # the DPO is designated for ever
    shift_clock(office.engine, 2 * DAY_S)
    remind(office.platform)
    assert told(office, "request_lapsing") == {("dpo", "request_lapsing", str(request.id))}
    shift_clock(office.engine, DAY_S)
    remind(office.platform)
    assert told(office, "request_over") == set()  # whoever lapses it comes first
    extend.record_decision(office.platform, str(request.id), run_of(request.id))
    remind(office.platform)
    assert told(office, "request_over") == {("trainer", "request_over", str(request.id))}


def test_a_decision_is_told_to_the_requester_and_later_its_end_too(office: Stage) -> None:
    request = office.asked(office.keep())
    decision = office.answer(request)
    assert isinstance(decision, Decision)
    extend.apply_decision(office.platform, office.policy, request.id)
    remind(office.platform)
    assert told(office) == {("trainer", "request_over", str(request.id))}
    ends = office.row(request.items[0].artifact).due_at
    shift_clock(office.engine, int((ends - office.now()).total_seconds()) - 13 * DAY_S)
    remind(office.platform)
    assert told(office, "extension_ending") == {("trainer", "extension_ending", str(request.id))}


def test_a_hold_is_told_twice_before_its_review_and_again_after_it_was_confirmed(office: Stage) -> None:
    in_force(office.engine, office.platform)
    hold, now = uuid.uuid4(), office.now()
    with office.engine.begin() as tx:
        tx.execute(
            insert(holds).values(
                id=hold, mandate="m", authority="a", reason="r", scope="agent", agent="a", restrict=False,
                placed_by="dpo", placed_at=now, review_at=now + timedelta(days=31), policy=office.policy.digest,
                state="open",
            )
        )  # fmt: skip
    counts = []
    for days in (0, 2, 23, 0):
        shift_clock(office.engine, days * DAY_S)
        remind(office.platform)
        counts.append(len(told(office)))
    assert counts == [0, 1, 2, 2]
    assert {kind for _, kind, _ in told(office)} == {"hold_review_30", "hold_review_7"}
    with office.engine.begin() as tx:
        tx.execute(holds.update().values(review_at=now + timedelta(days=55)))
    remind(office.platform)
    assert len(told(office, "hold_review_30")) == 2


TOUCHED = Attempt("mark", "decide_retention_exception", ())


@pytest.mark.promise("P5")
def test_an_attempt_is_registered_before_and_after_and_told_once_a_day(office: Stage) -> None:
    request = office.asked(office.keep())
    attempt = replace(TOUCHED, named=(str(request.id), str(uuid.uuid4())))
    subjects = note_attempt(office.platform, "ops", attempt)
    assert subjects == (str(request.id),)  # what nobody knows is not written down
    assert [entry["what"] for entry in office.register("decide:task:tried")] == ["mark"]
    for status, kind in ((403, "denied"), (404, "denied"), (200, "touched"), (500, "touched")):
        note_outcome(office.platform, "ops", attempt, subjects, status)
        entry = office.register(f"decide:task:{kind}")[-1]
        assert (entry["subjects"], entry["status"], entry["actor"]) == ([str(request.id)], status, "ops")
    for _ in range(2):
        remind(office.platform)
    assert len(told(office, "attempt")) == 1
    with office.platform.catalog.begin() as tx:
        shown = attempts(tx, office.now() - timedelta(days=30), 10)
        assert [entry["status"] for entry in shown] == [500, 200, 404, 403]
        assert attempts(tx, office.now() + timedelta(days=1), 10) == []
    shift_clock(office.engine, DAY_S)
    remind(office.platform)
    assert len(told(office, "attempt")) == 1
    note_outcome(office.platform, "ops", attempt, subjects, 403)
    remind(office.platform)
    assert len(told(office, "attempt")) == 2


@pytest.mark.promise("P7")
def test_a_register_that_is_not_published_for_two_hours_is_told_once_a_day(office: Stage) -> None:
    note_attempt(office.platform, "ops", TOUCHED)
    remind(office.platform)
    assert not told(office, "register_gap")
    shift_clock(office.engine, 2 * 3600 + 60)
    for _ in range(2):
        remind(office.platform)
    assert len(told(office, "register_gap")) == 1


@pytest.mark.promise("P5")
def test_a_run_that_is_lost_or_comes_again_is_registered_once(office: Stage) -> None:
    request = office.asked(office.keep())
    run = run_of(request.id)
    for code in ("task_ended", "ended"):
        assert note_lost(office.platform, request.id, run, code)
        assert not note_lost(office.platform, request.id, run, code)
    assert [entry["code"] for entry in office.register("decide:run:lost")] == ["task_ended", "ended"]
    load = (office.platform, str(request.id), request.digest, run)
    assert extend.load_request(*load) == "notify_dpo"
    assert office.register("decide:run:repeated") == []
    extend.notify_dpo(office.platform, str(request.id))
    assert extend.load_request(*load) == "notify_dpo"
    assert [entry["run"] for entry in office.register("decide:run:repeated")] == [run]
    office.answer(request, answer=Answer.REFUSE)
    assert not note_lost(office.platform, request.id, run, "gone")


# Sending


def letter(message: Message) -> Letter:
    to = f"{message.recipient}@example.org"
    return Letter(message.id, to, message.kind, message.subject, message.made_at)


def rows(stage: Stage) -> list[Any]:
    with stage.engine.begin() as tx:
        return list(tx.execute(select(messages).order_by(messages.c.recipient)).all())


@dataclass
class Counting:
    """A server that says what it is told to, and counts."""

    says: str | Exception | None = None
    asked: list[str] = field(default_factory=list)

    def send(self, letter: Letter) -> str | None:
        self.asked.append(letter.to)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


def send(stage: Stage, mailer: Any, write: Any = letter) -> tuple[int, int, int]:
    round = send_messages(stage.platform, mailer, write, lambda: True)
    return round.sent, round.waiting, round.given_up


@pytest.fixture
def waiting(office: Stage) -> Stage:
    """Two messages wait."""
    shift_clock(office.engine, 2 * DAY_S)
    in_force(office.engine, office.platform, deputies=(Designation("dpo2", date(2026, 1, 1), None),))
    office.asked(office.keep())
    assert remind(office.platform) == 2
    return office


def test_messages_go_once(waiting: Stage) -> None:
    with post_office() as office:
        server = SmtpMailer(MailServer("smtp", "127.0.0.1", office.port, "consigne@example.org"))
        assert send(waiting, server) == (2, 0, 0)
        assert send(waiting, server) == (0, 0, 0)
    assert {to for to, _ in office.letters} == {"dpo@example.org", "dpo2@example.org"}
    remind(waiting.platform)
    assert all(row.sent_at for row in rows(waiting))


def test_one_letter_refused_does_not_keep_the_others(waiting: Stage) -> None:
    with post_office({"RCPT": "550 no"}) as office:
        server = SmtpMailer(MailServer("smtp", "127.0.0.1", office.port, "consigne@example.org"))
        assert send(waiting, server) == (0, 2, 0)
    assert {row.trouble for row in rows(waiting)} == {"refused"}
    assert office.letters == []


def test_a_server_that_is_away_ends_the_round_and_is_asked_less_and_less(waiting: Stage) -> None:
    away, tries = Counting(Unavailable("mail")), 0
    assert send(waiting, away) == (0, 1, 0)
    assert len(away.asked) == 1
    before = waiting.now()
    given_up = 0
    while any(row.next_try_at < row.made_at + TOLD_FOR for row in rows(waiting)):
        soonest = min(row.next_try_at for row in rows(waiting) if row.next_try_at < row.made_at + TOLD_FOR)
        shift_clock(waiting.engine, max(0, int((soonest - waiting.now()).total_seconds())) + 1)
        given_up += send(waiting, away)[2]
        tries += 1
        assert tries < 100
    assert given_up == 2
    assert waiting.now() - before <= TOLD_FOR + LONGEST_PAUSE
    failed = waiting.register("remind:message:failed")
    assert sorted((entry["recipient"], entry["about"], entry["code"]) for entry in failed) == [
        (user, "request_waiting", "mail") for user in ("dpo", "dpo2")
    ]
    shift_clock(waiting.engine, 30 * DAY_S)
    assert send(waiting, Counting()) == (0, 0, 0)  # not after it is stale


def test_who_has_no_address_is_set_aside(waiting: Stage) -> None:
    server = Counting()
    assert send(waiting, server, lambda message: None) == (0, 0, 0)
    assert server.asked == []
    assert {row.trouble for row in rows(waiting)} == {"not_addressed"}


def test_two_rounds_at_once_take_different_messages(waiting: Stage) -> None:
    catalog: Catalog = cast(Catalog, waiting.platform.catalog)
    with catalog.begin() as one, catalog.begin() as other:
        now: datetime = catalog.now(one)
        taken = {catalog.take_message(tx, now, TOLD_FOR) for tx in (one, other)}
    assert None not in taken and len(taken) == 2


def test_the_text_of_a_message_carries_nothing_typed(waiting: Stage) -> None:
    assert WHY not in str(rows(waiting))
    assert DPO.user in str(rows(waiting))
