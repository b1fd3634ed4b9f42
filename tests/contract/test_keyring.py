"""The keyring's promises, on the fake, on real files, in a token and in a Transit engine."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consigne.acts.ports import Keyring
from consigne.adapters.keyring.file import FileKeyring
from consigne.adapters.keyring.open import open_keyring
from consigne.rules.errors import BadInput, Conflict, Misconfigured, Tampered, Unavailable
from contract.killing import killed_everywhere
from contract.memory import MemoryKeyring
from contract.serving import Serving, serving

EPOCH, OTHER = "training/2027-05-20/0", "training/2027-05-20/1"
KEY, CONTEXT = bytes(range(32)), b"artifact and attempt"


def made(folder: Path) -> FileKeyring:
    keyring = FileKeyring(folder)
    keyring.prepare(first=True)
    return keyring


@pytest.fixture(params=["memory", "file", pytest.param("pkcs11", marks=pytest.mark.hsm), "vault", "served"])
def keyring(request: pytest.FixtureRequest, tmp_path: Path) -> Keyring:
    if request.param == "memory":
        return MemoryKeyring()
    if request.param == "file":
        return made(tmp_path / "keyring")
    if request.param == "served":
        return request.getfixturevalue("served").keyring()
    found = request.getfixturevalue({"pkcs11": "token_url", "vault": "vault_url"}[request.param])
    keyring = open_keyring(found)
    keyring.prepare(first=True)
    return keyring


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Serving]:
    with serving(tmp_path / "server", made(tmp_path / "keyring")) as server:
        yield server


def test_a_data_key_comes_back(keyring: Keyring) -> None:
    keyring.open_epoch(EPOCH)
    wrapped = keyring.wrap(EPOCH, KEY, CONTEXT)
    assert KEY not in wrapped
    assert wrapped != keyring.wrap(EPOCH, KEY, CONTEXT)
    assert keyring.unwrap(EPOCH, wrapped, CONTEXT) == KEY


@pytest.mark.promise("P3")
def test_a_wrapped_key_is_bound_to_its_context_and_epoch(keyring: Keyring) -> None:
    keyring.open_epoch(EPOCH)
    keyring.open_epoch(OTHER)
    wrapped = keyring.wrap(EPOCH, KEY, CONTEXT)
    for epoch, context in [(OTHER, CONTEXT), (EPOCH, b"another"), (EPOCH, b"")]:
        with pytest.raises(Tampered):
            keyring.unwrap(epoch, wrapped, context)


@pytest.mark.promise("P3")
def test_every_altered_byte_of_a_wrapped_key_is_seen(keyring: Keyring) -> None:
    keyring.open_epoch(EPOCH)
    wrapped = keyring.wrap(EPOCH, KEY, CONTEXT)
    altered = [
        wrapped[:place] + bytes([wrapped[place] ^ 1]) + wrapped[place + 1 :] for place in range(len(wrapped))
    ]
    for bad in [*altered, b"", wrapped[:-1], wrapped + b"\0"]:
        with pytest.raises(Tampered):
            keyring.unwrap(EPOCH, bad, CONTEXT)


def test_only_whole_data_keys_are_wrapped(keyring: Keyring) -> None:
    keyring.open_epoch(EPOCH)
    with pytest.raises(BadInput):
        keyring.wrap(EPOCH, KEY[:16], CONTEXT)


def test_an_epoch_is_opened_once(keyring: Keyring) -> None:
    assert not keyring.epoch_lives(EPOCH)
    keyring.open_epoch(EPOCH)
    wrapped = keyring.wrap(EPOCH, KEY, CONTEXT)
    keyring.open_epoch(EPOCH)
    assert keyring.unwrap(EPOCH, wrapped, CONTEXT) == KEY
    assert keyring.epoch_lives(EPOCH)
    assert keyring.epochs() == [EPOCH]


@pytest.mark.promise("P6")
def test_a_destroyed_epoch_is_gone_and_its_name_reserved(keyring: Keyring) -> None:
    keyring.open_epoch(EPOCH)
    keyring.open_epoch(OTHER)
    wrapped = keyring.wrap(EPOCH, KEY, CONTEXT)
    for _ in range(2):
        keyring.destroy_epoch(EPOCH)
        assert not keyring.epoch_lives(EPOCH)
        assert keyring.epochs() == [OTHER]
        with pytest.raises(Conflict, match="epoch_gone"):
            keyring.unwrap(EPOCH, wrapped, CONTEXT)
        with pytest.raises(Conflict, match="epoch_gone"):
            keyring.wrap(EPOCH, KEY, CONTEXT)
        with pytest.raises(Conflict, match="epoch_destroyed"):
            keyring.open_epoch(EPOCH)


@pytest.mark.promise("P6")
def test_a_name_destroyed_before_it_was_opened_stays_reserved(keyring: Keyring) -> None:
    keyring.destroy_epoch(EPOCH)
    with pytest.raises(Conflict, match="epoch_destroyed"):
        keyring.open_epoch(EPOCH)


def test_names_of_epochs_come_back_as_they_were(keyring: Keyring) -> None:
    names = ["a/b", "a%2Fb", "..", ".x.key", "trial/2026-11-20T09:15/0", "é"]
    for name in names:
        keyring.open_epoch(name)
    assert keyring.epochs() == sorted(names)


def test_signatures_verify_under_the_named_key(keyring: Keyring) -> None:
    signature = keyring.sign(b"message")
    Ed25519PublicKey.from_public_bytes(keyring.public_keys()[signature.key]).verify(
        signature.bytes, b"message"
    )


def test_macs_differ_by_key_and_message_and_name_their_version(keyring: Keyring) -> None:
    names = ("blind-index", "tombstone", "draw")
    macs = {(name, message): keyring.mac(name, message) for name in names for message in (b"", b"a")}
    assert len({mac.digest for mac in macs.values()}) == 6
    for (name, message), mac in macs.items():
        assert keyring.mac(name, message, mac.version) == mac
    for name, version in [("signing", None), ("draw", 7)]:
        with pytest.raises(Misconfigured):
            keyring.mac(name, b"", version)


def test_a_rotated_key_is_used_from_then_on_and_the_old_one_stays(keyring: Keyring) -> None:
    for name in ("blind-index", "tombstone", "draw"):
        before = keyring.mac(name, b"m")
        assert keyring.versions(name) == [before.version] == [1]
        assert keyring.rotate(name) == 2
        assert keyring.versions(name) == [1, 2]
        after = keyring.mac(name, b"m")
        assert (after.version, after.digest != before.digest) == (2, True)
        assert keyring.mac(name, b"m", 1) == before
    for name in ("signing", "draw"):
        assert keyring.rotate(name) == keyring.versions(name)[-1]
    assert keyring.versions("blind-index") == [1, 2]


@pytest.mark.promise("P7")
def test_signatures_of_an_old_key_verify_after_its_rotation(keyring: Keyring) -> None:
    old = keyring.sign(b"message")
    for version in (2, 3):
        assert keyring.rotate("signing") == version
    new = keyring.sign(b"message")
    assert [*keyring.public_keys()] == ["signing-1", "signing-2", "signing-3"]
    assert (old.key, new.key) == ("signing-1", "signing-3")
    for signature in (old, new):
        key = Ed25519PublicKey.from_public_bytes(keyring.public_keys()[signature.key])
        key.verify(signature.bytes, b"message")


def test_what_was_wrapped_opens_after_every_rotation(keyring: Keyring) -> None:
    keyring.open_epoch(EPOCH)
    wrapped = keyring.wrap(EPOCH, KEY, CONTEXT)
    mac, signature = keyring.mac("draw", b""), keyring.sign(b"")
    for name in ("root", "signing", "root", "draw"):
        keyring.rotate(name)
    assert keyring.unwrap(EPOCH, wrapped, CONTEXT) == KEY
    assert keyring.mac("draw", b"", mac.version) == mac
    Ed25519PublicKey.from_public_bytes(keyring.public_keys()[signature.key]).verify(signature.bytes, b"")
    assert keyring.epochs() == [EPOCH]


def test_only_keys_that_are_there_rotate(keyring: Keyring) -> None:
    for call in (keyring.versions, keyring.rotate):
        with pytest.raises(Misconfigured, match="keyring_key_unknown"):
            call("epoch")


# The real files


def test_the_uri_names_the_provider(tmp_path: Path) -> None:
    keyring = open_keyring(f"file:{tmp_path / 'k'}")
    keyring.prepare(first=True)
    assert (keyring.provider, keyring.assurance) == ("file", "logical")
    for url in ("vault9:x", "file", "file:", "", "pkcs11:x", "vault:x"):
        with pytest.raises(Misconfigured, match="keyring_url"):
            open_keyring(url)


@pytest.mark.promise("P3")
def test_the_files_are_what_the_format_page_says(tmp_path: Path) -> None:
    keyring = made(tmp_path / "k")
    keyring.open_epoch(EPOCH)
    wrapped = keyring.wrap(EPOCH, KEY, CONTEXT)
    root = (tmp_path / "k/root.key").read_bytes()

    def opened(key: bytes, data: bytes, bound: bytes) -> bytes:
        assert (len(data), data[0]) == (61, 1)
        return AESGCM(key).decrypt(data[1:13], data[13:], bound)

    file = tmp_path / "k/epochs/training%2F2027-05-20%2F0.key"
    epoch_key = opened(root, file.read_bytes(), b"epoch:" + EPOCH.encode())
    assert opened(epoch_key, wrapped, struct.pack(">H", len(CONTEXT)) + CONTEXT + EPOCH.encode()) == KEY
    for name in ("signing-1", "blind-index-1", "tombstone-1", "draw-1"):
        assert (
            len(opened(root, (tmp_path / f"k/keys/{name}.key").read_bytes(), b"key:" + name.encode())) == 32
        )
    for path in [tmp_path / "k", *(tmp_path / "k").rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)


def test_a_second_preparation_changes_nothing(tmp_path: Path) -> None:
    keyring = made(tmp_path / "k")
    keyring.open_epoch(EPOCH)
    before = {path: path.read_bytes() for path in (tmp_path / "k").rglob("*") if path.is_file()}
    keyring.prepare(first=True)
    keyring.prepare(first=False)
    assert {path: path.read_bytes() for path in (tmp_path / "k").rglob("*") if path.is_file()} == before


@pytest.mark.promise("P6")
def test_a_keyring_that_is_away_is_not_one_whose_epochs_are_gone(tmp_path: Path) -> None:
    keyring = made(tmp_path / "k")
    keyring.open_epoch(EPOCH)
    wrapped = keyring.wrap(EPOCH, KEY, CONTEXT)
    (tmp_path / "k").rename(tmp_path / "away")
    for empty in (False, True):
        if empty:
            (tmp_path / "k").mkdir()  # the mount point without its mount
        for call in (
            lambda: keyring.epoch_lives(EPOCH), keyring.epochs, lambda: keyring.open_epoch(EPOCH),
            lambda: keyring.destroy_epoch(EPOCH), lambda: keyring.wrap(EPOCH, KEY, CONTEXT),
            lambda: keyring.unwrap(EPOCH, wrapped, CONTEXT), lambda: keyring.sign(b""), keyring.public_keys,
            lambda: keyring.mac("draw", b""), lambda: keyring.prepare(first=False),
        ):  # fmt: skip
            with pytest.raises(Unavailable):
                call()
    assert list((tmp_path / "k").iterdir()) == []
    (tmp_path / "k").rmdir()
    (tmp_path / "away").rename(tmp_path / "k")
    assert keyring.unwrap(EPOCH, wrapped, CONTEXT) == KEY


def test_keys_without_their_root_get_no_new_one(tmp_path: Path) -> None:
    keyring = made(tmp_path / "k")
    (tmp_path / "k/root.key").rename(tmp_path / "root.key")
    with pytest.raises(Misconfigured, match="keyring_root_missing"):
        keyring.prepare(first=True)


def test_a_root_that_others_may_read_is_refused(tmp_path: Path) -> None:
    keyring = made(tmp_path / "k")
    (tmp_path / "k/root.key").chmod(0o640)
    with pytest.raises(Misconfigured, match="keyring_mode"):
        keyring.sign(b"")


def test_an_altered_key_file_is_seen(tmp_path: Path) -> None:
    keyring = made(tmp_path / "k")
    keyring.open_epoch(EPOCH)
    keyring.open_epoch(OTHER)
    files = sorted((tmp_path / "k/epochs").iterdir())
    files[0].write_bytes(files[1].read_bytes())
    with pytest.raises(Tampered):
        keyring.wrap(EPOCH, KEY, CONTEXT)


@pytest.mark.promise("P6")
def test_what_another_process_destroyed_is_gone_here_too(tmp_path: Path) -> None:
    here, there = made(tmp_path / "k"), FileKeyring(tmp_path / "k")
    here.open_epoch(EPOCH)
    wrapped = here.wrap(EPOCH, KEY, CONTEXT)
    there.destroy_epoch(EPOCH)
    with pytest.raises(Conflict, match="epoch_gone"):
        here.unwrap(EPOCH, wrapped, CONTEXT)


@pytest.mark.promise("P6")
def test_a_restored_key_file_does_not_bring_a_destroyed_epoch_back(tmp_path: Path) -> None:
    keyring = made(tmp_path / "k")
    keyring.open_epoch(EPOCH)
    wrapped = keyring.wrap(EPOCH, KEY, CONTEXT)
    shutil.copytree(tmp_path / "k/epochs", tmp_path / "backup")
    keyring.destroy_epoch(EPOCH)
    shutil.copytree(tmp_path / "backup", tmp_path / "k/epochs", dirs_exist_ok=True)
    with pytest.raises(Conflict, match="epoch_gone"):
        keyring.unwrap(EPOCH, wrapped, CONTEXT)
    keyring.prepare(first=False)
    assert not keyring.epoch_lives(EPOCH)


def _open_and_wrap(folder: Path) -> bytes:
    keyring = FileKeyring(folder)
    keyring.open_epoch(EPOCH)
    return keyring.wrap(EPOCH, KEY, CONTEXT)


@pytest.mark.promise("P8")
def test_processes_that_open_the_same_epoch_end_with_one_key(tmp_path: Path) -> None:
    keyring = made(tmp_path / "k")
    with multiprocessing.get_context("fork").Pool(4) as pool:
        for wrapped in pool.map(_open_and_wrap, [tmp_path / "k"] * 16, chunksize=1):
            assert keyring.unwrap(EPOCH, wrapped, CONTEXT) == KEY


@pytest.mark.promise("P8")
def test_killed_while_it_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "k"
    deaths = 0
    for _ in killed_everywhere(lambda: shutil.rmtree(folder, ignore_errors=True), lambda: made(folder)):
        deaths += 1
        keyring = made(folder)
        assert keyring.mac("tombstone", b"").version == 1
        keyring.sign(b"")
        assert not list(folder.rglob("*.unfinished"))
    assert deaths > 20


@pytest.mark.promise("P8")
def test_killed_while_an_epoch_is_opened(tmp_path: Path) -> None:
    folder = tmp_path / "k"
    keyring = made(folder)
    deaths = 0

    def afresh() -> None:
        for path in (folder / "epochs").iterdir():
            path.unlink()

    for _ in killed_everywhere(afresh, lambda: keyring.open_epoch(EPOCH)):
        deaths += 1
        keyring.open_epoch(EPOCH)
        wrapped = keyring.wrap(EPOCH, KEY, CONTEXT)
        keyring.open_epoch(EPOCH)
        assert keyring.unwrap(EPOCH, wrapped, CONTEXT) == KEY
        keyring.prepare(first=False)
        assert [path.suffix for path in (folder / "epochs").iterdir()] == [".key"]
    assert deaths > 5


@pytest.mark.promise("P6")
@pytest.mark.promise("P8")
@pytest.mark.parametrize("finish", ["the next start", "the next try"])
def test_killed_while_an_epoch_is_destroyed(tmp_path: Path, finish: str) -> None:
    """Either nothing has happened yet, or the name is reserved, nothing opens any more, and what comes next
    finishes it."""
    folder = tmp_path / "k"
    keyring = made(folder)
    wrapped = b""
    ends = set()

    def afresh() -> None:
        nonlocal wrapped
        for path in [*(folder / "epochs").iterdir(), *(folder / "destroyed").iterdir()]:
            path.unlink()
        keyring.open_epoch(EPOCH)
        wrapped = keyring.wrap(EPOCH, KEY, CONTEXT)

    for _ in killed_everywhere(afresh, lambda: keyring.destroy_epoch(EPOCH)):
        reserved = any(path.suffix == ".gone" for path in (folder / "destroyed").iterdir())
        ends.add(reserved)
        if not reserved:
            assert keyring.unwrap(EPOCH, wrapped, CONTEXT) == KEY
            continue
        with pytest.raises(Conflict, match="epoch_gone"):
            keyring.unwrap(EPOCH, wrapped, CONTEXT)
        if finish == "the next start":
            FileKeyring(folder).prepare(first=False)
        else:
            FileKeyring(folder).destroy_epoch(EPOCH)
        assert not keyring.epoch_lives(EPOCH)
        assert list((folder / "epochs").iterdir()) == []
        with pytest.raises(Conflict, match="epoch_destroyed"):
            keyring.open_epoch(EPOCH)
    assert ends == {False, True}


@pytest.mark.promise("P6")
def test_a_destroyed_key_is_overwritten_before_it_is_unlinked(tmp_path: Path) -> None:
    keyring = made(tmp_path / "k")
    keyring.open_epoch(EPOCH)
    (file,) = (tmp_path / "k/epochs").iterdir()
    second_name = tmp_path / "second name of the same blocks"
    os.link(file, second_name)
    before = second_name.read_bytes()
    keyring.destroy_epoch(EPOCH)
    assert len(second_name.read_bytes()) == len(before)
    assert second_name.read_bytes()[1:] != before[1:]


def _opens_all(folder: Path, wrapped: bytes, mac: bytes) -> None:
    keyring = FileKeyring(folder)
    assert keyring.unwrap(EPOCH, wrapped, CONTEXT) == KEY
    assert keyring.mac("draw", b"", 1).digest == mac
    keyring.sign(b"")


@pytest.mark.promise("P8")
def test_killed_while_the_root_is_rotated(tmp_path: Path) -> None:
    """At every point all opens, new keys too, and what comes next leaves one root, which is not the old one."""
    folder, kept = tmp_path / "k", tmp_path / "kept"
    keyring = made(folder)
    keyring.open_epoch(EPOCH)
    wrapped, mac = keyring.wrap(EPOCH, KEY, CONTEXT), keyring.mac("draw", b"").digest
    old = (folder / "root.key").read_bytes()
    shutil.copytree(folder, kept)
    roots = set()

    def afresh() -> None:
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)

    for deaths in killed_everywhere(afresh, lambda: keyring.rotate("root")):
        roots.add(len(list(folder.glob("root*.key"))))
        _opens_all(folder, wrapped, mac)
        name = f"made after death {deaths}"
        keyring.open_epoch(name)
        later = keyring.wrap(name, KEY, CONTEXT)
        finish = ("the next start", "the next try")[deaths % 2]
        if finish == "the next start":
            keyring.prepare(first=False)
        else:
            keyring.rotate("root")
        _opens_all(folder, wrapped, mac)
        assert keyring.unwrap(name, later, CONTEXT) == KEY
        [root] = folder.glob("root*.key")
        assert (root.read_bytes() == old) == (root.name == "root.key")
        assert root.name != "root.key" or finish == "the next start"  # it died before there was a new one
        assert not list(folder.rglob("*.unfinished")) or finish == "the next try"
    assert roots == {1, 2}


@pytest.mark.promise("P6")
def test_the_old_root_opens_nothing_and_is_overwritten(tmp_path: Path) -> None:
    keyring = made(tmp_path / "k")
    keyring.open_epoch(EPOCH)
    old = (tmp_path / "k/root.key").read_bytes()
    os.link(tmp_path / "k/root.key", tmp_path / "second name of the same blocks")
    assert (keyring.rotate("root"), keyring.rotate("root")) == (2, 3)
    assert [path.name for path in (tmp_path / "k").glob("root*")] == ["root-3.key"]
    assert (tmp_path / "second name of the same blocks").read_bytes() != old
    for path in [*(tmp_path / "k/epochs").iterdir(), *(tmp_path / "k/keys").iterdir()]:
        bound = f"epoch:{EPOCH}" if path.parent.name == "epochs" else f"key:{path.stem}"
        with pytest.raises(InvalidTag):
            AESGCM(old).decrypt(path.read_bytes()[1:13], path.read_bytes()[13:], bound.encode())


def test_a_damaged_key_stops_no_rotation_and_stays_damaged(tmp_path: Path) -> None:
    keyring = made(tmp_path / "k")
    for name in (EPOCH, OTHER):
        keyring.open_epoch(name)
    wrapped = keyring.wrap(EPOCH, KEY, CONTEXT)
    (tmp_path / "k/epochs/training%2F2027-05-20%2F1.key").write_bytes(b"not a key")
    assert keyring.rotate("root") == 2
    assert keyring.unwrap(EPOCH, wrapped, CONTEXT) == KEY
    with pytest.raises(Tampered):
        keyring.wrap(OTHER, KEY, CONTEXT)


@pytest.mark.promise("P8")
def test_readers_do_not_notice_a_rotation_of_the_root(tmp_path: Path) -> None:
    keyring = made(tmp_path / "k")
    keyring.open_epoch(EPOCH)
    wrapped = keyring.wrap(EPOCH, KEY, CONTEXT)
    stop = multiprocessing.get_context("fork").Event()

    def read() -> None:
        while not stop.is_set():
            _opens_all(tmp_path / "k", wrapped, keyring.mac("draw", b"", 1).digest)

    readers = [multiprocessing.get_context("fork").Process(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(20):
        keyring.rotate("root")
    stop.set()
    for reader in readers:
        reader.join(30)
    assert [reader.exitcode for reader in readers] == [0, 0]
