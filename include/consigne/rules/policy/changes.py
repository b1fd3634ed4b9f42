"""What differs between two policy files, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A field (its keys from the file's top) with what it was and what it becomes, as text; None where it is not
    there."""

    path: Path
    old: str | None
    new: str | None


def changes(old: Any, new: Any, path: Path = ()) -> list[Change]:
    """The differences of two files' values (`Tree.value`), in the order of the old file, then what is new."""
    return list(_changes(old, new, path))


def _changes(old: Any, new: Any, path: Path) -> Iterator[Change]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _changes(old.get(key), new.get(key), (*path, key))
    elif isinstance(old, dict) and new is None:
        for key in old:
            yield from _changes(old[key], None, (*path, key))
    elif isinstance(new, dict) and old is None:
        for key in new:
            yield from _changes(None, new[key], (*path, key))
    else:
        yield Change(path, _text(old), _text(new))


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return " · ".join(str(_text(inner)) for inner in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
