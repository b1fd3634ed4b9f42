"""Canonical JSON: one value, one sequence of bytes.

Printable ASCII only (else \\n \\r \\t \\b \\f, or lower-case \\uXXXX, in UTF-16 pairs beyond U+FFFF), keys
ASCII and in byte order, no space, no floats, integers within ±(2^53 - 1), nesting of at most 16.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from json.encoder import encode_basestring_ascii as _quote
from typing import TypeAlias

from consigne.rules.evidence.errors import Malformed

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"

LARGEST = 2**53 - 1  # what every JSON reader holds exactly (RFC 7493)
DEEPEST = 16

_ENCODER = json.JSONEncoder(ensure_ascii=True, allow_nan=False, sort_keys=True, separators=(",", ":"))


def encode(value: object) -> bytes:
    """The bytes of None, bool, int, str, list and dict, nested. Malformed for anything else."""
    _check(value, DEEPEST)
    return _ENCODER.encode(value).encode("ascii")


def encode_alike(common: Mapping[str, object], objects: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    """`encode({**each, **common})` of each of many objects, one by one. What those with the same keys have in
    common is written once."""
    fixed = {name: _write(value) for name, value in common.items()}
    shapes: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}
    for each in objects:
        keys = tuple(each)
        if (shape := shapes.get(keys)) is None:
            shape = shapes[keys] = _shape(fixed, keys)
        names, parts = shape
        whole = parts.copy()
        whole[1::2] = [
            _quote(value) if type(value) is str and value.isascii() else _write(value)
            for value in map(each.__getitem__, names)
        ]
        yield "".join(whole).encode("ascii")


def decode(data: bytes) -> Json:
    """The value whose encoding is exactly these bytes; Malformed where there is none."""
    try:
        value: Json = json.loads(data.decode("ascii"))
    except (ValueError, RecursionError):
        raise Malformed("not_json") from None
    if encode(value) != data:
        raise Malformed("not_canonical")
    return value


def _shape(fixed: Mapping[str, str], keys: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The keys that differ, in their order, and the text around their values: every other part is a gap."""
    _check(dict.fromkeys((*fixed, *keys)), DEEPEST)
    names, parts, start = [], [""], "{"
    for name in sorted({*fixed, *keys}):
        parts[-1] += f"{start}{_quote(name)}:{fixed.get(name, '')}"
        start = ","
        if name not in fixed:
            names.append(name)
            parts += ["", ""]
    parts[-1] += "}" if start == "," else "{}"
    return names, parts


def _write(value: object) -> str:
    """A member of an object."""
    if type(value) is int and -LARGEST <= value <= LARGEST:
        return str(value)
    _check(value, DEEPEST - 1)
    return _ENCODER.encode(value)


def _check(value: object, depth: int) -> None:
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            raise Malformed("lone_surrogate")
    elif isinstance(value, int):
        if not -LARGEST <= value <= LARGEST:
            raise Malformed("integer_too_large")
    elif isinstance(value, dict):
        _check_depth(depth)
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise Malformed("key_not_ascii")
            if type(item) is not str or not item.isascii():  # as nearly all are
                _check(item, depth - 1)
    elif isinstance(value, list):
        _check_depth(depth)
        for item in value:
            _check(item, depth - 1)
    elif value is not None:
        raise Malformed("type_not_allowed", type(value).__name__)


def _check_depth(depth: int) -> None:
    if depth == 0:
        raise Malformed("too_deep")
