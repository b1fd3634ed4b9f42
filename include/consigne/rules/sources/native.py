"""The native delivery (contract.md): a call's JSON as an `IncomingRecording`.

Form is judged here, strictly; what the fields say is judged by `rules.checks`, as for every source. Errors
name a known field, never a value, nor a key that the sender made up.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from consigne.rules.checks import ID, LANGUAGE, MOST_CHANNELS, NAME, NUMBER, Direction
from consigne.rules.clock import parse_instant
from consigne.rules.errors import BadInput
from consigne.rules.recording import IncomingRecording, NoticePlayed, Objection, Transcript, Word
from consigne.rules.redaction.cards import scan
from consigne.rules.values import Private

_PLAIN_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_LONG_NUMBER = re.compile(r"\d{9}")
_NUMBER_TAIL = 8
LARGEST_JSON_BYTES = 16 << 20
"""Four hours of talk are some 4 MB of words with their times. What is larger would fill memory for nothing."""
MOST_TEXT = 2 << 20
"""Characters of a transcript's text; four hours of talk are a tenth of it."""


def _instant(value: Any) -> datetime:
    try:
        return parse_instant(value if isinstance(value, str) else "")
    except BadInput:
        raise PydanticCustomError("bad_instant", "an instant with its offset is wanted") from None


def _printable(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("not_printable", "printable characters are wanted")
    return text


Instant = Annotated[
    datetime, PlainValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})
]
Short = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(_printable)]
Id = Annotated[str, Field(pattern=f"^({ID})$")]
Number = Annotated[str, Field(pattern=f"^({NUMBER})$")]
Name = Annotated[str, Field(pattern=f"^({NAME})$")]
Language = Annotated[str, Field(pattern=f"^({LANGUAGE})$")]
Seconds = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class Form(BaseModel):
    """Unknown keys and loose types are errors; neither errors nor reprs show a value."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"  # tracebacks may show it

    __str__ = __repr__


class NoticeForm(Form):
    """Which notice was played, and when it began, in seconds from the start."""

    version: Short
    played_at_s: Seconds


class ObjectionForm(Form):
    """The caller objected; without purposes, to all of them."""

    at_s: Seconds
    purposes: list[Short] = []
    alternative: Short | None = None


class SpokenForm(Form):
    """A word, or a segment, with its times in seconds from the start."""

    text: Annotated[str, StringConstraints(max_length=100_000)]
    start_s: Seconds
    end_s: Seconds
    speaker: Short


class TranscriptForm(Form):
    """Words with their times; segments where the source has no word times."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["words"]}, {"required": ["segments"]}]}
    )
    words: list[SpokenForm] | None = None
    segments: list[SpokenForm] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> TranscriptForm:
        if (self.words is None) == (self.segments is None):
            raise PydanticCustomError("words_or_segments", "either words or segments are wanted")
        return self


class DeliveryForm(Form):
    """A call delivered to Consigne beside its audio file."""

    model_config = ConfigDict(title="Native delivery")
    id: Id
    started_at: Instant
    ended_at: Instant
    direction: Direction
    caller: Number
    callee: Number
    agent: Name
    queue: Name
    language: Language
    purposes: list[Short] | None = None
    notice: NoticeForm | None = None
    objection: ObjectionForm | None = None
    channels: Annotated[list[Short], Field(min_length=1, max_length=MOST_CHANNELS)]
    transcript: TranscriptForm | None = None
    draw: Short | None = None
    trigger: Short | None = None
    other_proof: Short | None = None
    customer_ref: Short | None = None


def schema() -> dict[str, Any]:
    """The JSON Schema of a delivery, published as docs/schema/native-delivery.schema.json."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **DeliveryForm.model_json_schema()}


def read(source: str, data: bytes, size_cap_bytes: int) -> IncomingRecording:
    """One call. BadInput `too_large` (`json`, `transcript`), `bad_json`, or `bad_field` with the field's path."""
    if len(data) > size_cap_bytes:
        raise BadInput("too_large", "json")
    try:
        form = DeliveryForm.model_validate(_parse(data))
    except ValidationError as error:
        raise BadInput("bad_field", _path(error.errors(include_input=False)[0])) from None
    incoming = _incoming(source, form)
    _refuse_numbers_in_open_fields(form)
    return incoming


def readable_id(data: bytes) -> str:
    """The id of a delivery that is otherwise wrong, so that its sender finds it; empty where it cannot be read,
    or could carry a number."""
    try:
        id = _parse(data).get("id")
    except (BadInput, AttributeError):
        return ""
    return id if isinstance(id, str) and _PLAIN_ID.fullmatch(id) and not _LONG_NUMBER.search(id) else ""


def _parse(data: bytes) -> Any:
    if len(data) > LARGEST_JSON_BYTES:
        raise BadInput("too_large", "json")
    try:
        text = data.decode()
        value = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
        if "\\u" in text:
            # A lone surrogate is JSON, but no text: nothing later could write it.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise BadInput("bad_json", "json") from None
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError


def _path(error: Any) -> str:
    steps = list(error["loc"])
    if error["type"] == "extra_forbidden":
        steps[-1] = "(unknown)"
    return ".".join(str(step) for step in steps) or "json"


def _incoming(source: str, form: DeliveryForm) -> IncomingRecording:
    heard, objection = form.notice, form.objection
    return IncomingRecording(
        source=source,
        id=form.id,
        started_at=form.started_at,
        ended_at=form.ended_at,
        direction=form.direction,
        caller=Private(form.caller),
        callee=Private(form.callee),
        agent=form.agent,
        queue=form.queue,
        language=form.language,
        purposes=None if form.purposes is None else tuple(form.purposes),
        notice=NoticePlayed(heard.version, _ms(heard.played_at_s)) if heard else None,
        objection=Objection(_ms(objection.at_s), tuple(objection.purposes), objection.alternative)
        if objection
        else None,
        channels=tuple(form.channels),
        transcript=Private(_transcript(form.transcript)) if form.transcript else None,
        draw=form.draw,
        trigger=form.trigger,
        other_proof=form.other_proof,
        customer_ref=None if form.customer_ref is None else Private(form.customer_ref),
    )


def _transcript(form: TranscriptForm) -> Transcript:
    spoken = form.segments if form.words is None else form.words
    if sum(len(each.text) for each in spoken or ()) > MOST_TEXT:
        raise BadInput("too_large", "transcript")
    words = (Word(each.text, _ms(each.start_s), _ms(each.end_s), each.speaker) for each in spoken or ())
    return Transcript(tuple(sorted(words, key=lambda word: word.start_ms)), by_word=form.words is not None)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _refuse_numbers_in_open_fields(form: DeliveryForm) -> None:
    """What is kept in the open must carry no card number, and no telephone number of the call."""
    numbers = [re.sub(r"[^0-9]", "", number) for number in (form.caller, form.callee)]
    tails = [digits[-_NUMBER_TAIL:] for digits in numbers if len(digits) >= _NUMBER_TAIL]
    for field, text in _open_fields(form):
        digits = re.sub(r"[^0-9]", "", text)
        if scan(text) or any(tail in digits for tail in tails):
            raise BadInput("bad_field", field)
    if form.customer_ref is not None and scan(form.customer_ref):
        raise BadInput("bad_field", "customer_ref")


def _open_fields(form: DeliveryForm) -> list[tuple[str, str]]:
    lists = {"purposes": form.purposes or [], "channels": form.channels}
    if form.objection:
        lists["objection.purposes"] = form.objection.purposes
    found = [(field, text) for field, texts in lists.items() for text in texts]
    singles = {
        "id": form.id,
        "agent": form.agent,
        "queue": form.queue,
        "language": form.language,
        "notice.version": form.notice.version if form.notice else None,
        "objection.alternative": form.objection.alternative if form.objection else None,
        "draw": form.draw,
        "trigger": form.trigger,
        "other_proof": form.other_proof,
    }
    return found + [(field, text) for field, text in singles.items() if text is not None]
