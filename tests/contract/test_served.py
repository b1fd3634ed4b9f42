"""The key server: who may ask what of it, and what happens to those who ask when it goes."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import psutil
import pytest

from consigne.acts.ports import Keyring
from consigne.adapters.keyring.file import FileKeyring
from consigne.adapters.keyring.open import open_keyring
from consigne.adapters.keyring.rights import IDENTITIES, KINDS, RIGHTS, VERBS, kind_of, may
from consigne.adapters.keyring.served import ServedKeyring, Server, answers
from consigne.doors import keyserver
from consigne.doors.settings import CHECKOUT, Settings
from consigne.rules.errors import BadInput, Conflict, Misconfigured, Tampered, Unavailable
from consigne.rules.evidence.masked import masked_statement
from consigne.rules.evidence.restoration import Declared, declaration_body
from consigne.rules.evidence.signature import checkpoint_body
from contract.serving import Serving, serving

LONGEST_S = 20.0
STRANGER = 54_321
EPOCH, KEY, CONTEXT = "training/2027-05-20/0", bytes(range(32)), b"context"
STATEMENTS = {
    "certificate": checkpoint_body("consigne/ab/certificates/1", 3, bytes(32)),
    "checkpoint": checkpoint_body("consigne/ab", 3, bytes(32)),
    "masked": masked_statement("a", "b", [{"start_ms": 0, "end_ms": 1, "kind": "card"}]),
    "tombstones": b'[{"artifact":"a","erasing_at":"b","identity_digest":"c"}]\n',
    "note": declaration_body(
        Declared("0cc5364e-6a82-445c-9879-c88bf9bd801d", "2026-11-20T08:14:03.000Z", ("database",))
    ),
    "nothing": b"",
    "other": b"a letter",
}


@pytest.fixture
def behind(tmp_path: Path) -> FileKeyring:
    keyring = FileKeyring(tmp_path / "keys")
    keyring.prepare(first=True)
    keyring.open_epoch(EPOCH)
    return keyring


@pytest.fixture
def server(tmp_path: Path, behind: FileKeyring) -> Iterator[Serving]:
    with serving(tmp_path / "server", behind) as started:
        yield started


def calls(keyring: Keyring, wrapped: bytes) -> dict[str, Callable[[], object]]:
    """Each verb, destroying last."""
    return {
        "epochs": keyring.epochs,
        "epoch_lives": lambda: keyring.epoch_lives(EPOCH),
        "open_epoch": lambda: keyring.open_epoch("training/2027-05-21/0"),
        "wrap": lambda: keyring.wrap(EPOCH, KEY, CONTEXT),
        "unwrap": lambda: keyring.unwrap(EPOCH, wrapped, CONTEXT),
        "public_keys": keyring.public_keys,
        "versions": lambda: keyring.versions("signing"),
        "rotate": lambda: keyring.rotate("draw"),
        "prepare": lambda: keyring.prepare(first=False),  # type: ignore[attr-defined]
        "destroy_epoch": lambda: keyring.destroy_epoch("training/2027-05-22/0"),
        **{f"mac {name}": lambda name=name: keyring.mac(name, b"m") for name in ("blind-index", "tombstone", "draw")},
        **{f"sign {kind}": lambda kind=kind: keyring.sign(STATEMENTS[kind]) for kind in KINDS},
    }  # fmt: skip


@pytest.mark.promise("P3", "P6", "P7")
@pytest.mark.parametrize("identity", IDENTITIES)
def test_each_identity_may_do_its_work_and_nothing_else(
    server: Serving, behind: FileKeyring, identity: str
) -> None:
    right = RIGHTS[identity]
    named = {f"mac {name}" for name in right.macs if "mac" in right.verbs}
    named |= {f"sign {kind}" for kind in right.signs if "sign" in right.verbs}
    done = set()
    for name, call in calls(server.keyring(identity), behind.wrap(EPOCH, KEY, CONTEXT)).items():
        try:
            call()
        except Misconfigured as fault:
            assert (fault.code, fault.where) == ("keyring_denied", name.partition(" ")[0])
        else:
            done.add(name)
    assert done == (right.verbs - {"mac", "sign"}) | named


@pytest.mark.promise("P3", "P6")
def test_no_worker_holds_what_is_another_s() -> None:
    assert [one for one in IDENTITIES if may(one, "unwrap")] == ["prepare", "desk", "decide"]
    assert [one for one in IDENTITIES if may(one, "destroy_epoch")] == ["prepare", "expire"]
    for kind, signers in {
        "checkpoint": ["prepare", "seal"],
        "certificate": ["prepare", "expire"],
        "tombstones": ["prepare", "expire"],
        "note": ["prepare"],
        "other": ["prepare"],
    }.items():
        assert [one for one in IDENTITIES if may(one, "sign", message=STATEMENTS[kind])] == signers
    assert {verb for right in RIGHTS.values() for verb in right.verbs} == set(VERBS)


def test_statements_are_told_apart() -> None:
    assert {kind: kind_of(message) for kind, message in STATEMENTS.items()} == {kind: kind for kind in KINDS}
    for changed in (b"\n", b"[]", b"[1]", b"{}", b"[" * 100_000, STATEMENTS["checkpoint"] + b"\n", b"{\xff}"):
        assert kind_of(changed) == "other"


def test_faults_arrive_as_they_were_raised(server: Serving, behind: FileKeyring) -> None:
    keyring, wrapped = server.keyring(), behind.wrap(EPOCH, KEY, CONTEXT)
    for call, kind, code in [
        (lambda: keyring.unwrap(EPOCH, wrapped, b"another"), Tampered, "wrapped_key"),
        (lambda: keyring.wrap("gone", KEY, CONTEXT), Conflict, "epoch_gone"),
        (lambda: keyring.wrap(EPOCH, b"short", CONTEXT), BadInput, "data_key_length"),
        (lambda: keyring.versions("none"), Misconfigured, "keyring_key_unknown"),
    ]:
        with pytest.raises(kind, match=code):
            call()
    assert (keyring.provider, keyring.assurance) == ("file", "logical")


@pytest.mark.promise("P3")
def test_only_a_token_opens_and_only_to_its_user(tmp_path: Path, behind: FileKeyring) -> None:
    with serving(tmp_path / "s", behind, {"decide": (os.getuid() + 1,), "prove": (os.getuid(),)}) as server:
        server.token("expire").write_text("another")
        with pytest.raises(Misconfigured, match="keyring_denied"):
            server.keyring("expire").epochs()
        assert server.keyring("prove").epochs() == [EPOCH]
        if os.getuid() != 0:  # root may use every token: it reads every file anyway
            with pytest.raises(Misconfigured, match="keyring_denied"):
                server.keyring("decide").public_keys()
        server.token("prove").chmod(0o644)
        with pytest.raises(Misconfigured, match="keyring_mode"):
            server.keyring("prove").epochs()
        assert answers(server.socket)
    assert not answers(tmp_path / "nobody")
    for url in ("served:relative?token-file=/t", "served:/s", "served:/s?token=/t"):
        with pytest.raises(Misconfigured, match="keyring_url"):
            open_keyring(url)


def test_what_is_no_request_ends_the_connection_and_no_other(server: Serving) -> None:
    keyring = server.keyring("prove")
    assert keyring.epochs() == [EPOCH]
    for sent in (b"\xff\xff\xff\xff", struct.pack(">I", 3) + b"abc", struct.pack(">I", 2) + b"[]", b""):
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.settimeout(20)
            stranger.connect(str(server.socket))
            stranger.sendall(sent)
            stranger.shutdown(socket.SHUT_WR)
            while stranger.recv(1 << 16):
                pass
    assert keyring.epochs() == [EPOCH]


def connected(where: str | Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(LONGEST_S)
    made.connect(str(where))
    return made


def is_ended(over: socket.socket) -> bool:
    """By the server; TimeoutError where it does nothing for long."""
    try:
        return over.recv(1) == b""
    except ConnectionError:
        return True


@pytest.mark.promise("P5")
def test_a_greeting_is_short(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyserver, "GREETING_S", 3600.0)
    nested = b"[" * 4096
    for sent in (struct.pack(">I", 4097), struct.pack(">I", len(nested)) + nested):
        with connected(server.socket) as stranger:
            stranger.sendall(sent)
            assert is_ended(stranger)


@pytest.mark.promise("P5")
def test_a_greeting_has_one_deadline_however_it_drips(
    server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyserver, "GREETING_S", 1.0)
    with connected(server.socket) as stranger, pytest.raises(ConnectionError):
        stranger.sendall(struct.pack(">I", 4096))
        until = time.monotonic() + LONGEST_S
        while time.monotonic() < until:
            stranger.sendall(b" ")
            time.sleep(0.1)


@pytest.mark.promise("P5")
def test_who_holds_connections_without_a_word_holds_up_no_other_user(
    server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another system user where the test may become one; else this one, which is let in again when they end."""
    monkeypatch.setattr(keyserver, "GREETING_S", 3600.0)
    server.folder.chmod(0o711)
    ours, theirs = multiprocessing.get_context("fork").Pipe()

    def hold() -> None:
        os.chdir(server.folder)  # what lies above is closed to it
        if os.getuid() == 0:
            os.setuid(STRANGER)
        held = [connected(server.socket.name) for _ in range(keyserver.UNGREETED + 1)]
        theirs.send(is_ended(held[-1]))
        theirs.recv()

    holding = multiprocessing.get_context("fork").Process(target=hold)
    holding.start()
    try:
        assert ours.poll(LONGEST_S) and ours.recv() is True
        if os.getuid() == 0:
            assert server.keyring("expire").epochs() == [EPOCH]
        else:
            assert not answers(server.socket)
    finally:
        holding.kill()
        holding.join()
    until = time.monotonic() + LONGEST_S
    while not answers(server.socket):
        assert time.monotonic() < until
    assert server.keyring("expire").epochs() == [EPOCH]


@pytest.mark.promise("P8")
def test_threads_and_children_speak_over_connections_of_their_own(server: Serving) -> None:
    keyring, wrong = server.keyring(), []

    def work(number: int) -> None:
        for step in range(50):
            key = bytes([number, step]) * 16
            if keyring.unwrap(EPOCH, keyring.wrap(EPOCH, key, CONTEXT), CONTEXT) != key:
                wrong.append(number)

    def child() -> None:
        work(9)
        os._exit(1 if wrong else 0)

    forked = multiprocessing.get_context("fork").Process(target=child)
    forked.start()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    forked.join(60)
    assert (wrong, forked.exitcode) == ([], 0)


# A process of its own, as the arrangement starts it


@pytest.fixture
def share(tmp_path: Path) -> Settings:
    keys = FileKeyring(tmp_path / "keys")
    keys.prepare(first=True)
    keys.open_epoch(EPOCH)
    settings = Settings.make(tmp_path / "share")
    for identity in IDENTITIES:
        settings.secret(f"keyring-token-{identity}")
    (tmp_path / ("long" * 40)).mkdir()  # longer than a socket's name may be
    return settings.remember(keyring_given=f"file:{tmp_path / 'keys'}")


def start(share: Settings, where: Path, errors: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "CONSIGNE_STATE": str(share.state_dir),
        "PYTHONPATH": str(CHECKOUT / "include"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "consigne.doors.keyserver", str(where)], env=environment, stderr=errors
    )
    while not answers(where):
        assert process.poll() is None
        time.sleep(0.05)
    return process


@pytest.mark.promise("P8")
def test_killed_and_started_anew_it_goes_on(share: Settings, tmp_path: Path) -> None:
    where = tmp_path / ("long" * 40) / "keyring.sock"
    keyring = ServedKeyring(Server(where, share.state_dir / "secrets" / "keyring-token-prepare"))
    first = start(share, where)
    try:
        wrapped = keyring.wrap(EPOCH, KEY, CONTEXT)
        first.send_signal(signal.SIGKILL)
        first.wait(20)
        for call in (keyring.epochs, lambda: keyring.unwrap(EPOCH, wrapped, CONTEXT)):
            with pytest.raises(Unavailable):
                call()
        second = start(share, where)
        try:
            assert keyring.unwrap(EPOCH, wrapped, CONTEXT) == KEY
            keyring.rotate("draw")
            assert keyring.versions("draw") == [1, 2]
        finally:
            second.terminate()
        assert second.wait(20) == 0
    finally:
        first.kill()


@pytest.mark.promise("P5", "P8")
def test_without_a_descriptor_left_it_says_so_and_goes_on(share: Settings, tmp_path: Path) -> None:
    where, told = tmp_path / "keyring.sock", tmp_path / "errors"
    with told.open("wb") as errors:
        process = start(share, where, errors)
    try:
        soft, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        assert soft == hard
        most = psutil.Process(process.pid).num_fds() + 4
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (most, most))
        held = [connected(where) for _ in range(8)]
        until = time.monotonic() + LONGEST_S
        while b"EMFILE" not in told.read_bytes():
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.05)
        for one in held:
            one.close()
        assert answers(where)
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
