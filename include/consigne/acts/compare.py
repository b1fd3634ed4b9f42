"""Bucket against catalog, keys against rows: one function a task of `reconcile_storage`. What is found is noted, each
thing once.

The listing is read once and compared as it comes, both sides streamed, so that memory does not grow. Heads are asked
for of HEADS artifacts drawn at random: each one's was seen when it was stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from consigne.acts.journey import Platform
from consigne.acts.ports import Artifact
from consigne.acts.truth import check_replayed
from consigne.rules.findings import Finding, FindingAct, FindingKind, Found
from consigne.rules.layout import part_prefix, recording_of
from consigne.rules.reconcile import Listed, Recorded, Verdict, compare, is_old

SAFE_AGE = timedelta(hours=1)
"""An object that no row names may be an ingest's that is about to write it; a task that lasts longer stores anew."""
CHUNK = 500
HEADS = 200
Strange = tuple[Verdict, Listed | None, Recorded | None]


def compare_store(platform: Platform) -> dict[str, int]:
    """The bucket `recordings` against the artifacts; returns how many things are new, by kind."""
    store_now, sample = platform.store.server_time(), _Sample(platform)
    counts: Counter[str] = Counter()
    with platform.catalog.begin() as tx:
        check_replayed(platform, tx)
        began = platform.catalog.now(tx)
        strange = sample.pass_by(compare(platform.store.walk_versions(), platform.catalog.walk_recorded(tx)))
        while chunk := list(islice(strange, CHUNK)):
            counts += note(platform, _judged(platform, chunk, store_now))
    counts += note(platform, [*_heads(platform, sample.drawn), *_uploads(platform)])
    close_unseen(platform, (FindingKind.MISSING,), began)  # what is swept closes by that
    return dict(counts)


def compare_keys(platform: Platform) -> dict[str, int]:
    """Data keys against artifacts, epochs against the keyring."""
    began = _now(platform)
    with platform.catalog.begin() as tx:
        check_replayed(platform, tx)
        keyless, left = platform.catalog.keyless(tx), platform.catalog.left_keys(tx)
        lost = [artifact for id in keyless if (artifact := platform.catalog.artifact(tx, id))]
        for artifact in lost:
            platform.catalog.add_loss(tx, artifact, "key_missing", platform.catalog.now(tx))
    found = [_alarm(FindingKind.ROW_WITHOUT_KEY, str(artifact.id), "", artifact.id) for artifact in lost]
    found += [_alarm(FindingKind.KEY_WITHOUT_ROW, str(id), "", id) for id in left]
    counts = note(platform, [*found, *_epochs(platform)])
    close_unseen(platform, (FindingKind.ROW_WITHOUT_KEY, FindingKind.KEY_WITHOUT_ROW), began)
    return dict(counts)


class _Sample:
    """Some of the kept artifacts that pass by, each with the same chance."""

    def __init__(self, platform: Platform) -> None:
        self._platform, self._passed = platform, 0
        self.drawn: list[Recorded] = []

    def pass_by(self, compared: Iterable[Strange]) -> Iterator[Strange]:
        """What does not match; the rest is drawn from."""
        for one in compared:
            verdict, _, recorded = one
            if verdict is not Verdict.MATCHED:
                yield one
            elif recorded is not None and recorded.state == "kept":
                self._draw(recorded)

    def _draw(self, recorded: Recorded) -> None:
        self._passed += 1
        if len(self.drawn) < HEADS:
            self.drawn.append(recorded)
            return
        place = int.from_bytes(self._platform.random(8)) % self._passed
        if place < HEADS:
            self.drawn[place] = recorded


def _judged(platform: Platform, chunk: Sequence[Strange], store_now: datetime) -> Iterator[Found]:
    """Against the catalog as it is now: what was recorded or erased since is none. What is being erased is left to
    `expire_recordings`."""
    names = {one.object for _, listed, recorded in chunk if (one := listed or recorded)}
    known = _known(platform, names)
    for verdict, listed, recorded in chunk:
        if verdict is Verdict.MISSING and recorded is not None:
            yield from _missing(platform, known.by_id.get(recorded.artifact))
        elif verdict is Verdict.FOREIGN and listed is not None and recorded is not None:
            artifact = known.by_id.get(recorded.artifact)
            if artifact and artifact.version != listed.version and artifact.state in ("storing", "kept"):
                yield _foreign(listed, FindingAct.SWEEP, artifact)
        elif listed is not None and listed.object not in known.objects:
            artifact = known.by_prefix.get(part_prefix(listed.object))
            is_lost = part_prefix(listed.object) in known.lost
            yield from _unrecorded(platform, listed, artifact, is_lost, store_now)


def _unrecorded(
    platform: Platform, listed: Listed, artifact: Artifact | None, is_lost: bool, store_now: datetime
) -> Iterator[Found]:
    if artifact is not None and artifact.state == "erasing":
        return
    if artifact is not None and artifact.state == "erased":
        # It may have been listed a moment before its erasure.
        now = [(one.object, one.version) for one in platform.store.list_versions(listed.object)]
        if (listed.object, listed.version) in now:
            yield _foreign(listed, FindingAct.ALARM, artifact)
    elif is_old(listed.modified_at, store_now, SAFE_AGE):
        act = FindingAct.DECIDE if is_lost else FindingAct.SWEEP  # a better backup may bring its row back
        yield Found(FindingKind.ORPHAN, listed.object, listed.version, act)


def _foreign(listed: Listed, act: FindingAct, artifact: Artifact) -> Found:
    return Found(FindingKind.FOREIGN_VERSION, listed.object, listed.version, act, artifact.id)


def _missing(platform: Platform, artifact: Artifact | None) -> Iterator[Found]:
    # The listing may lag behind: the object itself is asked for.
    if artifact is None or artifact.state != "kept":
        return
    if platform.store.inspect(artifact.object, artifact.version) is None and _is_kept(platform, artifact.id):
        with platform.catalog.begin() as tx:
            platform.catalog.add_loss(tx, artifact, "object_missing", platform.catalog.now(tx))
        yield _alarm(FindingKind.MISSING, artifact.object, artifact.version, artifact.id)


def _is_kept(platform: Platform, id: UUID) -> bool:
    with platform.catalog.begin() as tx:
        artifact = platform.catalog.artifact(tx, id)
    return artifact is not None and artifact.state == "kept"


def _heads(platform: Platform, drawn: Sequence[Recorded]) -> Iterator[Found]:
    """Of those drawn, what the store does not encrypt by its KMS."""
    for one in drawn:
        facts = platform.store.inspect(one.object, one.version)
        if facts is not None and facts.encryption != "aws:kms":
            yield _alarm(FindingKind.NOT_ENCRYPTED, one.object, one.version, one.artifact)


def _uploads(platform: Platform) -> Iterator[Found]:
    """Nothing of ours uploads in parts, so that no age excuses it."""
    uploads = platform.store.list_uploads("")
    known = _known(platform, {upload.object for upload in uploads})
    for upload in uploads:
        artifact = known.by_prefix.get(part_prefix(upload.object))
        act = FindingAct.ALARM if artifact else FindingAct.SWEEP
        yield Found(
            FindingKind.LINGERING_UPLOAD, upload.object, upload.upload, act, artifact.id if artifact else None
        )


def _epochs(platform: Platform) -> list[Found]:
    """Rows before the keyring and after it: an epoch's row comes before its key and goes after it."""
    with platform.catalog.begin() as tx:
        used = platform.catalog.epochs_used(tx)
    keys = set(platform.keyring.epochs())
    with platform.catalog.begin() as tx:
        living, used_still = platform.catalog.epochs_living(tx), platform.catalog.epochs_used(tx)
    found = [_alarm(FindingKind.ROW_WITHOUT_KEY, name) for name in sorted(used & used_still - keys)]
    left = (name for name in sorted(keys - living) if platform.keyring.epoch_lives(name))
    return found + [_alarm(FindingKind.KEY_WITHOUT_ROW, name) for name in left]


def _alarm(kind: FindingKind, subject: str, version: str = "", artifact: UUID | None = None) -> Found:
    return Found(kind, subject, version, FindingAct.ALARM, artifact)


class _Known:
    """The artifacts of some recordings, in any state; `lost` are the prefixes of those whose row a restore lost."""

    def __init__(self, artifacts: Sequence[Artifact], lost: Iterable[str]) -> None:
        self.lost = {part_prefix(object) for object in lost}
        self.by_id = {one.id: one for one in artifacts}
        self.objects = {one.object for one in artifacts if one.state != "erased"}
        self.by_prefix = {part_prefix(one.object): one for one in artifacts}


def _known(platform: Platform, objects: Iterable[str]) -> _Known:
    recordings = {id for name in objects if (id := recording_of(name))}
    with platform.catalog.begin() as tx:
        return _Known(
            platform.catalog.artifacts_in(tx, recordings), platform.catalog.lost_rows(tx, recordings)
        )


def note(platform: Platform, found: Iterable[Found]) -> Counter[str]:
    """Keep what was found; how many are new (or back), by kind. Registered with the finding."""
    things = list(found)
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        made = [platform.catalog.note_found(tx, platform.new_id(), each, now) for each in things]
        entries = [told(one) for one in made if one]
        platform.catalog.append(tx, "consigne", "reconcile:finding:found", entries)
    return Counter(str(one.kind) for one in made if one)


def close_unseen(platform: Platform, kinds: Sequence[FindingKind], began: datetime) -> None:
    """What lasted and was not seen since `began` is gone; so are the losses that were named by it."""
    with platform.catalog.begin() as tx:
        closed = platform.catalog.close_unseen(tx, kinds, began, platform.catalog.now(tx))
        platform.catalog.withdraw_unseen(tx, kinds, began)
        entries = [told(one) | {"outcome": "ceased"} for one in closed]
        platform.catalog.append(tx, "consigne", "reconcile:finding:closed", entries)


def told(finding: Finding) -> dict[str, object]:
    """A finding as the register tells it."""
    entry: dict[str, object] = {
        "subject": str(finding.id), "finding": str(finding.kind), "act": str(finding.act),
        "about": finding.subject, "version": finding.version,
    }  # fmt: skip
    return entry | ({"artifact": str(finding.artifact)} if finding.artifact else {})


def _now(platform: Platform) -> datetime:
    with platform.catalog.begin() as tx:
        return platform.catalog.now(tx)
