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

REQUEST_BYTES: Final = 4 * 1024 * 1024
"""The longest statement is an object of a thousand tombstones, about 1 MB."""
ANSWER_BYTES: Final = 64 * 1024 * 1024
_LENGTH: Final = struct.Struct(">I")
_FAULTS: Final = {one.__name__: one for one in (BadInput, Conflict, Misconfigured, Tampered, Unavailable)}


def send(over: socket.socket, value: object) -> None:
    """One frame. OSError where nobody is there any more."""
    body = json.dumps(value, separators=(",", ":"), default=_bytes).encode()
    over.sendall(_LENGTH.pack(len(body)) + body)


def receive(over: socket.socket, most_bytes: int, until_s: float | None = None) -> Any:
    """The next frame, whole by `until_s` (time.monotonic); None where the other side ended. OSError for a broken
    connection or one too slow, ValueError for what is no frame of ours."""
    head = _read(over, _LENGTH.size, until_s)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > most_bytes:
        raise ValueError("too long")
    body = _read(over, length, until_s)
    if body is None:
        raise ConnectionError("ended within a frame")
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


def _read(over: socket.socket, length: int, until_s: float | None) -> bytes | None:
    """So many bytes; None where the other side ended before the first."""
    parts = bytearray()
    while len(parts) < length:
        if until_s is not None:
            if (left_s := until_s - time.monotonic()) <= 0:
                raise TimeoutError
            over.settimeout(left_s)
        part = over.recv(min(length - len(parts), 1 << 20))
        if not part:
            if parts:
                raise ConnectionError("ended within a frame")
            return None
        parts += part
    return bytes(parts)


def _bytes(value: object) -> dict[str, str]:
    if not isinstance(value, bytes):
        raise TypeError(type(value).__name__)
    return {"b64": b64encode(value).decode()}


def _from_json(found: dict[str, Any]) -> Any:
    return b64decode(found["b64"], validate=True) if found.keys() == {"b64"} else found
