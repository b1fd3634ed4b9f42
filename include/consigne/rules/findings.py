"""What reconciliation may find, and what follows.

| kind | act | what it is |
| --- | --- | --- |
| `orphan` | sweep | an object that no artifact's row names: noise without a key |
| `orphan` | decide | the same, where a restored database lacks the row: a better backup may bring it back; swept once answered |
| `foreign_version` | sweep | another version than the recorded one, or a marker, under a kept artifact's object |
| `foreign_version` | alarm | anything under the name of an erased artifact; swept too |
| `lingering_upload` | sweep | an upload in parts that was never completed; nothing of ours uploads in parts |
| `lingering_upload` | alarm | the same under an artifact's name; swept too |
| `missing` | alarm | the recorded version of a kept artifact is not there |
| `not_encrypted` | alarm | the recorded version lies there without the store's own encryption |
| `unexplained_access` | alarm | a read, deletion or change that no entry of the register explains |
| `key_without_row` | alarm | a data key of an erased artifact, or an epoch's key without an epoch |
| `row_without_key` | alarm | a kept artifact without its data key, or an epoch in use without its key |
| `moved_due_date` | decide | an artifact that would go later than policy, decisions and holds explain |
| `drive_away` | alarm | the store is without a drive: what it holds of erased objects goes when it is back |
| `doubted_tombstone` | decide | a tombstone without signature or certificate names a kept artifact: inaudible until answered |
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class FindingKind(StrEnum):
    """See the table above."""

    ORPHAN = "orphan"
    FOREIGN_VERSION = "foreign_version"
    LINGERING_UPLOAD = "lingering_upload"
    MISSING = "missing"
    NOT_ENCRYPTED = "not_encrypted"
    UNEXPLAINED_ACCESS = "unexplained_access"
    KEY_WITHOUT_ROW = "key_without_row"
    ROW_WITHOUT_KEY = "row_without_key"
    MOVED_DUE_DATE = "moved_due_date"
    DRIVE_AWAY = "drive_away"
    DOUBTED_TOMBSTONE = "doubted_tombstone"


class FindingAct(StrEnum):
    """`sweep`: removed by itself; `alarm`: people are told, and the DPO says so when it is dealt with; `decide`:
    the DPO's answer has an effect."""

    SWEEP = "sweep"
    ALARM = "alarm"
    DECIDE = "decide"


class FindingAnswer(StrEnum):
    """`acknowledged`: known and dealt with; `put_back`: the due date goes back to what explains it."""

    ACKNOWLEDGED = "acknowledged"
    PUT_BACK = "put_back"


SWEPT = (FindingKind.ORPHAN, FindingKind.FOREIGN_VERSION, FindingKind.LINGERING_UPLOAD)
"""What is removed by itself. Without an alarm that closes it; with one, the DPO's answer does."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something that is not as it should be. `subject` names an object, an artifact or an epoch; `version` a version,
    an upload or a date."""

    kind: FindingKind
    subject: str
    version: str
    act: FindingAct
    artifact: UUID | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A row of `findings`."""

    id: UUID
    kind: FindingKind
    subject: str
    version: str
    artifact: UUID | None
    act: FindingAct
    state: str


def answers(kind: FindingKind) -> tuple[FindingAnswer, ...]:
    """What the DPO may answer."""
    if kind is FindingKind.MOVED_DUE_DATE:
        return FindingAnswer.ACKNOWLEDGED, FindingAnswer.PUT_BACK
    return (FindingAnswer.ACKNOWLEDGED,)
