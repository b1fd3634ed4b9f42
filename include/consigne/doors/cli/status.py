"""`status`."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from consigne.doors.cli.options import DEFAULT_STATE, Json, State
from consigne.doors.local.status import status as local_status
from consigne.doors.settings import Settings


def status(
    state: State = DEFAULT_STATE,
    as_json: Json = False,
    secrets: Annotated[bool, typer.Option("--secrets", help="With passwords and keys.")] = False,
) -> None:
    """What runs and where."""
    document = local_status(Settings.open(state), secrets)
    if as_json:
        print(json.dumps(document, indent=1))
        return
    _print(document)


def _print(document: dict[str, Any]) -> None:
    print(f"{document['url']}\nstate   {document['state_dir']}\nintake  {document['intake']}\n")
    for name, part in document["components"].items():
        print(f"  {name:<16}{part['state']:<11}{part['log'] or ''}")
    print()
    for user, account in document["accounts"].items():
        print(f"  {user:<10}{', '.join(account['roles']):<10}{account.get('password', '')}".rstrip())
    if document["executor"] == "celery" and not document["separate_users"]:
        print("\n  every service runs as one user, and can read what another holds")
    if document["mail"].get("failed"):
        print(f"\n  {document['mail']['failed']} mails were given up: {document['mail']['server']}")
    for path in document["backups"]["overdue"]:
        print(f"\n  this backup is beyond its time, and certificates untrue until it is destroyed: {path}")
    if since := (document["register"] or {}).get("gap_since"):
        print(f"\n  entries of the register wait to be published, or the witness to be told, since {since}")
    if document["swap"]:
        print("\n  this machine swaps: memory may reach its disk")
