"""Encryption of personal data at rest: AES-256-GCM per value, with a keyed digest where a value must be findable.

The key travels with the engine (`attach_cipher`), not in a global: a column type is asked with the engine's dialect in
hand, and finds the cipher there.
"""

import hashlib
import hmac
import os

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.types import TypeDecorator

from fieldvisit.errors import FieldVisitError, Kind

_VERSION = b"\x01"
_NONCE_BYTES = 12


class Unsealable(FieldVisitError):
    """A stored value was not written with this key, or was altered."""

    code, kind = "unsealable", Kind.UNAVAILABLE
    says = "A stored value cannot be read with the present data key."


class Cipher:
    """Seals and opens text under one 32-byte key. What is sealed has `MORE_BYTES` more."""

    MORE_BYTES = len(_VERSION) + _NONCE_BYTES + 16

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)
        self._digest_key = hmac.digest(key, b"fieldvisit digest", "sha256")
        self._files_key = hmac.digest(key, b"fieldvisit files in segments", "sha256")

    def seal(self, text: str, purpose: str) -> bytes:
        return self.seal_bytes(text.encode(), purpose)

    def open(self, sealed: bytes, purpose: str) -> str:
        return self.open_bytes(sealed, purpose).decode()

    def seal_bytes(self, content: bytes, purpose: str) -> bytes:
        """The same for what is no text."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._aead.encrypt(nonce, content, purpose.encode())

    def open_bytes(self, sealed: bytes, purpose: str) -> bytes:
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._aead.decrypt(nonce, body, purpose.encode())
        except (InvalidTag, ValueError) as error:
            # ValueError: there is too little of it.
            raise Unsealable() from error

    def of_one_file(self, salt: bytes) -> AESGCM:
        """Under a key that follows from the salt: what is sealed in many segments has nonces of its own."""
        return AESGCM(hmac.digest(self._files_key, salt, "sha256"))

    def digest(self, text: str) -> bytes:
        """The same 32 bytes for the same text: what a sealed value is looked up by."""
        return hmac.digest(self._digest_key, text.encode(), hashlib.sha256)


class Sealed(TypeDecorator[str]):
    """Text that is encrypted in the database. `purpose` binds it to its column: moved elsewhere it does not open."""

    impl = sa.LargeBinary
    cache_ok = True

    def __init__(self, purpose: str) -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> bytes | None:
        return None if value is None else cipher_of(dialect).seal(value, self.purpose)

    def process_result_value(self, value: bytes | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else cipher_of(dialect).open(bytes(value), self.purpose)


class SealedBytes(TypeDecorator[bytes]):
    """The same for bytes."""

    impl = sa.LargeBinary
    cache_ok = True

    def __init__(self, purpose: str) -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: bytes | None, dialect: sa.Dialect) -> bytes | None:
        return None if value is None else cipher_of(dialect).seal_bytes(value, self.purpose)

    def process_result_value(self, value: bytes | None, dialect: sa.Dialect) -> bytes | None:
        return None if value is None else cipher_of(dialect).open_bytes(bytes(value), self.purpose)


def attach_cipher(engine: sa.Engine, cipher: Cipher) -> sa.Engine:
    """Let this engine read and write `Sealed` columns."""
    engine.dialect.fieldvisit_cipher = cipher  # type: ignore[attr-defined]
    return engine


def cipher_of(dialect: sa.Dialect) -> Cipher:
    cipher: Cipher = dialect.fieldvisit_cipher  # type: ignore[attr-defined]
    return cipher
