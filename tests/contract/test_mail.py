"""Letters to a real SMTP server of this test, and to servers that are away, hang, refuse or speak nonsense."""

from __future__ import annotations

import socket
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from consigne.acts.ports import Letter
from consigne.adapters.mail import MailServer, NoMailer, SmtpMailer, read_url
from consigne.rules.errors import Misconfigured, Unavailable

from .post import post_office

LETTER = Letter(
    uuid.UUID(int=7), "dpo@example.org", "Consigne: une demande", "Où ?\n", datetime(2026, 11, 22, tzinfo=UTC)
)


def mailer(port: int, user: str = "", timeout_s: float = 0.5) -> SmtpMailer:
    return SmtpMailer(
        MailServer("smtp", "127.0.0.1", port, "consigne@example.org", user, "secret"), timeout_s
    )


def test_a_letter_arrives_as_it_was_written() -> None:
    with post_office() as office:
        assert mailer(office.port, timeout_s=5).send(LETTER) is None
    [(to, message)] = office.letters
    assert (to, message["To"], message["Subject"]) == (LETTER.to, LETTER.to, LETTER.title)
    assert message.get_content().replace("\r\n", "\n") == LETTER.body
    assert str(LETTER.id) in message["Message-ID"]
    assert message["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("answer", ["550 no such person", "450 later", "552 full"])
def test_a_refused_letter_is_that_letters_trouble_alone(answer: str) -> None:
    with post_office({"RCPT": answer}) as office:
        assert mailer(office.port, timeout_s=5).send(LETTER) == "refused"
    with post_office({"data": answer}) as office:
        assert mailer(office.port, timeout_s=5).send(LETTER) == "refused"


def test_a_server_that_is_away_hangs_or_talks_nonsense_is_unavailable() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(Unavailable):  # bound, but nobody listens
            mailer(silent.getsockname()[1]).send(LETTER)
        silent.listen()
        with pytest.raises(Unavailable):  # connected, and never greeted
            mailer(silent.getsockname()[1]).send(LETTER)
    for wrong in ({"greeting": "554 go away"}, {"greeting": "nonsense"}, {"EHLO": "", "HELO": ""}):
        with post_office(wrong) as office, pytest.raises(Unavailable):
            mailer(office.port).send(LETTER)


def test_what_is_said_after_a_letter_was_taken_does_not_send_it_again() -> None:
    with post_office({"QUIT": ""}) as office:
        assert mailer(office.port).send(LETTER) is None
    assert len(office.letters) == 1


def test_a_password_never_goes_without_tls() -> None:
    with post_office() as office, pytest.raises(Misconfigured) as fault:
        mailer(office.port, user="consigne").send(LETTER)
    assert fault.value.code == "mail_not_private"
    assert not any("AUTH" in line for line in office.lines)


def test_an_address_that_is_none_is_not_sent_to() -> None:
    with post_office() as office:
        for address in ("a@example.org\nBcc: b@example.org", "é@example.org"):
            letter = Letter(LETTER.id, address, LETTER.title, LETTER.body, LETTER.written_at)
            assert mailer(office.port, timeout_s=5).send(letter) == "bad_address"
    assert office.letters == []


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("none:", None),
        ("smtp://mail.example.org?from=a@example.org", MailServer("smtp", "mail.example.org", 25, "a@example.org")),
        (
            "smtps://us%40er:p%2Fw@mail.example.org:4650?from=a@example.org&domain=example.org",
            MailServer("smtps", "mail.example.org", 4650, "a@example.org", "us@er", "p/w", "example.org"),
        ),
    ],
)  # fmt: skip
def test_a_url_is_read_and_told_without_its_password(url: str, server: MailServer | None) -> None:
    found = read_url(url)
    assert found == server
    if found:
        assert found.password not in found.url or not found.password
        assert "p/w" not in repr(found)
        again = read_url(found.url)
        assert again == replace(found, password="")


@pytest.mark.parametrize(
    "url", ["", "http://a?from=a@b", "smtp://?from=a@b", "smtp://a", "smtp://a:b:c?from=a@b", "smtp://[?from=a@b"]
)  # fmt: skip
def test_a_url_that_is_none_is_not_quoted(url: str) -> None:
    with pytest.raises(Misconfigured) as fault:
        read_url(url)
    assert fault.value.code == "bad_url" and (not url or url not in str(fault.value))


def test_without_a_server_nobody_is_written_to() -> None:
    assert NoMailer().send(LETTER) is None
