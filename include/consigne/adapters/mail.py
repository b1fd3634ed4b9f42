"""Mail by SMTP (RFC 5321), with TLS from the start (`smtps:`) or by STARTTLS where the server offers it (`smtp:`).

A password never goes over a connection without TLS. The server's certificate is verified.
"""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from consigne.acts.ports import Letter
from consigne.rules.errors import Misconfigured, Unavailable

TIMEOUT_S = 10.0
PORTS = {"smtp": 25, "smtps": 465}
FORM = "smtp[s]://[user:password@]host[:port]?from=address[&domain=name]"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes; `user` is empty where the server wants no sign-in. Accounts without an address of their own are
    written to at `domain`, where there is one."""

    scheme: str
    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    domain: str = ""

    @property
    def url(self) -> str:
        """As `read_url` reads it, without the password."""
        user = f"{quote(self.user, safe='')}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        domain = f"&domain={quote(self.domain)}" if self.domain else ""
        return f"{self.scheme}://{user}{host}:{self.port}?from={quote(self.sender)}{domain}"


def read_url(url: str) -> MailServer | None:
    """A server; None for `none:`. Misconfigured('bad_url'), the URL not quoted."""
    if url == "none:":
        return None
    try:
        parts = urlsplit(url)
        asked = parse_qs(parts.query)
        sender, domain = (asked.get(name, [""])[-1] for name in ("from", "domain"))
        if parts.scheme not in PORTS or not parts.hostname or "@" not in sender:
            raise ValueError
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        port = parts.port or PORTS[parts.scheme]
        return MailServer(parts.scheme, parts.hostname, port, sender, user, password, domain)
    except ValueError:
        raise Misconfigured("bad_url", "CONSIGNE_MAIL_URL", FORM) from None


class NoMailer:
    """No mail server: `none:`."""

    def send(self, letter: Letter) -> str | None:
        """Nobody is written to."""
        return None


class SmtpMailer:
    """One connection a letter: few go, and none is kept open."""

    def __init__(self, server: MailServer, timeout_s: float = TIMEOUT_S) -> None:
        self._server = server
        self._timeout_s = timeout_s

    def send(self, letter: Letter) -> str | None:
        """See the port. Unavailable('mail'), Misconfigured('mail_sign_in', 'mail_not_private')."""
        try:
            message = _written(letter, self._server.sender)
        except ValueError:
            return "bad_address"
        try:
            connection = self._connected()
            try:
                connection.send_message(message)
                with suppress(smtplib.SMTPException, OSError):
                    connection.quit()  # whatever comes of it: the letter is taken
            finally:
                connection.close()
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError):
            return "refused"
        except smtplib.SMTPNotSupportedError:
            return "bad_address"
        except (smtplib.SMTPException, OSError, ValueError) as fault:
            raise Unavailable("mail", type(fault).__name__, "is the mail server up?") from None
        return None

    def _connected(self) -> smtplib.SMTP:
        server, context = self._server, ssl.create_default_context()
        place: dict[str, Any] = {"host": server.host, "port": server.port, "timeout": self._timeout_s}
        if server.scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(**place, context=context)
        else:
            connection = smtplib.SMTP(**place)
        try:
            self._introduce(connection, context)
        except BaseException:
            connection.close()
            raise
        return connection

    def _introduce(self, connection: smtplib.SMTP, context: ssl.SSLContext) -> None:
        connection.ehlo_or_helo_if_needed()
        is_private = self._server.scheme == "smtps"
        if not is_private and connection.has_extn("starttls"):
            connection.starttls(context=context)
            connection.ehlo()
            is_private = True
        if self._server.user:
            if not is_private:
                raise Misconfigured("mail_not_private", "CONSIGNE_MAIL_URL", "the server offers no TLS")
            try:
                connection.login(self._server.user, self._server.password)
            except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError):
                raise Misconfigured("mail_sign_in", "CONSIGNE_MAIL_URL", "the server denies it") from None


def _written(letter: Letter, sender: str) -> EmailMessage:
    message = EmailMessage(policy=WIRE)
    message["From"], message["To"], message["Subject"] = sender, letter.to, letter.title
    message["Date"] = format_datetime(letter.written_at)
    message["Message-ID"] = f"<{letter.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence notice answers it
    message.set_content(letter.body)
    return message
