"""The native delivery: strict in form, silent about values."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules import checks
from consigne.rules.clock import Duration
from consigne.rules.errors import BadInput
from consigne.rules.recording import NoticePlayed, Objection, Transcript, Word
from consigne.rules.sources.native import LARGEST_JSON_BYTES, DeliveryForm, read, readable_id, schema
from consigne.rules.values import Private

PUBLISHED = Path(__file__).parents[3] / "docs/schema/native-delivery.schema.json"
CAP = 1 << 20
CALL: dict[str, Any] = {
    "id": "pbx1-2026-000123",
    "started_at": "2026-11-20T09:14:03+01:00",
    "ended_at": "2026-11-20T09:18:41+01:00",
    "direction": "inbound",
    "caller": "+33612345678",
    "callee": "+33123456789",
    "agent": "a.martin",
    "queue": "support",
    "language": "fr",
    "purposes": ["training"],
    "notice": {"version": "2026-01", "played_at_s": 2.1},
    "objection": None,
    "channels": ["caller", "agent"],
    "transcript": {"words": [{"text": "bonjour", "start_s": 4.20, "end_s": 4.61, "speaker": "agent"}]},
}
DELETE = object()


def with_change(path: str, value: Any) -> dict[str, Any]:
    call = copy.deepcopy(CALL)
    *above, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = call
    for step in above:
        place = place[step]
    if value is DELETE:
        del place[last]
    else:
        place[last] = value
    return call


def fault(data: bytes) -> tuple[str, str]:
    with pytest.raises(BadInput) as caught:
        read("folder", data, CAP)
    return caught.value.code, caught.value.where


def test_the_contracts_delivery_is_read() -> None:
    call = read("folder", json.dumps(CALL).encode(), CAP)
    assert call.source == "folder"
    assert call.started_at == datetime(2026, 11, 20, 8, 14, 3, tzinfo=UTC)
    assert call.duration_ms == 278_000
    assert call.caller == Private("+33612345678")
    assert call.notice == NoticePlayed("2026-01", 2100)
    assert call.purposes == ("training",)
    assert call.channels == ("caller", "agent")
    assert call.transcript == Private(Transcript((Word("bonjour", 4200, 4610, "agent"),)))
    assert (call.objection, call.draw, call.trigger, call.other_proof, call.customer_ref) == (None,) * 5
    assert checks.failed(checks.row(call, Duration(seconds=14_400))) == []


def test_everything_optional_is_read_too() -> None:
    call = read("bucket", json.dumps({
        **CALL,
        "purposes": None,
        "notice": None,
        "objection": {"at_s": 3, "purposes": ["training"], "alternative": "not_recorded"},
        "transcript": {"segments": [
            {"text": "au revoir", "start_s": 9, "end_s": 11, "speaker": "agent"},
            {"text": "bonjour à tous", "start_s": 0.0004, "end_s": 1.9996, "speaker": "caller"},
        ]},
        "draw": "d-1", "trigger": "agent", "other_proof": "none", "customer_ref": "C-77",
    }).encode(), CAP)  # fmt: skip
    assert call.purposes is None
    assert call.objection == Objection(3000, ("training",), "not_recorded")
    first, second = (Word("bonjour à tous", 0, 2000, "caller"), Word("au revoir", 9000, 11_000, "agent"))
    assert call.transcript == Private(Transcript((first, second), by_word=False))
    assert (call.draw, call.trigger, call.other_proof, call.customer_ref) == (
        "d-1",
        "agent",
        "none",
        Private("C-77"),
    )


@pytest.mark.parametrize("field", ["purposes", "notice", "objection", "transcript"])
def test_what_is_optional_may_be_absent(field: str) -> None:
    read("folder", json.dumps(with_change(field, DELETE)).encode(), CAP)


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("id", DELETE, "id"),
        ("id", "", "id"),
        ("id", 123, "id"),
        ("id", "a\nb", "id"),
        ("id", "a\x00", "id"),
        ("started_at", "2026-11-20T09:14:03", "started_at"),
        ("started_at", 1_700_000_000, "started_at"),
        ("ended_at", "yesterday", "ended_at"),
        ("direction", "sideways", "direction"),
        ("caller", 33612345678, "caller"),
        ("purposes", "training", "purposes"),
        ("purposes.0", 7, "purposes.0"),
        ("notice.played_at_s", -0.1, "notice.played_at_s"),
        ("notice.played_at_s", "2.1", "notice.played_at_s"),
        ("notice.played_at_s", True, "notice.played_at_s"),
        ("notice.version", DELETE, "notice.version"),
        ("started_at", "9999-12-31T23:30:00Z", "started_at"),  # Paris would be in the year 10000
        ("objection", {}, "objection.at_s"),
        ("channels", None, "channels"),
        ("transcript", {}, "transcript"),
        ("transcript.segments", [], "transcript"),
        ("transcript.words.0.start_s", -1, "transcript.words.0.start_s"),
        ("transcript.words.0.end_s", 10**400, "transcript.words.0.end_s"),
        ("transcript.words.0.text", None, "transcript.words.0.text"),
        ("transcript.words.0.confidence", 0.9, "transcript.words.0.(unknown)"),
        ("Madame Martin 0612345678", 1, "(unknown)"),
    ],
)
def test_a_wrong_field_is_named_by_its_path(path: str, value: Any, where: str) -> None:
    call = {**CALL, path: value} if " " in path else with_change(path, value)
    assert fault(json.dumps(call).encode()) == ("bad_field", where)


@pytest.mark.parametrize("value", [[], "text", 1, None, True])
def test_a_delivery_is_an_object(value: Any) -> None:
    assert fault(json.dumps(value).encode()) == ("bad_field", "json")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"nothing",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b'{"id": "a", "id": "b"}',
        b'{"notice": {"version": "1", "version": "2"}}',
        b'{"at": NaN}',
        b'{"at": Infinity}',
        b'{"at": -Infinity}',
        b'{"id": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"id": "a\nb"}',
        b"[" * 200_000,
        b'{"a":' * 150_000,
        b'{"at": ' + b"9" * 10_000 + b"}",
        b"{} {}",
    ],
    ids=lambda data: repr(data[:24]),
)
def test_what_is_no_json_is_bad_json(data: bytes) -> None:
    assert fault(data) == ("bad_json", "json")


def test_an_overflowing_number_is_no_time() -> None:
    data = json.dumps(CALL).replace("4.61", "1e999").encode()
    assert fault(data) == ("bad_field", "transcript.words.0.end_s")


def test_a_delivery_over_the_cap_is_not_even_parsed() -> None:
    with pytest.raises(BadInput) as caught:
        read("folder", b" " * 101, 100)
    assert (caught.value.code, caught.value.where) == ("too_large", "json")


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b" " * (LARGEST_JSON_BYTES + 1), "json"),
        (
            json.dumps(
                {
                    **CALL,
                    "transcript": {
                        "segments": [{"text": "a" * 90_000, "start_s": 1, "end_s": 2, "speaker": "a"}] * 24
                    },
                }
            ).encode(),
            "transcript",
        ),
    ],
)
def test_what_would_fill_memory_is_refused(data: bytes, where: str) -> None:
    with pytest.raises(BadInput) as caught:
        read("folder", data, 1 << 30)
    assert (caught.value.code, caught.value.where) == ("too_large", where)


def test_no_id_is_read_from_what_is_too_large() -> None:
    assert readable_id(json.dumps({"id": "call-1", "x": "x" * LARGEST_JSON_BYTES}).encode()) == ""


CARD = "4111 1111 1111 1111"  # a published test number


@pytest.mark.promise("P2")
@pytest.mark.parametrize("text", [CARD, CARD.replace(" ", ""), CARD.replace(" ", "-"), "+33612345678", "x0612345678",
                                  "06.12.34.56.78", "tel-0123456789-b"])  # fmt: skip
@pytest.mark.parametrize("path", ["id", "agent", "queue", "draw", "trigger", "other_proof", "notice.version", "language",
                                  "purposes.0", "channels.1"])  # fmt: skip
def test_what_is_kept_in_the_open_hides_no_number(path: str, text: str) -> None:
    where = path.removesuffix(".0").removesuffix(".1")
    assert fault(json.dumps(with_change(path, text)).encode()) == ("bad_field", where)


@pytest.mark.promise("P2")
def test_objections_and_references_hide_no_card_number() -> None:
    objection = {"at_s": 1, "purposes": [CARD]}
    assert fault(json.dumps({**CALL, "objection": objection}).encode()) == ("bad_field", "objection.purposes")
    objection = {"at_s": 1, "alternative": CARD}
    assert fault(json.dumps({**CALL, "objection": objection}).encode()) == (
        "bad_field",
        "objection.alternative",
    )
    assert fault(json.dumps({**CALL, "customer_ref": CARD}).encode()) == ("bad_field", "customer_ref")
    read("folder", json.dumps({**CALL, "customer_ref": "0612345678"}).encode(), CAP)


SECRET = "Zanzibar-4111111111111111"
PATHS = ["id", "started_at", "direction", "caller", "notice", "channels", "transcript.words.0.start_s",
         "transcript.words.0.text", "transcript.words.0", "purposes", "objection"]  # fmt: skip


@pytest.mark.promise("P2")
@given(st.sampled_from(PATHS), st.sampled_from([[SECRET], {SECRET: SECRET}, [[SECRET]], SECRET]))
def test_no_fault_ever_shows_a_value(path: str, value: Any) -> None:
    try:
        read("folder", json.dumps(with_change(path, value)).encode(), CAP)
    except BadInput as error:
        shown = f"{error} {error!r} {error.__cause__!r} {error.args}"
        assert "Zanzibar" not in shown and "4111" not in shown
        assert error.__suppress_context__ or error.__context__ is None


@pytest.mark.promise("P2")
def test_a_form_shows_nothing_in_a_traceback() -> None:
    form = DeliveryForm.model_validate(CALL)
    assert f"{form!r} {form}" == "DeliveryForm(…) DeliveryForm(…)"


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(CALL)), JSON)
def test_any_value_anywhere_is_read_or_bad_input(field: str, value: Any) -> None:
    try:
        call = read("folder", json.dumps({**CALL, field: value}).encode(), CAP)
    except BadInput:
        return
    checks.failed(checks.row(call, Duration(seconds=14_400)))


@given(st.binary(max_size=64))
def test_any_bytes_are_bad_input(data: bytes) -> None:
    with pytest.raises(BadInput):
        read("folder", data, CAP)


def test_the_published_schema_is_the_model() -> None:
    """Written anew with: json.dumps(native.schema(), indent=2, ensure_ascii=False) and a newline."""
    assert PUBLISHED.read_text("utf-8") == json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def test_the_published_schema_holds_the_contracts_delivery() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text("utf-8")))
    validator.check_schema(validator.schema)
    validator.validate(CALL)
    for path, value in [("id", 1), ("transcript", {}), ("transcript.segments", []), ("unknown", 1)]:
        assert not validator.is_valid(with_change(path, value)), path


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("id", value) for value in ("a", "pbx/1:2", "a b", "é", "x" * 128, "x" * 129)],
        *[
            ("caller", value)
            for value in ("0612345678", "+33612345678", "anonymous", "12", "1", "Mme", "+", "9" * 16)
        ],
        *[("callee", value) for value in ("4012", "+334 012")],
        *[
            ("agent", value)
            for value in ("a.martín", "Łukasz Жук", "a\tb", "e\u0301", "x" * 65, "٠٦", "a\u00a0b", "🙂")
        ],
        *[
            ("queue", value)
            for value in ("file d'attente é", "file d’attente", "R&D (nord) +/-", "a;b", "a_b")
        ],
        *[("language", value) for value in ("fr", "fr-FR", "french", "FR", "fr_FR")],
        *[("channels", value) for value in ([], ["a"], list("abcdefgh"), list("abcdefghi"))],
    ],
)
def test_the_schema_the_form_and_the_checks_agree(field: str, value: Any) -> None:
    call = with_change(field, value)
    try:
        incoming = read("folder", json.dumps(call).encode(), CAP)
        accepted = checks.failed(checks.row(incoming, Duration(seconds=14_400))) == []
    except BadInput:
        accepted = False
    incoming = read("folder", json.dumps(CALL).encode(), CAP)
    said = tuple(value) if field == "channels" else Private(value) if field in ("caller", "callee") else value
    row = checks.row(replace(incoming, **{field: said}), Duration(seconds=14_400))
    assert (checks.failed(row) == []) == accepted
    assert jsonschema.Draft202012Validator(schema()).is_valid(call) == accepted


@pytest.mark.promise("P2")
@pytest.mark.parametrize("between", list(" ._@'’()&/+:-"))
@pytest.mark.parametrize("field", ["agent", "queue"])
def test_what_a_name_may_hold_hides_no_number(field: str, between: str) -> None:
    for digits in ("4111111111111111", "0612345678"):
        assert fault(json.dumps({**CALL, field: between.join(digits)}).encode()) == ("bad_field", field)


@pytest.mark.parametrize(
    ("document", "id"),
    [
        (json.dumps({"id": "pbx1-2026-000123"}), "pbx1-2026-000123"),
        (json.dumps({"id": "pbx 1"}), ""),
        (json.dumps({"id": "call-33612345678"}), ""),
        (json.dumps({"id": 7}), ""),
        (json.dumps(["id"]), ""),
        ("{", ""),
    ],
)
def test_a_wrong_delivery_still_shows_its_id_unless_it_may_carry_a_number(document: str, id: str) -> None:
    assert readable_id(document.encode()) == id
