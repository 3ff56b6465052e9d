"""The one signature that is not a shared secret: ECDSA, by which SendGrid signs."""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key


def fits_key(key: str, signature: str, signed: bytes) -> bool:
    """Say whether `signature` (DER in base64) is that of `signed` by the owner of the public `key` (base64)."""
    try:
        public = load_der_public_key(base64.b64decode(key))
        if not isinstance(public, EllipticCurvePublicKey):
            return False
        der = base64.b64decode(signature)
        # Base64 has spare bits at its end: of a signature's several spellings only the usual one is a sender's.
        if base64.b64encode(der).decode() != signature:
            return False
        public.verify(der, signed, ECDSA(SHA256()))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True
