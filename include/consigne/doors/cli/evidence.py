"""`certificates`, `verify` and `policy check`: what an auditor takes away, and how it is checked."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from consigne.acts.locate import in_force
from consigne.acts.seal import check_register, prove_entries, seal
from consigne.adapters.catalog import views
from consigne.adapters.catalog.session import Session, open_engine
from consigne.adapters.catalog.tables import certificates as table_of_certificates
from consigne.doors.cli.options import DEFAULT_STATE, Json, State
from consigne.doors.desk.pages.told_certificate import tell
from consigne.doors.desk.text import LANGUAGES
from consigne.doors.desk.words import Wording
from consigne.doors.pyz import build_pyz
from consigne.doors.settings import Settings
from consigne.doors.wiring import open_platform
from consigne.rules.errors import BadInput
from consigne.rules.evidence import sentences
from consigne.rules.evidence.certificate import read_parts
from consigne.rules.evidence.signature import public_key_line
from consigne.rules.evidence.verify import main as verify_files

DOES_NOT_VERIFY = 5
SOME_BREACHES = 2


def certificates(
    as_json: Json = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write them, with all that checks them.")
    ] = None,
    sheets: Annotated[
        str, typer.Option(metavar="fr|en", help="With --out: each also as one page (PDF) in that language.")
    ] = "",
    state: State = DEFAULT_STATE,
) -> None:
    """Certificates of destruction; with --out, with checkpoints, proofs, the public key and the verifier."""
    if sheets not in ("", *LANGUAGES) or (sheets and out is None):
        raise BadInput("bad_value", "--sheets", f"one of {', '.join(LANGUAGES)}, with --out")
    settings = Settings.open(state)
    with Session(open_engine(settings.database_url("read")), os.urandom).begin() as tx:
        found = views.certificates(tx)
        files = {str(row.id): row.file for row in tx.execute(select(table_of_certificates))}
    if out is not None:
        _write(settings, out, files)
        if sheets:
            _write_sheets(settings, out, files, sheets)
    for one in found:
        one["file"] = str(out / one["file"]) if out else one["file"]
    if as_json:
        typer.echo(json.dumps(found))
        return
    table = Table("id", "scope", "proof", "assurance", "issued", "of")
    for one in found:
        of = one["artifact"] or one.get("epoch")
        table.add_row(one["id"], one["scope"], one["proof"], one["assurance"], one["issued_at"], of)
    Console(width=None if os.isatty(1) else 250).print(table)


def _write(settings: Settings, out: Path, files: dict[str, bytes]) -> None:
    with _writing():
        out.mkdir(parents=True, exist_ok=True)
    platform = open_platform(settings, "seal")
    seal(platform)
    leaves = [bytes.fromhex(read_parts(file)["body"]["entry"]) for file in files.values()]
    made = {f"certificate-{id}.json": file for id, file in files.items()} | prove_entries(platform, leaves)
    lines = [public_key_line(name, key) for name, key in sorted(platform.keyring.public_keys().items())]
    made["public-key.txt"] = ("\n".join(lines) + "\n").encode()
    with _writing():
        for name, data in made.items():
            (out / name).write_bytes(data)
        build_pyz(out / "consigne-verify.pyz")


def _write_sheets(settings: Settings, out: Path, files: dict[str, bytes], language: str) -> None:
    from consigne.doors.desk.certificate_sheet import write_sheet  # reportlab: slow to import

    platform = open_platform(settings, "read")
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        policy = in_force(platform, tx, now)
    words, keys = Wording(language, policy.zone), platform.keyring.public_keys()
    bodies = {id: read_parts(file)["body"] for id, file in files.items()}
    epochs = {body["epoch"]: files[id] for id, body in bodies.items() if body["scope"] == "epoch"}
    foot = words.say("certificate.sheet", controller=policy.controller.name, at=words.moment(now))
    for id, file in files.items():
        names = {bodies[id]["epoch"], *bodies[id].get("earlier_epochs", ())}
        told = tell(words, policy, file, [epochs[name] for name in sorted(names & epochs.keys())], keys)
        with _writing():
            (out / f"certificate-{id}-{language}.pdf").write_bytes(write_sheet(told, words, foot))


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise BadInput("not_writable", "--out", fault.strerror or "") from None


def verify(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE…", help="As consigne-verify.pyz takes them.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="The public key that you trust.")] = None,
    register: Annotated[
        bool, typer.Option("--register", help="The register against its published checkpoints.")
    ] = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Check certificates offline, or this installation's register."""
    if register and files:
        raise BadInput("too_many", "FILE", "either name files, or --register")
    if register:
        report = check_register(open_platform(Settings.open(state), "seal"))
        typer.echo(json.dumps(report.to_json()) if as_json else sentences.write(report))
        raise typer.Exit(0 if report.verified else DOES_NOT_VERIFY)
    if not files:
        raise BadInput("missing", "FILE", "name certificates, or --register")
    arguments = [*(["--key", str(key)] if key else []), *(["--json"] if as_json else []), *map(str, files)]
    raise typer.Exit(verify_files(arguments))
