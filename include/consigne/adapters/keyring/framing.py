"""What goes over the key server's socket: frames of length (4 bytes, big-endian) ‖ one JSON value in UTF-8.

Bytes are `{"b64": "…"}`. A fault is `{"fault": [type, code, where, advice]}`, any other answer `{"done": value}`.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from base64 import b64decode, b64encode
from typing import Any, Final

from consigne.rules.errors import (
    BadInput,
    Conflict,
    ConsigneError,
    Misconfigured,
    Tampered,
    Unavailable,
)

REQUEST_VALUES: Final = 64
"""A request holds seven values at most. Parsed, `{},` takes thirty times its bytes: those are counted before."""
ANSWER_BYTES: Final = 64 * 1024 * 1024
_LENGTH: Final = struct.Struct(">I")
_FAULTS: Final = {one.__name__: one for one in (BadInput, Conflict, Misconfigured, Tampered, Unavailable)}


class TooLong(ValueError):
    """A frame says that it is longer than it may be; nothing of it was read."""


def send(over: socket.socket, value: object) -> None:
    """One frame. OSError where nobody is there any more."""
    body = json.dumps(value, separators=(",", ":"), default=_bytes).encode()
    over.sendall(_LENGTH.pack(len(body)) + body)


def receive(over: socket.socket, most_bytes: int, until_s: float | None = None) -> Any:
    """The next frame, whole by `until_s` (time.monotonic); None where the other side ended. OSError for a broken
    connection or one too slow, ValueError for what is no frame of ours."""
    length = receive_length(over, most_bytes, until_s)
    return None if length is None else receive_body(over, length, until_s)


def receive_length(over: socket.socket, most_bytes: int, until_s: float | None = None) -> int | None:
    """Of the next frame; TooLong beyond `most_bytes`, else as `receive`."""
    head = _read(over, _LENGTH.size, until_s)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > most_bytes:
        raise TooLong
    return int(length)


def receive_body(
    over: socket.socket, length: int, until_s: float | None = None, most_values: int | None = None
) -> Any:
    """Of a frame whose length was read. ValueError also where it could hold more than `most_values`."""
    body = _read(over, length, until_s)
    if body is None:
        raise ConnectionError("ended within a frame")
    if most_values is not None and sum(map(body.count, (b"{", b"[", b","))) > most_values:
        raise ValueError("too many values")
    try:
        return json.loads(body, object_hook=_from_json)
    except RecursionError:
        raise ValueError("too deep") from None


def told(fault: ConsigneError) -> dict[str, list[str]]:
    """A fault as an answer."""
    return {"fault": [type(fault).__name__, fault.code, fault.where, fault.advice]}


def opened(answer: Any) -> Any:
    """What was done; raises the fault that was told. ValueError for what is no answer."""
    if not isinstance(answer, dict) or not answer.keys() & {"done", "fault"}:
        raise ValueError("no answer")
    if "fault" in answer:
        kind, *parts = answer["fault"]
        raise _FAULTS.get(kind, Unavailable)(*parts)
    return answer["done"]


def _read(over: socket.socket, length: int, until_s: float | None) -> bytearray | None:
    """So many bytes; None where the other side ended before the first."""
    found = bytearray(length)
    free = memoryview(found)
    while free:
        if until_s is not None:
            if (left_s := until_s - time.monotonic()) <= 0:
                raise TimeoutError
            over.settimeout(left_s)
        count = over.recv_into(free)
        if not count:
            if len(free) < length:
                raise ConnectionError("ended within a frame")
            return None
        free = free[count:]
    return found


def _bytes(value: object) -> dict[str, str]:
    if not isinstance(value, bytes):
        raise TypeError(type(value).__name__)
    return {"b64": b64encode(value).decode()}


def _from_json(found: dict[str, Any]) -> Any:
    if found.keys() != {"b64"}:
        return found
    if not isinstance(found["b64"], str):
        raise ValueError("no bytes")
    return b64decode(found["b64"], validate=True)
