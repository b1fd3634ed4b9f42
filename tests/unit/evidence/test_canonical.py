from __future__ import annotations

from enum import IntEnum, StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.evidence.canonical import DEEPEST, LARGEST, Json, decode, encode, encode_alike
from consigne.rules.evidence.errors import Malformed

LEAF = st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | st.text()
VALUES = st.recursive(
    LEAF,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_a_value_has_one_encoding_and_comes_back(value: Json) -> None:
    data = encode(value)
    assert decode(data) == value
    assert data.isascii()


KEYS = st.sampled_from(["at", "actor", "kind", "id", "reason", "", '"', "\\", "%s", "{}", "\n"])
WRONG = st.sampled_from([0.5, b"", "\ud800", LARGEST + 1, -LARGEST - 1, (1,), {"é": 1}, {1: 2}, ["\udfff"]])
OBJECTS = st.dictionaries(
    KEYS | st.sampled_from(["é", 1, None]), VALUES | WRONG, max_size=5
) | st.dictionaries(KEYS, st.text() | LEAF, max_size=5)


def _encoded(value: object) -> bytes | None:
    try:
        return encode(value)
    except Malformed:
        return None


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.lists(OBJECTS, max_size=3))
def test_many_objects_are_encoded_as_each_alone(
    common: dict[str, object], objects: list[dict[str, object]]
) -> None:
    expected = [_encoded({**each, **common}) for each in objects for _ in range(2)]
    # the second of each pair is written from what was kept of the first
    if None not in expected:
        assert list(encode_alike(common, [each for each in objects for _ in range(2)])) == expected
    else:
        with pytest.raises(Malformed):
            list(encode_alike(common, objects))


@pytest.mark.parametrize("depth", [DEEPEST - 1, DEEPEST])
def test_many_objects_nest_as_deep_as_one(depth: int) -> None:
    value: Json = None
    for _ in range(depth):
        value = [value]
    expected = _encoded({"a": value})
    assert (expected is None) == (depth == DEEPEST)
    if expected:
        assert list(encode_alike({}, [{"a": value}])) == [expected]
        assert list(encode_alike({"a": value}, [{}])) == [expected]
    else:
        with pytest.raises(Malformed):
            list(encode_alike({}, [{"a": value}]))
        with pytest.raises(Malformed):
            list(encode_alike({"a": value}, [{}]))


class _Code(StrEnum):
    DUE = "due"


class _Place(IntEnum):
    FIRST = 1


class _Loud(str):
    def __str__(self) -> str:
        return "loud"


@pytest.mark.parametrize("value", [_Code.DUE, _Place.FIRST, _Loud("due"), True])
def test_a_subclass_is_written_as_what_it_is_alone(value: object) -> None:
    assert list(encode_alike({"b": 1}, [{"a": value}])) == [encode({"a": value, "b": 1})]


@given(st.dictionaries(st.text(st.characters(max_codepoint=127)), st.integers(0, 9)))
def test_the_order_in_which_keys_were_set_does_not_show(value: dict[str, int]) -> None:
    assert encode(value) == encode(dict(reversed(value.items())))


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ({"b": [1, None, True], "a": "é"}, b'{"a":"\\u00e9","b":[1,null,true]}'),
        ("\U0001f512\n\x7f/\0", b'"\\ud83d\\udd12\\n\\u007f/\\u0000"'),
        (-LARGEST, b"-9007199254740991"),
    ],
)
def test_known_encodings(value: Json, data: bytes) -> None:
    assert encode(value) == data


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        (1,),
        b"x",
        {1: 2},
        {"é": 1},
        "\ud800",
        LARGEST + 1,
        -LARGEST - 1,
        {"a": {1.5}},
        object(),
    ],
)
def test_what_is_not_of_the_form_is_not_encoded(value: object) -> None:
    with pytest.raises(Malformed):
        encode(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" 1",
        b"1 ",
        b"1\n",
        b"01",
        b"-0",
        b"1.0",
        b"1e3",
        b"NaN",
        b"Infinity",
        b'{"a": 1}',
        b'{"b":1,"a":1}',
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        '"é"'.encode(),
        b'"\\u00E9"',
        b'"\\u0041"',
        b'"\\/"',
        b'"\\ud800"',
        b"[" * 100_000,
        b"9" * 5_000,
        b"\xef\xbb\xbf1",
        '"a"'.encode("utf-16"),
        b"1]",
        b"\xff",
        b"9007199254740992",
    ],
)
def test_other_bytes_for_the_same_value_are_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        decode(data)


def test_nesting_ends() -> None:
    value: Json = 1
    for _ in range(DEEPEST):
        value = [value]
    assert decode(encode(value)) == value
    with pytest.raises(Malformed):
        encode([value])
