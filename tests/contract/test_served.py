"""The key server: who may ask what of it, and what happens to those who ask when it goes."""

from __future__ import annotations

import json
import logging
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
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import psutil
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consigne.acts.ports import Keyring
from consigne.acts.tombstones import STATEMENT_BYTES
from consigne.adapters.keyring.file import FileKeyring
from consigne.adapters.keyring.framing import ANSWER_BYTES, opened, receive, send
from consigne.adapters.keyring.open import open_keyring
from consigne.adapters.keyring.rights import IDENTITIES, KINDS, RIGHTS, VERBS, kind_of, may, most_bytes
from consigne.adapters.keyring.served import ServedKeyring, Server, answers
from consigne.doors import keyserver
from consigne.doors.arrangement import SERVICES
from consigne.doors.settings import CHECKOUT, Settings
from consigne.rules.errors import BadInput, Conflict, ConsigneError, Misconfigured, Tampered, Unavailable
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
    for changed in (
        b"\n",
        b"[]",
        b"[1]",
        b"{}",
        b"[" * 100_000,
        STATEMENTS["checkpoint"] + b"\n",
        b"{\xff}",
    ):
        assert kind_of(changed) == "other"
    tombstone = STATEMENTS["tombstones"].strip(b"[]\n")
    assert kind_of(b"[" + b",".join([tombstone] * 10_000) + b"]") == "tombstones"
    assert kind_of(b"[" + tombstone[:-1] + b',"more":[' + b"{}," * 20_000 + b"1]}]") == "other"


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


def framed(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


def greeted(where: Path, token: Path) -> socket.socket:
    over = connected(where)
    send(over, {"token": token.read_text().strip()})
    assert opened(receive(over, ANSWER_BYTES)) == ["file", "logical"]
    return over


def begun(over: socket.socket, length: int) -> socket.socket:
    """A request of which as much is sent as goes without waiting, and never all."""
    over.setblocking(False)
    over.send(struct.pack(">I", length) + b" " * (length - 1))
    over.settimeout(LONGEST_S)
    return over


@pytest.mark.promise("P5")
@pytest.mark.parametrize("identity", IDENTITIES)
def test_a_request_longer_than_an_identity_needs_is_refused_before_it_is_read(
    server: Serving, identity: str
) -> None:
    most = most_bytes(identity)
    assert (most > 64 * 1024) == bool(RIGHTS[identity].signs & {"masked", "tombstones"})
    with greeted(server.socket, server.token(identity)) as over:
        over.sendall(struct.pack(">I", most + 1))
        with pytest.raises(BadInput, match="keyring_request"):
            opened(receive(over, ANSWER_BYTES))
        assert is_ended(over)


def test_who_asks_for_too_much_is_told_and_goes_on(server: Serving) -> None:
    keyring = server.keyring("prove")
    for _ in range(2):
        with pytest.raises(BadInput, match="keyring_request"):
            keyring.epoch_lives("e" * 5_000_000)
        assert keyring.epochs() == [EPOCH]


def tombstones(size: int) -> bytes:
    one = json.dumps({"artifact": "a", "erasing_at": "b", "identity_digest": "c" * 700}).encode()
    return b"[" + b",".join([one] * (size // (len(one) + 1))) + b"]\n"


def test_the_longest_statements_of_ours_are_signed(server: Serving) -> None:
    spans = [{"start_ms": 2**31 + n, "end_ms": 2**31 + n, "kind": "expiry"} for n in range(10_000)]
    statement = masked_statement("a" * 36, "b" * 36, spans)
    for identity, message in (("expire", tombstones(STATEMENT_BYTES)), ("ingest", statement)):
        assert len(server.keyring(identity).sign(message).bytes) == 64


def is_ended_though_it_drips(over: socket.socket) -> bool:
    over.settimeout(0.1)
    until = time.monotonic() + LONGEST_S
    while time.monotonic() < until:
        try:
            over.sendall(b" ")
            return is_ended(over)
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


@pytest.mark.promise("P5")
def test_a_request_that_has_begun_has_a_deadline_and_a_resting_connection_none(
    tmp_path: Path, behind: FileKeyring
) -> None:
    with serving(tmp_path / "s", behind, frame_s=0.5) as server:
        resting = server.keyring("prove")
        assert resting.epochs() == [EPOCH]
        kept = resting._connection(fresh=False)[0]
        for begun_with in (b"\0", struct.pack(">I", 1000), framed(b" " * 1000)[:-1]):
            with greeted(server.socket, server.token("prove")) as over:
                over.sendall(begun_with)
                assert is_ended(over)
        with greeted(server.socket, server.token("prove")) as over:
            over.sendall(struct.pack(">I", 60_000))
            assert is_ended_though_it_drips(over)
        with greeted(server.socket, server.token("prove")) as over, pytest.raises(ConnectionError):
            while True:  # whoever takes no answer; TimeoutError where the server waits for it
                send(over, {"verb": "epochs", "values": {}})
        assert resting.epochs() == [EPOCH]
        assert resting._connection(fresh=False) == (kept, True)


@pytest.mark.promise("P5")
def test_unfinished_requests_hold_up_no_other_identity_and_their_own_until_they_end(
    tmp_path: Path, behind: FileKeyring
) -> None:
    with serving(tmp_path / "s", behind, frame_s=3600.0) as server:
        desk = server.keyring("desk")
        assert desk.versions("draw") == [1]
        held = [begun(greeted(server.socket, server.token("desk")), most_bytes("desk")) for _ in range(100)]
        signer = server.keyring("expire")
        assert len(signer.sign(tombstones(STATEMENT_BYTES)).bytes) == 64
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(desk.versions, "draw")
            assert server.keyring("prove").epochs() == [EPOCH]
            assert not waiting.done()
            for one in held:
                one.close()
            assert waiting.result(LONGEST_S) == [1]


def test_a_request_of_many_small_values_is_not_parsed(server: Serving) -> None:
    with greeted(server.socket, server.token("prove")) as over:
        over.sendall(framed(b'{"verb":"epochs","values":{},"more":[' + b"{}," * 10_000 + b"1]}"))
        assert is_ended(over)


@pytest.mark.parametrize(
    ("verb", "values"),
    [
        ("versions", {"name": 5}),
        ("mac", {"name": "draw", "message": "m"}),
        ("mac", {"name": "draw", "message": b"m", "version": "1"}),
        ("wrap", {"epoch": None, "key": KEY, "context": CONTEXT}),
        ("prepare", {"first": 1}),
        ("epochs", {"other": 1}),
        ("none", {}),
    ],
)
def test_no_keyring_is_asked_for_what_is_of_another_type(
    server: Serving, behind: FileKeyring, monkeypatch: pytest.MonkeyPatch, verb: str, values: dict[str, Any]
) -> None:
    monkeypatch.setattr(behind, verb, lambda **_: [], raising=False)
    with pytest.raises(BadInput, match="keyring_request"):
        server.keyring()._ask(verb, **values)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["b64", "token", "verb", "values", "name"]), inner, max_size=4)
        | st.fixed_dictionaries({"b64": inner})
    ),
    max_leaves=8,
)
VALUES = st.dictionaries(
    st.sampled_from(["name", "epoch", "key", "context", "wrapped", "message", "version", "first", "other"]),
    st.sampled_from([EPOCH, "draw", "tombstone", KEY]) | st.binary(max_size=40) | JSON,
)
REQUESTS = st.fixed_dictionaries({"verb": st.sampled_from(VERBS) | JSON, "values": VALUES | JSON}) | JSON


def body_of(request: object) -> bytes:
    def written(value: object) -> object:
        assert isinstance(value, bytes)
        return {"b64": b64encode(value).decode()}

    return json.dumps(request, default=written).encode()


@pytest.mark.promise("P3")
def test_what_is_malformed_is_answered_or_ends_the_connection_without_a_word_in_the_log(
    server: Serving, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    escaped = []
    monkeypatch.setattr(threading, "excepthook", escaped.append)
    caplog.set_level(logging.ERROR, "consigne")

    def exchange(over: socket.socket, body: bytes) -> None:
        with over:
            over.sendall(framed(body))
            over.shutdown(socket.SHUT_WR)
            answer = receive(over, ANSWER_BYTES)
            while answer is not None:
                try:
                    opened(answer)
                except ConsigneError as fault:
                    assert fault.code != "keyring_fault", fault
                answer = receive(over, ANSWER_BYTES)

    @settings(max_examples=300, deadline=None)
    @given(REQUESTS.map(body_of) | st.binary(max_size=40))
    @example(b'{"b64":5}')
    @example(b'{"verb":{"b64":5},"values":{}}')
    @example(b'{"verb":"epochs","values":[]}')
    @example(b'{"verb":"\\ud800","values":{}}')
    @example(b"[" * 60)
    @example(b"")
    def is_met(body: bytes) -> None:
        exchange(connected(server.socket), body)
        exchange(greeted(server.socket, server.token("prepare")), body)

    is_met()
    for thread in threading.enumerate():
        if "_attend" in thread.name:
            thread.join(LONGEST_S)
    assert (escaped, caplog.records) == ([], [])


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


@pytest.mark.promise("P5", "P8")
def test_whatever_is_asked_at_once_it_stays_within_the_memory_that_it_is_given(
    share: Settings, tmp_path: Path
) -> None:
    where = tmp_path / "keyring.sock"
    process = start(share, where)

    def token(identity: str) -> Path:
        return share.state_dir / "secrets" / f"keyring-token-{identity}"

    def is_signed(identity: str) -> bool:
        keyring, message = ServedKeyring(Server(where, token(identity))), tombstones(STATEMENT_BYTES)
        signature = keyring.sign(message)
        key = Ed25519PublicKey.from_public_bytes(keyring.public_keys()[signature.key])
        key.verify(signature.bytes, message)
        return True

    def is_refused(identity: str, part: bytes) -> bool:
        message = b"[" + part * (700_000 // len(part)) + b"1]"
        with pytest.raises(Misconfigured, match="keyring_denied"):
            ServedKeyring(Server(where, token(identity))).sign(message)
        return True

    try:
        with pytest.raises(BadInput):
            ServedKeyring(Server(where, token("prove"))).epoch_lives("e" * 4_170_000)
        held = [
            begun(greeted(where, token(one)), most_bytes(one))
            for one in ("prove", "desk", "decide")
            for _ in range(100)
        ]
        with ThreadPoolExecutor(100) as pool:
            done = [pool.submit(is_signed, identity) for identity in ("expire", "prepare") for _ in range(20)]
            assert all(one.result(120) for one in done)
            for over in held:
                over.close()
            for part in (b"{},", b'{"":1},', b'"ab",'):
                done += [
                    pool.submit(is_refused, identity, part)
                    for identity in ("ingest", "desk", "decide", "expire")
                    for _ in range(5)
                ]
            assert all(one.result(120) for one in done)
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak_kib = int(status.partition("VmHWM:")[2].split()[0])
        [given_mib] = [one.memory_mib for one in SERVICES if one.name == "keyring"]
        assert peak_kib < given_mib * 1024
    finally:
        process.kill()
        process.wait(20)
