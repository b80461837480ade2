"""Personal data at rest: AES-256-GCM columns and a keyed index for looking a phone number up.

A stored value is ``key id (1 byte) | nonce (12) | ciphertext and tag``; the column's name is authenticated with it, so
that a value moved into another column does not decrypt. The keyring is set once by `create_app`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import zlib
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Dialect, LargeBinary, TypeDecorator

from recycling.errors import ConfigError

KEY_BYTES = 32
NONCE_BYTES = 12  # the size AES-GCM is specified for


class Keyring:
    """Encryption keys by id, the id that new values are written with, and the key of the phone index."""

    def __init__(self) -> None:
        self._keys: dict[int, AESGCM] = {}
        self._current = 0
        self._index_key = b""

    def configure(self, *, keys: Mapping[int, bytes], current: int, index_key: bytes) -> None:
        """Set the keys; called at the start of each process.

        Raises
        ------
        ConfigError
            When a key has the wrong length or id, or the current one is not among them.
        """
        for key_id, key in keys.items():
            if len(key) != KEY_BYTES or not 0 <= key_id <= 255:
                raise ConfigError(f"DATA_KEYS: key {key_id} has {len(key)} bytes; give {KEY_BYTES} bytes, id 0 to 255")
        if current not in keys:
            raise ConfigError(f"DATA_KEYS: no key has the current id {current}; add it")
        self._keys = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._current, self._index_key = current, index_key

    def encrypt(self, plain: bytes, *, context: str) -> bytes:
        """Encrypt under the current key, bound to ``context``."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._keys[self._current].encrypt(nonce, plain, context.encode())
        return bytes([self._current]) + nonce + sealed

    def decrypt(self, stored: bytes, *, context: str) -> bytes:
        """Decrypt a stored value with the key that its first byte names."""
        nonce, sealed = stored[1 : 1 + NONCE_BYTES], stored[1 + NONCE_BYTES :]
        return self._keys[stored[0]].decrypt(nonce, sealed, context.encode())

    def digest(self, text: str, *, context: str) -> bytes:
        """A keyed digest of 32 bytes: equal for equal text and context, beyond anybody without the key."""
        return hmac.new(self._index_key, f"{context}\0{text}".encode(), hashlib.sha256).digest()


keyring = Keyring()


class EncryptedText(TypeDecorator[str]):
    """A text column encrypted at rest; ``context`` is ``table.column``."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, context: str) -> None:
        super().__init__()
        self.context = context

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Encrypt on the way in."""
        return None if value is None else keyring.encrypt(value.encode(), context=self.context)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Decrypt on the way out."""
        return None if value is None else keyring.decrypt(bytes(value), context=self.context).decode()


class EncryptedBytes(TypeDecorator[bytes]):
    """A binary column encrypted at rest."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, context: str) -> None:
        super().__init__()
        self.context = context

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Encrypt on the way in."""
        return None if value is None else keyring.encrypt(value, context=self.context)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Decrypt on the way out."""
        return None if value is None else keyring.decrypt(bytes(value), context=self.context)


class Sealed(bytes):
    """What `EncryptedJson.seal` has made of a value: ready to be written to that column."""


class EncryptedJson(TypeDecorator[Any]):
    """A JSON value, compressed and encrypted at rest: places of people inside plans and bookings."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, context: str) -> None:
        super().__init__()
        self.context = context

    def seal(self, value: Any) -> Sealed:
        """Encode, compress, encrypt: beforehand, where a lock is held while the value is written."""
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return Sealed(keyring.encrypt(zlib.compress(text.encode()), context=self.context))

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        """Seal what is not sealed yet."""
        if value is None:
            return None
        return bytes(value if isinstance(value, Sealed) else self.seal(value))

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        """Decrypt, inflate, decode."""
        if value is None:
            return None
        return json.loads(zlib.decompress(keyring.decrypt(bytes(value), context=self.context)))
