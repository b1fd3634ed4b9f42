"""The keyring in a Transit engine of Vault or OpenBao: keys are made there and never exported.

Keys, by name (docs/formats.md): `consigne-epoch-<name>` (AES-256-GCM), `consigne-gone-<name>` (never used: that name
gets no key again), `consigne-signing` (Ed25519), `consigne-blind-index`, `-tombstone`, `-draw` (HMAC-SHA-256); versions
are Transit's own. In names all but ASCII letters and digits is written `_` and two hex digits a byte.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from typing import Any, Final

from hvac.exceptions import InvalidPath, InvalidRequest

from consigne.acts.ports import Mac, Signature
from consigne.adapters.keyring.transit import Engine, Transit
from consigne.adapters.keyring.wrapping import MACS, NAMES, SIGNING, bind, check_data_key, check_name
from consigne.rules.errors import Conflict, Misconfigured, Tampered, Unavailable

_EPOCH: Final = "consigne-epoch-"
_GONE: Final = "consigne-gone-"
_AES: Final = "aes256-gcm96"
_WRAPPED: Final = re.compile(rb"vault:v[1-9][0-9]*:[A-Za-z0-9+/]{80}")
"""Transit reads version 0 as 1: only one writing of a wrapped key is let through."""


class VaultKeyring:
    """Nothing is contacted before the first call."""

    provider: Final = "vault"
    assurance: Final = "provider-attested"

    def __init__(self, engine: Engine) -> None:
        self._transit = Transit(engine)

    def check(self) -> None:
        """Misconfigured where the token's file is missing."""
        self._transit.check()

    def prepare(self, first: bool) -> None:
        """Finish every destruction that a kill interrupted. With `first`, make what is missing: say it only while
        nothing was ever stored."""
        self._transit.make_no_key_by_encrypting()
        if first:
            self._make(_key(SIGNING), "ed25519")
            for name in MACS:
                self._make(_key(name), _AES)
        self._look()
        for name in self._named(_GONE) & self._named(_EPOCH):
            self._destroy(name)

    def open_epoch(self, name: str) -> None:
        self._look()
        if self._exists(_GONE + _encode(name)):
            raise Conflict("epoch_destroyed", name)
        self._make(_EPOCH + _encode(name), _AES)
        if self._exists(
            _GONE + _encode(name)
        ):  # destroyed meanwhile: the marker comes before the destruction
            self._destroy(name)
            raise Conflict("epoch_destroyed", name)

    def epoch_lives(self, name: str) -> bool:
        self._look()
        return self._exists(_EPOCH + _encode(name))

    def epochs(self) -> list[str]:
        self._look()
        return sorted(self._named(_EPOCH))

    def destroy_epoch(self, name: str) -> None:
        self._look()
        self._make(
            _GONE + _encode(name), _AES
        )  # first: killed after this line, nothing uses the key any more
        self._destroy(name)

    def wrap(self, epoch: str, key: bytes, context: bytes) -> bytes:
        check_data_key(key)
        self._ready(epoch)
        bound = _text(bind(epoch, context))
        try:
            with self._transit.asked() as transit:
                answer = transit.encrypt_data(
                    _EPOCH + _encode(epoch),
                    _text(key),
                    associated_data=bound,
                    mount_point=self._transit.mount,
                )
        except InvalidRequest:
            raise Conflict("epoch_gone", epoch) from None
        return str(answer["data"]["ciphertext"]).encode()

    def unwrap(self, epoch: str, wrapped: bytes, context: bytes) -> bytes:
        self._ready(epoch)
        if not _WRAPPED.fullmatch(wrapped):
            raise Tampered("wrapped_key", epoch)
        bound = _text(bind(epoch, context))
        try:
            with self._transit.asked() as transit:
                answer = transit.decrypt_data(
                    _EPOCH + _encode(epoch), wrapped.decode(), associated_data=bound,
                    mount_point=self._transit.mount,
                )  # fmt: skip
        except InvalidRequest:
            self._ready(epoch)
            raise Tampered("wrapped_key", epoch) from None
        return b64decode(answer["data"]["plaintext"])

    def sign(self, message: bytes) -> Signature:
        self._read(SIGNING)
        with self._transit.asked() as transit:
            answer = transit.sign_data(_key(SIGNING), _text(message), mount_point=self._transit.mount)
        version, signature = _parts(answer["data"]["signature"])
        return Signature(f"{SIGNING}-{version}", signature)

    def public_keys(self) -> dict[str, bytes]:
        keys = self._read(SIGNING)["keys"]
        return {f"{SIGNING}-{version}": b64decode(key["public_key"]) for version, key in keys.items()}

    def mac(self, name: str, message: bytes, version: int | None = None) -> Mac:
        check_name(name, MACS)
        try:
            with self._transit.asked() as transit:
                answer = transit.generate_hmac(
                    _key(name), _text(message), key_version=version, algorithm="sha2-256",
                    mount_point=self._transit.mount,
                )  # fmt: skip
        except (InvalidRequest, InvalidPath):
            self._look()
            raise Misconfigured("keyring_key_missing", name) from None
        return Mac(*_parts(answer["data"]["hmac"]))

    def versions(self, name: str) -> list[int]:
        check_name(name)
        return sorted(int(version) for version in self._read(name)["keys"])

    def rotate(self, name: str) -> int:
        if name == "root":
            return 0  # the server's own
        check_name(name, NAMES)
        self._read(name)
        with self._transit.asked() as transit:
            transit.rotate_key(_key(name), mount_point=self._transit.mount)
        return self.versions(name)[-1]

    def _ready(self, epoch: str) -> None:
        if self._exists(_GONE + _encode(epoch)) or not self._exists(_EPOCH + _encode(epoch)):
            self._look()
            raise Conflict("epoch_gone", epoch)

    def _look(self) -> None:
        """An engine without our keys is another one, or empty: away, never one whose epochs are gone."""
        if not self._exists(_key(SIGNING)):
            raise Unavailable("keyring", "vault", "it holds no keyring, or `consigne apply` never made it")

    def _read(self, name: str) -> dict[str, Any]:
        try:
            with self._transit.asked() as transit:
                found: dict[str, Any] = transit.read_key(_key(name), mount_point=self._transit.mount)["data"]
                return found
        except InvalidPath:
            self._look()
            raise Misconfigured("keyring_key_missing", name) from None

    def _exists(self, key: str) -> bool:
        try:
            with self._transit.asked() as transit:
                transit.read_key(key, mount_point=self._transit.mount)
        except InvalidPath:
            return False
        return True

    def _make(self, key: str, kind: str) -> None:
        """Unless it is there: Transit leaves a key that exists as it is."""
        with self._transit.asked() as transit:
            transit.create_key(
                key, key_type=kind, exportable=False, allow_plaintext_backup=False,
                mount_point=self._transit.mount,
            )  # fmt: skip

    def _destroy(self, name: str) -> None:
        key = _EPOCH + _encode(name)
        if not self._exists(key):
            return
        try:
            with self._transit.asked() as transit:
                transit.update_key_configuration(key, deletion_allowed=True, mount_point=self._transit.mount)
                transit.delete_key(key, mount_point=self._transit.mount)
        except (InvalidRequest, InvalidPath):
            if self._exists(key):  # another was not faster
                raise Unavailable("keyring", "vault", "it did not delete an epoch's key") from None

    def _named(self, start: str) -> set[str]:
        try:
            with self._transit.asked() as transit:
                found = transit.list_keys(mount_point=self._transit.mount)["data"]["keys"]
        except InvalidPath:
            return set()
        return {_decode(key.removeprefix(start)) for key in found if key.startswith(start)}


def _key(name: str) -> str:
    return f"consigne-{name}"


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _parts(answer: str) -> tuple[int, bytes]:
    """`vault:v<version>:<base64>`."""
    _, version, data = answer.split(":")
    return int(version.removeprefix("v")), b64decode(data)


def _encode(name: str) -> str:
    return "".join(
        chr(byte) if chr(byte).isalnum() and byte < 128 else f"_{byte:02x}" for byte in name.encode()
    )


def _decode(name: str) -> str:
    plain = re.sub("_([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), name)
    return plain.encode("latin-1").decode()
