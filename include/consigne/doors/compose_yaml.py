"""YAML as people write it: what is shared stands once, by name; short lists on one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import yaml


class _Merge(str):
    """YAML's `<<`."""


class Line(list[Any]):
    """A list on one line."""


MERGE: Final = _Merge("<<")
"""The key under which a mapping takes over another, that stands elsewhere in the document too."""


def write(document: dict[str, Any], names: Sequence[str]) -> str:
    """The document; `names` are given to the parts that stand in it more than once, in the order in which they do."""

    class Dumper(yaml.SafeDumper):
        """Its names, and lists under their key."""

        def generate_anchor(self, node: yaml.Node) -> str:
            """In the order in which they stand."""
            self.last_anchor_id += 1
            return names[self.last_anchor_id - 1]

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            """Never without."""
            super().increase_indent(flow, False)

    Dumper.add_representer(_Merge, lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:merge", "<<"))
    Dumper.add_representer(
        Line, lambda dumper, line: dumper.represent_sequence("tag:yaml.org,2002:seq", line, flow_style=True)
    )
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, width=112)
