"""Grants: short-lived signed tokens by which one browser may use one conversation.

A grant is a JWT (RFC 7519) signed with HS256; `kid` names the connection whose `grants` key signed it.
"""

import base64
import hmac
import json
from collections.abc import Sequence

AUDIENCE = "leadline"
LIFETIME = 300
"""Seconds a grant is good for. The functions refuse one that claims more."""


def mint(
    key: bytes,
    *,
    connection: str,
    conversation: str,
    agent: int,
    name: str,
    can: Sequence[str],
    now: float,
) -> tuple[str, int]:
    """Return a grant and when it expires, in epoch seconds.

    `key` is derived from the connection's secret for `grants`; `can` is a part of `read`, `send`, `note`;
    `name` is what colleagues see beside what this agent writes.
    """
    issued = int(now)
    header = {"alg": "HS256", "typ": "JWT", "kid": connection}
    claims = {
        "aud": AUDIENCE,
        "sub": str(agent),
        "name": name,
        "conversation": conversation,
        "can": list(can),
        "iat": issued,
        "exp": issued + LIFETIME,
    }
    signed = f"{_segment(header)}.{_segment(claims)}"
    return f"{signed}.{_base64url(hmac.digest(key, signed.encode(), 'sha256'))}", issued + LIFETIME


def _segment(fields: dict[str, object]) -> str:
    return _base64url(json.dumps(fields, separators=(",", ":")).encode())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
