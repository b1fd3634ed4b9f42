"""The keyring in a token (PKCS#11 2.40 and newer): every key is made there and never leaves it.

Objects, by label (docs/formats.md): `<prefix>:epoch:<name>` AES-256; `<prefix>:gone:<name>` a data object, that name
never gets a key again; `<prefix>:key:<name>-<version>` Ed25519 for signing, HMAC-SHA-256 for the others.

PKCS#11 knows no unique label: two processes may make one key twice. Of an epoch both serve until both are
destroyed; of the others the one with the smallest CKA_ID counts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any, Final, Never

from pkcs11 import Attribute, GCMParams, KeyType, Mechanism, ObjectClass
from pkcs11 import exceptions as faults
from pkcs11.types import Session
from pkcs11.util.ec import encode_named_curve_parameters

from consigne.acts.ports import Mac, Signature
from consigne.adapters.keyring.token import Opened, Place, Token
from consigne.adapters.keyring.wrapping import (
    KEY_BYTES,
    MACS,
    NAMES,
    NONCE_BYTES,
    SIGNING,
    TAG_BYTES,
    bind,
    check_data_key,
    check_name,
    join,
    split,
)
from consigne.rules.errors import Conflict, Misconfigured, Tampered, Unavailable

_ED25519: Final = "1.3.101.112"  # RFC 8410
_SECRET: Final = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
_DATA: Final = {Attribute.CLASS: ObjectClass.DATA}
_EPOCHS: Final = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.KEY_TYPE: KeyType.AES}
_SIGNERS: Final = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.KEY_TYPE: KeyType.EC_EDWARDS}
_HMACS: Final = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.KEY_TYPE: KeyType.GENERIC_SECRET}
_KINDS: Final = {SIGNING: _SIGNERS} | dict.fromkeys(MACS, _HMACS)
_FRESH_S: Final = 1.0
"""How long a process goes by the versions that it saw."""


class Pkcs11Keyring:
    """Nothing is contacted before the first call."""

    provider: Final = "pkcs11"
    assurance: Final = "hsm"

    def __init__(self, place: Place) -> None:
        self._token, self._prefix = Token(place), place.prefix

    def check(self) -> None:
        """Misconfigured where the module, the token or its PIN is missing or wrong."""
        self._token.check()

    def prepare(self, first: bool) -> None:
        """As FileKeyring's: finish what a kill interrupted; with `first`, make what is missing."""

        def act(opened: Opened) -> None:
            if first:
                known = self._all_versions(opened)
                for name in NAMES:
                    if not known[name]:
                        self._make_key(opened, name, 1)
            self._look(opened)
            for name in self._named(opened, "gone", _DATA) & self._named(opened, "epoch", _EPOCHS):
                self._destroy(opened, name)

        self._token.run(act)

    def open_epoch(self, name: str) -> None:
        def act(opened: Opened) -> None:
            if self._epoch_keys(opened, name) and not self._is_gone(opened, name):
                return
            self._look(opened)
            if self._is_gone(opened, name):
                raise Conflict("epoch_destroyed", name)
            label = self._label("epoch", name)
            opened.session.generate_key(
                KeyType.AES, KEY_BYTES * 8, label=label, id=os.urandom(16), store=True, template=_SECRET
            )
            if self._is_gone(opened, name):  # destroyed meanwhile: the marker comes before the destruction
                self._destroy(opened, name)
                raise Conflict("epoch_destroyed", name)

        self._token.run(act)

    def epoch_lives(self, name: str) -> bool:
        def act(opened: Opened) -> bool:
            self._look(opened)
            fresh = Opened(opened.session.token.open())  # what this session has in mind does not count
            try:
                return bool(self._epoch_keys(fresh, name))
            finally:
                fresh.session.close()

        return self._token.run(act)

    def epochs(self) -> list[str]:
        def act(opened: Opened) -> list[str]:
            self._look(opened)
            return sorted(self._named(opened, "epoch", _EPOCHS))

        return self._token.run(act)

    def destroy_epoch(self, name: str) -> None:
        def act(opened: Opened) -> None:
            self._look(opened)
            if not self._is_gone(opened, name):
                # The name is reserved first: a kill after this line leaves a key that gets no successor.
                opened.session.create_object({
                    Attribute.CLASS: ObjectClass.DATA, Attribute.TOKEN: True, Attribute.PRIVATE: True,
                    Attribute.LABEL: self._label("gone", name), Attribute.VALUE: b"\x01",
                })  # fmt: skip
            self._destroy(opened, name)

        self._token.run(act)

    def wrap(self, epoch: str, key: bytes, context: bytes) -> bytes:
        check_data_key(key)
        nonce, bound = os.urandom(NONCE_BYTES), bind(epoch, context)
        return join(nonce, self._token.run(lambda o: _encrypt(self._living(o, epoch)[0], nonce, bound, key)))

    def unwrap(self, epoch: str, wrapped: bytes, context: bytes) -> bytes:
        bound = bind(epoch, context)

        def act(opened: Opened) -> bytes:
            for _ in range(2):
                for key in self._living(opened, epoch):
                    secret = _decrypt(key, *split(wrapped, epoch), bound)
                    if secret is not None:
                        return secret
                opened.found.pop(self._label("epoch", epoch), None)  # another process may have made one too
            raise Tampered("wrapped_key", epoch)

        return self._token.run(act)

    def sign(self, message: bytes) -> Signature:
        def act(opened: Opened) -> Signature:
            version = self._versions(opened, SIGNING)[-1]
            signature = self._key(opened, SIGNING, version).sign(message, mechanism=Mechanism.EDDSA)
            return Signature(f"{SIGNING}-{version}", signature)

        return self._token.run(act)

    def public_keys(self) -> dict[str, bytes]:
        def act(opened: Opened) -> dict[str, bytes]:
            names = [f"{SIGNING}-{version}" for version in self._versions(opened, SIGNING)]
            return {name: self._public_key(opened, name) for name in names}

        return self._token.run(act)

    def mac(self, name: str, message: bytes, version: int | None = None) -> Mac:
        check_name(name, MACS)

        def act(opened: Opened) -> Mac:
            chosen = self._versions(opened, name)[-1] if version is None else version
            key = self._key(opened, name, chosen)
            return Mac(chosen, key.sign(message, mechanism=Mechanism.SHA256_HMAC))

        return self._token.run(act)

    def versions(self, name: str) -> list[int]:
        check_name(name)
        return list(self._token.run(lambda opened: self._versions(opened, name)))

    def rotate(self, name: str) -> int:
        if name == "root":
            return 0  # the token's own
        check_name(name)

        def act(opened: Opened) -> int:
            opened.found.pop("versions", None)
            version = self._versions(opened, name)[-1] + 1
            self._make_key(opened, name, version)
            return version

        return self._token.run(act)

    def _living(self, opened: Opened, epoch: str) -> list[Any]:
        keys = self._epoch_keys(opened, epoch)
        if not keys:
            self._look(opened)
            raise Conflict("epoch_gone", epoch)
        return keys

    def _make_key(self, opened: Opened, name: str, version: int) -> None:
        made: Mapping[str, Any] = {
            "label": self._label("key", f"{name}-{version}"), "id": os.urandom(16), "store": True,
        }  # fmt: skip
        if name == SIGNING:
            curve = {Attribute.EC_PARAMS: encode_named_curve_parameters(_ED25519)}
            parameters = opened.session.create_domain_parameters(KeyType.EC_EDWARDS, curve, local=True)
            mechanism = Mechanism.EC_EDWARDS_KEY_PAIR_GEN
            parameters.generate_keypair(mechanism=mechanism, private_template=_SECRET, **made)
        else:
            template = {**_SECRET, Attribute.SIGN: True}
            opened.session.generate_key(KeyType.GENERIC_SECRET, KEY_BYTES * 8, template=template, **made)
        opened.found.pop("versions", None)

    def _look(self, opened: Opened) -> None:
        """A token without our keys is another one, or empty: away, never one whose epochs are gone."""
        if not any(self._labels(opened.session, "key", _SIGNERS)):
            raise Unavailable(
                "keyring", "token", "it holds no keyring of ours, or `consigne apply` never made it"
            )

    def _versions(self, opened: Opened, name: str) -> list[int]:
        seen_at, known = opened.found.get("versions", (0.0, {}))
        if time.monotonic() - seen_at > _FRESH_S:
            known = self._all_versions(opened)
            opened.found["versions"] = time.monotonic(), known
        versions: list[int] = known[name]
        return versions or self._missing(opened, name)

    def _all_versions(self, opened: Opened) -> dict[str, list[int]]:
        known: dict[str, set[int]] = {name: set() for name in NAMES}
        for kind in (_SIGNERS, _HMACS):
            for label in self._labels(opened.session, "key", kind):
                name, _, version = label.rpartition("-")
                if version.isdecimal() and _KINDS.get(name) is kind:
                    known[name].add(int(version))
        return {name: sorted(versions) for name, versions in known.items()}

    def _key(self, opened: Opened, name: str, version: int) -> Any:
        keys = self._found(opened, _KINDS[name], self._label("key", f"{name}-{version}"))
        return _first(keys) or self._missing(opened, name)

    def _missing(self, opened: Opened, name: str) -> Never:
        self._look(opened)
        raise Misconfigured("keyring_key_missing", name)

    def _public_key(self, opened: Opened, name: str) -> bytes:
        sought = {Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.LABEL: self._label("key", name)}
        key = _first(list(opened.session.get_objects(sought))) or self._missing(opened, SIGNING)
        return bytes(key[Attribute.EC_POINT])[-32:]  # bare, or as a DER octet string

    def _epoch_keys(self, opened: Opened, name: str) -> list[Any]:
        return self._found(opened, _EPOCHS, self._label("epoch", name))

    def _found(self, opened: Opened, kind: Mapping[Attribute, Any], label: str) -> list[Any]:
        """Objects of that label, as they were found before where they are still there."""
        known: list[Any] = opened.found.get(label, [])
        if not known or not all(map(_is_there, known)):
            known = list(opened.session.get_objects({**kind, Attribute.LABEL: label}))
            opened.found[label] = known
        return known

    def _is_gone(self, opened: Opened, name: str) -> bool:
        sought = {**_DATA, Attribute.LABEL: self._label("gone", name)}
        return any(opened.session.get_objects(sought))

    def _destroy(self, opened: Opened, name: str) -> None:
        opened.found.pop(self._label("epoch", name), None)
        for key in self._epoch_keys(opened, name):
            key.destroy()

    def _named(self, opened: Opened, what: str, kind: Mapping[Attribute, Any]) -> set[str]:
        return set(self._labels(opened.session, what, kind))

    def _labels(self, session: Session, what: str, kind: Mapping[Attribute, Any]) -> list[str]:
        start = self._label(what, "")
        labels = [str(found[Attribute.LABEL]) for found in session.get_objects(dict(kind))]
        return [label.removeprefix(start) for label in labels if label.startswith(start)]

    def _label(self, what: str, name: str) -> str:
        return f"{self._prefix}:{what}:{name}"


def _first(keys: list[Any]) -> Any:
    return min(keys, key=lambda key: bytes(key[Attribute.ID]), default=None)


def _is_there(found: Any) -> bool:
    try:
        return bool(found[Attribute.ID])
    except faults.PKCS11Error:
        return False


def _encrypt(key: Any, nonce: bytes, bound: bytes, secret: bytes) -> bytes:
    parameters = GCMParams(nonce, bound, tag_bits=TAG_BYTES * 8)
    return bytes(key.encrypt(secret, mechanism=Mechanism.AES_GCM, mechanism_param=parameters))


def _decrypt(key: Any, nonce: bytes, sealed: bytes, bound: bytes) -> bytes | None:
    parameters = GCMParams(nonce, bound, tag_bits=TAG_BYTES * 8)
    try:
        return bytes(key.decrypt(sealed, mechanism=Mechanism.AES_GCM, mechanism_param=parameters))
    except faults.PKCS11Error:
        # Modules say a wrong tag in many ways, some as they say that they are broken: this one works.
        _encrypt(key, os.urandom(NONCE_BYTES), bound, bytes(KEY_BYTES))
        return None
