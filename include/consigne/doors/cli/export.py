"""`consigne export`: an artifact's content for someone entitled, decrypted by the api-server."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4

import typer

from consigne.doors.cli.client import As, PasswordFile, Person, password_of
from consigne.doors.cli.options import DEFAULT_STATE, Json, State
from consigne.doors.settings import Settings
from consigne.rules.errors import BadInput


def export(
    artifact: Annotated[str, typer.Argument(help="The artifact's id.")],
    reason: Annotated[str, typer.Option(help="Why: one of the policy's reasons for your role.")],
    out: Annotated[Path, typer.Option(help="Where to write it; mode 0600.")],
    user: As,
    password_file: PasswordFile = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Write the audio (FLAC, or Ogg/Opus where that came in) or the transcript (JSON). Offered or denied: it is in the register."""
    try:
        id = UUID(artifact)
    except ValueError:
        raise BadInput("bad_field", "ARTIFACT") from None
    if not out.parent.is_dir():
        raise BadInput("no_folder", "--out")
    person = Person(Settings.open(state), user, password_of(user, password_file))
    answer = person.post(f"/api/artifacts/{id}/export", {"reason": reason})
    write_bytes(out, answer.content)
    media = answer.headers["content-type"]
    told = {"artifact": str(id), "media_type": media, "bytes": len(answer.content), "file": str(out)}
    typer.echo(json.dumps(told) if as_json else f"{out}: {media}, {len(answer.content)} bytes")


def write_bytes(file: Path, content: bytes) -> None:
    """Mode 0600 from its first moment; whole or not at all, an older file replaced."""
    draft = file.with_name(f".{file.name}.{uuid4().hex}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
