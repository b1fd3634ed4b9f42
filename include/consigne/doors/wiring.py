"""The parts joined: settings in, a platform out. mypy proves here that the adapters fit the ports."""

from __future__ import annotations

import os
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from consigne.acts.journey import Platform
from consigne.acts.ports import Mailer
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.session import open_engine
from consigne.adapters.expectations import Expectations
from consigne.adapters.intake.folder import FolderIntake
from consigne.adapters.keyring.open import Provider, open_keyring
from consigne.adapters.mail import SmtpMailer, read_url
from consigne.adapters.names import PresidioNames
from consigne.adapters.store.minio import MinioStore
from consigne.adapters.transcriber.open import open_transcriber
from consigne.adapters.witness import open_witness
from consigne.doors.settings import CHECKOUT, MAIL_SECRET, Settings
from consigne.rules.acknowledgements import acknowledged_at, read_acknowledgements
from consigne.rules.errors import BadInput, Misconfigured
from consigne.rules.policy.model import Policy

LONE_JSON_S = 10.0
"""The JSON is written last, so one without its audio is soon reported."""


def open_platform(settings: Settings, role: str) -> Platform:
    """Everything an act needs, the catalog opened as one database role. Nothing is contacted yet."""
    keyring = keyring_of(settings)
    return Platform(
        catalog=Catalog(open_engine(settings.database_url(role)), os.urandom),
        store=MinioStore(
            settings.store_endpoint,
            settings.store_region,
            settings.store_secure,
            settings.store_credentials,
            lister="reconcile" if role == "reconcile" else "expire",
        ),
        keyring=keyring,
        intake=FolderIntake(
            settings.intake_dir,
            blind=lambda stem: keyring.mac("tombstone", stem).digest,
            lone_json_s=LONE_JSON_S,
        ),
        checker=Expectations(),
        transcriber=open_transcriber(settings.transcriber_url),
        names=PresidioNames(settings.names_model),
        random=os.urandom,
        new_id=uuid.uuid4,
        acknowledged=lambda policy, agent: _acknowledged(settings, policy, agent),
        witness=open_witness(settings.witness_url, _mailer(settings), lambda: datetime.now(UTC)),
    )


def _mailer(settings: Settings) -> Mailer | None:
    server = read_url(settings.mail_url)
    if server and server.user and not settings.holds(MAIL_SECRET):
        return None  # a service that tells no witness
    if server and server.user:
        server = replace(server, password=settings.secret(MAIL_SECRET))
    return SmtpMailer(server) if server else None


def keyring_of(settings: Settings) -> Provider:
    """The keyring, its module told where its configuration lies. Nothing is contacted yet."""
    os.environ.update(settings.keyring_environment)
    return open_keyring(settings.keyring_url)


def _acknowledged(settings: Settings, policy: Policy, agent: str) -> datetime | None:
    if policy.agents is None:
        return None
    try:
        return acknowledged_at(read_acknowledgements_of(settings.policy_file, policy), agent, policy)
    except BadInput as fault:  # our own file is wrong, not the delivery: nobody is quarantined for it
        raise Misconfigured(fault.code, f"agents.acknowledgements, {fault.where}") from None


def read_acknowledgements_of(policy_file: Path, policy: Policy) -> dict[tuple[str, str], datetime]:
    """Who acknowledged which notice: the file that `agents` names, beside the policy's or among the shipped."""
    name = policy.agents.acknowledgements if policy.agents else ""
    for folder in (policy_file.parent, CHECKOUT / "config"):
        file = folder / name
        if file.is_file():
            return _read_acknowledgements(file, file.stat().st_mtime_ns, policy.zone)
    raise Misconfigured(
        "no_acknowledgements", "agents.acknowledgements", f"{name} is not beside the policy's file"
    )


@lru_cache(maxsize=8)
def _read_acknowledgements(file: Path, _mtime_ns: int, zone: str) -> dict[tuple[str, str], datetime]:
    try:
        return read_acknowledgements(file.read_text(encoding="utf-8"), zone)
    except UnicodeDecodeError:
        raise BadInput("bad_acknowledgements", file.name, "it is not UTF-8") from None
