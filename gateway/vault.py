"""This file is what is sealed with the gateway's own key: cookies' ids are hashed, tokens encrypted, cursors signed."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Vault:
    """Keys derived from one secret of at least 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError("the gateway's secret must have at least 32 bytes")
        self._secret = secret
        self._cipher = AESGCM(self.key("sessions"))

    def key(self, purpose: str) -> bytes:
        """32 bytes for one purpose (HKDF-SHA256, RFC 5869)."""
        return HKDF(SHA256(), 32, b"pangate", purpose.encode()).derive(self._secret)

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypted and bound to a context (AES-256-GCM)."""
        nonce = secrets.token_bytes(12)
        return nonce + self._cipher.encrypt(nonce, plain, context.encode())

    def unseal(self, sealed: bytes, context: str) -> bytes:
        """The plain bytes. Raises cryptography.exceptions.InvalidTag for anything else than `seal` of that context."""
        return self._cipher.decrypt(sealed[:12], sealed[12:], context.encode())


def fresh_id() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def hashed(id: str) -> str:
    """The hash under which an id is kept (SHA-256)."""
    return hashlib.sha256(id.encode()).hexdigest()


def same(one: str, other: str) -> bool:
    """Equality in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())
