"""Mail, sent from the api-server: it knows the accounts' addresses. Nothing ever waits for it."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace

from airflow.configuration import conf

from consigne.acts.journey import Platform
from consigne.acts.ports import Letter, Message
from consigne.acts.remind import send_messages
from consigne.adapters.mail import NoMailer, SmtpMailer, read_url
from consigne.doors.desk.words import Wording
from consigne.doors.logs import about
from consigne.doors.orchestration.auth import person_named
from consigne.doors.settings import MAIL_SECRET, Settings
from consigne.rules.errors import ConsigneError, place_of

log = logging.getLogger("consigne")

ROUND_S = 40.0
NO_ADDRESS = "@consigne.invalid"
"""Accounts that `apply` made have no address of their own."""

PATHS = {"request": "decide/{}", "recording": "decide/{}", "extension": "decide/{}", "hold": "holds/{}", "draft": "policy/drafts/{}", "register": "register", "volume": "volumes/{}", "finding": "findings"}  # fmt: skip
"""What a kind's first word is about → the page of the desk that shows it; the first page otherwise."""

_under_way = threading.Lock()


def start_round(platform: Platform) -> int:
    """Send what waits, in a thread of its own, unless one is at it still; 0, as nothing is known of it yet."""
    if _under_way.acquire(blocking=False):
        threading.Thread(target=_round, args=(platform,), daemon=True).start()
    return 0


def _round(platform: Platform) -> None:
    try:
        server = read_url((settings := Settings.from_environment()).mail_url)
        if server and server.user:
            server = replace(server, password=settings.secret(MAIL_SECRET))
        until_s = time.monotonic() + ROUND_S
        round = send_messages(
            platform,
            SmtpMailer(server) if server else NoMailer(),
            lambda message: write(message, _address(message.recipient, server.domain)) if server else None,
            lambda: time.monotonic() < until_s,
        )
        if round.waiting or round.given_up:
            log.warning("mail not sent yet", extra=about(count=round.waiting))
            log.warning("mail given up", extra=about(count=round.given_up))
    except ConsigneError as fault:
        log.warning("mail", extra=about(code=fault.code))
    except Exception as fault:
        log.warning("mail: fault in our own code; please report it", extra=about(fault=place_of(fault)))
    finally:
        _under_way.release()


def _address(user: str, domain: str) -> str | None:
    account = person_named(user)
    if account is None:
        return None
    if account.email and not account.email.endswith(NO_ADDRESS):
        return str(account.email)
    return f"{user}@{domain}" if domain else None


def write(message: Message, to: str | None) -> Letter | None:
    """The message in French and English: what it is about by its reference, and where to look. None without an
    address."""
    if to is None:
        return None
    about, _, _ = message.kind.partition("_")
    reference = message.subject.partition(" ")[0]
    base = conf.get_mandatory_value("api", "base_url").rstrip("/")
    link = f"{base}/consigne/{PATHS.get(about, '').format(reference)}"
    french, english = Wording("fr", "UTC"), Wording("en", "UTC")
    said = [words.say(f"mail.{message.kind}") for words in (french, english)]
    names = {"reference": reference, "link": link}
    body = "\n\n".join(
        f"{line}\n{words.say('mail.where', **names)}"
        for words, line in zip((french, english), said, strict=True)
    )
    return Letter(message.id, to, f"Consigne: {' / '.join(said)}", f"{body}\n", message.made_at)
