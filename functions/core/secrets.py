"""Secrets that lie in the store: sealed with a data key, and the keys that are derived from a connection's secret."""

import base64
import secrets
from collections.abc import Sequence
from typing import Literal

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Purpose = Literal["calls", "events", "grants"]


class SealBroken(Exception):
    """None of the data keys opens what lies in the store: the right key is missing from the settings."""


class Seal:
    """Seals texts for the store. Keys are Fernet keys: the first one seals, all of them open, so that they can rotate.

    Line tokens are sealed with `LEADLINE_TOKEN_KEYS`, connection secrets with `LEADLINE_CONNECTION_KEYS`.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        fernets = [Fernet(key) for key in keys]
        self._newest, self._fernet = fernets[0], MultiFernet(fernets)

    def close(self, text: str) -> str:
        """Return the text sealed."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return the text again. Raises `SealBroken`."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise SealBroken("no data key in the settings opens this secret") from None

    def is_newest(self, sealed: str) -> bool:
        """Tell whether the first key sealed it, so that it opens without the others."""
        try:
            self._newest.decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True


def new_secret() -> str:
    """Return the secret that a connection and its CRM share: 32 bytes in base64url."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")


def derive(secret: str, purpose: Purpose) -> bytes:
    """Derive the 32-byte key for one purpose from a connection's secret (base64url of 32 bytes).

    `calls` signs what a CRM server asks of us, `events` what we post to it, `grants` what its browsers carry.
    """
    raw = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
    return HKDF(algorithm=SHA256(), length=32, salt=b"", info=f"leadline/{purpose}".encode()).derive(raw)
