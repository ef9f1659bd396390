"""Document ids: evenly spread, the same for the same natural key, and free of personal data."""

import base64
import hashlib


def key_of(*parts: str) -> str:
    """Return the id of a document from its natural key: 26 lower-case letters and digits.

    A hash, because a wamid or a phone number may not stand in a document's name, and because sequential
    names slow Firestore and Cloud Tasks down. Parts are joined by a character that none of them holds.
    """
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).digest()
    return base64.b32encode(digest)[:26].decode().lower()
