"""`consigne backup`: the embedded parts copied while they run, for as long as the policy lets a backup exist.

The database goes first, then the objects, then the keys: what it names is in what follows, unless it was destroyed
meanwhile. `evidence` and the outside witness are never part of it: they say what is gone, and never go back.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

from psycopg.conninfo import make_conninfo

from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.session import open_engine
from consigne.adapters.keyring.files import locked
from consigne.doors.local import postgres
from consigne.doors.local.backups import (
    PARTS,
    Manifest,
    Part,
    alone,
    copy_files,
    destroy_parts,
    digest_of,
    find_backups,
    known,
    list_files,
    remember,
    remove_part,
    write_list,
    write_manifest,
)
from consigne.doors.local.processes import clean_environment
from consigne.doors.settings import Settings, write_private
from consigne.rules.clock import iso
from consigne.rules.errors import BadInput, Misconfigured, Unavailable
from consigne.rules.horizons import part_ends
from consigne.rules.policy.model import Policy

Say = Callable[[str], None]
Files = dict[str, tuple[str, int]]
UNFINISHED = ".making-"


def ours(settings: Settings) -> list[str]:
    """Parts that this machine holds; those of a given server are backed up by its own means."""
    theirs = {
        "database": settings.database_given,
        "recordings": bool(settings.store_given),
        "keyring": not settings.keyring_url.startswith("file:"),
    }
    return [part for part in PARTS if not theirs.get(part)]


def keyring_folder(settings: Settings) -> Path:
    """Where a `file:` keyring lies."""
    return Path(settings.keyring_url.removeprefix("file:")).resolve()


def back_up(settings: Settings, folder: Path, only: Sequence[str], say: Say) -> Path:
    """Destroy what is beyond its time in `folder`, then make a backup there; its own folder.

    Misconfigured('backups_not_declared') where the policy in force declares none: certificates would be untrue.
    """
    with alone(settings):
        catalog = Catalog(open_engine(settings.database_url("owner")), os.urandom)
        with catalog.begin() as tx:
            now, origin = catalog.now(tx), catalog.origin(tx)
            policy = catalog.policy_at(tx, now)
        if folder.is_dir():  # also where none may be made any more
            destroy_overdue(settings, folder, catalog, now, say)
        ends = _ends(settings, policy, now, only)
        _make_folder(settings, folder)
        id = str(uuid.uuid4())
        draft = folder / f"{UNFINISHED}{id}"
        # Noted before the first byte: killed half-way, it is not forgotten.
        begun = Manifest(id, origin, iso(now), {part: Part(iso(end), 0, 0, "") for part, end in ends.items()})
        remember(settings, draft, begun)
        try:
            made, manifest = _make_all(settings, draft, begun, ends, say)
        except BaseException:
            _abandon(settings, draft, begun)
            raise
        entries = [{"subject": id, "part": part, **asdict(each)} for part, each in manifest.parts.items()]
        with catalog.begin() as tx:
            catalog.append(tx, "ops", "backup:part:made", entries)
    return made


def _ends(
    settings: Settings, policy: Policy | None, now: datetime, only: Sequence[str]
) -> dict[str, datetime]:
    """Each part to back up, and when it must be gone."""
    for part in only:
        if part not in PARTS:
            raise BadInput("unknown_part", "--only", f"known: {', '.join(PARTS)}")
        if part not in ours(settings):
            raise Misconfigured(
                "not_ours", part, "back the given server up by its own means; its horizon holds"
            )
    ends = {part: part_ends(policy, part, now) for part in ours(settings)} if policy else {}
    declared = {part: end for part, end in ends.items() if end is not None and (not only or part in only)}
    if not declared or set(only) - declared.keys():
        field = next((f"backups.{part}" for part in only if part not in declared), "backups")
        raise Misconfigured(
            "backups_not_declared", field, "declare it in the policy first: certificates would be untrue"
        )
    return declared


def _make_folder(settings: Settings, folder: Path) -> None:
    """0700, and no part of what it copies."""
    if folder.resolve().is_relative_to(settings.state_dir.resolve()):
        raise BadInput("inside_state", "DIR", "a backup beside what it backs up goes with it")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise BadInput("not_writable", "DIR", fault.strerror or "") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BadInput("not_writable", "DIR")
    if folder.stat().st_mode & 0o077:
        raise BadInput("others_may_read", "DIR", "keys go there: chmod 700")


def destroy_overdue(settings: Settings, folder: Path, catalog: Catalog, now: datetime, say: Say) -> None:
    """Destroy this installation's backups in the folder that are beyond their time, or were never finished."""
    for name, manifest in known(settings).items():
        draft = Path(name)
        if draft.parent == folder and draft.name.startswith(UNFINISHED):
            _abandon(settings, draft, manifest)
    for path, manifest in find_backups(settings, folder).items():
        remember(settings, path, manifest)
        if due := manifest.due(now):
            destroy_parts(settings, path, manifest, due)
            entries = [{"subject": manifest.id, "part": part, "outcome": "destroyed"} for part in due]
            with catalog.begin() as tx:
                catalog.append(tx, "ops", "backup:part:destroyed", entries)
            say(f"destroyed, its time was up: {path.name}: {', '.join(due)}")


def _make_all(
    settings: Settings, draft: Path, begun: Manifest, ends: dict[str, datetime], say: Say
) -> tuple[Path, Manifest]:
    """Every part, then the manifest, then its name: what has the name is whole."""
    draft.mkdir(mode=0o700)
    parts = {part: _make(settings, draft, part, end, say) for part, end in ends.items()}
    manifest = replace(begun, parts=parts)
    write_manifest(settings, draft, manifest)
    os.sync()
    made = draft.with_name(manifest.name)
    draft.rename(made)
    remember(settings, made, manifest)
    remember(settings, draft, replace(begun, parts={}))
    return made, manifest


def _abandon(settings: Settings, draft: Path, begun: Manifest) -> None:
    """Remove what was never finished."""
    for part in begun.parts:
        remove_part(draft, part)
    shutil.rmtree(draft, ignore_errors=True)
    remember(settings, draft, replace(begun, parts={}))


def _make(settings: Settings, draft: Path, part: str, end: datetime, say: Say) -> Part:
    files = {"database": _database, "recordings": _recordings, "keyring": _keyring, "secrets": _secrets}[
        part
    ](settings, draft / part)
    made = write_list(draft, part, files, end)
    say(f"{part}: {made.files} files, {made.bytes} bytes, to be destroyed before {made.destroy_before}")
    return made


def _database(settings: Settings, target: Path) -> Files:
    """A base backup of the whole cluster, Airflow's database with it."""
    passfile = settings.state_dir / "run" / "passfile"
    log = settings.state_dir / "logs" / "backup.log"
    write_private(passfile, f"*:*:*:postgres:{settings.secret('database-superuser')}\n")
    try:
        with log.open("ab") as out:
            os.fchmod(out.fileno(), 0o600)
            to = make_conninfo(host=settings.socket_dir, user="postgres", passfile=str(passfile))
            done = subprocess.run(
                [postgres.binary("pg_basebackup"), "-d", to, "-D", target, "-X", "stream", "-c", "fast", "-w"],
                env=clean_environment(LC_ALL="C"), stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False,
            )  # fmt: skip
    finally:
        passfile.unlink()
    if done.returncode != 0:
        raise Unavailable("not_backed_up", "database", f"read {log}")
    return {name: digest_of(target / name) for name in list_files(target)}


def _recordings(settings: Settings, target: Path) -> Files:
    """MinIO's own files: S3 cannot give a version its old number back, and the catalog counts on it. An object
    appears there whole, by a rename, and never changes."""
    source = settings.state_dir / "minio" / "data" / "recordings"
    return copy_files(source, target, list_files(source))


def _keyring(settings: Settings, target: Path) -> Files:
    """The whole folder at one moment: nobody writes meanwhile."""
    source = keyring_folder(settings)
    if not (source / "keys").is_dir():
        raise Unavailable("keyring", "backup", "the keyring is away")
    with locked(source):
        names = [name for name in list_files(source) if name != "lock" and not name.endswith(".unfinished")]
        return copy_files(source, target, names)


def _secrets(settings: Settings, target: Path) -> Files:
    source = settings.state_dir / "secrets"
    return copy_files(source, target, [name for name in list_files(source) if not name.startswith(".")])
