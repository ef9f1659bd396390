"""Document ids: evenly spread, the same for the same natural key, and free of personal data."""

import hashlib


def key_of(*parts: str) -> str:
    """Return the id of a document from its natural key: 32 hexadecimal digits.

    A hash, because a wamid or a phone number may not stand in a document's name, and because sequential
    names slow Firestore and Cloud Tasks down. Parts are joined by a character that none of them holds.
    """
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
