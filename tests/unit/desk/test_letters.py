"""What goes out by mail: a reference and where to look, in both languages."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from consigne.acts.ports import Message
from consigne.acts.remind import REVIEWS
from consigne.adapters.mail import MailServer
from consigne.doors.desk.text import TEXTS
from consigne.doors.orchestration import mail
from consigne.doors.settings import MAIL_SECRET, Settings

ID = "0cc5364e-6a82-445c-9879-c88bf9bd801d"
KINDS = {
    "request_waiting", "request_lapsing", "recording_going", "extension_ending", "request_over", "draft_waiting",
    "draft_over", "attempt", "volume_waiting", "finding_open", "register_gap", *(f"hold_review_{days}" for days in REVIEWS),
}  # fmt: skip
"""As the table of acts/remind.py has them."""


def test_every_kind_has_its_words() -> None:
    assert {f"mail.{kind}" for kind in KINDS} | {"mail.where"} == {
        key for key in TEXTS if key.startswith("mail.")
    }


def told(kind: str, subject: str) -> Message:
    return Message(UUID(int=1), "dpo", kind, subject, datetime(2026, 11, 22, tzinfo=UTC), 1)


@pytest.mark.parametrize(
    ("kind", "subject", "path"),
    [
        ("request_waiting", ID, f"decide/{ID}"),
        ("hold_review_7", f"{ID} 2026-12-01", f"holds/{ID}"),
        ("draft_over", ID, f"policy/drafts/{ID}"),
        ("volume_waiting", ID, f"volumes/{ID}"),
        ("attempt", "2026-11-22", ""),
    ],
)
def test_a_letter_holds_a_reference_and_a_link_in_both_languages(
    monkeypatch: pytest.MonkeyPatch, kind: str, subject: str, path: str
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.org/")
    letter = mail.write(told(kind, subject), "dpo@example.org")
    assert letter and letter.to == "dpo@example.org"
    assert letter.body.count(f"https://airflow.example.org/consigne/{path}\n") == 2
    assert all(said in letter.body for said in TEXTS[f"mail.{kind}"])
    assert f"{subject.split()[0]}\n" in letter.body
    assert "dpo" not in letter.body + letter.title
    assert mail.write(told(kind, subject), None) is None


def test_the_password_of_the_mail_server_is_a_secret_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONSIGNE_MAIL_URL", "smtps://us%40er:s%2Fecret@mail.example.org?from=a@example.org")
    settings = Settings.make(tmp_path / "state").remember_servers()
    assert settings.secret(MAIL_SECRET) == "s/ecret"
    written = (settings.state_dir / "settings.json").read_text()
    assert "us%40er@mail.example.org" in written and "ecret" not in written
    assert MailServer("smtps", "mail.example.org", 465, "a@example.org", "us@er").url == settings.mail_url
    monkeypatch.setenv("CONSIGNE_MAIL_URL", "none:")
    assert settings.remember_servers().mail_url == "none:"
