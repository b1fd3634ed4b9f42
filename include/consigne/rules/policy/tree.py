"""YAML as plain values, each with its place in the file. Safe on any text.

Only what a policy needs of YAML is read: no anchors, aliases or tags, one document, few levels. A plain
scalar is a boolean (`true`, `false`), null, a number, else a string: `yes`, `12:30` and dates stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NoReturn

import yaml

from consigne.rules.policy.findings import Finding, PolicyInvalid

MOST_CHARACTERS = 262_144
_MOST_LEVELS = 12
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(slots=True)
class Tree:
    """`value` is made of dict, list, str, int, Decimal, bool and None; `places` maps a path to its line and
    column (of the key, or of the list's entry)."""

    value: Any = None
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def place(self, path: str) -> tuple[int, int]:
        """Line and column of a path, or of the nearest thing above it that the file has."""
        while path and path not in self.places:
            path = path.rpartition(".")[0]
        return self.places.get(path, (1, 1))


def read_tree(text: str) -> Tree:
    """The one document of a YAML text. PolicyInvalid where it is not YAML or uses what is not allowed;
    keys given twice stand in `findings`."""
    if len(text) > MOST_CHARACTERS:
        _refuse(1, 1, "too_large", "the file is too large for a policy")
    reader = _Reader(yaml.parse(text, Loader=yaml.SafeLoader))
    try:
        return reader.document()
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        _refuse(line, column, "bad_character", "a character that YAML does not allow")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        _refuse(line, column, "bad_yaml", "this is not YAML; look at the indentation, colons and quotes here")


def _refuse(line: int, column: int, code: str, message: str, path: str = "") -> NoReturn:
    raise PolicyInvalid([Finding(line, column, path, code, message)])


class _Reader:
    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._tree = Tree()

    def document(self) -> Tree:
        self._next()  # the stream's start
        if isinstance(self._next(), yaml.StreamEndEvent):
            _refuse(1, 1, "empty", "the file is empty")
        self._tree.value = self._node(self._next(), "", 0)
        self._next()  # the document's end
        following = self._next()
        if not isinstance(following, yaml.StreamEndEvent):
            _refuse(*_place(following), "two_documents", "a policy is one YAML document")
        return self._tree

    def _next(self) -> Any:
        return next(self._events)

    def _node(self, event: Any, path: str, level: int) -> Any:
        line, column = _place(event)
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            _refuse(line, column, "no_aliases", "anchors and aliases are not allowed", path)
        if event.tag is not None:
            _refuse(line, column, "no_tags", "tags are not allowed", path)
        if level > _MOST_LEVELS:
            _refuse(line, column, "too_deep", "too many levels", path)
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, level)
        return self._mapping(path, level)

    def _sequence(self, path: str, level: int) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            within = _join(path, str(len(values)))
            self._tree.places[within] = _place(event)
            values.append(self._node(event, within, level + 1))
        return values

    def _mapping(self, path: str, level: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            line, column = _place(event)
            if not isinstance(event, yaml.ScalarEvent):
                _refuse(line, column, "bad_key", "a key is a word", path)
            self._node(event, path, level)  # a key has no anchor or tag either
            key = event.value
            within = _join(path, key)
            if key in values:
                found = Finding(line, column, within, "duplicate_key", "this key stands here twice")
                self._tree.findings.append(found)
            self._tree.places.setdefault(within, (line, column))
            values[key] = self._node(self._next(), within, level + 1)
        return values


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _scalar(event: Any) -> str | int | Decimal | bool | None:
    text: str = event.value
    if event.style is not None:
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _NUMBER.fullmatch(text):
        return Decimal(text) if "." in text else int(text)
    return text
