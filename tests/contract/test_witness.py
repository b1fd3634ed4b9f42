"""Somebody outside who is told of checkpoints: a file that only grows, a mailbox, nobody."""

from __future__ import annotations

import os
import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consigne.adapters.mail import MailServer, SmtpMailer
from consigne.adapters.witness import FileWitness, MailWitness, NoWitness, open_witness
from consigne.rules.errors import Misconfigured, Unavailable

from .post import post_office

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NOTES = [f"consigne.test/register\n{size}\nAAAA\n\n— key sig{size}\n".encode() for size in range(40)]


def test_a_file_holds_what_it_was_told_once_and_in_order(tmp_path: Path) -> None:
    witness = open_witness(f"file:{tmp_path / 'made' / 'notes.txt'}", None, lambda: NOW)
    assert witness.listens and witness.told() == []
    for note in (NOTES[0], NOTES[1], NOTES[0]):
        assert witness.tell(note)
    assert witness.told() == NOTES[:2]
    assert (tmp_path / "made" / "notes.txt").stat().st_mode & 0o077 == 0


@pytest.mark.promise("P8")
@pytest.mark.parametrize("cut", range(1, len(NOTES[1]) + 3))
def test_a_note_whose_writer_was_killed_is_told_again(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "notes.txt"
    witness = FileWitness(file)
    witness.tell(NOTES[0])
    witness.tell(NOTES[1])
    whole = file.read_bytes()
    file.write_bytes(whole[:-cut])
    told = witness.told()
    assert told is not None and told in ([NOTES[0]], NOTES[:2])
    witness.tell(NOTES[1])
    assert witness.told() == NOTES[:2] and file.read_bytes() == whole


@pytest.mark.promise("P8")
def test_two_who_tell_at_once_lose_nothing(tmp_path: Path) -> None:
    witness = FileWitness(tmp_path / "notes.txt")
    threads = [
        threading.Thread(target=lambda mine=mine: [witness.tell(note) for note in mine])
        for mine in (NOTES[:30], NOTES[10:])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = witness.told()
    assert told is not None and sorted(told) == sorted(NOTES)


@pytest.mark.promise("P8")
def test_killed_while_it_tells_the_file_can_still_be_read_and_told(tmp_path: Path) -> None:
    witness = FileWitness(tmp_path / "notes.txt")
    for _ in range(3):
        pid = os.fork()
        if not pid:
            while True:
                for note in NOTES:
                    witness.tell(note)
                (tmp_path / "notes.txt").write_bytes(b"")
        time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        before = witness.told()
        assert before is not None and set(before) <= set(NOTES)
        assert witness.tell(NOTES[-1])
        told = witness.told()
        assert told is not None and NOTES[-1] in told


def test_a_file_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "notes.txt"):
        with pytest.raises(Unavailable, match="witness"):
            FileWitness(path).tell(NOTES[0])
    with pytest.raises(Unavailable, match="witness"):
        FileWitness(tmp_path).told()


def test_a_mailbox_gets_the_note_and_cannot_be_asked_back() -> None:
    with post_office() as office:
        server = MailServer("smtp", "127.0.0.1", office.port, "consigne@example.org")
        witness = open_witness("mailto:notary@example.org", SmtpMailer(server, 5), lambda: NOW)
        assert witness.listens and witness.tell(NOTES[3]) and witness.tell(NOTES[3])
        assert witness.told() is None
    (to, first), (_, second) = office.letters
    assert to == "notary@example.org"
    assert first.get_content().replace("\r\n", "\n").encode() == NOTES[3]
    assert first["Message-ID"] == second["Message-ID"]


def test_a_mailbox_that_does_not_take_it_is_told_again_later() -> None:
    with post_office({"RCPT": "550 no such person"}) as office:
        server = MailServer("smtp", "127.0.0.1", office.port, "consigne@example.org")
        with pytest.raises(Unavailable, match="witness"):
            MailWitness("notary@example.org", SmtpMailer(server, 5), lambda: NOW).tell(NOTES[0])
    with pytest.raises(Misconfigured, match="no_mail_server"):
        MailWitness("notary@example.org", None, lambda: NOW).tell(NOTES[0])


def test_nobody_is_told_nothing() -> None:
    witness = open_witness("none:", None, lambda: NOW)
    assert isinstance(witness, NoWitness)
    assert (witness.listens, witness.tell(NOTES[0]), witness.told()) == (False, False, None)


@pytest.mark.parametrize(
    "url", ["", "file:", "file:here.txt", "mailto:", "mailto:nobody", "https://example.org"]
)
def test_what_names_no_witness_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match="witness_url"):
        open_witness(url, None, lambda: NOW)
