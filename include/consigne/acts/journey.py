"""How every effect is written, once for all (design.md, section 4).

1. A transaction claims the rows still in the step's source state, and writes the intent to the register.
2. The effect runs outside any transaction, idempotent, its target named beforehand.
3. A transaction moves the row where the claim still holds, with the register's outcome in the same commit.
   No row: a later claim took over, and this result is dropped.

State and claim are the outbox: whoever was killed, `advance` is just called again. A claim has no lease:
taking over is always safe, because only the newest token's result counts (ADR 0006).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from consigne.acts.catalog import Catalog, Transaction
from consigne.acts.ports import Checker, Intake, Keyring, Names, Store, Transcriber, Witness
from consigne.rules.errors import BadInput, Conflict, Misconfigured, Tampered, Unavailable, place_of
from consigne.rules.policy.model import Policy
from consigne.rules.values import Quarantined


@dataclass(frozen=True, slots=True)
class Platform:
    """The parts that acts use, made once at a door and given to each act."""

    catalog: Catalog
    store: Store
    keyring: Keyring
    intake: Intake
    checker: Checker
    transcriber: Transcriber
    names: Names
    random: Callable[[int], bytes]
    new_id: Callable[[], UUID]
    acknowledged: Callable[[Policy, str], datetime | None]  # when an agent acknowledged the policy's notice
    witness: Witness


log = logging.getLogger("consigne")


class Identified(Protocol):
    """A claimed row."""

    @property
    def id(self) -> UUID: ...


Row = TypeVar("Row", bound=Identified)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Step(Generic[Row, Result]):
    """`claim` takes rows still in the source state under a token; `effect` does the work of one; `settle`
    moves it (false: the claim was lost). `intends`: the effect reaches outside, so the intent is registered."""

    name: str
    claim: Callable[[Catalog, Transaction, Sequence[UUID], UUID], Sequence[Row]]
    effect: Callable[[Platform, Row], Result]
    settle: Callable[[Platform, Transaction, Row, UUID, Result | Quarantined], bool]
    intends: bool = False


@dataclass(slots=True)
class Outcome:
    """Identifiers of rows: moved; set aside by a rule or a check; failed (id → code; try again); left where
    they are (id → code) for the next run, since trying again now would not help; whose result came too late."""

    done: list[UUID] = field(default_factory=list)
    refused: list[UUID] = field(default_factory=list)
    failed: dict[UUID, str] = field(default_factory=dict)
    left: dict[UUID, str] = field(default_factory=dict)
    lost: list[UUID] = field(default_factory=list)


def advance(platform: Platform, step: Step[Row, Result], ids: Sequence[UUID]) -> Outcome:
    """Carry each row one step on. One bad row never stops the others; a part that is away ends the round."""
    token = platform.new_id()
    with platform.catalog.begin() as tx:
        rows = step.claim(platform.catalog, tx, ids, token)
        if step.intends:
            intents = [{"subject": str(row.id), "outcome": "intended"} for row in rows]
            platform.catalog.append(tx, "consigne", f"{step.name}-intended", intents)
    outcome = Outcome()
    for place, row in enumerate(rows):
        try:
            _carry(platform, step, row, token, outcome)
        except Unavailable as fault:
            outcome.failed |= {row.id: f"{fault.code} {fault.where}".strip() for row in rows[place:]}
            _tell("a part is away", step.name, row.id, fault.code)
            break
        except (Conflict, Tampered) as fault:
            outcome.left[row.id] = fault.code
            _tell("left", step.name, row.id, fault.code)
        except Misconfigured:
            raise
        except Exception as fault:  # of our own code: it must not stop the row's neighbours
            outcome.left[row.id] = place_of(fault)
            _tell("left", step.name, row.id, place_of(fault))
    return outcome


def _tell(event: str, step: str, id: UUID, code: str) -> None:
    """In the log, for whoever looks for this row (doors/logs.py writes it)."""
    log.warning(event, extra={"consigne": {"act": step, step.split(":")[1]: id, "code": code}})


def _carry(platform: Platform, step: Step[Row, Result], row: Row, token: UUID, outcome: Outcome) -> None:
    result: Result | Quarantined
    try:
        result = step.effect(platform, row)
    except BadInput as fault:
        result = Quarantined(fault.code, fault.where)
    try:
        with platform.catalog.begin() as tx:
            if not step.settle(platform, tx, row, token, result):
                raise _Lost
    except _Lost:
        outcome.lost.append(row.id)
        return
    (outcome.refused if isinstance(result, Quarantined) else outcome.done).append(row.id)


class _Lost(Exception):
    """The claim was lost: whatever the transaction wrote goes with it."""
