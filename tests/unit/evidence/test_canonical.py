from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.evidence.canonical import DEEPEST, LARGEST, Json, decode, encode
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
