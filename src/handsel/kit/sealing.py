"""Secrets that must lie in the database, closed with a key that does not."""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from handsel.kit.signing import Keys

NONCE_BYTES = 12


class UnreadableSecretError(Exception):
    """What was sealed was sealed by another key, for another purpose, or is harmed."""


def seal(keys: Keys, purpose: str, secret: bytes) -> str:
    """Close a secret with AES-256-GCM; text that only `unseal` with this key opens.

    The key is derived (HKDF, RFC 5869) from the one that never changes, one for each
    purpose, so that a secret cannot be moved to where it means something else.
    """
    nonce = os.urandom(NONCE_BYTES)
    closed = nonce + AESGCM(_key(keys, purpose)).encrypt(nonce, secret, None)
    return base64.urlsafe_b64encode(closed).decode()


def unseal(keys: Keys, purpose: str, sealed: str) -> bytes:
    """Open what `seal` closed. Raises UnreadableSecretError."""
    try:
        closed = base64.urlsafe_b64decode(sealed)
        nonce, rest = closed[:NONCE_BYTES], closed[NONCE_BYTES:]
        return AESGCM(_key(keys, purpose)).decrypt(nonce, rest, None)
    except (ValueError, InvalidTag):
        raise UnreadableSecretError(purpose) from None


def _key(keys: Keys, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, None, f"handsel seal {purpose}".encode()).derive(
        keys.id_key
    )
