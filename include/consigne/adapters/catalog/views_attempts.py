"""Who tried to get round the desk, from the register."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Connection, Text, cast, func, literal, or_, select, union_all
from sqlalchemy.dialects.postgresql import JSONB

from consigne.adapters.catalog.tables import register
from consigne.rules.attempts import ATTEMPTS, SLIPS
from consigne.rules.clock import parse_instant


def attempts(tx: Connection, since: datetime, limit: int) -> list[Mapping[str, Any]]:
    """Entries that are shown (rules.attempts.is_shown) from an instant on, newest first, as their payloads."""
    # Kind by kind, by their index: the planner takes all together for so many that it would read the register.
    kinds = (register.c.subjects.op("@>")(literal([kind], ARRAY(Text))) for kind in ATTEMPTS)
    found = union_all(*(select(register.c.id, register.c.payload).where(kind) for kind in kinds)).subquery()
    code = cast(func.convert_from(found.c.payload, "UTF8"), JSONB)["code"].astext
    shown = select(found.c.payload).where(or_(code.is_(None), code.not_in(SLIPS)))
    newest = tx.execute(shown.order_by(found.c.id.desc()).limit(limit)).scalars()
    return [entry for entry in map(json.loads, newest) if parse_instant(entry["at"]) >= since]
