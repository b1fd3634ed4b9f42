from __future__ import annotations

from hashlib import sha256

import pytest

from consigne.rules.evidence.canonical import decode
from consigne.rules.evidence.entry import encode_payload, is_instant, leaf
from consigne.rules.evidence.errors import Malformed

FIELDS = {"at": "2026-11-20T08:14:03.000Z", "kind": "ingest:artifact:stored", "actor": "consigne"}


@pytest.mark.promise("P7")
def test_a_leaf_is_the_hash_of_salt_and_payload() -> None:
    payload = encode_payload(FIELDS | {"id": 7})
    assert payload == (
        b'{"actor":"consigne","at":"2026-11-20T08:14:03.000Z","id":7,"kind":"ingest:artifact:stored"}'
    )
    assert leaf(b"s" * 32, payload) == sha256(b"s" * 32 + payload).digest()
    assert leaf(b"t" * 32, payload) != leaf(b"s" * 32, payload)


def test_further_fields_are_free() -> None:
    fields = FIELDS | {"subjects": ["a", "b"], "purpose": None, "policy": "0" * 64}
    assert decode(encode_payload(fields)) == fields


@pytest.mark.parametrize("missing", ["at", "kind", "actor"])
def test_the_required_fields_are_named_when_they_are_missing(missing: str) -> None:
    with pytest.raises(Malformed) as fault:
        encode_payload({name: value for name, value in FIELDS.items() if name != missing})
    assert fault.value.where == missing


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "stored"},
        {"kind": "A:b"},
        {"kind": "a:b:"},
        {"actor": ""},
        {"at": "2026-11-20"},
        {"at": 3},
        {"x": 0.5},
    ],
)
def test_wrong_fields_are_refused(changed: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        encode_payload(FIELDS | changed)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_salt_has_32_bytes(length: int) -> None:
    with pytest.raises(Malformed):
        leaf(b"s" * length, b"{}")


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29T00:00:00.000Z",
        "2026-11-20T08:14:03Z",
        "2026-11-20T08:14:03.000+00:00",
        "2026-11-20T08:14:03.000Z\n",
        "2026-11-20T24:14:03.000Z",
        "\uff12026-11-20T08:14:03.000Z",
        None,
        5,
    ],
)
def test_instants_have_one_form(text: object) -> None:
    assert is_instant("2028-02-29T23:59:59.999Z")
    assert not is_instant(text)
