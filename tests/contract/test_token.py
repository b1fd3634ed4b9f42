"""A keyring in a token: what PKCS#11 itself brings along (SoftHSM2)."""

from __future__ import annotations

import os
import shutil
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from pkcs11 import Attribute, ObjectClass
from pkcs11 import exceptions as faults
from pkcs11.types import Session

from consigne.adapters.keyring.open import open_keyring
from consigne.adapters.keyring.pkcs11 import Pkcs11Keyring
from consigne.adapters.keyring.token import Token, read_uri
from consigne.rules.errors import Conflict, Misconfigured, Unavailable
from contract.keyrings import MODULE, PIN, SoftHsm, make_token

pytestmark = pytest.mark.hsm
EPOCH, OTHER = "training/2027-05-20/0", "training/2027-05-20/1"
KEY, CONTEXT = bytes(range(32)), b"artifact and attempt"


def opened(url: str) -> Pkcs11Keyring:
    return Pkcs11Keyring(read_uri(url.removeprefix("pkcs11:")))


@pytest.fixture
def keyring(token_url: str) -> Pkcs11Keyring:
    keyring = opened(token_url)
    keyring.prepare(first=True)
    return keyring


def in_token(url: str, act: Callable[[Session], object]) -> object:
    return Token(read_uri(url.removeprefix("pkcs11:"))).run(lambda opened: act(opened.session))


def in_child(act: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        try:
            act()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.promise("P3")
def test_no_key_can_be_read_out_of_the_token(keyring: Pkcs11Keyring, token_url: str) -> None:
    keyring.open_epoch(EPOCH)
    keyring.rotate("draw")

    def read(session: Session) -> int:
        found = 0
        prefix = read_uri(token_url.removeprefix("pkcs11:")).prefix
        for kind in (ObjectClass.SECRET_KEY, ObjectClass.PRIVATE_KEY):
            for key in session.get_objects({Attribute.CLASS: kind}):
                if not str(key[Attribute.LABEL]).startswith(f"{prefix}:"):
                    continue
                found += 1
                assert (key[Attribute.SENSITIVE], key[Attribute.EXTRACTABLE]) == (True, False)
                with pytest.raises(faults.AttributeSensitive):
                    key[Attribute.VALUE]
        return found

    assert in_token(token_url, read) == 6


@pytest.mark.promise("P6")
def test_a_destroyed_key_is_no_object_of_the_token_any_more(
    keyring: Pkcs11Keyring, token_url: str, softhsm: SoftHsm
) -> None:
    keyring.open_epoch(OTHER)
    keyring.open_epoch(EPOCH)
    before = set(softhsm.tokens.rglob("*.object"))
    keyring.destroy_epoch(EPOCH)
    after = set(softhsm.tokens.rglob("*.object"))
    assert len(before - after) == 1 and len(after - before) == 1  # the key, and the name that is reserved
    assert in_child(lambda: _expect(not opened(token_url).epoch_lives(EPOCH))) == 0


def _expect(holds: bool) -> None:
    assert holds


@pytest.mark.promise("P8")
def test_a_forked_task_uses_the_token_and_its_parent_still_does(keyring: Pkcs11Keyring) -> None:
    keyring.open_epoch(EPOCH)
    wrapped = keyring.wrap(EPOCH, KEY, CONTEXT)

    def task() -> None:
        _expect(keyring.unwrap(EPOCH, wrapped, CONTEXT) == KEY)
        keyring.open_epoch(OTHER)
        keyring.destroy_epoch(EPOCH)

    assert in_child(task) == 0
    assert keyring.epochs() == [OTHER]
    with pytest.raises(Conflict, match="epoch_gone"):
        keyring.unwrap(EPOCH, wrapped, CONTEXT)


def test_threads_share_the_token(keyring: Pkcs11Keyring) -> None:
    keyring.open_epoch(EPOCH)
    right: list[bool] = []

    def work(number: int) -> None:
        key = bytes([number]) * 32
        right.extend(
            keyring.unwrap(EPOCH, keyring.wrap(EPOCH, key, CONTEXT), CONTEXT) == key for _ in range(20)
        )

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [True] * 80


@pytest.mark.promise("P6")
def test_a_token_that_is_away_is_not_one_whose_epochs_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = make_token(tmp_path)
    monkeypatch.setenv("SOFTHSM2_CONF", str(token.settings))

    def lives() -> None:
        keyring = open_keyring(token.url())
        keyring.prepare(first=True)
        keyring.open_epoch(EPOCH)
        wrapped = keyring.wrap(EPOCH, KEY, CONTEXT)
        away = tmp_path / "away"
        token.tokens.rename(away)
        token.tokens.mkdir()
        calls: tuple[Callable[[], object], ...] = (
            lambda: keyring.epoch_lives(EPOCH), keyring.epochs, lambda: keyring.open_epoch(EPOCH),
            lambda: keyring.destroy_epoch(EPOCH), lambda: keyring.unwrap(EPOCH, wrapped, CONTEXT),
            lambda: keyring.sign(b""), lambda: keyring.mac("draw", b""), lambda: keyring.prepare(first=False),
        )  # fmt: skip
        for call in calls:
            with pytest.raises(Unavailable):
                call()
        with pytest.raises(Misconfigured, match="keyring_token"):
            keyring.check()
        token.tokens.rmdir()
        away.rename(token.tokens)
        _expect(keyring.unwrap(EPOCH, wrapped, CONTEXT) == KEY)

    assert in_child(lives) == 0  # apart: the module has one configuration a process


@pytest.mark.promise("P6")
def test_a_token_without_our_keys_is_away_too(token_url: str) -> None:
    """It was initialised anew, or is another of the same name."""
    keyring = opened(token_url)
    calls: tuple[Callable[[], object], ...] = (
        keyring.epochs, lambda: keyring.open_epoch(EPOCH), lambda: keyring.epoch_lives(EPOCH),
        lambda: keyring.destroy_epoch(EPOCH), lambda: keyring.mac("draw", b""), lambda: keyring.sign(b""),
        lambda: keyring.wrap(EPOCH, KEY, CONTEXT),
    )  # fmt: skip
    for call in calls:
        with pytest.raises(Unavailable):
            call()


@pytest.mark.promise("P6")
def test_a_destruction_that_a_kill_interrupted_is_finished(keyring: Pkcs11Keyring, token_url: str) -> None:
    keyring.open_epoch(EPOCH)
    prefix = read_uri(token_url.removeprefix("pkcs11:")).prefix
    marker = {
        Attribute.CLASS: ObjectClass.DATA, Attribute.TOKEN: True, Attribute.PRIVATE: True,
        Attribute.LABEL: f"{prefix}:gone:{EPOCH}", Attribute.VALUE: b"\x01",
    }  # fmt: skip
    in_token(token_url, lambda session: session.create_object(marker))
    assert keyring.epoch_lives(EPOCH)
    with pytest.raises(Conflict, match="epoch_destroyed"):
        keyring.open_epoch(EPOCH)
    keyring.prepare(first=False)
    assert not keyring.epoch_lives(EPOCH)


@pytest.mark.promise("P6")
def test_a_key_that_two_processes_made_at_once_opens_and_dies_as_one(
    keyring: Pkcs11Keyring, token_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring.open_epoch(EPOCH)
    first = keyring.wrap(EPOCH, KEY, CONTEXT)
    with monkeypatch.context() as patch:
        patch.setattr(Pkcs11Keyring, "_epoch_keys", lambda *_: [])  # it does not see the other's yet
        keyring.open_epoch(EPOCH)
    assert keyring.epochs() == [EPOCH]
    for wrapped in (first, keyring.wrap(EPOCH, KEY, CONTEXT)):
        assert keyring.unwrap(EPOCH, wrapped, CONTEXT) == KEY
    keyring.destroy_epoch(EPOCH)
    assert not keyring.epoch_lives(EPOCH)


def test_what_is_missing_is_said_at_once(token_url: str, tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    good = token_url.partition("pin-source=file:")[2]

    def check(url: str) -> None:
        open_keyring(url).check()

    check(token_url)
    for url, code in [
        (token_url.replace(MODULE, "/nowhere/module.so"), "keyring_module"),
        (token_url.replace(MODULE, good), "keyring_module"),
        (token_url.replace("token=consigne", "token=another"), "keyring_token"),
        (token_url.replace(good, str(pin)), "keyring_pin"),
    ]:
        with pytest.raises(Misconfigured, match=code):
            check(url)
    pin.write_text(PIN)
    pin.chmod(0o640)
    with pytest.raises(Misconfigured, match="keyring_mode"):
        check(token_url.replace(good, str(pin)))


def test_a_wrong_pin_is_said_without_it(token_url: str, tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    pin.write_text("9999-wrong")
    pin.chmod(0o600)
    url = token_url.replace(token_url.partition("pin-source=file:")[2], str(pin))

    def refused() -> None:
        with pytest.raises(Misconfigured, match="keyring_pin") as fault:
            open_keyring(url).check()
        _expect("9999" not in str(fault.value))

    assert in_child(refused) == 0  # this process is logged in already


def test_a_pin_has_no_place_in_a_url(token_url: str) -> None:
    for url in (
        f"{token_url}&pin-value=1234",
        token_url.replace("pin-source", "pin-value"),
        "pkcs11:",
        "pkcs11:?",
    ):
        with pytest.raises(Misconfigured, match="keyring_url") as fault:
            open_keyring(url)
        assert "1234" not in str(fault.value)


def test_percent_signs_in_a_url_are_read(softhsm: SoftHsm) -> None:
    place = read_uri("token=two%20words;object=a%3Bb?module-path=/m%20n.so&pin-source=file:///p%26q")
    assert (place.token, place.prefix, place.module, str(place.pin)) == (
        "two words",
        "a;b",
        "/m n.so",
        "/p&q",
    )
    assert shutil.which("softhsm2-util")
