"""Telling people by mail what waits for them, what was decided, and what is about to go.

Nothing depends on it: what is told is read from the catalog each minute, kept as messages (each once), and sent
when a server takes it. A message holds a reference, never content.

| kind | to whom | subject |
| --- | --- | --- |
| `request_waiting` | who may decide today; while an owner's word is awaited, these owners | request |
| `request_lapsing` | the same, `reminders.request` before silence refuses | request |
| `recording_going` | requester and owners, `reminders.recording` before something asked for is due | request |
| `extension_ending` | the same, before something extended is due | request |
| `request_over` | the requester: decided, or lapsed | request |
| `hold_review_30`, `hold_review_7` | the designated, so many days before a hold's review | hold, review date |
| `draft_waiting` | the designated, not its author | draft |
| `draft_over` | the draft's author | draft |
| `volume_waiting` | the designated: more fell due than was foretold | volume |
| `finding_open` | the designated: reconciliation found what waits for their answer | day |
| `register_gap` | the designated: entries of the register wait too long to be published or witnessed | day |
| `attempt` | the designated: somebody tried to get round the desk | day |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from consigne.acts.catalog import Transaction
from consigne.acts.journey import Platform
from consigne.acts.locate import in_force
from consigne.acts.ports import Letter, Mailer, Message
from consigne.rules.access import DPO, Allowed, Target, Verb, designated, may
from consigne.rules.attempts import ATTEMPTS, is_shown
from consigne.rules.clock import add, local_date, parse_instant
from consigne.rules.errors import Misconfigured, Unavailable
from consigne.rules.policy.model import Policy
from consigne.rules.request import owners_awaited
from consigne.rules.sealing import gap_since
from consigne.rules.values import Actor

TOLD_FOR = timedelta(days=3)
"""What ended longer ago is told to nobody any more, and a message that did not go by then is given up."""
REVIEWS = (30, 7)
"""Days before a hold's review date."""
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)

Note = tuple[str, str, str]  # recipient, kind, subject


def remind(platform: Platform) -> int:
    """Keep a message for whatever somebody should know by now; returns how many are new. Idempotent."""
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        policy = in_force(platform, tx, now)
        notes = {
            *_of_requests(platform, tx, policy, now),
            *_of_drafts(platform, tx, policy, now),
            *_of_volumes(platform, tx, policy, now),
            *_of_holds(platform, tx, policy, now),
            *_of_attempts(platform, tx, policy, now),
            *_of_gaps(platform, tx, policy, now),
            *_of_findings(platform, tx, policy, now),
        }
        rows = [
            {"id": platform.new_id(), "recipient": to, "kind": kind, "subject": subject, "made_at": now, "next_try_at": now}
            for to, kind, subject in sorted(notes)
        ]  # fmt: skip
        return platform.catalog.add_messages(tx, rows)


def _of_requests(platform: Platform, tx: Transaction, policy: Policy, now: datetime) -> Iterator[Note]:
    for case in platform.catalog.cases_open(tx, now):
        subject, awaited = str(case["id"]), _awaited(policy, case, now)
        yield from ((user, "request_waiting", subject) for user in awaited)
        if case["lapses_at"] <= add(now, policy.reminders.request, policy.zone):
            yield from ((user, "request_lapsing", subject) for user in awaited)
        if now < case["due_at"] <= add(now, policy.reminders.recording, policy.zone):
            yield from ((user, "recording_going", subject) for user in _concerned(policy, case))
    before = add(now, policy.reminders.recording, policy.zone)
    for case in platform.catalog.extensions_ending(tx, now, before):
        yield from ((user, "extension_ending", str(case["id"])) for user in _concerned(policy, case))
    for case in platform.catalog.cases_over(tx, now - TOLD_FOR):
        yield case["requester"], "request_over", str(case["id"])


def _awaited(policy: Policy, case: Mapping[str, Any], now: datetime) -> frozenset[str]:
    """Whose word the request waits for now."""
    owners = owners_awaited(policy, case["purposes"], case["spoken"])
    return owners or frozenset(
        user for user in designated(policy, now) if _may_decide(policy, case, user, now)
    )


def _may_decide(policy: Policy, case: Mapping[str, Any], user: str, now: datetime) -> bool:
    actor = Actor(user, frozenset({DPO}))
    targets = (Target(purpose=purpose, requester=case["requester"]) for purpose in case["purposes"])
    verdicts = (may(policy, actor, Verb.DECIDE, target, None, now) for target in targets)
    return all(isinstance(verdict, Allowed) for verdict in verdicts)


def _concerned(policy: Policy, case: Mapping[str, Any]) -> frozenset[str]:
    owners = {policy.purposes[name].owner for name in case["purposes"] if name in policy.purposes}
    return frozenset({case["requester"], *owners})


def _of_drafts(platform: Platform, tx: Transaction, policy: Policy, now: datetime) -> Iterator[Note]:
    for draft in platform.catalog.drafts_told(tx, now - TOLD_FOR):
        if draft["state"] == "pending":
            waits_for = designated(policy, now) - {draft["author"]}
            yield from ((user, "draft_waiting", str(draft["id"])) for user in waits_for)
        else:
            yield draft["author"], "draft_over", str(draft["id"])


def _of_volumes(platform: Platform, tx: Transaction, policy: Policy, now: datetime) -> Iterator[Note]:
    for volume in platform.catalog.volumes_waiting(tx):
        yield from ((user, "volume_waiting", str(volume.id)) for user in designated(policy, now))


def _of_holds(platform: Platform, tx: Transaction, policy: Policy, now: datetime) -> Iterator[Note]:
    for hold in platform.catalog.reviews(tx, now + timedelta(days=REVIEWS[0])):
        subject = f"{hold['id']} {local_date(hold['review_at'], policy.zone)}"
        days = [days for days in REVIEWS if hold["review_at"] <= now + timedelta(days=days)]
        yield from ((user, f"hold_review_{days[-1]}", subject) for user in designated(policy, now))


def _of_attempts(platform: Platform, tx: Transaction, policy: Policy, now: datetime) -> Iterator[Note]:
    today = local_date(now, policy.zone)
    newest = ((kind, platform.catalog.newest_entry(tx, kind)) for kind in ATTEMPTS)
    shown = [entry for kind, entry in newest if entry and is_shown(kind, entry.get("code"))]
    if any(local_date(parse_instant(entry["at"]), policy.zone) == today for entry in shown):
        yield from ((user, "attempt", str(today)) for user in designated(policy, now))


def _of_findings(platform: Platform, tx: Transaction, policy: Policy, now: datetime) -> Iterator[Note]:
    for day in {local_date(at, policy.zone) for at in platform.catalog.alarms_found(tx, now - TOLD_FOR)}:
        yield from ((user, "finding_open", str(day)) for user in designated(policy, now))


def _of_gaps(platform: Platform, tx: Transaction, policy: Policy, now: datetime) -> Iterator[Note]:
    since = gap_since(platform.catalog.sealing(tx), now, platform.witness.listens)
    if since is not None:
        day = str(local_date(since, policy.zone))
        yield from ((user, "register_gap", day) for user in designated(policy, now))


@dataclass(slots=True)
class Sent:
    """What became of a round: messages sent, those that wait for their next try, those given up."""

    sent: int = 0
    waiting: int = 0
    given_up: int = 0


def send_messages(
    platform: Platform, mailer: Mailer, write: Callable[[Message], Letter | None], go_on: Callable[[], bool]
) -> Sent:
    """Send what waits while `go_on` says so. `write` puts a message into words, None where there is no address or
    no server to send it to: then it is set aside. A server that is away ends the round; one letter refused does not."""
    round = Sent()
    while go_on():
        with platform.catalog.begin() as tx:
            now = platform.catalog.now(tx)
            message = platform.catalog.take_message(tx, now, TOLD_FOR)
        if message is None:
            break
        letter = write(message)
        if letter is None:
            _set_aside(platform, message)
            continue
        trouble, is_away = _send(mailer, letter)
        _settle(platform, message, trouble, round)
        if is_away:
            break
    return round


def _set_aside(platform: Platform, message: Message) -> None:
    with platform.catalog.begin() as tx:
        platform.catalog.mark_sent(tx, message.id, platform.catalog.now(tx), "not_addressed")


def _send(mailer: Mailer, letter: Letter) -> tuple[str | None, bool]:
    try:
        return mailer.send(letter), False
    except (Unavailable, Misconfigured) as fault:
        return fault.code, True


def _settle(platform: Platform, message: Message, trouble: str | None, round: Sent) -> None:
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        if trouble is None:
            platform.catalog.mark_sent(tx, message.id, now)
            round.sent += 1
            return
        next_try_at = now + min(FIRST_PAUSE * 2 ** min(message.tries - 1, 20), LONGEST_PAUSE)
        platform.catalog.mark_trouble(tx, message.id, trouble, next_try_at)
        if next_try_at < message.made_at + TOLD_FOR:
            round.waiting += 1
            return
        round.given_up += 1
        entry = {
            "subject": str(message.id),
            "recipient": message.recipient,
            "about": message.kind,
            "code": trouble,
        }
        platform.catalog.append(tx, "consigne", "remind:message:failed", [entry])
