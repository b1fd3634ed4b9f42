"""A call at its set-up, as the telephone system tells it: whether it is recorded is drawn now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError

from consigne.rules.errors import BadInput
from consigne.rules.redaction.cards import scan
from consigne.rules.sources.native import Form, Id, Instant, Name

MOST_PURPOSES = 50


class SetUp(Form):
    """`source` and `id` as the call's delivery will name them; without `purposes`, those of its queue."""

    source: Name
    id: Id
    queue: Name
    agent: Name | None = None
    started_at: Instant | None = None
    purposes: Annotated[list[Name], Field(min_length=1, max_length=MOST_PURPOSES)] | None = None


def read(fields: Mapping[str, Any]) -> SetUp:
    """BadInput('bad_field') with the field's name, `body` for one that is unknown; none may carry a card number."""
    try:
        asked = SetUp.model_validate(dict(fields))
    except ValidationError as fault:
        first = fault.errors(include_input=False)[0]
        unknown = first["type"] == "extra_forbidden"
        raise BadInput("bad_field", "body" if unknown else str(first["loc"][0])) from None
    for field, text in (("id", asked.id), ("queue", asked.queue), ("agent", asked.agent or "")):
        if scan(text):
            raise BadInput("bad_field", field)
    return asked
