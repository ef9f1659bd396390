"""Pairing codes: typed into a CRM by a person, valid for some minutes and once, exchanged for a connection's secret.

The code is no secret of the connection: what is copied from a terminal into a browser lies in clipboards and chats
long after it has run out. The secret is made when the code is exchanged, and goes from server to server.
Twelve of thirty letters are 5 × 10¹⁷ codes: whoever tried a thousand each second would hit one of ten codes that are
valid at once with a chance of 1 in 30 billion, so that no counting of attempts is needed. Only its hash is stored.
"""

import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from functions.core.ids import key_of
from functions.core.store import NOW, Key, Write, create

VALID = timedelta(minutes=30)

_KEPT = timedelta(days=1)
"""How long we can say of a code that it has run out, or was used."""

_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""None that is easily taken for another."""

_GROUPS, _IN_GROUP = 3, 4


def new_code() -> str:
    """Return a code such as K7QF-M2XW-9R4T."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_GROUPS * _IN_GROUP))
    return "-".join(re.findall("." * _IN_GROUP, letters))


def pairing_key(code: str) -> Key:
    """Return the key of a code as a person types it: with or without dashes, in small letters or capitals."""
    return Key("pairings", key_of("pairing", re.sub(r"[\s-]", "", code).upper()))


def pairing_write(code: str, *, account: str, connection: str, now: datetime) -> Write:
    """Return the write that makes a code good for pairing a connection."""
    fields = {
        "account": account,
        "connection": connection,
        "until": (now + VALID).timestamp(),
        "expires_at": now + _KEPT,
        "created": NOW,
    }
    return create(pairing_key(code), fields)


def run_out(pairing: Mapping[str, Any], now: datetime) -> bool:
    """Return whether a code is no longer valid."""
    return bool(pairing["until"] <= now.timestamp())
