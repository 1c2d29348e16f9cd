"""Signatures that others make with a private key, checked with the public half.

The library is imported by the first check: it is a tenth of what a start takes, and most
shops never check one.
"""

import base64
import binascii
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey


class UntrueError(Exception):
    """A signature that does not fit, or a key that is none."""


def load_p256(key: str) -> "EllipticCurvePublicKey":
    """Read a key on the curve P-256 (RFC 5480), in base64. Raises UntrueError."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        found = load_der_public_key(base64.b64decode(key, validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm) as error:
        raise UntrueError("it cannot be read") from error
    is_p256 = isinstance(found, ec.EllipticCurvePublicKey) and isinstance(
        found.curve, ec.SECP256R1
    )
    if not is_p256:
        raise UntrueError("it is a key of another kind")
    assert isinstance(found, ec.EllipticCurvePublicKey)
    return found


def check_p256(key: str, signature: bytes, signed: bytes) -> None:
    """Check an ECDSA signature with SHA-256, in DER. Raises UntrueError."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        load_p256(key).verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise UntrueError("it does not fit") from error


def check_rsa(
    certificate: bytes,
    signature: bytes,
    signed: bytes,
    hash_: Literal["sha1", "sha256"],
    now: datetime,
) -> None:
    """Check an RSA signature (PKCS #1 v1.5) with a certificate, in PEM, valid `now`.

    Who has issued the certificate is not asked: it must come from where it belongs.
    Raises UntrueError.
    """
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    # Amazon signs with SHA-1 unless told otherwise. What is signed stays unforgeable: that
    # would take a second text for a given hash, not two texts with any hash in common.
    digest = hashes.SHA1() if hash_ == "sha1" else hashes.SHA256()  # noqa: S303
    try:
        found = x509.load_pem_x509_certificate(certificate)
        key = found.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UntrueError("there is no certificate") from error
    if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
        raise UntrueError("the certificate is not valid now")
    if not isinstance(key, rsa.RSAPublicKey):
        raise UntrueError("it is a key of another kind")
    try:
        key.verify(signature, signed, padding.PKCS1v15(), digest)
    except InvalidSignature as error:
        raise UntrueError("it does not fit") from error
