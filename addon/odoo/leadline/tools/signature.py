"""Signed calls between Odoo and the functions, in the manner of Standard Webhooks 1.0.

What is signed: `{id}.{timestamp}.{METHOD} {target}.` followed by the body's bytes, where `target` is the path with
its query as it goes over the wire. Naming method and target keeps a signed body from being sent elsewhere.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping

TOLERANCE = 300
"""Seconds a call's timestamp may be away from our clock, in either direction."""

_STAMP = re.compile(r"[0-9]{1,12}")


class SignatureRefused(Exception):
    """The call is not shown to come from the connection. `code` names the reason, and nothing of the content."""

    code = "signature_refused"


class HeaderMissing(SignatureRefused):
    """A header is missing or cannot be read."""

    code = "signature_header_missing"


class TimestampAway(SignatureRefused):
    """The timestamp is too old, or too far ahead: a replay, or a clock that is wrong."""

    code = "signature_timestamp_away"


class SignatureWrong(SignatureRefused):
    """None of the signatures was made with the connection's key over this method, target and body."""

    code = "signature_wrong"


def sign(key: bytes, call_id: str, timestamp: int, method: str, target: str, body: bytes) -> dict[str, str]:
    """Return the headers of a signed call. `timestamp` is in epoch seconds."""
    mac = _mac(key, call_id, str(timestamp), method, target, body)
    return {
        "webhook-id": call_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": "v1," + base64.b64encode(mac).decode(),
    }


def verify(key: bytes, headers: Mapping[str, str], method: str, target: str, body: bytes, now: float) -> str:
    """Check a signed call and return its id. Any one of several signatures may fit, so that keys can rotate.

    Raises `HeaderMissing`, `TimestampAway` or `SignatureWrong`.
    """
    call_id = headers.get("webhook-id") or ""
    stamp = headers.get("webhook-timestamp") or ""
    signatures = headers.get("webhook-signature") or ""
    if not call_id or not signatures or not _STAMP.fullmatch(stamp):
        raise HeaderMissing
    if abs(now - int(stamp)) > TOLERANCE:
        raise TimestampAway
    expected = _mac(key, call_id, stamp, method, target, body)
    # A list, not a generator: all are compared, so that the time taken does not tell which one fits.
    if not any([hmac.compare_digest(expected, given) for given in _decoded(signatures)]):  # noqa: C419
        raise SignatureWrong
    return call_id


def _mac(key: bytes, call_id: str, stamp: str, method: str, target: str, body: bytes) -> bytes:
    return hmac.digest(key, f"{call_id}.{stamp}.{method} {target}.".encode() + body, "sha256")


def _decoded(signatures: str) -> list[bytes]:
    found = []
    for signature in signatures.split():
        version, _, text = signature.partition(",")
        if version != "v1":
            continue
        try:
            found.append(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError):
            continue
    return found
