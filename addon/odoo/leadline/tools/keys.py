"""The keys that a connection's secret yields, one per purpose, so that none of them can stand in for another."""

import base64
import binascii
from typing import Literal

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Purpose = Literal["calls", "events", "grants"]
"""`calls`: what Odoo asks of the functions. `events`: what they tell Odoo. `grants`: what browsers carry."""

SECRET_BYTES = 32


class SecretMalformed(ValueError):
    """The text is not a connection's secret."""


def decode_secret(secret: str) -> bytes:
    """Return the 32 bytes of a secret given as base64url text, padded or not. Raises `SecretMalformed`."""
    try:
        raw = base64.b64decode(secret + "=" * (-len(secret) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise SecretMalformed("the secret is not base64url text") from None
    if len(raw) != SECRET_BYTES:
        raise SecretMalformed(f"the secret has {len(raw)} bytes instead of {SECRET_BYTES}")
    return raw


def derive(secret: str, purpose: Purpose) -> bytes:
    """Return the 32-byte key for one purpose. Raises `SecretMalformed`."""
    hkdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=b"", info=f"leadline/{purpose}".encode())
    return hkdf.derive(decode_secret(secret))
