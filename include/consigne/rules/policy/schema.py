"""The form of the policy file. Only here does its text meet types; `load` gives them meaning."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, StringConstraints
from pydantic_core import PydanticCustomError

from consigne.rules.clock import DAY_S, Duration, parse_day, parse_instant, zone_named
from consigne.rules.errors import BadInput, Misconfigured
from consigne.rules.policy.model import NO_BACKUPS, REMINDERS
from consigne.rules.values import Part

WeekDay = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[WeekDay, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")


def _duration(value: Any) -> Duration:
    try:
        duration = Duration.parse(value) if isinstance(value, str) else None
    except BadInput:
        duration = None
    if duration is None or duration.approximate_s() == 0:
        raise PydanticCustomError("bad_duration", "an ISO 8601 duration is wanted, such as P6M or PT10M")
    return duration


def _time_only(duration: Duration) -> Duration:
    if duration.years or duration.months or duration.days:
        raise PydanticCustomError("bad_duration", "hours, minutes and seconds are wanted here, such as PT10M")
    return duration


def _epoch_length(duration: Duration) -> Duration:
    minutes, rest = divmod(duration.seconds, 60)
    if duration != Duration(days=1) and (not duration.is_under_a_day or rest or (DAY_S // 60) % minutes):
        raise PydanticCustomError("bad_epoch_length", "P1D, or whole minutes that divide a day, such as PT1H")
    return duration


def _date(value: Any) -> date:
    try:
        return parse_day(value if isinstance(value, str) else "")
    except BadInput:
        raise PydanticCustomError("bad_date", "a date is wanted, such as 2026-01-31") from None


def _instant(value: Any) -> datetime:
    try:
        return parse_instant(value if isinstance(value, str) else "")
    except BadInput:
        raise PydanticCustomError(
            "bad_instant", "an instant with its offset is wanted, such as 2026-01-01T00:00:00+01:00"
        ) from None


def _zone(value: str) -> str:
    try:
        zone_named(value)
    except Misconfigured:
        raise PydanticCustomError("unknown_zone", "a time zone is wanted, such as Europe/Paris") from None
    return value


def _hours(value: Any) -> tuple[time, time]:
    match = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if match:
        since = time(int(match[1]), int(match[2]))
        until = time(int(match[3]), int(match[4])) if match[3] else time.max
        if since < until:
            return since, until
    raise PydanticCustomError("bad_hours", 'hours of one day are wanted, such as "08:00-20:00"')


def _rate(value: Any) -> Decimal:
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and 0 <= value <= 1:
        return Decimal(value)
    raise PydanticCustomError("bad_rate", "a number from 0 to 1 is wanted, such as 0.05")


def _all_different(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise PydanticCustomError("given_twice", "a value stands here twice")
    return values


Length = Annotated[Duration, PlainValidator(_duration)]
TimeLength = Annotated[Length, AfterValidator(_time_only)]
EpochLength = Annotated[Length, AfterValidator(_epoch_length)]
Day = Annotated[date, PlainValidator(_date)]
Instant = Annotated[datetime, PlainValidator(_instant)]
Hours = Annotated[tuple[time, time], PlainValidator(_hours)]
Rate = Annotated[Decimal, PlainValidator(_rate)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
User = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._@-]{1,64}$")]
Version = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,32}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Wording = Annotated[dict[Language, Text], Field(min_length=1)]
Names = Annotated[list[Name], AfterValidator(_all_different)]


class Form(BaseModel):
    """Unknown keys and loose types are errors, and errors show no value."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class ControllerForm(Form):
    """Who answers for the processing."""

    name: Text
    contact: Text


class DesignatedForm(Form):
    """The DPO, from a day on."""

    user: User
    since: Day = Field(alias="from")
    until: Day | None = None


class DeputyForm(Form):
    """Acts for the DPO between two days."""

    user: User
    since: Day = Field(alias="from")
    until: Day


class DpoForm(Form):
    """Who decides."""

    designated: list[DesignatedForm]
    deputies: list[DeputyForm] = []


class RegisterForm(Form):
    """How long the register keeps names."""

    names_kept: Length


class AgentsForm(Form):
    """Which notice employees acknowledged, and where that stands."""

    notice: Version
    acknowledgements: Text
    consulted_on: Day | None = None


class RemindersForm(Form):
    """How long before a request lapses and a recording goes people are written to."""

    request: Length = REMINDERS.request
    recording: Length = REMINDERS.recording


class BackupsForm(Form):
    """How long backups exist; one that is not named is not made."""

    database: Length = NO_BACKUPS.database
    keyring: Length = NO_BACKUPS.keyring


class NoticeForm(Form):
    """What callers hear."""

    announced_within: TimeLength
    covers: dict[Name, Length]
    wording: Wording


class PeriodForm(Form):
    """When recording takes place."""

    since: Day = Field(alias="from")
    until: Day
    days: Annotated[list[WeekDay], Field(min_length=1)] = list(DAYS)
    hours: Hours | None = None


class PartForm(Form):
    """How long a part is kept."""

    retention: Length
    cap: Length


class RedactionForm(Form):
    """What is looked for."""

    profile: Name
    requires_transcript: bool


class NeedsForm(Form):
    """What a delivery must say."""

    trigger: Literal["agent"] | None = None
    other_proof: Literal["none"] | None = None


class PurposeForm(Form):
    """A *finalité*."""

    title: Wording
    legal_basis: Literal[
        "consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interest"
    ]
    legal_text: Text | None = None
    owner: User
    periods: Annotated[list[PeriodForm], Field(min_length=1)]
    sampling_rate: Rate
    parts: Annotated[dict[Annotated[Part, Field(strict=False)], PartForm], Field(min_length=1)]
    epoch_length: EpochLength
    listeners: dict[Name, Names]
    redaction: RedactionForm
    grounds: Annotated[Names, Field(min_length=1)]
    longest_step: Length
    approval: Annotated[list[Literal["owner", "dpo"]], Field(min_length=1), AfterValidator(_all_different)]
    needs: NeedsForm = NeedsForm()


class PolicyForm(Form):
    """The whole file."""

    version: Version
    demo: bool = False
    in_force_from: Instant
    zone: Annotated[str, AfterValidator(_zone)]
    controller: ControllerForm
    dpo: DpoForm
    response_time: Length
    quarantine_deadline: Length
    clock_skew: TimeLength
    recording_cap: TimeLength
    size_cap_bytes: Annotated[int, Field(gt=0)]
    register_: RegisterForm = Field(alias="register")
    routing: dict[Text, Names]
    agents: AgentsForm | None = None
    notices: dict[Version, NoticeForm]
    reminders: RemindersForm = RemindersForm()
    backups: BackupsForm = BackupsForm()
    purposes: Annotated[dict[Name, PurposeForm], Field(min_length=1)]
